// SPDX-License-Identifier: MIT
/// The first sweep of the Lovász-Softmax loss on the CPU: probabilities of all pixels, then per class and region their
/// errors in descending order, and the derivatives in their place. Equal errors are in the order of the pixels, so the
/// bits do not depend on the number of threads.
#pragma once

#include <hone/cpu/rows/regions.hpp>
#include <hone/loss/region/lovasz.hpp>

#include <array>
#include <bit>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// A contiguous view of the prediction's shape.
template <class A, class T>
matrix_view<A> like(matrix_view<T> v, A* data) noexcept {
  return {data, v.rows, v.columns};
}
template <class A, class T>
image_view<A> like(image_view<T> v, A* data) noexcept {
  return {data, v.images, v.channels, v.pixels};
}

/// An error of a pixel; keys ascend if errors, which are in [0, 1], descend.
template <class A>
struct pixel_error {
  using key_type = std::conditional_t<sizeof(A) == 4, std::uint32_t, std::uint64_t>;

  key_type key;
  std::uint32_t pixel;  // of the region
  bool is_of_class;

  pixel_error(A error, std::uint32_t pixel_, bool is_of_class_) noexcept
      : key(~std::bit_cast<key_type>(error)), pixel(pixel_), is_of_class(is_of_class_) {}
  A error() const noexcept { return std::bit_cast<A>(static_cast<key_type>(~key)); }
};

/// Sorts by keys, 11 bits at a time; keeps the order of equal ones. Returns the sorted array, which is one of the two.
template <class A>
pixel_error<A>* sorted(pixel_error<A>* from, pixel_error<A>* to, index size) noexcept {
  constexpr int digit = 11;
  for (int shift = 0; shift < int(sizeof(A)) * 8; shift += digit) {
    std::array<index, (1 << digit) + 1> first{};
    const auto digit_of = [shift](pixel_error<A> const& e) {
      return static_cast<std::size_t>((e.key >> shift) & ((1 << digit) - 1));
    };
    for (index i = 0; i < size; ++i) ++first[digit_of(from[i]) + 1];
    for (std::size_t d = 1; d < first.size(); ++d) first[d] += first[d - 1];
    for (index i = 0; i < size; ++i) to[first[digit_of(from[i])]++] = from[i];
    std::swap(from, to);
  }
  return from;
}

/// Writes softmax(z) of rows [begin, end).
template <class A, class View, class Slopes>
void write_softmax(View prediction, Slopes to, index begin, index end, std::byte* m) noexcept {
  using V = pack<A>;
  constexpr int W = V::size;
  const bool tall = is_tall(prediction);
  const index columns = detail::columns_of(prediction);
  arena memory(m);
  A* const strip = memory.template take<A>(std::size_t(packs_of<A>(tall, columns) * W));
  A* const p = memory.template take<A>(std::size_t(packs_of<A>(tall, columns) * W));
  const group_extent<A> extent(tall, columns);
  for (index row = begin; row < end;) {
    const group g = group_at(prediction, row, end);
    const group_numbers<A> z = read<A>(prediction, g, strip, -std::numeric_limits<A>::infinity());
    V most = largest_of(z, extent), total(0);
    if (!tall) most = V(largest(most));
    for (row_stretch<A> s(extent); s.next();)
      for (index i = s.begin; i < s.end; i += W) {
        const V e = exp_of_nonpositive(V::load(z.of(s.last()) + i) - most);
        e.store(p + i);
        total += e;
      }
    const V inverse = V(1) / (tall ? total : V(sum(total)));
    for (row_stretch<A> s(extent); s.next();)
      for (index i = s.begin; i < s.end; i += W) min(V::load(p + i) * inverse, V(1)).store(p + i);
    store(to, g, group_output<A>{p, p});
    row += g.rows;
  }
}

/// The loss of one class of a region, and how many pixels it has, and all classes have.
struct sorted_loss {
  double loss = 0, of_class = 0, pixels = 0;
};

