// SPDX-License-Identifier: MIT
#include <hone/adapt/opencv.hpp>

#include <hone/hone.hpp>
#include "../../support/message.hpp"
#include "../../support/numbers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

using hone::adapt::interleaved;
using hone::adapt::labels_of;
using hone::adapt::pixels_of;
using hone::adapt::rows_of;
using hone::adapt::stack_pixels;
using hone::adapt::stack_planes;
using support::message;

const hone::cpu cpu{1};
constexpr int count = 6, height = 5, width = 7, channels = 3;
constexpr hone::index features = hone::index(channels) * height * width;

/// Images that differ in every number. With padding, each is a part of a larger one.
template <class T>
std::vector<cv::Mat> batch_of(bool padded = false) {
  std::vector<cv::Mat> all;
  for (int i = 0; i < count; ++i) {
    cv::Mat m(height + 2, width + 3, CV_MAKETYPE(cv::DataType<T>::depth, channels), cv::Scalar::all(99));
    m = padded ? m(cv::Rect(1, 1, width, height)) : cv::Mat(height, width, m.type());
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width * channels; ++x) m.ptr<T>(y)[x] = T(31 * i + 7 * y + x);
    all.push_back(m);
  }
  return all;
}
template <class T>
T at(cv::Mat const& m, int y, int x, int c) {
  return m.ptr<T>(y)[x * channels + c];
}

}  // namespace

TEST_CASE_TEMPLATE("images are stacked by planes and by pixels, padded or not", T, float, double, std::uint8_t) {
  for (const bool padded : {false, true}) {
    const std::vector<cv::Mat> all = batch_of<T>(padded);
    CHECK(all[0].isContinuous() == !padded);
    std::vector<T> planes(count * features), pixels(count * (features + 2), T(9));
    stack_planes(all, hone::image_view{planes.data(), count, channels, height, width});
    stack_pixels(all, hone::matrix_view{pixels.data(), count, features, features + 2});
    for (int i = 0; i < count; ++i)
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          for (int c = 0; c < channels; ++c) {
            const T expected = at<T>(all[std::size_t(i)], y, x, c);
            CHECK(planes[std::size_t(((i * channels + c) * height + y) * width + x)] == expected);
            CHECK(pixels[std::size_t(i * (features + 2) + (y * width + x) * channels + c)] == expected);
          }
    CHECK(pixels[std::size_t(features)] == T(9));
  }
}

TEST_CASE_TEMPLATE("mixup and cutmix are the same on planes and on pixels", T, float, std::uint8_t) {
  const std::vector<cv::Mat> all = batch_of<T>(true);
  std::vector<T> planes(count * features), pixels(planes.size());
  stack_planes(all, hone::image_view{planes.data(), count, channels, height, width});
  stack_pixels(all, hone::matrix_view{pixels.data(), count, features});
  const auto same = [&](auto const& draw) {
    std::vector<T> mixed(planes.size()), other(planes.size());
    hone::blend(cpu, draw, hone::matrix_view{planes.data(), count, features},
                hone::matrix_view{mixed.data(), count, features});
    hone::blend(cpu, interleaved(draw, channels), hone::matrix_view{pixels.data(), count, features},
                hone::matrix_view{other.data(), count, features});
    for (int i = 0; i < count; ++i)
      for (int p = 0; p < height * width; ++p)
        for (int c = 0; c < channels; ++c)
          CHECK(mixed[std::size_t(i * features + c * height * width + p)] ==
                other[std::size_t(i * features + p * channels + c)]);
    CHECK(mixed != planes);
  };
  same(hone::mixup{}.draw(1, 2, count));
  same(hone::cutmix{}.draw(1, 2, count, height, width));
  same(hone::mixup_or_cutmix{.per = hone::sample}.draw(1, 2, count, height, width));

  const auto draw = hone::cutmix{.per = hone::sample, .least = 0.5, .most = 0.5}.draw(1, 2, count, height, width);
  std::vector<T> mixed(pixels.size());
  hone::blend(cpu, interleaved(draw, channels), hone::matrix_view{pixels.data(), count, features},
              hone::matrix_view{mixed.data(), count, features});
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const auto box = draw.boxes[0];
      const bool inside = x >= box.x1 && x < box.x2 && y >= box.y1 && y < box.y2;
      CHECK(mixed[std::size_t((y * width + x) * channels + 2)] ==
            at<T>(all[inside ? std::size_t(draw.partner[0]) : 0], y, x, 2));
    }
}

