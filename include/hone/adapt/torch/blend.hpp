// SPDX-License-Identifier: MIT
/// Mixup and cutmix of a batch of images.
#pragma once

#include <hone/adapt/layout/interleaved.hpp>
#include <hone/adapt/torch/tensor.hpp>
#include <hone/cpu.hpp>
#include <hone/sample/blend.hpp>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstddef>
#include <type_traits>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

/// Fails unless the draw is one of boxes in images of this size.
template <class Draw>
void require_image_size(Draw const& draw, at::Tensor const& images) {
  if constexpr (requires { draw.boxes; }) {
    const std::int64_t d = images.dim();
    if ((d != 3 && d != 4) || images.size(d - 2) != draw.height || images.size(d - 1) != draw.width)
      hone::detail::fail("blend: images is %s, the draw is for height %jd and width %jd", layout_of(images).c_str(),
                         std::intmax_t(draw.height), std::intmax_t(draw.width));
  }
}

/// Calls f(std::type_identity<T>()) for the dtypes that blend takes with this draw.
template <class Draw, class F>
void with_image_number(at::ScalarType type, F const& f) {
  if (type == at::kByte) return f(std::type_identity<std::uint8_t>());
  if constexpr (requires(Draw d) { d.boxes; }) {
    if (type == at::kLong) return f(std::type_identity<std::int64_t>());
    if (type == at::kInt) return f(std::type_identity<std::int32_t>());
    if (type == at::kShort) return f(std::type_identity<std::int16_t>());
    if (type == at::kChar) return f(std::type_identity<std::int8_t>());
    if (type == at::kBool) return f(std::type_identity<bool>());
  }
  if (!is_floating(type))
    hone::detail::fail(
        "blend: images is %s, must be floating or Byte; by a draw with boxes also other integers, which "
        "are copied",
        toString(type));
  with_number("blend", "images", type, f);
}

/// Blends images into a tensor of the same sizes, strides and dtype whose rows lie one after another.
template <class Draw>
void blend_rows(cpu const& backend, Draw const& draw, at::Tensor const& from, at::Tensor const& to) {
  const index n = from.size(0), features = n > 0 ? from.numel() / n : 0;
  with_image_number<Draw>(from.scalar_type(), [&]<class T>(std::type_identity<T>) {
    hone::blend(backend, draw, matrix_view<const T>(numbers_of<const T>(from), n, features),
                matrix_view<T>(numbers_of<T>(to), n, features));
  });
}

}  // namespace detail

/// Returns images mixed by a draw of mixup, cutmix or mixup_or_cutmix: N x C x H x W, N x H x W, or N x any sizes by a
/// draw without boxes. The result has the memory format of the images, contiguous or channels_last; images with other
/// strides are copied first. Numbers are floating or bytes; a draw with boxes copies the masks of other integers.
///
///     const auto draw = hone::mixup{.alpha = 0.2}.draw(seed, step, images.size(0));
///     const auto logits = net->forward(hone::adapt::blend(cpu, draw, images));
///     const auto y = hone::adapt::labels_of(labels);
///     const auto target = hone::mix(hone::classes(y), hone::partner_classes(y, draw.partner), draw.lambda);
///
/// Throws hone::invalid_argument if hone::blend does, if the draw is for images of another height or width, if images
/// are not on the CPU, and if they require a gradient while gradients are recorded: blend has none.
template <class Draw>
at::Tensor blend(cpu const& backend, Draw const& draw, at::Tensor const& images) {
  detail::require_device("blend", "images", images, at::kCPU);
  if (images.dim() < 1) hone::detail::fail("blend: images is a scalar, must be N x C x H x W");
  if (images.requires_grad() && at::GradMode::is_enabled())
    hone::detail::fail("blend: images require a gradient, and blend has none");
  detail::require_image_size(draw, images);
  const bool last =
      images.dim() == 4 && images.is_contiguous(at::MemoryFormat::ChannelsLast) && !images.is_contiguous();
  const at::Tensor from = last ? images : images.contiguous();
  const at::Tensor mixed = at::empty_like(from);
  if (last)
    detail::blend_rows(backend, interleaved(draw, images.size(1)), from, mixed);
  else
    detail::blend_rows(backend, draw, from, mixed);
  return mixed;
}

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
