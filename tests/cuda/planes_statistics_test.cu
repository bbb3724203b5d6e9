// SPDX-License-Identifier: MIT
// Statistics of channels on CUDA: conformance, graphs, memory traffic, errors.
#include <hone/hone.cuh>

#include <conformance/channel_statistics.hpp>
#include <cuda/device.cuh>
#include <support/message.hpp>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

TEST_CASE("CUDA passes the conformance cases of the statistics of channels") {
  conformance::channel_statistics<device::conformance>();
}

TEST_CASE("statistics of batches are merged by replays of a graph, which allocates nothing") {
  const hone::index n = 5, c = 3, pixels = 50;
  std::vector<float> x(std::size_t(n * c * pixels));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(i % 11);
  const device::buffer<float> of_x(x);
  const device::buffer<hone::channel_statistics> to(std::vector<hone::channel_statistics>(3)), alone(to.host());
  const hone::image_view<float> view{of_x.data(), n, c, pixels};
  const std::span<hone::channel_statistics> statistics(to.data(), 3);
  const device::stream stream;
  hone::cuda gpu(stream);
  CHECK(hone::measure_channels_workspace_bytes(view) == 256 + 15 * sizeof(hone::channel_statistics));
  gpu.reserve(hone::measure_channels_workspace_bytes(view));
  const device::graph twice(stream, [&] { hone::measure_channels(gpu, view, statistics); });
  twice.launch(), twice.launch();
  hone::measure_channels(gpu, view, {alone.data(), 3});
  stream.wait();
  const auto both = to.host(), one = alone.host();
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(both[k].count == 2 * one[k].count);
    CHECK(std::abs(both[k].mean - one[k].mean) < 1e-14);
    CHECK(std::abs(both[k].variance() - one[k].variance()) < 1e-13);
  }
}

TEST_CASE("measure_channels on CUDA: invalid arguments throw, and nothing is enqueued") {
  const device::buffer<float> x(std::vector<float>(24, 1));
  const device::buffer<hone::channel_statistics> to(std::vector<hone::channel_statistics>(3));
  const device::stream stream;
  hone::cuda gpu(stream);
  const auto said = [&](hone::image_view<float> view, std::size_t count) {
    return support::message([&] { hone::measure_channels(gpu, view, {to.data(), count}); });
  };
  CHECK(said({x.data(), 1, 2, 4}, 3) == "measure_channels: to has 3 statistics for 2 channels");
  CHECK(said({x.data(), 1, 3, 0}, 3) == "measure_channels: x is 1 x 3 x 0, planes must have pixels");
  CHECK(said({reinterpret_cast<float*>(to.data()), 1, 3, 4}, 3) ==
        "measure_channels: to and x overlap, to begins 0 bytes after x; they must be apart");
  CHECK(to.host()[0].count == 0);
}

#if defined(CUDASIM)
namespace {

template <class T>
void reads_once(hone::index images, hone::index channels, hone::index pixels, double wide) {
  const device::buffer<T> x(std::vector<T>(std::size_t(images * channels * pixels), T(1.0f)));
  const std::vector<hone::channel_statistics> nothing(static_cast<std::size_t>(channels));
  const device::buffer<hone::channel_statistics> to(nothing);
  const device::stream stream;
  hone::cuda gpu(stream);
  cudasim_counters_reset();
  hone::measure_channels(gpu, hone::image_view<T>{x.data(), images, channels, pixels},
                         {to.data(), std::size_t(channels)});
  stream.wait();
  cudasim_counters all{}, measured{};
  REQUIRE(cudasim_counters_get("", &all) >= 1);
  REQUIRE(cudasim_counters_get("measure_channels_kernel", &measured) == 1);
  const double least = double(images * channels * pixels) * sizeof(T);
  MESSAGE("loads ", double(all.global_load_bytes) / least, ", stores ", double(all.global_store_bytes) / least,
          ", coalescing ", cudasim_load_coalescing(measured), ", 16 bytes ", cudasim_wide_fraction(measured),
          ", instructions per number ", double(measured.instructions) * sizeof(T) / least);
  CHECK(double(all.global_load_bytes) <= 1.02 * least);
  CHECK(double(all.global_store_bytes) <= 0.02 * least);
  CHECK(cudasim_load_coalescing(measured) >= (wide > 0 ? 0.95 : 0.75));
  CHECK(cudasim_wide_fraction(measured) >= wide);
  CHECK(all.local_load_bytes + all.local_store_bytes == 0);
}

}  // namespace

TEST_CASE("measure_channels reads every number once") {
  reads_once<float>(4, 8, 56 * 56, 0.95);
  reads_once<__nv_bfloat16>(4, 8, 56 * 56, 0.95);
  reads_once<double>(2, 4, 112 * 112, 0.95);
  reads_once<float>(2, 64, 61 * 31, 0);  // planes that begin anywhere
}
#endif