TEST_CASE("images of another type or size are refused, and nothing is written") {
  std::vector<cv::Mat> all = batch_of<std::uint8_t>();
  std::vector<float> planes(count * features, 5), before = planes;
  const hone::image_view batch{planes.data(), count, channels, height, width};
  CHECK(message([&] { stack_planes(all, batch); }) ==
        "stack_planes: an image holds CV_8U, must hold CV_32F: convert it with cv::Mat::convertTo, and scale bytes by "
        "1/255");
  for (cv::Mat& m : all) m.convertTo(m, CV_32F, 1 / 255.0);
  CHECK(message([&] { stack_planes(all, batch); }).empty());
  CHECK(planes[1] == all[0].ptr<float>(0)[3]);
  planes = before;
  all[4] = cv::Mat(height, width + 1, CV_32FC3);
  CHECK(message([&] { stack_planes(all, batch); }) ==
        "stack_planes: image 4 is 5 x 8 with 3 channels, image 0 is 5 x 7 with 3");
  all[4] = cv::Mat(height, width, CV_32FC1);
  CHECK(message([&] { stack_pixels(all, hone::matrix_view{planes.data(), count, features}); }) ==
        "stack_pixels: image 4 is 5 x 7 with 1 channels, image 0 is 5 x 7 with 3");
  all[4] = all[3];
  CHECK(message([&] { stack_planes(all, hone::image_view{planes.data(), count, channels, height, width - 1}); }) ==
        "stack_planes: image 0 is 5 x 7 with 3 channels, the batch has 90 numbers for it, of 3 channels");
  CHECK(message([&] { stack_planes(all, hone::image_view{planes.data(), count, 1, channels * height, width}); }) ==
        "stack_planes: image 0 is 5 x 7 with 3 channels, the batch has 105 numbers for it, of 1 channels");
  all.pop_back();
  CHECK(message([&] { stack_planes(all, batch); }) == "stack_planes: 5 images for a batch of 6");
  CHECK(planes == before);
  CHECK(message([&] { interleaved(hone::mixup{}.draw(1, 2, 3), 0); }) ==
        "interleaved: channels is 0, must be at least 1");
}

TEST_CASE("matrices of one channel are rows, padded or not, with the bits of a copy") {
  constexpr int rows = 37, classes = 10;
  cv::Mat wide(rows + 2, classes + 3, CV_32F, cv::Scalar(99)), slopes = wide.clone();
  cv::Mat z = wide(cv::Rect(2, 1, classes, rows)), gradient = slopes(cv::Rect(2, 1, classes, rows));
  std::vector<float> copy, expected(rows * classes);
  for (int i = 0; i < rows; ++i)
    for (int k = 0; k < classes; ++k) copy.push_back(z.at<float>(i, k) = float(support::noise(i * classes + k)));
  cv::Mat y(rows, 1, CV_32S);
  for (int i = 0; i < rows; ++i) y.at<int>(i) = (i * 7 + 2) % classes;
  const auto objective = hone::cross_entropy(hone::classes(labels_of<int>(y)));
  const double value = hone::evaluate(cpu, objective, hone::matrix_view{copy.data(), rows, classes},
                                      {.gradient = {expected.data(), rows, classes}});
  CHECK(rows_of<float>(z).row_stride == classes + 3);
  CHECK(hone::evaluate(cpu, objective, rows_of<float>(z), {.gradient = rows_of<float>(gradient)}) == value);
  for (int i = 0; i < rows; ++i)
    for (int k = 0; k < classes; ++k) CHECK(gradient.at<float>(i, k) == expected[std::size_t(i * classes + k)]);
  CHECK(slopes.at<float>(0, 0) == 99);
  CHECK(slopes.at<float>(1, 1) == 99);
  CHECK(slopes.at<float>(1, classes + 2) == 99);
  const cv::Mat& fixed = z;
  CHECK(rows_of<const float>(fixed).data == z.ptr<float>());
  CHECK(message([&] { rows_of<double>(z); }).starts_with("rows_of: matrix holds CV_32F, must hold CV_64F"));
  CHECK(message([&] { labels_of<int>(z); }).starts_with("labels_of: matrix holds CV_32F, must hold CV_32S"));
}

