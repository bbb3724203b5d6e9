// SPDX-License-Identifier: MIT
/// A target: the distribution over the classes that a row of logits should get.
///
/// A target describes row i as a distribution q over the classes, a sum of parts that it sends to a sink:
///
///     target.visit(i, columns, scale, sink)
///       sink.label(c, weight)     q[c] += weight
///       sink.uniform(weight)      q[c] += weight for every class c
///       sink.dense(view, weight)  q[c] += weight · view(i, c) for every class c
///
/// Targets nest: an outer target scales the parts of an inner one. No rows × classes array is ever built, and the sinks
/// of a backend decide how to read the parts.
#pragma once

#include <hone/core/list.hpp>
#include <hone/core/number.hpp>
#include <hone/core/numbers.hpp>
#include <hone/core/overlap.hpp>

#include <concepts>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

struct silent_sink {
  void label(index, double) const noexcept {}
  void uniform(double) const noexcept {}
  void dense(auto const&, double) const noexcept {}
};

}  // namespace detail

/// labels, has_uniform, dense_parts  the parts that visit may send, at compile time
/// ignoring()      whether any row may be ignored; ignores(i): whether row i is
/// label_weight(i, weights)  the weight of row i's label, or the mean weight of its mixed labels, before smoothing
/// labels_fit(i, K)  whether the labels of row i, if it is not ignored, are classes; for backends that cannot check
/// dense_views()   the list of the views of the dense parts, in the order in which visit sends them
/// check_shape(n, K)   throws if the sizes do not fit n rows of K classes; reads no memory of the caller
/// each_input(see)  (optional) calls see(name, footprint) for all memory that it reads; outputs may not overlap it
/// check_values(n, K)  throws if a label, λ or weight is out of range; for backends that can read them
/// of_rows(first, count)  (optional) returns the target, of the same type, of rows [first, first + count), which has
///                 been checked with the others; linear_logits on CUDA need it
template <class T>
concept row_target = requires(T const& target, index i, detail::silent_sink sink) {
  { T::labels } -> std::convertible_to<int>;
  { T::has_uniform } -> std::convertible_to<bool>;
  { T::dense_parts } -> std::convertible_to<int>;
  { target.ignoring() } -> std::same_as<bool>;
  { target.ignores(i) } -> std::same_as<bool>;
  { target.label_weight(i, numbers()) } -> std::same_as<double>;
  { target.labels_fit(i, i) } -> std::same_as<bool>;
  target.dense_views();
  target.check_shape(i, i);
  target.check_values(i, i);
  target.visit(i, i, 1.0, sink);
};

namespace detail {

/// Calls see(name, footprint) for the memory that a target reads, if the target has a member each_input(see); other
/// targets report nothing.
template <class Target, class See>
void each_input(Target const& target, See const& see) {
  if constexpr (requires { target.each_input(see); }) target.each_input(see);
}

/// Whether visit sends the same weights for every row that is not ignored; false if this is not known.
template <class Target>
HONE_HD bool weighs_rows_alike([[maybe_unused]] Target const& target) noexcept {
  if constexpr (requires { target.weighs_rows_alike(); }) return target.weighs_rows_alike();
  return false;
}

}  // namespace detail

/// A target that can be cut into blocks of rows.
template <class T>
concept rowwise_target = row_target<T> && requires(T const& target, index i) {
  { target.of_rows(i, i) } -> std::same_as<T>;
};

/// A target for losses of elements, whose labels may be outside the classes; no class then gets their weight.
/// check_numbers(n)    checks the same as check_values, except for the labels
template <class T>
concept free_target = row_target<T> && requires(T const& target, index i) { target.check_numbers(i); };

/// A target with class weights; no other target may wrap it.
template <class T>
concept weighed_target = row_target<T> && requires { T::weighed; };

/// A target whose uniform part covers only the allowed classes of a row, those with a logit above -inf: they share the
/// weight that visit sends to uniform(); other classes get 0.
template <class T>
concept allowed_target = row_target<T> && requires { requires T::over_allowed; };

namespace detail {

/// Whether the uniform parts of two targets, if both have one, cover the same classes.
template <class First, class Second>
inline constexpr bool uniform_alike =
    !First::has_uniform || !Second::has_uniform || allowed_target<First> == allowed_target<Second>;

}  // namespace detail

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