/// Replaces the probabilities of a class by the derivatives of its loss.
template <class A, class Target, class Slopes>
sorted_loss sort_class(Target const& target, Slopes slopes, index begin, index end, index c, std::byte* m) noexcept {
  using error = pixel_error<A>;
  arena memory(m);
  error* const errors = memory.template take<error>(std::size_t(end - begin));
  error* const other = memory.template take<error>(std::size_t(end - begin));
  index size = 0, of_class = 0;
  bool valid = true;
  for (index i = begin; i < end; ++i) {
    A& p = *address(slopes, i, c);
    if (!target.ignores(i)) {
      const bool is_of_class = target.label(i) == c;
      valid = valid && p == p;
      errors[size++] = error(is_of_class ? A(1) - p : p, static_cast<std::uint32_t>(i - begin), is_of_class);
      of_class += is_of_class;
    }
    p = A(0);
  }
  error const* const order = sorted(errors, other, size);
  sorted_loss result{0, double(of_class), double(size)};
  double found = 0, others = 0;
  for (index k = 0; k < size; ++k) {
    error const& e = order[k];
    const double g = lovasz_factor(result.of_class, found, others, e.is_of_class);
    ++(e.is_of_class ? found : others);
    result.loss += g * static_cast<double>(e.error());
    *address(slopes, begin + e.pixel, c) = static_cast<A>(e.is_of_class ? -g : g);
  }
  if (!valid) result.loss = std::numeric_limits<double>::quiet_NaN();
  return result;
}

/// The bytes that a Lovász loss keeps during a call: derivatives, class numbers, and a loss per class and region.
template <class View, class Leaf>
std::size_t lovasz_bytes(View prediction, Leaf const& leaf) noexcept {
  using A = accumulator_t<detail::number_of<View>>;
  const index rows = detail::rows_of(prediction), columns = detail::columns_of(prediction);
  const index regions = region_cut(prediction, leaf.term.policy).regions;
  return arena::room_for<A>(std::size_t(rows * columns)) +
         arena::room_for<A>(std::size_t(regions * layout_of_rows(prediction).size)) +
         arena::room_for<sorted_loss>(std::size_t(regions * columns));
}

/// Computes a Lovász loss: fills the memory, sets `scale` to 1 / the number of regions that count, stores factor · the
/// mean of their losses in `value`, and returns the leaf of the rows.
template <class View, class Leaf>
auto sort_regions(cpu const& backend, View prediction, Leaf const& leaf, double& scale, double& value, arena& memory) {
  using A = accumulator_t<detail::number_of<View>>;
  static_assert(Leaf::weight_count == 0, "lovasz_softmax_loss: its rows cannot be weighed by weigh_rows");
  auto const& target = leaf.term.target;
  region_policy const& policy = leaf.term.policy;
  const region_cut cut(prediction, policy);
  const table_layout layout = layout_of_rows(prediction);
  const index rows = detail::rows_of(prediction), columns = detail::columns_of(prediction);
  const auto slopes = like(prediction, memory.template take<A>(std::size_t(rows * columns)));
  A* const tables = memory.template take<A>(std::size_t(cut.regions * layout.size));
  sorted_loss* const losses = memory.template take<sorted_loss>(std::size_t(cut.regions * columns));

  const std::size_t strip = arena::room_for<A>(std::size_t(layout.size));
  for_chunks(backend, cut.regions * cut.pieces, 2 * strip, [&](index piece, std::byte* m) {
    const index first = piece / cut.pieces * cut.rows, begin = piece % cut.pieces * cut.rows_per_piece;
    write_softmax<A>(prediction, slopes, first + begin, first + std::min(begin + cut.rows_per_piece, cut.rows), m);
  });
  for_chunks(backend, cut.regions * columns, 2 * arena::room_for<pixel_error<A>>(std::size_t(cut.rows)),
             [&](index i, std::byte* m) {
               const index first = i / columns * cut.rows;
               losses[i] = sort_class<A>(target, slopes, first, first + cut.rows, i % columns, m);
             });

  std::fill_n(tables, cut.regions * layout.size, A(0));
  double total = 0, regions = 0;
  for (index r = 0; r < cut.regions; ++r) {
    A* const table = tables + r * layout.size;
    const auto at = [&](index c) -> detail::class_of_region {
      sorted_loss const& k = losses[r * columns + c];
      return {{k.loss, 0, k.of_class}, k.pixels};
    };
    const detail::loss_and_count region =
        detail::loss_of_region(leaf.term.formula, policy, columns, lone_team(), at,
                               [&](index c, double, double v) { layout.put(table, c, v); });
    total += region.loss, regions += region.counts;
  }
  scale = regions > 0 ? 1 / regions : 0;
  value += leaf.factor == 0 ? 0 : leaf.factor * scale * total;
  using term = detail::with_slopes<std::remove_cvref_t<decltype(target)>, decltype(detail::const_view(slopes))>;
  return detail::leaf<term, 0>{
      term(target, detail::const_view(slopes), {tables, std::max<index>(cut.rows, 1), layout.size, layout.size}),
      leaf.factor};
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