TEST_CASE("blobs, masks and images of pixels") {
  std::vector<float> numbers(2 * 3 * 4 * 5);
  const int sizes[] = {2, 3, 4, 5};
  cv::Mat blob(4, sizes, CV_32F, numbers.data());
  CHECK(pixels_of<float>(blob) == hone::image_view{numbers.data(), 2, 3, 20});
  cv::Mat logits(height, width, CV_32FC3);  // a pixel is a sample
  CHECK(rows_of<float>(logits) == hone::matrix_view{logits.ptr<float>(), height * width, channels});
  cv::Mat part = logits(cv::Rect(1, 1, 3, 2));
  CHECK(message([&] { rows_of<float>(part); }) ==
        "rows_of: matrix is 2 x 3 x 3 with strides 21 x 3 x 1, rows must be contiguous and equally far apart: make a "
        "contiguous copy");
  cv::Mat mask(height, width, CV_8U, cv::Scalar(2));
  CHECK(labels_of<std::uint8_t>(mask).size() == std::size_t(height) * width);
  cv::Mat cut = mask(cv::Rect(0, 0, 3, 3));
  CHECK(message([&] { labels_of<std::uint8_t>(cut); }) ==
        "labels_of: matrix is 3 x 3 with strides 7 x 1, must be contiguous: make a contiguous copy");
  int many[32] = {};
  std::fill(many, many + 32, 1);
  cv::Mat widest(32, many, CV_32FC3);
  CHECK(rows_of<float>(widest) == hone::matrix_view{widest.ptr<float>(), 1, channels});
  cv::Mat_<double> typed(3, 4);
  CHECK(rows_of<double>(typed).columns == 4);
}

TEST_CASE("no images, and an empty matrix") {
  const std::vector<cv::Mat> none;
  stack_planes(none, hone::image_view<float>{nullptr, 0, 3, 20});
  stack_pixels(none, hone::matrix_view<float>{nullptr, 0, 60});
  cv::Mat empty;
  CHECK(message([&] { rows_of<float>(empty); }).starts_with("rows_of: matrix holds CV_8U"));
  cv::Mat no_rows(0, 10, CV_32F);
  CHECK(rows_of<float>(no_rows).rows == 0);
}

TEST_CASE("the example of docs/matrices.md") {
  std::vector<cv::Mat> images = batch_of<float>();
  const std::int64_t seed = 1, step = 2;
  const hone::index n = 6;
  // [opencv]
  // images: a std::vector of n cv::Mat of height x width, CV_32FC3
  std::vector<float> batch(images.size() * images[0].total() * 3);
  hone::adapt::stack_planes(images, hone::image_view{batch.data(), n, 3, height, width});  // N x C x H x W
  const auto draw = hone::mixup_or_cutmix{}.draw(seed, step, n, height, width);
  const hone::matrix_view rows{batch.data(), n, 3 * height * width};
  hone::blend(cpu, draw, rows, rows);  // in place
  // [/opencv]
  std::vector<float> pixels(batch.size());
  // [pixels]
  hone::adapt::stack_pixels(images, hone::matrix_view{pixels.data(), n, height * width * 3});  // N x H x W x C
  const hone::matrix_view samples{pixels.data(), n, height * width * 3};
  hone::blend(cpu, hone::adapt::interleaved(draw, 3), samples, samples);
  // [/pixels]
  CHECK(pixels[1] == batch[std::size_t(height) * width]);
}
