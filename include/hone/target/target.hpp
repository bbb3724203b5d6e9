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

#include <concepts>

namespace hone {

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

/// A target whose classes are weighed; nothing may be wrapped around it.
template <class T>
concept weighed_target = row_target<T> && requires { T::weighed; };

}  // namespace hone
