// SPDX-License-Identifier: MIT
/// The targets and the weights of a segment's elements, as consecutive numbers for the sweep.
#pragma once

#include <hone/cpu/elements/segments.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/target/row_parts.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The inputs of one term in the sweep: its targets and the weights of the segment's elements.
template <class A, class Formula, bool Positives>
struct element_leaf {
  static constexpr bool of_classes = class_formula<Formula>;

  Formula formula;
  A const* t = nullptr;
  A const* of_class[2] = {};    // the numbers of the elements' classes
  A const* weight = nullptr;    // factor · weights per element, 0 if ignored; nullptr if all are equal
  A const* positive = nullptr;  // the weights of positives
  A factor = 1;                 // the weight of all elements if weight is nullptr
  A scale = 1;                  // the factor of the reduction
  A scaled_factor = 1;          // scale · factor

  HONE_INLINE value_grad<pack<A>> evaluate(pack<A> x, index i) const noexcept {
    if constexpr (of_classes)
      return formula(x, pack<A>::load(t + i), {pack<A>::load(of_class[0] + i), pack<A>::load(of_class[1] + i)});
    else if constexpr (Positives)
      return formula(x, pack<A>::load(t + i), pack<A>::load(positive + i));
    else
      return formula(x, pack<A>::load(t + i));
  }
};

/// Returns the size of a segment rounded up to full packs.
template <class A>
index padded_size(segment s) noexcept {
  return (s.size + pack<A>::size - 1) / pack<A>::size * pack<A>::size;
}

/// Writes one-hot targets to `to`.
template <class A, class Label>
void fill_targets(one_hot_targets<Label> const& targets, segment s, index columns, A* to, A*) noexcept {
  std::fill(to, to + padded_size<A>(s), A(0));
  each_row(s, columns, [&](index row, index from, index end, index first) {
    const index label = targets.labels.label(row), at = first + label;
    if (label >= 0 && label < columns && at >= from && at < end) to[at] = 1;
  });
}

/// Writes targets to `to`: a uniform part, dense parts and labels. Each part of a row is added to the previous parts.
template <class A, class Target>
void fill_targets(row_targets<Target> const& targets, segment s, index columns, A* to, A* part) noexcept {
  const auto rows = [&](auto const& body) {
    each_row(s, columns, [&](index row, index from, index end, index first) {
      if (!targets.ignores(row)) body(detail::row_parts<A, Target>(targets.target, row, columns), from, end, first);
    });
  };
  std::fill(to, to + padded_size<A>(s), A(0));
  if constexpr (Target::has_uniform)
    rows([&](auto const& q, index from, index end, index) { std::fill(to + from, to + end, q.ground); });
  if constexpr (Target::dense_parts > 0) {
    int k = 0;
    targets.views().each([&](auto const& view) {
      gather(view, s, part);
      rows([&](auto const& q, index from, index end, index) {
        for (index j = from; j < end; ++j) to[j] += q.dense_at[k] * part[j];
      });
      ++k;
    });
  }
  if constexpr (Target::labels > 0)
    rows([&](auto const& q, index from, index end, index first) {
      for (int j = 0; j < Target::labels; ++j) {
        const index label = q.label_at[j], at = first + label;
        if (label >= 0 && label < columns && at >= from && at < end) to[at] += q.weight_at[j];
      }
    });
}

/// The strips of one term: its targets and weights for one segment.
template <class A, class Leaf>
class element_strips {
  using V = pack<A>;
  using Term = typename Leaf::term_type;
  using leaf_type = element_leaf<A, decltype(Term::formula), Term::weighs_positives>;

 public:
  static std::size_t bytes(index columns) {
    return arena::room_for<A>(segment_elements) * (2 + Term::weighs_positives + 2 * Term::is_region_loss) +
           arena::room_for<A>(static_cast<std::size_t>(columns)) * (Term::weighs_columns + Term::weighs_positives);
  }

  void begin(Leaf const& leaf, index columns, A scale, arena& memory) noexcept {
    columns_ = columns, scale_ = scale;
    targets_ = memory.take<A>(segment_elements);
    weights_ = memory.take<A>(segment_elements);
    if constexpr (Term::is_region_loss)
      for (A*& p : of_class_) p = memory.take<A>(segment_elements);
    if constexpr (Term::weighs_columns) {
      of_columns_ = memory.take<A>(static_cast<std::size_t>(columns));
      multiply_columns(leaf, of_columns_, [](auto const& w) { return w.of_columns; });
    }
    if constexpr (Term::weighs_positives) {
      positives_ = memory.take<A>(segment_elements);
      of_positives_ = memory.take<A>(static_cast<std::size_t>(columns));
      multiply_columns(leaf, of_positives_, [](auto const& w) { return w.of_positives; });
    }
  }

