// SPDX-License-Identifier: MIT
// Mixing samples on the CUDA backend: the conformance cases of every backend, device draws against host draws, captured
// graphs, and memory traffic.
#include <hone/hone.cuh>

#include <conformance/mixing.hpp>
#include <cuda/device.cuh>
#include <support/message.hpp>

#include <cstring>
#include <string>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

namespace {

using support::message;
using view = hone::matrix_view<float>;

template <class T>
std::vector<T> host(std::span<T const> device) {
  std::vector<T> to(device.size());
  hone::on_cuda::check(cudaMemcpy(to.data(), device.data(), device.size_bytes(), cudaMemcpyDeviceToHost), "cudaMemcpy");
  return to;
}

/// The same bits, and an order in which partners follow one another as its description says.
template <class Draw>
void check_draw(Draw const& expected, hone::device_draw const& drawn) {
  const std::vector<float> lambda = host(drawn.lambda());
  CHECK(std::memcmp(lambda.data(), expected.lambda.data(), lambda.size() * sizeof(float)) == 0);
  CHECK(host(drawn.partner()) == expected.partner);
  if constexpr (requires { expected.boxes; }) {
    CHECK(host(drawn.boxes()) == expected.boxes);
    CHECK(drawn.shape.height == expected.height);
    CHECK(drawn.shape.width == expected.width);
  }
  using following = hone::on_cuda::drawn_shape::following;
  const auto order = host(std::span<hone::index const>(drawn.arrays().order, std::size_t(drawn.rows())));
  hone::index broken = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const std::size_t next = drawn.shape.order == following::pairs ? k ^ 1 : (k + 1) % order.size();
    if (next < order.size()) broken += expected.partner[std::size_t(order[k])] != order[next];
  }
  if (drawn.shape.order != following::loose) CHECK(broken == 0);
}

}  // namespace

TEST_CASE("CUDA passes the conformance cases of blend") {
  conformance::blends<device::conformance>();
  conformance::bytes_are_rounded_to_even<device::conformance>();
  conformance::what_does_not_count_may_be_nan<device::conformance>();
}

TEST_CASE("a device draw is bit-identical to the host draw") {
  const device::stream stream;
  hone::cuda gpu(stream);
  for (const hone::index n : {1, 2, 5, 64, 777}) {
    CAPTURE(n);
    hone::device_draw drawn(gpu, n);
    const auto check = [&](auto const& policy, auto... size) {
      hone::draw(gpu, policy, -3, std::int64_t(1) << 33, drawn, size...);
      stream.wait();
      check_draw(policy.draw(-3, std::int64_t(1) << 33, n, size...), drawn);
    };
    for (const double alpha : {0.1, 1.0, 8.0}) check(hone::mixup{.alpha = alpha});
    check(hone::mixup{.alpha = 0.2, .per = hone::batch});
    check(hone::mixup{.alpha = 0.2, .per = hone::pair});
    check(hone::mixup{.alpha = 0.2, .with = hone::partners::any});
    check(hone::cutmix{}, 224, 97);
    check(hone::cutmix{.alpha = 0.3, .per = hone::pair, .correct = false}, 32, 32);
    check(hone::cutmix{.least = 0.2, .most = 0.9}, 224, 97);
    check(hone::mixup_or_cutmix{.probability = 0.7, .per = hone::sample}, 32, 32);
  }
}

TEST_CASE("blend with a device draw equals blend with the host draw, out of place and in place") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const hone::index n = 70, height = 12, width = 16, features = 3 * height * width;
  std::vector<float> images(std::size_t(n * features));
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = float(i % 1009);
  const device::buffer<float> from(images), by_host(images.size()), by_device(images.size());
  hone::device_draw drawn(gpu, n);
  const auto check = [&](auto const& policy, auto... size) {
    const view in{from.data(), n, features};
    hone::draw(gpu, policy, 1, 2, drawn, size...);
    hone::blend(gpu, policy.draw(1, 2, n, size...), in, view{by_host.data(), n, features});
    hone::blend(gpu, drawn, in, view{by_device.data(), n, features});
    stream.wait();
    const std::vector<float> expected = by_host.host();
    CHECK(expected == by_device.host());
    if (drawn.shape.order == hone::on_cuda::drawn_shape::following::loose) {
      CHECK(message([&] { hone::blend(gpu, drawn, in, view{from.data(), n, features}); }) ==
            "blend: images and mixed are the same, so that partners must be a permutation of 0 to 69");
      return;
    }
    const device::buffer<float> place(images);
    hone::blend(gpu, drawn, view{place.data(), n, features}, view{place.data(), n, features});
    stream.wait();
    CHECK(expected == place.host());
  };
  check(hone::mixup{.alpha = 1});
  check(hone::mixup{.alpha = 1, .per = hone::pair});
  check(hone::mixup{.alpha = 1, .with = hone::partners::any});
  check(hone::cutmix{}, height, width);
  check(hone::mixup_or_cutmix{.per = hone::pair}, height, width);
}

