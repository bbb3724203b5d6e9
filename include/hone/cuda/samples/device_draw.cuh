// SPDX-License-Identifier: MIT
/// A draw of sample mixing in device memory.
#pragma once

#include <hone/cuda/run/backend.cuh>
#include <hone/sample/draw.hpp>

#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// The arrays of a draw. order: the rows, each followed by its partner if possible.
struct drawn_arrays {
  pixel_box* boxes;
  index *partner, *order;
  float* lambda;
  std::uint8_t* cut;

  static constexpr std::size_t bytes_per_row = sizeof(pixel_box) + 2 * sizeof(index) + sizeof(float) + 1;

  drawn_arrays(void* memory, index n) noexcept
      : boxes(static_cast<pixel_box*>(memory)),
        partner(reinterpret_cast<index*>(boxes + n)),
        order(partner + n),
        lambda(reinterpret_cast<float*>(order + n)),
        cut(reinterpret_cast<std::uint8_t*>(lambda + n)) {}
};

/// The properties of a draw in device memory that the host knows.
struct drawn_shape {
  enum class following : unsigned char { loose, circles, pairs };

  following order = following::loose;  ///< circles: partners are a permutation; pairs: places 2k and 2k + 1 are a pair
  bool filled = false;
  index height = 0, width = 0;  ///< of the images, if there are boxes
};

}  // namespace on_cuda

/// λ, partners and boxes of n rows in device memory, which is allocated at construction, outside of a graph's capture.
/// hone::draw or hone::copy fills it, hone::blend reads it, and a target may read it too:
///
///     hone::device_draw drawn(gpu, n);
///     hone::draw(gpu, hone::mixup{.alpha = 0.2}, seed, step, drawn);
///     hone::blend(gpu, drawn, images, mixed);
///     hone::mix(hone::classes(labels), hone::partner_classes(labels, drawn.partner()), drawn.lambda())
///
/// Throws hone::invalid_argument if n is negative or too large, hone::cuda_error if CUDA refuses.
class device_draw {
 public:
  device_draw(cuda const& backend, integer n)
      : n_((detail::require_rows("device_draw", n), n)),
        memory_(backend.placed(), std::size_t(n_) * on_cuda::drawn_arrays::bytes_per_row + 1, "device_draw: ") {}

  index rows() const noexcept { return n_; }

  /// Return device memory; boxes() has meaning only after a draw that has boxes.
  std::span<float const> lambda() const noexcept { return {arrays().lambda, std::size_t(n_)}; }
  std::span<index const> partner() const noexcept { return {arrays().partner, std::size_t(n_)}; }
  std::span<pixel_box const> boxes() const noexcept { return {arrays().boxes, std::size_t(n_)}; }

  /// For the functions that fill and read the draw.
  on_cuda::drawn_arrays arrays() const noexcept { return {memory_.data(), n_}; }
  on_cuda::drawn_shape shape;

 private:
  index n_;
  on_cuda::stream_memory memory_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
