// SPDX-License-Identifier: MIT
/// The functions that decode the boxes of all slots or of the matched ones, and propagate gradients to the raw numbers.
#pragma once

#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/detect/decoding.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

template <class T>
HONE_HD T* number_at(matrix_view<T> v, index row, int column) noexcept {
  return v.row(row) + column;
}
template <class T>
HONE_HD T* number_at(image_view<T> v, index row, int column) noexcept {
  return v.data + (row / v.pixels * v.channels + column) * v.pixels + row % v.pixels;
}

/// A decoding and its level as plain numbers, which a kernel can take as an argument.
template <class Decoding, class A>
struct slot_decoder {
  static constexpr index max_anchors = 64;

  Decoding decoding;
  A anchors[max_anchors][2];  // in cells
  index count, rows, columns;
  A scale[2];  // of a cell
  bool from_own_cell;

  slot_decoder(const char* function, Decoding const& decoding_, anchor_level const& level, box_unit unit)
      : decoding(decoding_), count(level.anchor_count()), rows(level.rows), columns(level.columns) {
    if (count > max_anchors)
      fail("%s: %jd anchors, must be at most %jd", function, std::intmax_t(count), std::intmax_t(max_anchors));
    for (index a = 0; a < count; ++a) {
      anchors[a][0] = static_cast<A>(level.anchor(a).width / level.stride);
      anchors[a][1] = static_cast<A>(level.anchor(a).height / level.stride);
    }
    const auto side = [&](index cells) {
      return unit == box_unit::image ? A(1) / static_cast<A>(cells)
                                     : static_cast<A>(unit == box_unit::pixels ? level.stride.value : 1);
    };
    scale[0] = side(columns), scale[1] = side(rows);
    from_own_cell = unit == box_unit::cells;
  }

  template <class T, template <class> class View>
  HONE_HD decoded_box<A> operator()(View<const T> raw, index slot) const noexcept {
    A four[4];
    for (int c = 0; c < 4; ++c) four[c] = static_cast<A>(*number_at(raw, slot, c));
    const index cell = slot / columns, anchor = cell / rows % count;
    decoded_box<A> b = decoding(four, anchors[anchor][0], anchors[anchor][1]);
    const A first[2] = {static_cast<A>(slot % columns), static_cast<A>(cell % rows)};
    for (int c = 0; c < 4; ++c) {
      constexpr bool all_are_places = std::is_same_v<typename Decoding::format, corners_format>;
      if (!from_own_cell && (c < 2 || all_are_places)) b.box[c] = b.box[c] + first[c % 2];
      b.box[c] = b.box[c] * scale[c % 2];
      b.slope[c] = b.slope[c] * scale[c % 2];
    }
    return b;
  }
};

template <class Decoder, class Raw, class T>
struct decode_row {
  Decoder decoder;
  Raw raw;
  matrix_view<T> boxes;
  anchor_match const* matches;  // null: all slots

  HONE_HD void operator()(index i) const noexcept {
    const auto b = decoder(raw, matches ? matches[i].slot : i);
    for (int c = 0; c < 4; ++c) boxes.row(i)[c] = static_cast<T>(b.box[c]);
  }
};

/// Converts the gradient by a slot's box to the gradient by its raw numbers.
template <class Decoder, class Raw, class Gradient, class To>
struct chain_row {
  Decoder decoder;
  Raw raw;
  Gradient gradient;
  To to;

  HONE_HD void operator()(index slot) const noexcept {
    using number = std::remove_pointer_t<decltype(to.data)>;
    const auto b = decoder(raw, slot);
    for (int c = 0; c < 4; ++c) {
      using A = std::remove_cvref_t<decltype(b.slope[c])>;
      *number_at(to, slot, c) = static_cast<number>(static_cast<A>(gradient.row(slot)[c]) * b.slope[c]);
    }
  }
};

/// Checks a view of the raw numbers: one row per slot, at least four columns, the first four for the box.
template <class View>
void require_raw(const char* function, const char* name, View v, index slots) {
  if (rows_of(v) != slots || columns_of(v) < 4)
    fail("%s: %s is %jd x %jd, must be %jd x 4 or more", function, name, std::intmax_t(rows_of(v)),
         std::intmax_t(columns_of(v)), std::intmax_t(slots));
  if (!v.data && slots > 0) fail("%s: %s has no data", function, name);
  if constexpr (requires { v.row_stride; })
    if (v.row_stride < v.columns)
      fail("%s: %s has a row_stride of %jd, must be at least its %jd columns", function, name,
           std::intmax_t(v.row_stride), std::intmax_t(v.columns));
}
template <class T>
void require_decoded(const char* function, const char* name, matrix_view<T> v, index rows) {
  if (v.rows != rows || v.columns != 4)
    fail("%s: %s is %jd x %jd, must be %jd x 4", function, name, std::intmax_t(v.rows), std::intmax_t(v.columns),
         std::intmax_t(rows));
  require_memory(function, name, v);
}

template <class Decoding>
constexpr void require_decoding() {
  static_assert(box_decoding<Decoding>, "decode_boxes: the decoding must be one, such as hone::yolov5::decoding()");
}

}  // namespace detail

