// SPDX-License-Identifier: MIT
/// The draw for a batch: plain vectors, which a caller may also fill.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/sample/partners.hpp>

#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The rows that share one λ (and one box).
enum class mixing_unit : std::uint8_t { batch, pair, sample };
inline constexpr mixing_unit batch = mixing_unit::batch;    ///< one for all rows
inline constexpr mixing_unit pair = mixing_unit::pair;      ///< one for both rows of a pair; partners are then pairs
inline constexpr mixing_unit sample = mixing_unit::sample;  ///< one per row

/// Pixels with x1 <= x < x2 and y1 <= y < y2.
struct pixel_box {
  index x1 = 0, y1 = 0, x2 = 0, y2 = 0;

  HONE_HD constexpr index area() const noexcept { return (x2 - x1) * (y2 - y1); }
  friend constexpr bool operator==(pixel_box const&, pixel_box const&) = default;
};

/// mixed[i] = λ[i] · images[i] + (1 - λ[i]) · images[partner[i]]
struct mixup_draw {
  std::vector<float> lambda;
  std::vector<index> partner;
};

/// mixed[i] is images[partner[i]] inside boxes[i] and images[i] outside; λ[i] is for the labels.
struct cutmix_draw {
  std::vector<float> lambda;
  std::vector<index> partner;
  std::vector<pixel_box> boxes;
  index height = 0, width = 0;  ///< of the images
};

/// If cut[i] is not 0, row i is that of a cutmix_draw, otherwise that of a mixup_draw.
struct mixup_or_cutmix_draw {
  std::vector<float> lambda;
  std::vector<index> partner;
  std::vector<pixel_box> boxes;
  std::vector<std::uint8_t> cut;
  index height = 0, width = 0;
};

namespace detail {

/// The values that rows may share.
struct shared_draw {
  float lambda = 1;
  pixel_box box = {};
  bool cut = false;
};

/// Returns the row whose random numbers row i uses.
HONE_HD constexpr index leader(mixing_unit per, index row, index partner) noexcept {
  return per == mixing_unit::batch ? 0 : per == mixing_unit::pair && partner < row ? partner : row;
}

/// Returns the pairing of a unit: pairs for mixing_unit::pair, otherwise `with`.
HONE_HD constexpr partners partners_of(mixing_unit per, partners with) noexcept {
  return per == mixing_unit::pair ? partners::pairs : with;
}

/// Draws every row of a batch into the vectors that Draw has.
template <class Draw, class Rows>
Draw drawn(Rows const& rows, random_bits const& bits, index n, [[maybe_unused]] index height = 0,
           [[maybe_unused]] index width = 0) {
  Draw result;
  if constexpr (requires { result.boxes; }) result.height = height, result.width = width;
  const auto size = static_cast<std::size_t>(n);
  result.lambda.resize(size), result.partner.resize(size);
  if constexpr (requires { result.boxes; }) result.boxes.resize(size);
  if constexpr (requires { result.cut; }) result.cut.resize(size);
  if (n == 0) return result;
  const partner_order order(bits, n, partners_of(rows.per, rows.with));
  std::vector<index> place(size), row_at(size);
  for (index i = 0; i < n; ++i) {
    place[std::size_t(i)] = order.place_of(i);
    row_at[std::size_t(place[std::size_t(i)])] = i;
  }
  index known = -1;
  shared_draw shared;
  for (std::size_t i = 0; i < size; ++i) {
    const index partner = order.partner_by(place[i], [&](index k) { return row_at[std::size_t(k)]; });
    const index from = leader(rows.per, static_cast<index>(i), partner);
    if (from != known) shared = rows(bits, from), known = from;
    result.lambda[i] = shared.lambda;
    result.partner[i] = partner;
    if constexpr (requires { result.boxes; }) result.boxes[i] = shared.box;
    if constexpr (requires { result.cut; }) result.cut[i] = shared.cut;
  }
  return result;
}

inline void require_rows(const char* function, index n) {
  require(n >= 0 && n < index(1) << 32, function, "n", n, "in [0, 2^32)");
}
inline void require_image(const char* function, index height, index width) {
  require(height >= 1 && height < index(1) << 31, function, "height", height, "in [1, 2^31)");
  require(width >= 1 && width < index(1) << 31, function, "width", width, "in [1, 2^31)");
}
inline void require_alpha(const char* function, const char* name, double alpha) {
  require(alpha >= 1e-300 && finite(alpha), function, name, alpha, "finite and positive");
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
