// SPDX-License-Identifier: MIT
// Region losses on CUDA: the conformance cases, and what only a device has: a workspace of the caller, graphs, numbers
// in device memory, labels that are no class.
#include <hone/hone.cuh>

#include <conformance/regions.hpp>
#include <cuda/device.cuh>

namespace {

/// 2 images of 700 pixels with 6 classes.
struct problem {
  static constexpr hone::index images = 2, channels = 6, pixels = 700, rows = images * pixels;

  device::stream stream;
  std::vector<float> logits;
  std::vector<int> y;
  device::buffer<float> z, gradient{std::size_t(rows * channels)}, value{1};
  device::buffer<int> labels;

  problem() : logits(make_logits()), y(make_labels()), z(logits), labels(y) {}

  static std::vector<float> make_logits() {
    std::vector<float> x;
    for (hone::index i = 0; i < rows * channels; ++i) x.push_back(3 * std::sin(1.7f * float(i)));
    return x;
  }
  static std::vector<int> make_labels() {
    std::vector<int> x;
    for (hone::index i = 0; i < rows; ++i) x.push_back(i % 11 == 3 ? 255 : int(i * 5 % channels));
    return x;
  }
  auto target() const { return hone::classes(labels, {.ignore = 255}); }
  auto loss() const { return hone::cross_entropy(target()) + hone::dice_loss(target(), {.per_image = true}); }
  hone::image_view<const float> view() const { return {z.data(), images, channels, pixels}; }
  hone::outputs<float, hone::image_view> out() const {
    return {.gradient = {gradient.data(), images, channels, pixels}, .value = value.data()};
  }
  float answer() const {
    stream.wait();
    return value.host()[0];
  }
};

}  // namespace

TEST_CASE("CUDA passes the conformance cases of region losses") { conformance::region_losses<device::conformance>(); }

TEST_CASE("region losses have the same bits in every run, in a workspace of the size that is asked for") {
  const problem p;
  hone::cuda own(p.stream);
  hone::evaluate(own, p.loss(), p.view(), p.out());
  const float first = p.answer();
  const auto gradient = p.gradient.host();
  const std::size_t bytes = hone::workspace_bytes(p.loss(), p.view());
  const device::buffer<char> memory(bytes);
  hone::cuda lent(p.stream, memory.data(), bytes), small(p.stream, memory.data(), bytes - 1);
  for (int i = 0; i < 2; ++i) {
    hone::evaluate(lent, p.loss(), p.view(), p.out());
    CHECK(p.answer() == first);
    CHECK(p.gradient.host() == gradient);
  }
  CHECK_THROWS_AS(hone::evaluate(small, p.loss(), p.view(), p.out()), hone::cuda_error);
}

TEST_CASE("a captured graph replays a region loss") {
  const problem p;
  hone::cuda gpu(p.stream);
  gpu.reserve(hone::workspace_bytes(p.loss(), p.view()));
  const device::graph graph(p.stream, [&] { hone::evaluate(gpu, p.loss(), p.view(), p.out()); });
  graph.launch();
  const float first = p.answer();
  CHECK(first > 0);
  graph.launch();
  CHECK(p.answer() == first);
}

TEST_CASE("a factor in device memory multiplies a region loss, and does not weigh its pixels") {
  const problem p;
  hone::cuda gpu(p.stream);
  const device::buffer<float> factor(std::vector<float>{0.25f});
  hone::evaluate(gpu, 0.25 * p.loss(), p.view(), p.out());
  const float value = p.answer();
  const auto gradient = p.gradient.host();
  hone::evaluate(gpu, hone::device_scalar(factor.data()) * p.loss(), p.view(), p.out());
  CHECK(p.answer() == value);
  CHECK(p.gradient.host() == gradient);
}

TEST_CASE("labels that are no class count as ignored in a region loss, and are counted") {
  const problem p;
  hone::cuda gpu(p.stream);
  hone::evaluate(gpu, p.loss(), p.view(), p.out());
  const float value = p.answer();
  const auto gradient = p.gradient.host();
  const device::buffer<unsigned long long> invalid(std::vector<unsigned long long>{0});
  gpu.count_invalid_labels(invalid.data());
  const auto strict = hone::classes(p.labels);  // 255 is no class
  hone::evaluate(gpu, hone::cross_entropy(strict) + hone::dice_loss(strict, {.per_image = true}), p.view(), p.out());
  CHECK(p.answer() == value);
  CHECK(p.gradient.host() == gradient);
  CHECK(invalid.host()[0] == 2 * std::size_t(std::count(p.y.begin(), p.y.end(), 255)));
}

TEST_CASE("CUDA refuses what the host can see of a region loss") {
  const problem p;
  hone::cuda gpu(p.stream);
  const device::buffer<float> losses(std::size_t(p.rows));
  CHECK_THROWS_AS(hone::evaluate(gpu, p.loss(), p.view(), {.unreduced = losses.data()}), hone::invalid_argument);
  CHECK_THROWS_AS(hone::evaluate(gpu, p.loss(), hone::matrix_view{p.z.data(), p.rows, p.channels}, {}),
                  hone::invalid_argument);
}