/// Decodes the box of every slot into `boxes`, slots x 4, in the decoding's format (centers; corners for distances):
///
///     hone::decode_boxes(cpu, hone::yolov5::decoding(), level, raw, boxes, hone::box_unit::image);
///
/// raw is a view of slots x 4 or more; the first four columns are those of the box. For a head with channels first,
/// pass an image_view of images · anchors, channels and cells. Throws hone::invalid_argument, and writes nothing, if a
/// shape does not fit. Works on any backend.
template <class Backend, class Decoding, template <class> class View, class T>
void decode_boxes(Backend&& backend, Decoding const& decoding, anchor_level const& level, View<T> raw,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> boxes, box_unit unit = box_unit::pixels) {
  using number = std::remove_const_t<T>;
  const char* const function = "decode_boxes";
  detail::require_decoding<Decoding>();
  detail::require_level(function, level);
  detail::require_raw(function, "raw", raw, level.slots());
  detail::require_decoded(function, "boxes", boxes, level.slots());
  using decoder = detail::slot_decoder<Decoding, accumulator_t<T>>;
  for_rows(backend, level.slots(),
           detail::decode_row<decoder, View<const number>, number>{decoder(function, decoding, level, unit), raw, boxes,
                                                                   nullptr});
}
/// Decodes the boxes of the matched slots only, matches x 4, in host memory.
template <class Backend, class Decoding, template <class> class View, class T>
void decode_boxes(Backend&& backend, Decoding const& decoding, anchor_level const& level,
                  std::span<const anchor_match> matches, View<T> raw,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> boxes, box_unit unit = box_unit::cells) {
  using number = std::remove_const_t<T>;
  const char* const function = "decode_boxes";
  detail::require_decoding<Decoding>();
  detail::require_level(function, level);
  detail::require_slots(function, level, matches);
  detail::require_raw(function, "raw", raw, level.slots());
  detail::require_decoded(function, "boxes", boxes, index(matches.size()));
  using decoder = detail::slot_decoder<Decoding, accumulator_t<T>>;
  const detail::decode_row<decoder, View<const number>, number> row{decoder(function, decoding, level, unit), raw,
                                                                    boxes, matches.data()};
  for_pieces(backend, 1, [&](index) {  // one piece, because a batch has hundreds of matches
    for (index i = 0; i < index(matches.size()); ++i) row(i);
  });
}

/// The chain rule of decode_boxes: converts `gradient` (slots x 4, by the decoded boxes) to the gradient by the raw
/// numbers of every slot, in `to`. `to` has the shape of raw and may be raw; columns after the first four of a slot
/// stay unchanged. Throws hone::invalid_argument if a shape does not fit. Works on any backend.
template <class Backend, class Decoding, template <class> class View, class T>
void chain_boxes(Backend&& backend, Decoding const& decoding, anchor_level const& level, View<T> raw,
                 std::type_identity_t<matrix_view<const T>> gradient,
                 std::type_identity_t<View<std::remove_const_t<T>>> to, box_unit unit = box_unit::pixels) {
  using number = std::remove_const_t<T>;
  const char* const function = "chain_boxes";
  detail::require_decoding<Decoding>();
  detail::require_level(function, level);
  detail::require_raw(function, "raw", raw, level.slots());
  detail::require_decoded(function, "gradient", gradient, level.slots());
  detail::require_raw(function, "to", to, level.slots());
  using decoder = detail::slot_decoder<Decoding, accumulator_t<T>>;
  for_rows(backend, level.slots(),
           detail::chain_row<decoder, View<const number>, matrix_view<const T>, View<number>>{
               decoder(function, decoding, level, unit), raw, gradient, to});
}
/// The same from a gradient by the matched boxes, matches x 4. A slot with several matches gets their sum, in the order
/// of the matches; a slot without a match gets 0. `to` must not be raw. In host memory.
template <class Backend, class Decoding, template <class> class View, class T>
void chain_boxes(Backend&& backend, Decoding const& decoding, anchor_level const& level,
                 std::span<const anchor_match> matches, View<T> raw,
                 std::type_identity_t<matrix_view<const T>> gradient,
                 std::type_identity_t<View<std::remove_const_t<T>>> to, box_unit unit = box_unit::cells) {
  using number = std::remove_const_t<T>;
  using A = accumulator_t<T>;
  const char* const function = "chain_boxes";
  detail::require_decoding<Decoding>();
  detail::require_level(function, level);
  detail::require_slots(function, level, matches);
  detail::require_raw(function, "raw", raw, level.slots());
  detail::require_decoded(function, "gradient", gradient, index(matches.size()));
  detail::require_raw(function, "to", to, level.slots());
  if (raw.data == to.data && raw.data) detail::fail("%s: to is raw, which is read after it is written", function);
  const detail::slot_decoder<Decoding, A> decoder(function, decoding, level, unit);
  const View<const number> from = raw;
  for_rows(backend, level.slots(), [&](index slot) {
    for (int c = 0; c < 4; ++c) *detail::number_at(to, slot, c) = number(0);
  });
  for (index i = 0; i < index(matches.size()); ++i) {
    const index slot = matches[static_cast<std::size_t>(i)].slot;
    const decoded_box<A> b = decoder(from, slot);
    for (int c = 0; c < 4; ++c) {
      number* const total = detail::number_at(to, slot, c);
      *total = static_cast<number>(static_cast<A>(*total) + static_cast<A>(gradient.row(i)[c]) * b.slope[c]);
    }
  }
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
