// SPDX-License-Identifier: MIT
/// The formula and the checks of blend for all backends.
#pragma once

#include <hone/core/overlap.hpp>
#include <hone/core/view_check.hpp>
#include <hone/sample/draw.hpp>

#include <concepts>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Types of images: the types of predictions, or bytes.
template <class T>
concept image_number = element<T> || std::same_as<T, std::uint8_t>;

/// Types of class masks, besides bytes. Masks are copied and never mixed.
template <class T>
concept mask_number = std::integral<T> && !std::same_as<T, std::uint8_t>;

namespace detail {

/// The vectors of a draw, as a kernel reads them; null if a draw has none.
struct drawn_rows {
  float const* lambda = nullptr;
  index const* partner = nullptr;
  pixel_box const* boxes = nullptr;
  std::uint8_t const* cut = nullptr;
  index height = 0, width = 0;

  HONE_HD constexpr bool pastes(index i) const noexcept { return boxes && (!cut || cut[i] != 0); }
};

template <class Draw>
drawn_rows rows_of_draw(Draw const& draw) noexcept {
  drawn_rows rows{draw.lambda.data(), draw.partner.data()};
  if constexpr (requires { draw.boxes; })
    rows.boxes = draw.boxes.data(), rows.height = draw.height, rows.width = draw.width;
  if constexpr (requires { draw.cut; }) rows.cut = draw.cut.data();
  return rows;
}

/// Returns λ·own + (1-λ)·other; `complement` is 1-λ.
template <class V>
HONE_HD V blended(V own, V other, V lambda, V complement) noexcept {
  return lambda * own + complement * other;
}
/// The same for bytes, before rounding to even. A double holds it exactly, so that all machines round alike.
HONE_HD constexpr double blended_bytes(double own, double other, double lambda) noexcept {
  return other + lambda * (own - other);
}

/// Checks the types of a call of blend, for all backends. A draw without boxes only mixes.
template <class T, class In, bool Boxes>
constexpr void require_blend_types() {
  static_assert(
      std::is_same_v<std::remove_const_t<In>, T> && (image_number<T> || (Boxes && mask_number<T>)),
      "blend: images and mixed are of one type: float, double, half, bfloat16 or std::uint8_t; by a draw with "
      "boxes also other integers, which are copied");
}

/// Requires valid memory of one shape; the two views are the same memory or do not overlap.
template <class T>
void require_blend_views(matrix_view<const T> images, matrix_view<T> mixed) {
  require_sizes("blend", "images", images.rows, images.columns);
  require_sizes("blend", "mixed", mixed.rows, mixed.columns);
  if (mixed.rows != images.rows || mixed.columns != images.columns)
    fail("blend: mixed is %jd x %jd, images is %jd x %jd", std::intmax_t(mixed.rows), std::intmax_t(mixed.columns),
         std::intmax_t(images.rows), std::intmax_t(images.columns));
  require_memory("blend", "images", images);
  require_memory("blend", "mixed", mixed);
  const footprint read = footprint_of(images), written = footprint_of(mixed);
  if (!same_memory(read, written) && overlap(read, written))
    fail("blend: images and mixed overlap at %jd rows of %jd and %jd, must be the same or apart",
         std::intmax_t(images.rows), std::intmax_t(images.row_stride), std::intmax_t(mixed.row_stride));
}
inline void require_channels(index features, index height, index width) {
  require_image("blend", height, width);
  if (features % (height * width) != 0)
    fail("blend: images have %jd features, must be channels of %jd x %jd", std::intmax_t(features),
         std::intmax_t(height), std::intmax_t(width));
}

/// Checks all values of a draw in host memory.
template <class Draw>
void require_draw(const char* function, Draw const& draw, index n) {
  const auto sized = [&](const char* name, std::size_t size) {
    if (size != static_cast<std::size_t>(n))
      fail("%s: the draw has %zu %s for %jd rows", function, size, name, std::intmax_t(n));
  };
  sized("lambdas", draw.lambda.size());
  sized("partners", draw.partner.size());
  if constexpr (requires { draw.boxes; }) sized("boxes", draw.boxes.size());
  if constexpr (requires { draw.cut; }) sized("cuts", draw.cut.size());
  const drawn_rows rows = rows_of_draw(draw);
  for (index i = 0; i < n; ++i) {
    if (!(rows.lambda[i] >= 0 && rows.lambda[i] <= 1))
      fail("%s: lambda of row %jd is %.9g, must be in [0, 1]", function, std::intmax_t(i), double(rows.lambda[i]));
    if (!(rows.partner[i] >= 0 && rows.partner[i] < n))
      fail("%s: partner of row %jd is %jd, must be in [0, %jd)", function, std::intmax_t(i),
           std::intmax_t(rows.partner[i]), std::intmax_t(n));
    if (!rows.boxes) continue;
    const pixel_box b = rows.boxes[i];
    if (!(0 <= b.x1 && b.x1 <= b.x2 && b.x2 <= rows.width && 0 <= b.y1 && b.y1 <= b.y2 && b.y2 <= rows.height))
      fail("%s: box of row %jd is (%jd, %jd, %jd, %jd), must be in an image of height %jd and width %jd", function,
           std::intmax_t(i), std::intmax_t(b.x1), std::intmax_t(b.y1), std::intmax_t(b.x2), std::intmax_t(b.y2),
           std::intmax_t(rows.height), std::intmax_t(rows.width));
  }
}

/// Requires, for masks, that no row is mixed.
template <class T, class Draw>
void require_only_copies(Draw const& draw) {
  if constexpr (mask_number<T>) {
    const drawn_rows rows = rows_of_draw(draw);
    for (index i = 0; i < index(draw.lambda.size()); ++i) {
      const float lambda = rows.lambda[i];
      if (!rows.pastes(i) && rows.partner[i] != i && lambda != 0 && lambda != 1)
        fail("blend: row %jd is mixed up by a lambda of %.9g, integers are only copied", std::intmax_t(i),
             double(lambda));
    }
  }
}

/// Writes the rows to `order` so that each is followed by its partner if possible; a loop over them then reads every
/// image once. order and seen have room for n. Returns false if partners are not a permutation.
inline bool follow_partners(index const* partner, index n, index* order, std::uint8_t* seen) noexcept {
  for (index i = 0; i < n; ++i) seen[i] = 0;
  bool circles = true;
  index k = 0;
  for (index i = 0; i < n; ++i) {
    if (seen[i]) continue;
    index j = i;
    for (; !seen[j]; j = partner[j]) seen[j] = 1, order[k++] = j;
    circles = circles && j == i;
  }
  return circles;
}
[[noreturn]] inline void fail_in_place(index n) {
  fail("blend: images and mixed are the same, so that partners must be a permutation of 0 to %jd",
       std::intmax_t(n - 1));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
