// SPDX-License-Identifier: MIT
/// The role of a target: what a row of logits should become.
///
/// A target describes row i as a distribution q over the classes, as a sum of parts that a sink receives:
///
///     target.visit(i, columns, scale, sink)
///       sink.label(c, weight)     q[c] += weight
///       sink.uniform(weight)      q[c] += weight for every class c
///       sink.dense(view, weight)  q[c] += weight · view(i, c) for every class c
///
/// Targets nest: an outer one scales what an inner one sends. No rows × classes array is ever built, and a
/// backend decides by its sinks how to read the parts.
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

/// labels, has_uniform, dense_parts  which parts visit may send, at compile time
/// ignoring()      whether any row may be ignored; ignores(i) whether row i is
/// label_weight(i, weights)  the weight of row i's label, or of its labels in their mixture, before smoothing
/// labels_fit(i, K)  whether row i's labels are classes, if it is not ignored; for backends that cannot check before
/// dense_views()   the views of the dense parts, as a list, in the order in which visit sends them
/// check_shape(n, K)   throws where the sizes do not fit n rows of K classes; reads no memory of the caller's
/// each_input(see)  (may be missing) see(name, footprint) for all memory that it reads, so that outputs are held apart
/// check_values(n, K)  throws where a label, λ or weight is out of range; for backends that can read them
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

/// see(name, footprint) for the memory that a target reads, as far as it says so: a target may have a member
/// each_input(see).
template <class Target, class See>
void each_input(Target const& target, See const& see) {
  if constexpr (requires { target.each_input(see); }) target.each_input(see);
}

}  // namespace detail

/// A target whose labels may be no class, for losses of elements: then no class has them.
/// check_numbers(n)    what check_values checks beside the labels
template <class T>
concept free_target = row_target<T> && requires(T const& target, index i) { target.check_numbers(i); };

/// A target whose classes are weighed; nothing may be wrapped around it.
template <class T>
concept weighed_target = row_target<T> && requires { T::weighed; };

/// A target whose uniform part is shared by the row's allowed classes alone, those with a logit above -inf: the weight
/// that visit sends to uniform() is what they have together, and 0 is that of the other classes.
template <class T>
concept allowed_target = row_target<T> && requires { requires T::over_allowed; };

namespace detail {

/// Whether the uniform parts of two targets, if both have one, are of the same classes.
template <class First, class Second>
inline constexpr bool uniform_alike =
    !First::has_uniform || !Second::has_uniform || allowed_target<First> == allowed_target<Second>;

}  // namespace detail

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
