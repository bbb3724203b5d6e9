// SPDX-License-Identifier: MIT
/// A non-owning view of the numbers of a convolution, in which height and width matter: feature maps and weights.
#pragma once

#include <hone/core/overlap.hpp>
#include <hone/core/view_check.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// images × channels × height × width contiguous numbers (N x C x H x W). The weights of a convolution are outputs ×
/// channels × kernel height × kernel width. Converts to its const T form.
template <class T>
struct feature_view {
  T* data = nullptr;
  index images = 0;
  index channels = 0;
  index height = 0;
  index width = 0;

  constexpr feature_view() noexcept = default;

  constexpr feature_view(T* data_, std::integral auto images_, std::integral auto channels_, std::integral auto height_,
                         std::integral auto width_) noexcept
      : data(data_),
        images(static_cast<index>(images_)),
        channels(static_cast<index>(channels_)),
        height(static_cast<index>(height_)),
        width(static_cast<index>(width_)) {}

  template <class U>
    requires std::same_as<const U, T>
  constexpr feature_view(feature_view<U> const& other) noexcept
      : feature_view(other.data, other.images, other.channels, other.height, other.width) {}

  HONE_HD constexpr index pixels() const noexcept { return height * width; }
  HONE_HD constexpr index size() const noexcept { return images * channels * pixels(); }

  /// Returns the first number of a channel of an image.
  HONE_HD constexpr T* plane(index image, index channel) const noexcept {
    return data + (image * channels + channel) * pixels();
  }

  /// Returns true if both view the same memory in the same shape.
  friend constexpr bool operator==(feature_view const&, feature_view const&) noexcept = default;
};

static_assert(std::is_trivially_copyable_v<feature_view<float>>);

namespace detail {

template <class T>
footprint footprint_of(feature_view<T> v) noexcept {
  return footprint_of(v.data, v.size());
}

/// The sizes of a feature_view, for checks that need no type.
struct feature_sizes {
  std::intmax_t images, channels, height, width;
  bool data;
};

/// Returns true if a view is not the empty one that stands for an absent argument.
template <class T>
constexpr bool is_given(feature_view<T> v) noexcept {
  return v != feature_view<T>();
}
template <class T>
constexpr feature_sizes sizes_of(feature_view<T> v) noexcept {
  return {v.images, v.channels, v.height, v.width, v.data != nullptr};
}

/// Fails if the view does not describe memory that can exist.
inline void require_features(const char* function, const char* name, feature_sizes const& v) {
  if (v.images < 0 || v.channels < 0 || v.height < 0 || v.width < 0)
    fail("%s: %s is %jd x %jd x %jd x %jd, sizes must not be negative", function, name, v.images, v.channels, v.height,
         v.width);
  if (!v.data && v.images > 0 && v.channels > 0 && v.height > 0 && v.width > 0)
    fail("%s: %s is %jd x %jd x %jd x %jd but has no data", function, name, v.images, v.channels, v.height, v.width);
  if (!fits_memory({v.images, v.channels, v.height, v.width}))
    fail("%s: %s is %jd x %jd x %jd x %jd, more than memory can hold", function, name, v.images, v.channels, v.height,
         v.width);
}
/// Fails if the view is not valid memory of this shape.
inline void require_features(const char* function, const char* name, feature_sizes const& v, index images,
                             index channels, index height, index width) {
  require_features(function, name, v);
  if (v.images != images || v.channels != channels || v.height != height || v.width != width)
    fail("%s: %s is %jd x %jd x %jd x %jd, must be %jd x %jd x %jd x %jd", function, name, v.images, v.channels,
         v.height, v.width, std::intmax_t(images), std::intmax_t(channels), std::intmax_t(height),
         std::intmax_t(width));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