TEST_CASE("a captured graph draws for the step counter on the device and blends") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const hone::index n = 9, features = 33;
  std::vector<float> images(std::size_t(n * features));
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = float(i);
  const device::buffer<float> from(images), mixed(images.size());
  const device::buffer<hone::index> step(std::vector<hone::index>{0});
  hone::device_draw drawn(gpu, n);
  const hone::mixup policy{.alpha = 0.5};
  const device::graph graph(stream, [&] {
    hone::draw(gpu, policy, 7, hone::device_step{step.data()}, drawn);
    hone::blend(gpu, drawn, view{from.data(), n, features}, view{mixed.data(), n, features});
  });
  for (const hone::index now : {5, 6}) {
    device::bring(step.data(), &now, 1);
    graph.launch();
    stream.wait();
    const auto expected = policy.draw(7, now, n);
    check_draw(expected, drawn);
    const std::vector<float> answer = mixed.host();
    for (hone::index i = 0; i < n; ++i)
      CHECK(double(answer[std::size_t(i * features)]) ==
            doctest::Approx(conformance::mixed_by_definition(expected, i, 0, [&](hone::index r, hone::index f) {
              return double(images[std::size_t(r * features + f)]);
            })).epsilon(1e-5));
  }
}

TEST_CASE("a mixed target takes λ and partners from a device draw") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const hone::index n = 40, K = 10;
  std::vector<int> labels;
  std::vector<float> z;
  for (int i = 0; i < n; ++i) labels.push_back(i % 11 == 0 ? -1 : i * 7 % 10);
  for (int i = 0; i < n * K; ++i) z.push_back(float(i * 37 % 101) / 25);
  const device::buffer<int> y(labels);
  const device::buffer<float> logits(z), value(1);
  const device::buffer<float> pixels(std::vector<float>(std::size_t(n * K), 1.0f)), blended(std::size_t(n * K));
  const hone::matrix_view<float> images{pixels.data(), n, K}, mixed{blended.data(), n, K};
  const hone::index seed = 1, step = 2;
  const hone::mixup policy{.alpha = 1};
  const std::span<int const> seen(y.data(), y.size());
  // [device]
  hone::device_draw drawn(gpu, n);  // once
  hone::draw(gpu, policy, seed, step, drawn);
  hone::blend(gpu, drawn, images, mixed);
  const hone::classes_options ignore{.ignore = -1};
  const auto target =
      hone::mix(hone::classes(seen, ignore), hone::partner_classes(seen, drawn.partner(), ignore), drawn.lambda());
  // [/device]
  hone::evaluate(gpu, hone::cross_entropy(target), hone::matrix_view<const float>{logits.data(), n, K},
                 {.value = value.data()});
  stream.wait();

  const auto draw = policy.draw(1, 2, n);
  double sum = 0, counted = 0;
  for (std::size_t i = 0; i < std::size_t(n); ++i) {
    const int own = labels[i], other = labels[std::size_t(draw.partner[i])];
    if (own < 0 || other < 0) continue;
    double total = 0;
    for (std::size_t c = 0; c < 10; ++c) total += std::exp(double(z[10 * i + c]));
    const double l = draw.lambda[i];
    sum +=
        std::log(total) - l * double(z[10 * i + std::size_t(own)]) - (1 - l) * double(z[10 * i + std::size_t(other)]);
    ++counted;
  }
  CHECK(double(value.host()[0]) == doctest::Approx(sum / counted).epsilon(1e-5));
}

