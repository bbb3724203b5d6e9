// SPDX-License-Identifier: MIT
/// Mixup and cutmix: draws in the caller's arrays, and blends by them.
#pragma once

#include <hone.h>
#include <hone/c/arrays.hpp>
#include <hone/cpu/samples/blend.hpp>
#include <hone/sample/mixup_or_cutmix.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

/// A draw in the caller's arrays, as hone::blend reads one.
struct viewed_draw {
  std::span<float const> lambda;
  std::span<index const> partner;
  std::span<pixel_box const> boxes;
  std::span<std::uint8_t const> cut;
  index height, width;
};
static_assert(sizeof(pixel_box) == 4 * sizeof(std::int64_t));

inline void check_draw(hone_draw const& d) {
  if (d.rows < 0 || (d.rows > 0 && !(d.lambdas && d.partners && d.boxes && d.cut)))
    detail::fail("draw has %jd rows%s", std::intmax_t(d.rows), d.rows < 0 ? "" : ", and an array at NULL");
}

inline void draw_mixing(hone_mixing_options const& o, std::int64_t seed, std::int64_t step, hone_draw const& to) {
  require_kind("per", o.per, HONE_PER_SAMPLE);
  require_kind("partners", o.partners, HONE_PARTNERS_PAIRS);
  check_draw(to);
  const mixup_or_cutmix_draw drawn = mixup_or_cutmix{.mixup_alpha = o.mixup_alpha,
                                                     .cutmix_alpha = o.cutmix_alpha,
                                                     .probability = o.probability,
                                                     .switch_probability = o.switch_probability,
                                                     .per = static_cast<mixing_unit>(o.per),
                                                     .with = static_cast<partners>(o.partners)}
                                         .draw(seed, step, to.rows, to.height, to.width);
  std::copy(drawn.lambda.begin(), drawn.lambda.end(), to.lambdas);
  std::copy(drawn.partner.begin(), drawn.partner.end(), to.partners);
  std::copy(drawn.cut.begin(), drawn.cut.end(), to.cut);
  if (to.rows > 0) std::memcpy(to.boxes, drawn.boxes.data(), drawn.boxes.size() * sizeof(pixel_box));
}

inline void blend_images(cpu const& backend, hone_draw const& d, hone_array const& images, void* mixed) {
  check_draw(d);
  if (images.layout != HONE_MATRIX)
    detail::fail("layout of images is %d, must be a HONE_MATRIX of rows of channels x height x width",
                 int(images.layout));
  const auto n = static_cast<std::size_t>(d.rows);
  const viewed_draw draw{{d.lambdas, n}, {d.partners, n}, {reinterpret_cast<pixel_box const*>(d.boxes), n},
                         {d.cut, n},     d.height,        d.width};
  hone_array to = images;
  to.data = mixed;
  if (images.dtype == HONE_UINT8)
    return blend(backend, draw, matrix_of<std::uint8_t const>(images), matrix_of<std::uint8_t>(to));
  with_type(images.dtype, "images",
            [&]<class T>(of_type<T>) { blend(backend, draw, matrix_of<T const>(images), matrix_of<T>(to)); });
}

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