  /// Returns the inputs of the sweep for a segment. `part` is scratch for one segment.
  leaf_type at(Leaf const& leaf, segment s, A* part) const noexcept {
    auto const& targets = leaf.term.targets;
    leaf_type l{leaf.term.formula};
    l.scale = scale_;
    l.factor = static_cast<A>(leaf.factor);
    l.scaled_factor = l.scale * l.factor;
    if constexpr (requires { targets.view; }) {
      l.t = view_or_copy(targets.view, s, targets_);
    } else {
      fill_targets(targets, s, columns_, targets_, part);
      l.t = targets_;
    }
    if (Term::weighs_elements || Leaf::weight_count > 0 || targets.ignoring() || leaf.factor == 0 ||
        s.size % V::size != 0) {
      fill_weights(leaf, s, part);
      l.weight = weights_;
    }
    if constexpr (Term::weighs_positives) {
      repeat(of_positives_, s, positives_);
      l.positive = positives_;
    }
    if constexpr (Term::is_region_loss) {  // without a table in the sweep that computes it
      if (leaf.term.formula.table.numbers) fill_numbers_of_classes(leaf.term.formula.table, s);
      l.of_class[0] = of_class_[0], l.of_class[1] = of_class_[1];
    }
    return l;
  }

 private:
  template <class Chosen>
  void multiply_columns(Leaf const& leaf, A* to, Chosen const& chosen) const noexcept {
    std::fill(to, to + columns_, A(1));
    leaf.term.weights.each([&](auto const& w) {
      if constexpr (requires { w.template at<A>(index()); })
        if (chosen(w))
          for (index c = 0; c < columns_; ++c) to[c] *= w.template at<A>(c);
    });
  }

  /// Copies the number of its column to every element of a segment.
  void copy_columns(A const* of_columns, segment s, A* to) const noexcept {
    const index once = std::min(s.size, columns_), first = std::min(once, columns_ - s.column);
    std::copy_n(of_columns + s.column, first, to);
    std::copy_n(of_columns, once - first, to + first);
    for (index i = once, n = 0; i < s.size; i += n) n = std::min(i, s.size - i), std::copy_n(to, n, to + i);
  }
  /// Writes 0 to the remainder of the last pack.
  static void pad(A* to, segment s) noexcept { std::fill(to + s.size, to + padded_size<A>(s), A(0)); }

  void repeat(A const* of_columns, segment s, A* to) const noexcept {
    copy_columns(of_columns, s, to);
    pad(to, s);
  }
  /// The same with both numbers of the classes of every region in a segment.
  void fill_numbers_of_classes(row::class_table const& table, segment s) const noexcept {
    for (index at = 0, end = 0; at < s.size; at = end) {
      const index row = s.row + (s.column + at) / columns_, region = row / table.rows;
      end = std::min(s.size, ((region + 1) * table.rows - s.row) * columns_ - s.column);
      for (int k = 0; k < 2; ++k)
        copy_columns(static_cast<A const*>(table.numbers) + region * table.of_region + k * table.of_number,
                     {row, (s.column + at) % columns_, end - at}, of_class_[k] + at);
    }
    for (A* to : of_class_) pad(to, s);
  }

  /// Writes the weights of a segment's elements; lanes after the end of the segment have the weight 0.
  void fill_weights(Leaf const& leaf, segment s, A* part) const noexcept {
    auto const& targets = leaf.term.targets;
    each_row(s, columns_, [&](index row, index from, index end, index) {
      const A w = targets.ignores(row) ? A(0) : static_cast<A>(leaf.factor_of_row(row));
      std::fill(weights_ + from, weights_ + end, w);
    });
    const index size = padded_size<A>(s);
    std::fill(weights_ + s.size, weights_ + size, A(0));
    if constexpr (Term::weighs_columns) {
      repeat(of_columns_, s, part);
      multiply(part, size);
    }
    leaf.term.weights.each([&](auto const& w) {
      if constexpr (requires { w.view; }) multiply(view_or_copy(w.view, s, part), size);
    });
  }
  /// Multiplies the weights by `by`. A weight of 0 stays 0, also if `by` is infinite or NaN.
  void multiply(A const* by, index size) const noexcept {
    for (index i = 0; i < size; i += V::size) {
      const V w = V::load(weights_ + i);
      zero_where(w == V(0), w * V::load(by + i)).store(weights_ + i);
    }
  }

  index columns_ = 0;
  A scale_ = 1;
  A *targets_ = nullptr, *weights_ = nullptr, *positives_ = nullptr, *of_columns_ = nullptr, *of_positives_ = nullptr;
  A* of_class_[2] = {};
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