TEST_CASE("draw and blend: invalid arguments throw, and nothing is written") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const device::buffer<float> images(std::vector<float>(32, 0.5f)), mixed(std::vector<float>(32, 7.0f));
  const view in{images.data(), 4, 8}, out{mixed.data(), 4, 8};
  hone::device_draw drawn(gpu, 4);
  CHECK(message([&] { hone::device_draw(gpu, -1); }) == "device_draw: n is -1, must be in [0, 2^32)");
  CHECK(message([&] { hone::blend(gpu, drawn, in, out); }) ==
        "blend: the draw is empty: hone::draw or hone::copy fills it");
  CHECK(message([&] { hone::draw(gpu, hone::mixup{.alpha = 0}, 1, 2, drawn); }) ==
        "mixup: alpha is 0, must be finite and positive");
  CHECK(message([&] { hone::draw(gpu, hone::cutmix{}, 1, 2, drawn, 0, 4); }) ==
        "cutmix: height is 0, must be in [1, 2^31)");
  CHECK(message([&] { hone::copy(gpu, hone::mixup{}.draw(1, 2, 3), drawn); }) ==
        "copy: the draw has 3 lambdas for 4 rows");
  CHECK_FALSE(drawn.shape.filled);
  hone::draw(gpu, hone::cutmix{}, 1, 2, drawn, 3, 4);
  CHECK(message([&] { hone::blend(gpu, drawn, in, out); }) ==
        "blend: images have 8 features, must be channels of 3 x 4");
  hone::draw(gpu, hone::mixup{}, 1, 2, drawn);
  CHECK(message([&] { hone::blend(gpu, drawn, view{images.data(), 3, 8}, view{mixed.data(), 3, 8}); }) ==
        "blend: the draw has 4 lambdas for 3 rows");
  CHECK(message([&] { hone::blend(gpu, drawn, in, view{mixed.data(), 4, 7}); }) ==
        "blend: mixed is 4 x 7, images is 4 x 8");
  auto bad = hone::mixup{}.draw(1, 2, 4);
  bad.partner[2] = 4;
  CHECK(message([&] { hone::blend(gpu, bad, in, out); }) == "blend: partner of row 2 is 4, must be in [0, 4)");
  stream.wait();
  CHECK(mixed.host() == std::vector<float>(32, 7.0f));
}

#if defined(CUDASIM)

// Whole calls against one read and one write of every image. A thread that does not see all rows reads one more than it
// mixes: of small batches a quarter, so that there are enough threads.
TEST_CASE("blend reads and writes every image once, in accesses of 16 bytes") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const auto count = [&]<class T>(T one, std::string const& name, double most, hone::index n, hone::index features,
                                  auto const& policy, bool in_place, auto... size) {
    const device::buffer<T> images(std::vector<T>(std::size_t(n * features), one)), apart(std::size_t(n * features));
    const hone::matrix_view<T> in{images.data(), n, features};
    hone::device_draw drawn(gpu, n);
    hone::draw(gpu, policy, 1, 2, drawn, size...);
    stream.wait();
    cudasim_counters_reset();
    hone::blend(gpu, drawn, in, in_place ? in : hone::matrix_view<T>{apart.data(), n, features});
    stream.wait();
    cudasim_counters c{};
    REQUIRE(cudasim_counters_get("", &c) == 1);
    const double whole = double(n * features) * sizeof(T), loads = double(c.global_load_bytes) / whole,
                 stores = double(c.global_store_bytes) / whole;
    MESSAGE(name, std::string(in_place ? ", in place" : ""), ": loads ", loads, ", stores ", stores, ", coalescing ",
            cudasim_load_coalescing(c), " and ", cudasim_store_coalescing(c), ", 16 bytes ", cudasim_wide_fraction(c),
            ", instructions per number ", double(c.instructions) / double(n * features), ", ways ", c.shared_max_ways);
    CHECK(loads <= most);
    CHECK(stores <= 1);
    CHECK(cudasim_load_coalescing(c) >= 0.95);
    CHECK(cudasim_store_coalescing(c) >= 0.95);
    CHECK(cudasim_wide_fraction(c) >= 0.95);
    CHECK(c.shared_max_ways <= 2);
  };
  const hone::mixup mixup{.alpha = 1}, pairs{.alpha = 1, .per = hone::pair};
  const hone::index imagenet = 3 * 224 * 224, small = 3 * 32 * 32;
  count(1.0f, "256x3x224x224", 1.021, 256, imagenet, mixup, false);
  count(std::uint8_t(1), "bytes, 256x3x224x224", 1.07, 256, imagenet, mixup, false);
  count(1.0f, "1024x3x32x32", 1.26, 1024, small, mixup, false);
  count(1.0f, "1024x3x32x32", 1.01, 1024, small, mixup, true);
  count(1.0f, "pairs, 1024x3x32x32", 1.01, 1024, small, pairs, false);
  count(1.0f, "pairs, 1024x3x32x32", 1.01, 1024, small, pairs, true);
  count(__float2bfloat16(1.0f), "bfloat16, 1024x3x32x32", 1.26, 1024, small, mixup, false);
  count(1.0f, "cutmix, 1024x3x32x32", 1.26, 1024, small, hone::cutmix{}, false, 32, 32);
}

#endif
