// SPDX-License-Identifier: MIT
/// Objectives of element-wise terms on the CPU. Rows that lie behind one another without padding are one long
/// line; a line is worked on in segments that stay in the first-level cache.
#pragma once

#include <hone/core/outputs.hpp>
#include <hone/cpu/chunks.hpp>
#include <hone/cpu/math.hpp>
#include <hone/loss/element_term.hpp>

#include <array>
#include <tuple>
#include <utility>

namespace hone::on_cpu {

inline constexpr index segment_elements = 1024;

/// A run of elements of a matrix: `size` of them from (row, column) on, over the ends of rows if contiguous.
struct segment {
  index row, column, size;
};

template <class T>
bool contiguous(matrix_view<T> v) noexcept {
  return v.row_stride == v.columns || v.rows <= 1;
}
template <class T>
bool contiguous(image_view<T>) noexcept {
  return false;
}

/// Copies a segment to and from consecutive numbers.
template <class A, class T>
void gather(matrix_view<T> v, segment s, A* to) noexcept {
  convert(v.row(s.row) + s.column, to, s.size);
}
template <class A, class T>
void gather(image_view<T> v, segment s, A* to) noexcept {
  for (index j = 0; j < s.size; ++j) to[j] = static_cast<A>(*address(v, s.row, s.column + j));
}
template <class A, class T>
void scatter(matrix_view<T> v, segment s, A const* from) noexcept {
  convert(from, v.row(s.row) + s.column, s.size);
}
template <class A, class T>
void scatter(image_view<T> v, segment s, A const* from) noexcept {
  for (index j = 0; j < s.size; ++j) *address(v, s.row, s.column + j) = static_cast<T>(from[j]);
}

/// The segment where it lies, if it consists of whole packs of the right type; a copy in `to` otherwise.
template <class A, class View>
A const* reach(View v, segment s, A* to) noexcept {
  if constexpr (std::is_same_v<View, matrix_view<const A>> || std::is_same_v<View, matrix_view<A>>)
    if (s.size % pack<A>::size == 0) return v.row(s.row) + s.column;
  gather(v, s, to);
  for (index j = s.size; j % pack<A>::size != 0; ++j) to[j] = 0;
  return to;
}

/// What the CPU holds of one term: its targets and the weights of the segment's elements, and its sum.
template <class A, class Formula>
struct element_leaf {
  Formula formula;
  A const* t = nullptr;
  A const* weight = nullptr;  // factor · row weight per element, 0 where ignored; nullptr where it is one number
  A factor = 1;               // that number
  A scale = 1;                // of the reduction
};

/// What one or more terms make of a pack.
template <class V>
struct element_part {
  V loss, reduced, gradient;

  friend element_part operator+(element_part a, element_part b) noexcept {
    return {a.loss + b.loss, a.reduced + b.reduced, a.gradient + b.gradient};
  }
};

/// The one loop over elements. Returns Σ scale · weight · loss.
template <class A, class... Formula>
pack<A> element_sweep(detail::list<element_leaf<A, Formula>...> const& leaves, A const* x, A* gradient, A* unreduced,
                      index size) noexcept {
  using V = pack<A>;
  const auto state = leaves;
  V total(0);
  for (index i = 0; i < size; i += V::size) {
    const V logit = V::load(x + i);
    const auto part_of = [&](auto const& l) -> element_part<V> {
      const auto [value, slope] = l.formula(logit, V::load(l.t + i));
      const V scale(l.scale);
      if (!l.weight) {
        const V loss = V(l.factor) * value;
        return {loss, scale * loss, scale * V(l.factor) * slope};
      }
      const V w = V::load(l.weight + i);
      const mask<A> out = w == V(0);
      const V loss = zero_where(out, w * value);
      return {loss, scale * loss, zero_where(out, scale * w * slope)};
    };
    const element_part<V> part = state.apply([&](auto const&... l) { return (part_of(l) + ...); });
    total += part.reduced;
    if (gradient) part.gradient.store(gradient + i);
    if (unreduced) part.loss.store(unreduced + i);
  }
  return total;
}

template <class View, class... Leaf>
struct element_job {
  using T = detail::number_of<View>;
  using A = accumulator_t<T>;

  View prediction;
  typename detail::outputs_of<View>::type out;
  detail::list<Leaf...> leaves;
  std::array<double, sizeof...(Leaf)> scales;  // factor of the reduction, per leaf
  index columns;
};

template <class View, class... Leaf>
class element_worker {
  using job_type = element_job<View, Leaf...>;
  using A = typename job_type::A;
  using V = pack<A>;
  static constexpr std::size_t count = sizeof...(Leaf);

 public:
  static std::size_t bytes() { return carver::room_for<A>(segment_elements) * (3 + 2 * count); }

  element_worker(job_type const& job, std::byte* memory) : job_(job) {
    carver pieces(memory);
    for (A** p : {&x_, &gradient_, &unreduced_}) *p = pieces.take<A>(segment_elements);
    for (std::size_t k = 0; k < count; ++k) targets_[k] = pieces.take<A>(segment_elements);
    for (std::size_t k = 0; k < count; ++k) weights_[k] = pieces.take<A>(segment_elements);
  }

