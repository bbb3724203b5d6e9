// SPDX-License-Identifier: MIT
// Precise batch-norm statistics: of all numbers, and as averages over batches, against PyTorch.
#include <hone/hone.hpp>

#include <doctest/doctest.h>
#include <structure/layers_values.hpp>
#include <structure/values_of.hpp>
#include <support/message.hpp>

namespace {

namespace values = layers_values;
using structure_values::channels, structure_values::distance, structure_values::numbers;
const hone::cpu two(2);

/// Statistics of the batches of 1, 4 and 2 images of 2 x 2 pixels.
struct measured {
  std::vector<hone::channel_statistics> all = std::vector<hone::channel_statistics>(channels);
  std::vector<hone::batch_averages> averages = std::vector<hone::batch_averages>(channels);

  measured() {
    const auto x = numbers(1, hone::index(7) * channels * 4);
    hone::index image = 0;
    for (const hone::index n : {1, 4, 2}) {
      std::vector<hone::channel_statistics> batch(channels);
      hone::measure_channels(two, hone::image_view{x.data() + image * channels * 4, n, channels, 4}, batch);
      for (std::size_t c = 0; c < batch.size(); ++c) all[c].merge(batch[c]), averages[c].add(batch[c]);
      image += n;
    }
  }
};

}  // namespace

TEST_CASE("merged batches give the mean and the variance of all numbers") {
  const measured m;
  std::vector<double> mean(channels, 99), variance(channels, 99);
  hone::store_statistics<double>(m.all, mean, variance);
  CHECK(distance(mean, values::population_mean) < 1e-14);
  CHECK(distance(variance, values::population_variance) < 1e-14);
}

TEST_CASE("averages over batches are those of PyTorch's batch normalisation, batch by batch, and differ") {
  const measured m;
  std::vector<double> mean(channels, 99), variance(channels, 99);
  hone::store_statistics<double>(m.averages, mean, variance);
  CHECK(distance(mean, values::batches_mean) < 1e-14);
  CHECK(distance(variance, values::batches_variance) < 1e-14);
  CHECK(distance(variance, values::population_variance) > 0.01);
  hone::batch_averages one = m.averages[0];
  one.add({});  // no numbers
  CHECK((one.batches == 3 && one.mean == m.averages[0].mean && one.variance == m.averages[0].variance));
}

TEST_CASE("precise statistics: invalid arguments throw, and nothing is written") {
  std::vector<hone::channel_statistics> all(2, {4, 1, 2}), empty(2, {4, 1, 2});
  empty[1] = {};
  std::vector<float> mean(3, 7), variance(2, 7);
  const auto said = [](auto const& from, std::span<float> m, std::span<float> v) {
    return support::message([&] { hone::store_statistics<float>(from, m, v); });
  };
  CHECK(said(all, mean, variance) == "store_statistics: means has 3 numbers for 2 channels");
  CHECK(said(all, variance, mean) == "store_statistics: variances has 3 numbers for 2 channels");
  CHECK(said(empty, std::span(mean).first(2), variance) == "store_statistics: channel 1 has no numbers");
  CHECK(said(std::vector<hone::batch_averages>(2), std::span(mean).first(2), variance) ==
        "store_statistics: channel 0 has no numbers");
  CHECK(said(all, std::span(mean).first(2), std::span(mean).last(2)) ==
        "store_statistics: means and variances overlap, means begins -4 bytes after variances; they must be apart");
  CHECK((mean == std::vector<float>(3, 7) && variance == std::vector<float>(2, 7)));
}
