// SPDX-License-Identifier: MIT
/// Images as planes, which hone's structure takes, and as pixels, which the convolutions take.
#pragma once

#include "patches.hpp"

#include <hone/hone.hpp>

namespace demo {

using Eigen::Index;

/// A row per plane, all channels of an image one behind the other, of a row per pixel and a column per channel.
template <class T>
void to_planes(const matrix<T>& x, Index pixels, matrix<T>& planes) {
  const Index channels = x.cols(), images = x.rows() / pixels;
  planes.resize(images * channels, pixels);
  for (Index i = 0; i < images; ++i)
    planes.middleRows(i * channels, channels) = x.middleRows(i * pixels, pixels).transpose();
}

template <class T>
void to_pixels(const matrix<T>& planes, Index channels, matrix<T>& x) {
  const Index pixels = planes.cols(), images = planes.rows() / channels;
  x.resize(images * pixels, channels);
  for (Index i = 0; i < images; ++i)
    x.middleRows(i * pixels, pixels) = planes.middleRows(i * channels, channels).transpose();
}

template <class T>
hone::image_view<T> planes_of(matrix<T>& planes, Index channels) {
  return {planes.data(), planes.rows() / channels, channels, planes.cols()};
}

/// Every image is one plane, whatever the order of its numbers: for factors per sample.
template <class T>
hone::image_view<T> samples_of(matrix<T>& x, Index samples) {
  return {x.data(), 1, samples, x.size() / samples};
}
template <class T>
hone::image_view<const T> samples_of(const matrix<T>& x, Index samples) {
  return {x.data(), 1, samples, x.size() / samples};
}

}  // namespace demo
