// SPDX-License-Identifier: MIT
// Statistics of batch normalisation, and batch normalisation folded into a convolution.
#include <hone/hone.hpp>

#include <conformance/channel_statistics.hpp>
#include <cpu/this_machine.hpp>
#include <structure/values_of.hpp>
#include <support/message.hpp>

namespace {

namespace values = structure_values;
using values::channels, values::images, values::height, values::width;
constexpr hone::index all = hone::index(images) * channels * height * width;
const hone::cpu two(2);

}  // namespace

TEST_CASE("the CPU passes the conformance cases of the statistics of channels") {
  conformance::channel_statistics<on_this_machine>();
}

TEST_CASE("channels have the statistics of PyTorch's batch normalisation, in one batch or merged") {
  const auto x = values::numbers(1, all);
  std::vector<hone::channel_statistics> once(channels), merged(channels);
  hone::measure_channels(two, hone::image_view{x.data(), images, channels, height, width}, once);
  for (int i = 0; i < images; ++i)
    hone::measure_channels(
        two, hone::image_view{x.data() + hone::index(i) * channels * height * width, 1, channels, height, width},
        merged);
  std::vector<double> mean, variance, of_parts, mean_of_parts;
  for (auto const& s : once) mean.push_back(s.mean), variance.push_back(s.unbiased_variance());
  for (auto const& s : merged) mean_of_parts.push_back(s.mean), of_parts.push_back(s.unbiased_variance());
  CHECK(values::distance(mean, values::batch_mean) < 1e-14);
  CHECK(values::distance(variance, values::batch_unbiased_variance) < 1e-14);
  CHECK((mean_of_parts == mean && of_parts == variance));
  CHECK(once[0].count == images * height * width);
  CHECK(once[0].variance() == doctest::Approx(once[0].unbiased_variance() * 29 / 30).epsilon(1e-14));
}

TEST_CASE("statistics of nothing change nothing, and merge in any order to rounding") {
  hone::channel_statistics none, one{1, 5, 0}, pair{2, 1, 2};
  CHECK((none.variance() == 0 && none.unbiased_variance() == 0 && one.unbiased_variance() == 0));
  auto a = one, b = pair;
  a.merge(none), a.merge(pair), b.merge(one), none.merge(one);
  CHECK((none.count == 1 && none.mean == 5 && none.m2 == 0));
  CHECK((a.count == 3 && b.count == 3));  // of 5, 0, 2
  CHECK(std::abs(a.mean - 7.0 / 3) < 1e-15);
  CHECK(std::abs(b.mean - 7.0 / 3) < 1e-15);
  CHECK(std::abs(a.m2 - 38.0 / 3) < 1e-14);
  CHECK(std::abs(b.m2 - 38.0 / 3) < 1e-14);
}

// In float, Σ x² - n mean² would have no digit left.
TEST_CASE_TEMPLATE("a variance far below the mean keeps its digits, in planes of several runs", T, float, double) {
  const hone::index n = 3, c = 5, pixels = 5003;
  std::vector<T> x(std::size_t(n * c * pixels));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = T(65536) + (i % 3 ? T(0.25) : T(0));
  std::vector<hone::channel_statistics> one(c), more(c);
  hone::measure_channels(hone::cpu(1), hone::image_view{x.data(), n, c, pixels}, one);
  for (const int threads : {2, 3, 8}) {
    std::fill(more.begin(), more.end(), hone::channel_statistics());
    hone::measure_channels(hone::cpu(threads), hone::image_view{x.data(), n, c, pixels}, more);
    for (std::size_t k = 0; k < one.size(); ++k) CHECK((one[k].mean == more[k].mean && one[k].m2 == more[k].m2));
  }
  for (hone::index k = 0; k < c; ++k) {
    long double mean = 0, m2 = 0;
    const auto each = [&](auto body) {
      for (hone::index i = 0; i < n; ++i)
        for (hone::index p = 0; p < pixels; ++p) body(double(x[std::size_t((i * c + k) * pixels + p)]));
    };
    each([&](double v) { mean += v; });
    mean /= n * pixels;
    each([&](double v) { m2 += (v - mean) * (v - mean); });
    CHECK(one[std::size_t(k)].mean == doctest::Approx(double(mean)).epsilon(1e-9));
    CHECK(one[std::size_t(k)].m2 == doctest::Approx(double(m2)).epsilon(1e-6));
  }
}

TEST_CASE("a folded batch normalisation is that of PyTorch") {
  auto weight = values::numbers(6, hone::index(channels) * 4), bias = values::numbers(7, channels);
  const auto mean = values::numbers(8, channels), scale = values::numbers(10, channels),
             shift = values::numbers(11, channels);
  auto variance = values::numbers(9, channels);
  for (double& v : variance) v = std::abs(v);
  hone::fold_batch_norm<double>({mean, variance, scale, shift}, {weight.data(), channels, 4}, bias);
  CHECK(values::distance(weight, values::folded_weight) < 1e-14);
  CHECK(values::distance(bias, values::folded_bias) < 1e-14);
}

TEST_CASE("batch normalisation: invalid arguments throw, and nothing is written") {
  std::vector<float> weight(8, 3), bias(2, 3), two_numbers(2, 1), three(3, 1), negative{1, -1};
  const hone::matrix_view w{weight.data(), 2, 4};
  const auto said = [&](hone::batch_norm_view<float> norm, std::span<float> b) {
    return support::message([&] { hone::fold_batch_norm<float>(norm, w, b); });
  };
  CHECK(said({three, two_numbers, two_numbers, two_numbers}, bias) ==
        "fold_batch_norm: mean has 3 numbers, weight has 2 rows");
  CHECK(said({two_numbers, three, two_numbers, two_numbers}, bias) ==
        "fold_batch_norm: variance has 3 numbers, weight has 2 rows");
  CHECK(said({two_numbers, two_numbers, three, two_numbers}, bias) ==
        "fold_batch_norm: scale has 3 numbers, weight has 2 rows");
  CHECK(said({two_numbers, two_numbers, two_numbers, three}, bias) ==
        "fold_batch_norm: shift has 3 numbers, weight has 2 rows");
  CHECK(said({two_numbers, two_numbers, two_numbers, two_numbers}, {}) ==
        "fold_batch_norm: bias has 0 numbers, weight has 2 rows");
  CHECK(said({two_numbers, negative, two_numbers, two_numbers}, bias) ==
        "fold_batch_norm: variance is -1, must be at least 0, and positive and finite with epsilon");
  CHECK(weight == std::vector<float>(8, 3));
  std::vector<hone::channel_statistics> to(3);
  CHECK(support::message([&] { hone::measure_channels(two, hone::image_view{weight.data(), 1, 2, 4}, to); }) ==
        "measure_channels: to has 3 statistics for 2 channels");
  CHECK(support::message([&] { hone::measure_channels(two, hone::image_view{weight.data(), 1, 3, 0}, to); }) ==
        "measure_channels: x is 1 x 3 x 0, planes must have pixels");
  const std::span<hone::channel_statistics> first(to.data(), 1);
  CHECK(support::message([&] {
          hone::measure_channels(two, hone::image_view{reinterpret_cast<double*>(to.data()), 1, 1, 9}, first);
        }) == "measure_channels: to and x overlap, to begins 0 bytes after x; they must be apart");
}