  double run(index begin, index end) noexcept {
    double total = 0;
    const bool one_line = is_one_line();
    for (index row = begin; row < end; row += one_line ? end - begin : 1) {
      const index length = (one_line ? end - begin : 1) * job_.columns;
      for (index at = 0; at < length; at += segment_elements)
        total += evaluate({row + at / job_.columns, at % job_.columns, std::min(segment_elements, length - at)});
    }
    return total;
  }

 private:
  bool is_one_line() const noexcept {
    const auto dense = [](auto const& targets) {
      if constexpr (requires { targets.view; }) return contiguous(targets.view);
      return true;
    };
    return contiguous(job_.prediction) && (!job_.out.gradient.data || contiguous(job_.out.gradient)) &&
           job_.leaves.apply([&](auto const&... l) { return (dense(l.term.targets) && ...); });
  }

  double evaluate(segment s) noexcept {
    A const* x = reach(job_.prediction, s, x_);
    const bool whole = s.size % V::size == 0;
    auto* unreduced = job_.out.unreduced ? job_.out.unreduced + s.row * job_.columns + s.column : nullptr;
    A* losses = unreduced && !whole ? unreduced_ : unreduced;
    A* direct = whole ? in_place(job_.out.gradient, s) : nullptr;
    A* gradient = job_.out.gradient.data ? (direct ? direct : gradient_) : nullptr;
    const auto leaves = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return detail::list(leaf_at(detail::at<I>(job_.leaves), s, I)...);
    }(std::index_sequence_for<Leaf...>());
    if (!whole) mask_tail(s);
    const V total = element_sweep(leaves, x, gradient, losses, (s.size + V::size - 1) / V::size * V::size);
    if (gradient && !direct) scatter(job_.out.gradient, s, static_cast<A const*>(gradient_));
    if (losses && losses != unreduced) convert(static_cast<A const*>(losses), unreduced, s.size);
    return static_cast<double>(sum(total));
  }

  template <class T>
  static A* in_place(matrix_view<T> v, segment s) noexcept {
    if constexpr (std::is_same_v<T, A>)
      if (v.data) return v.row(s.row) + s.column;
    return nullptr;
  }
  template <class T>
  static A* in_place(image_view<T>, segment) noexcept {
    return nullptr;
  }

  /// Calls body(row, from, to) for the pieces of rows in a segment; from and to count within the segment.
  template <class Body>
  void each_row(segment s, Body const& body) const noexcept {
    index row = s.row, from = -s.column;
    for (; from < s.size; from += job_.columns, ++row)
      body(row, std::max<index>(from, 0), std::min(from + job_.columns, s.size), from);
  }

  template <class L>
  auto leaf_at(L const& leaf, segment s, std::size_t k) noexcept {
    using formula = std::remove_cvref_t<decltype(leaf.term.formula)>;
    auto const& targets = leaf.term.targets;
    element_leaf<A, formula> l{leaf.term.formula};
    l.scale = static_cast<A>(job_.scales[k]);
    l.factor = static_cast<A>(leaf.factor);
    if constexpr (requires { targets.view; }) {
      l.t = reach(targets.view, s, targets_[k]);
    } else {
      std::fill(targets_[k], targets_[k] + (s.size + V::size - 1) / V::size * V::size, A(0));
      each_row(s, [&](index row, index from, index to, index first) {
        const index at = first + targets.labels.label(row);
        if (targets.labels.label(row) >= 0 && targets.labels.label(row) < job_.columns && at >= from && at < to)
          targets_[k][at] = 1;
      });
      l.t = targets_[k];
    }
    if (L::weight_count > 0 || targets.ignoring() || leaf.factor == 0 || s.size % V::size != 0) {
      each_row(s, [&](index row, index from, index to, index) {
        const A w = targets.ignores(row) ? A(0) : static_cast<A>(leaf.factor_of_row(row));
        std::fill(weights_[k] + from, weights_[k] + to, w);
      });
      l.weight = weights_[k];
    }
    return l;
  }

  /// Lanes behind the segment's end count for nothing.
  void mask_tail(segment s) noexcept {
    for (std::size_t k = 0; k < count; ++k)
      for (index j = s.size; j % V::size != 0; ++j) weights_[k][j] = 0;
  }

  job_type const& job_;
  A *x_, *gradient_, *unreduced_;
  A *targets_[count], *weights_[count];
};

template <class View, elementwise Term, int Weights>
void check_leaf(View prediction, detail::leaf<Term, Weights> const& leaf) {
  check_row_weights(leaf, detail::rows_of(prediction));
  leaf.term.targets.check_shape(prediction);
}

/// What mean divides a leaf by: the elements of the rows that count.
template <elementwise Term, int Weights, class... All>
double divisor_of(detail::leaf<Term, Weights> const& leaf, detail::list<All...> const&, index rows, index each) {
  auto const& targets = leaf.term.targets;
  return count_rows(rows, targets.ignoring(), [&](index i) { return targets.ignores(i); }) * static_cast<double>(each);
}

/// Fills the outputs of element-wise terms and returns Σ scale · factor · weight · loss.
template <class View, class... Leaf>
double sum_elements(cpu const& backend, element_job<View, Leaf...> const& job) {
  using worker = element_worker<View, Leaf...>;
  using A = typename element_job<View, Leaf...>::A;
  return sum_over_chunks(backend, chunk_plan<A>(job.prediction), worker::bytes(),
                         [&](index begin, index end, std::byte* m) { return worker(job, m).run(begin, end); });
}

}  // namespace hone::on_cpu
