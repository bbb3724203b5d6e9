// SPDX-License-Identifier: MIT
/// Batches of OpenCV's images for mixup and cutmix, and views of its matrices in place.
///
///     std::vector<cv::Mat> images;  // CV_32FC3, of one size
///     hone::adapt::stack_planes(images, hone::image_view{batch.data(), images.size(), 3, height, width});
///     hone::blend(cpu, draw, hone::matrix_view{batch.data(), images.size(), 3 * height * width}, …);  // N x C x H x W
///
/// A cv::Mat is H x W x C with the channels of a pixel side by side; its rows may be padded. T is the type of its
/// numbers: float for CV_32F, double for CV_64F, std::uint8_t for CV_8U. Numbers are never converted:
/// hone::invalid_argument says which cv::Mat::convertTo is missing. Views are of the Mat's memory, which a Mat counts:
/// keep one of them alive.
#pragma once

#include <hone/adapt/layout/interleaved.hpp>
#include <hone/adapt/layout/strided_array.hpp>
#include <hone/core/view_check.hpp>

#include <opencv2/core.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace detail {

/// A Mat or a Mat_<T>.
template <class M>
concept opencv_matrix = std::derived_from<std::remove_cvref_t<M>, cv::Mat>;

/// A named Mat, or the numbers would end with a temporary that is the last to hold them.
template <class T, class M>
constexpr void require_opencv_argument() {
  static_assert(
      std::is_lvalue_reference_v<M>,
      "hone::adapt: the argument is a temporary cv::Mat, which may be the last that holds its numbers: give it "
      "a name first");
  static_assert(std::is_const_v<T> || !std::is_const_v<std::remove_reference_t<M>>,
                "hone::adapt: a const cv::Mat gives views of const numbers: rows_of<const float>");
}

inline const char* opencv_depth_name(int depth) noexcept {
  constexpr const char* names[] = {"CV_8U", "CV_8S", "CV_16U", "CV_16S", "CV_32S", "CV_32F", "CV_64F", "CV_16F"};
  return depth >= 0 && depth < 8 ? names[depth] : "unknown";
}
/// Fails unless the Mat holds numbers of type T.
template <class T>
void require_opencv_depth(const char* function, const char* name, cv::Mat const& m) {
  constexpr int depth = cv::DataType<std::remove_const_t<T>>::depth;
  if (m.depth() != depth)
    fail("%s: %s holds %s, must hold %s: convert it with cv::Mat::convertTo, and scale bytes by 1/255", function, name,
         opencv_depth_name(m.depth()), opencv_depth_name(depth));
}
/// The Mat with its channels, where there are several, as the last dimension.
template <class T>
strided_array<T> array_of_opencv(const char* function, cv::Mat const& m) {
  require_opencv_depth<T>(function, "matrix", m);
  strided_array<T> a;
  const std::size_t bytes = sizeof(T);
  a.data = reinterpret_cast<T*>(m.data);
  for (int k = 0; k < m.dims; ++k) {
    if (m.step[k] % bytes != 0)
      fail("%s: matrix has %zu bytes from place to place of dimension %d, must be a multiple of %zu", function,
           m.step[k], k, bytes);
    a.add(m.size[k], index(m.step[k] / bytes));
  }
  if (m.channels() > 1) a.add(m.channels(), 1);
  require_array(function, "matrix", a);
  return a;
}

/// Fails unless all images are 2-dimensional, of one size, and hold numbers of type T.
template <class T>
void require_images_of_opencv(const char* function, std::span<const cv::Mat> images, index channels, index features,
                              index count) {
  if (index(images.size()) != count)
    fail("%s: %zu images for a batch of %jd", function, images.size(), std::intmax_t(count));
  for (std::size_t i = 0; i < images.size(); ++i) {
    cv::Mat const& m = images[i];
    require_opencv_depth<T>(function, "an image", m);
    if (m.dims != 2 || m.size() != images[0].size() || m.channels() != images[0].channels())
      fail("%s: image %zu is %d x %d with %d channels, image 0 is %d x %d with %d", function, i, m.rows, m.cols,
           m.channels(), images[0].rows, images[0].cols, images[0].channels());
    if ((channels >= 0 && m.channels() != channels) || index(m.total()) * m.channels() != features)
      fail("%s: image %zu is %d x %d with %d channels, the batch has %jd numbers for it, of %jd channels", function, i,
           m.rows, m.cols, m.channels(), std::intmax_t(features),
           std::intmax_t(channels >= 0 ? channels : m.channels()));
  }
}

}  // namespace detail

namespace adapt {

/// Copies images of C channels into a batch N x C x H x W, plane by plane: images[i] is image i of the batch. Throws
/// hone::invalid_argument, before anything is written, if an image is of another size, number of channels or type.
template <class T>
void stack_planes(std::span<const cv::Mat> images, image_view<T> batch) {
  hone::detail::require_images("stack_planes", "batch", batch.images, batch.channels, batch.pixels,
                               batch.data != nullptr);
  hone::detail::require_images_of_opencv<T>("stack_planes", images, batch.channels, batch.channels * batch.pixels,
                                            batch.images);
  T* to = batch.data;
  for (cv::Mat const& m : images) {
    for (int y = 0; y < m.rows; ++y) {
      const T* const from = m.ptr<T>(y);
      for (index c = 0; c < batch.channels; ++c)
        for (index x = 0; x < m.cols; ++x) to[c * batch.pixels + y * index(m.cols) + x] = from[x * batch.channels + c];
    }
    to += batch.channels * batch.pixels;
  }
}

/// Copies images into a batch N x H x W x C, a row of H · W · C numbers per image. Throws as stack_planes does.
template <class T>
void stack_pixels(std::span<const cv::Mat> images, matrix_view<T> batch) {
  hone::detail::require_valid(batch, "batch", "stack_pixels");
  hone::detail::require_images_of_opencv<T>("stack_pixels", images, -1, batch.columns, batch.rows);
  for (index i = 0; i < batch.rows; ++i) {
    cv::Mat const& m = images[std::size_t(i)];
    const index width = index(m.cols) * m.channels();
    for (int y = 0; y < m.rows; ++y) std::copy_n(m.ptr<T>(y), width, batch.row(i) + y * width);
  }
}

/// A row is a sample of `cols` numbers, one channel; or more dimensions, the last of which are the classes. Padded rows
/// are read in place: rows_of<float>(m), of a const Mat rows_of<const float>(m).
template <class T, hone::detail::opencv_matrix M>
matrix_view<T> rows_of(M&& m) {
  hone::detail::require_opencv_argument<T, M>();
  hone::detail::require_view_of<T>();
  return hone::detail::rows_in_matrix("rows_of", "matrix", hone::detail::array_of_opencv<T>("rows_of", m));
}

/// A blob N x C x H x W, as cv::dnn makes it: an image_view.
template <class T, hone::detail::opencv_matrix M>
image_view<T> pixels_of(M&& m) {
  hone::detail::require_opencv_argument<T, M>();
  hone::detail::require_view_of<T>();
  return hone::detail::pixels_in_image("pixels_of", "matrix", hone::detail::array_of_opencv<T>("pixels_of", m));
}

/// Integers of one channel without padding: labels of rows, or a mask H x W of the classes of pixels.
template <class T, hone::detail::opencv_matrix M>
std::span<const T> labels_of(M&& m) {
  hone::detail::require_opencv_argument<const T, M>();
  hone::detail::require_labels_of<T>();
  return hone::detail::contiguous_numbers("labels_of", "matrix",
                                          hone::detail::array_of_opencv<const T>("labels_of", m));
}

}  // namespace adapt
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
