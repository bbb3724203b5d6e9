// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the accessor of this mdspan changes the numbers that it reads: copy them into an array
#include <hone/adapt/mdspan.hpp>

/// As the accessor of std::linalg::scaled: its pointer leads to the numbers before they are scaled.
struct accessor {
  using element_type = float;
#ifdef WRONG
  using reference = float;
#else
  using reference = float&;
#endif
};

struct matrix {
  using accessor_type = accessor;

  static constexpr std::size_t rank() { return 2; }
  float* data_handle() const { return data; }
  static std::size_t extent(std::size_t) { return 3; }
  static std::size_t stride(std::size_t k) { return k == 0 ? 3 : 1; }
  float* data;
};

auto rows_of_scaled_mdspan(const matrix& z) { return hone::adapt::rows_of(z); }
