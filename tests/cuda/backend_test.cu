// SPDX-License-Identifier: MIT
// Streams, workspace, graphs and errors of hone::cuda.
#include <hone/hone.cuh>

#include <cuda/device.cuh>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

namespace {

struct problem {
  static constexpr int rows = 64, columns = 80;

  device::buffer<float> x, t, gradient, value;
  device::stream stream;

  problem() : x(numbers(1.3)), t(numbers(0)), gradient(rows * columns), value(1) {}

  static std::vector<float> numbers(double rate) {
    std::vector<float> v(rows * columns);
    for (std::size_t i = 0; i < v.size(); ++i)
      v[i] = rate == 0 ? float(i % 7 == 0) : 4 * static_cast<float>(std::sin(rate * double(i)));
    return v;
  }
  hone::matrix_view<const float> logits() const { return {x.data(), rows, columns}; }
  auto loss() const {
    return hone::sigmoid_focal_loss(hone::matrix_view<const float>{t.data(), rows, columns}, {.alpha = 0.25});
  }
  hone::outputs<float> out() const { return {.gradient = {gradient.data(), rows, columns}, .value = value.data()}; }
  float answer() const {
    stream.wait();
    return value.host()[0];
  }
};

/// What a body enqueues, as a graph. A body that takes a function begins the capture by calling it.
class captured {
 public:
  template <class Body>
  captured(cudaStream_t stream, Body const& body) : stream_(stream) {
    const auto begin = [stream] {
      REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
    };
    if constexpr (requires { body(begin); }) {
      body(begin);
    } else {
      begin();
      body();
    }
    REQUIRE(cudaStreamEndCapture(stream, &graph_) == cudaSuccess);
    REQUIRE(cudaGraphInstantiate(&replay_, graph_, 0) == cudaSuccess);
  }
  ~captured() {
    cudaGraphExecDestroy(replay_);
    cudaGraphDestroy(graph_);
  }
  captured(captured const&) = delete;
  captured& operator=(captured const&) = delete;

  cudaGraph_t graph() const { return graph_; }
  void replay() const { REQUIRE(cudaGraphLaunch(replay_, stream_) == cudaSuccess); }

 private:
  cudaStream_t stream_;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t replay_ = nullptr;
};

/// What is allocated on the device, where that is known.
#if defined(CUDASIM)
constexpr bool counts_bytes = true;
std::size_t live_bytes() { return cudasim_live_bytes(); }
#else
constexpr bool counts_bytes = false;
std::size_t live_bytes() { return 0; }
#endif

template <class Error, class Call>
std::string message_of(Call const& call) {
  try {
    call();
  } catch (Error const& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("evaluate is bit-identical in every run, with its own workspace and the caller's") {
  const problem p;
  hone::cuda own(p.stream);
  hone::evaluate(own, p.loss(), p.logits(), p.out());
  const float first = p.answer();
  const auto gradient = p.gradient.host();
  CHECK(first > 0);

  const std::size_t bytes = hone::workspace_bytes(p.loss());
  const device::buffer<char> memory(bytes);
  hone::cuda lent(p.stream, memory.data(), bytes);
  for (int i = 0; i < 3; ++i) {
    hone::evaluate(lent, p.loss(), p.logits(), p.out());
    CHECK(p.answer() == first);
    CHECK(p.gradient.host() == gradient);
  }
}

TEST_CASE("evaluate writes the gradient in place over the prediction") {
  const problem p;
  hone::cuda gpu(p.stream);
  hone::evaluate(gpu, p.loss(), p.logits(), p.out());
  p.stream.wait();
  hone::evaluate(gpu, p.loss(), p.logits(), {.gradient = {p.x.data(), p.rows, p.columns}});
  p.stream.wait();
  CHECK(p.x.host() == p.gradient.host());
}

TEST_CASE("a captured graph replays evaluate") {
  const problem p;
  const auto focal = p.loss();
  const auto logits = p.logits();
  cudaStream_t stream = p.stream;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t replay = nullptr;
  // [capture]
  hone::cuda gpu(stream);
  gpu.reserve(hone::workspace_bytes(focal));  // what a captured stream could not allocate
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);
  hone::evaluate(gpu, focal, logits, p.out());
  cudaStreamEndCapture(stream, &graph);
  // [/capture]
  REQUIRE(cudaGraphInstantiate(&replay, graph, 0) == cudaSuccess);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(cudaMemsetAsync(p.value.data(), 0, sizeof(float), p.stream) == cudaSuccess);
    REQUIRE(cudaGraphLaunch(replay, p.stream) == cudaSuccess);
    CHECK(p.answer() > 0);
  }
  cudaGraphExecDestroy(replay);
  cudaGraphDestroy(graph);
}

TEST_CASE("a workspace that must grow during a capture throws, and the capture stays valid") {
  const problem p;
  hone::cuda gpu(p.stream), reserved(p.stream);
  reserved.reserve(hone::workspace_bytes(p.loss()));
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamBeginCapture(p.stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  const auto call = [&] { hone::evaluate(gpu, p.loss(), p.logits(), p.out()); };
  CHECK(message_of<hone::cuda_error>(call).find("before the capture begins") != std::string::npos);
  hone::evaluate(reserved, p.loss(), p.logits(), p.out());
  CHECK(cudaStreamEndCapture(p.stream, &graph) == cudaSuccess);
  cudaGraphDestroy(graph);
}

TEST_CASE("a captured graph keeps its workspace when later calls need a larger one") {
  const problem p;
  hone::cuda gpu(p.stream);
  hone::evaluate(gpu, p.loss(), p.logits(), p.out());
  const float value = p.answer();
  {
    const captured graph(p.stream, [&] { hone::evaluate(gpu, p.loss(), p.logits(), p.out()); });
    for (std::size_t bytes = 1 << 16; bytes <= 1 << 22; bytes *= 4) {
      gpu.reserve(bytes);
      hone::evaluate(gpu, p.loss(), p.logits(), p.out());
      REQUIRE(cudaMemsetAsync(p.value.data(), 0, sizeof(float), p.stream) == cudaSuccess);
      graph.replay();
      CHECK(p.answer() == value);
    }
  }
}

TEST_CASE("a backend destroyed during a capture leaves its workspace to the captured graph") {
  const problem p;
  std::size_t nodes = 0;
  float value = 0;
  void* left = nullptr;
  const captured graph(p.stream, [&](auto begin) {
    hone::cuda gpu(p.stream);
    hone::evaluate(gpu, p.loss(), p.logits(), p.out());
    value = p.answer(), left = gpu.workspace();
    begin();
    hone::evaluate(gpu, p.loss(), p.logits(), p.out());
  });
  REQUIRE(cudaGraphGetNodes(graph.graph(), nullptr, &nodes) == cudaSuccess);
  CHECK(nodes == 1);  // the kernel: no node frees memory that the graph did not allocate
  for (int i = 0; i < 2; ++i) {
    REQUIRE(cudaMemsetAsync(p.value.data(), 0, sizeof(float), p.stream) == cudaSuccess);
    graph.replay();
    CHECK(p.answer() == value);
  }
  CHECK(cudaFree(left) == cudaSuccess);
}

TEST_CASE("a large workspace that is outgrown is freed, unless a captured graph uses it") {
  const problem p;
  const auto mebi = std::size_t(1) << 20;
  hone::cuda gpu(p.stream);
  const auto growth = [&, before = live_bytes()] { return live_bytes() - before; };
  gpu.reserve(8 * mebi);
  gpu.reserve(9 * mebi);  // as many as are asked for, and no more
  gpu.reserve(9 * mebi + 1);
  if (counts_bytes) CHECK(growth() == 9 * mebi + 1);
  hone::evaluate(gpu, p.loss(), p.logits(), p.out());
  const float value = p.answer();
  {
    const captured graph(p.stream, [&] { hone::evaluate(gpu, p.loss(), p.logits(), p.out()); });
    for (const std::size_t more : {10, 11, 12}) {
      gpu.reserve(more * mebi);
      if (counts_bytes) CHECK(growth() == (9 + more) * mebi + 1);
      hone::evaluate(gpu, p.loss(), p.logits(), p.out());
      REQUIRE(cudaMemsetAsync(p.value.data(), 0, sizeof(float), p.stream) == cudaSuccess);
      graph.replay();
      CHECK(p.answer() == value);
    }
  }
  hone::cuda moved(std::move(gpu));
  moved.reserve(13 * mebi);
  if (counts_bytes) CHECK(growth() == (9 + 13) * mebi + 1);
}

TEST_CASE("reserve for a growing number of boxes holds only the workspace of the largest call") {
  const problem p;
  hone::cuda gpu(p.stream);
  const auto growth = [&, before = live_bytes()] { return live_bytes() - before; };
  for (const hone::index n : {6000, 6100, 6200, 3000, 6300}) {
    const std::size_t bytes = hone::nms_workspace_bytes(hone::matrix_view<const float>{p.x.data(), n, 4});
    gpu.reserve(bytes);
    if (counts_bytes && n != 3000) CHECK(growth() == bytes);
  }
}

TEST_CASE("CUDA errors of other code are neither reported nor cleared, and hone's own are reported once") {
  const problem p;
  hone::cuda gpu(p.stream);
  void* none = nullptr;
  const auto too_much = std::size_t(1) << 50;
  REQUIRE(cudaMalloc(&none, too_much) == cudaErrorMemoryAllocation);
  hone::evaluate(gpu, p.loss(), p.logits(), p.out());
  CHECK(p.answer() > 0);
  CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
  CHECK(message_of<hone::cuda_error>([&] { gpu.reserve(too_much); }).find("cudaMallocAsync: ") == 0);
  CHECK(cudaGetLastError() == cudaSuccess);
  hone::evaluate(gpu, p.loss(), p.logits(), p.out());
  CHECK(p.answer() > 0);
}

TEST_CASE("losses are right on image planes that exactly fill a block's shared memory") {
  for (const int views : {1, 2, 3})
    for (const int rows : {128, 64, 32}) {  // of a tile: those planes are 48 KiB
      const hone::index channels = 48 * 1024 / 4 / rows / views, pixels = 20;
      CAPTURE(channels);
      const std::vector<float> ones(std::size_t(2 * channels * pixels), 1), even(ones.size(), 1 / float(channels));
      const device::buffer<float> x(ones), q(even), value(1);
      const device::stream stream;
      hone::cuda gpu(stream);
      const hone::image_view<const float> logits{x.data(), 2, channels, pixels}, soft{q.data(), 2, channels, pixels};
      const hone::outputs<float, hone::image_view> out{.value = value.data()};
      const double log_sum = 1 + std::log(double(channels));
      const auto same = hone::z_loss(1) + hone::distillation(logits, 2);  // the second is 0
      if (views == 1) hone::evaluate(gpu, hone::z_loss(1), logits, out);
      if (views == 2) hone::evaluate(gpu, same, logits, out);
      if (views == 3) hone::evaluate(gpu, same + hone::cross_entropy(hone::probabilities(soft)), logits, out);
      stream.wait();
      CHECK(value.host()[0] == doctest::Approx(log_sum * log_sum + (views == 3 ? log_sum - 1 : 0)));
    }
}

TEST_CASE("images of many classes have the same loss with and without a gradient") {
  const int images = 2, channels = 400, pixels = 40;
  std::vector<float> z(std::size_t(images * channels * pixels));
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = 3 * static_cast<float>(std::sin(1.3 * double(i)));
  std::vector<int> of_pixel(std::size_t(images * pixels));
  double expected = 0;
  for (int i = 0; i < images * pixels; ++i) {
    of_pixel[std::size_t(i)] = i * 7 % channels;
    const auto logit = [&](int c) { return double(z[std::size_t((i / pixels * channels + c) * pixels + i % pixels)]); };
    double total = 0;
    for (int c = 0; c < channels; ++c) total += std::exp(logit(c));
    expected += (std::log(total) - logit(i * 7 % channels)) / (images * pixels);
  }
  const device::buffer<float> x(z), gradient(z.size()), losses(of_pixel.size()), value(1);
  const device::buffer<int> labels(of_pixel);
  const device::stream stream;
  hone::cuda gpu(stream);
  const hone::image_view<const float> logits{x.data(), images, channels, pixels};
  const auto mean_of = [&](std::vector<float> const& numbers) {
    double sum = 0;
    for (const float number : numbers) sum += double(number);
    return sum / double(numbers.size());
  };
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), logits, {.value = value.data()});
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), logits, {.unreduced = losses.data()});
  stream.wait();
  CHECK(double(value.host()[0]) == doctest::Approx(expected));
  CHECK(mean_of(losses.host()) == doctest::Approx(expected));
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), logits,
                 {.gradient = {gradient.data(), images, channels, pixels}, .value = value.data()});
  stream.wait();
  CHECK(double(value.host()[0]) == doctest::Approx(expected));
}

TEST_CASE("invalid arguments throw with the argument's name, and nothing is enqueued") {
  const problem p;
  hone::cuda gpu(p.stream);
  const auto call = [&](hone::matrix_view<float> gradient) {
    return message_of<hone::invalid_argument>(
        [&] { hone::evaluate(gpu, p.loss(), p.logits(), {.gradient = gradient, .value = p.value.data()}); });
  };
  CHECK(call({p.gradient.data(), 8, 10}) == "evaluate: gradient is 8 x 10, prediction is 64 x 80");
  const std::vector<int> labels(3);
  const device::buffer<int> few(labels);
  CHECK(message_of<hone::invalid_argument>([&] {
          hone::evaluate(gpu, hone::binary_cross_entropy(hone::classes(few)), p.logits(), p.out());
        }) == "evaluate: 3 labels for 64 rows");
  const hone::index many = (hone::index(1) << 30) + 1;
  const device::buffer<int> one_label(std::size_t(1));
  CHECK(message_of<hone::invalid_argument>([&] {
          hone::evaluate(gpu, hone::cross_entropy(hone::classes(one_label)),
                         hone::matrix_view<const float>{p.x.data(), 1, many}, {.value = p.value.data()});
        }) == "evaluate: prediction has 1073741825 columns, must be at most 1073741824");
  CHECK(message_of<hone::invalid_argument>([&] { hone::device_scalar(static_cast<float const*>(nullptr)); }) ==
        "device_scalar: pointer is null, must be device memory");
  const device::buffer<char> memory(256);
  hone::cuda lent(p.stream, memory.data(), 256);
  CHECK(message_of<hone::cuda_error>([&] {
          hone::evaluate(lent, p.loss(), p.logits(), p.out());
        }).find("it belongs to the caller") != std::string::npos);
  CHECK(message_of<hone::invalid_argument>([&] {
          hone::cuda(p.stream, memory.data() + 8, 248);
        }).find("must be device memory aligned to 256") != std::string::npos);
  CHECK(message_of<hone::invalid_argument>([&] {
          hone::cuda(p.stream, nullptr, 256);
        }).find("with 256 bytes, must be device memory") != std::string::npos);
}

TEST_CASE("the first example of the README compiles and runs") {
  const problem p;
  const device::buffer<std::int64_t> device_labels(std::vector<std::int64_t>(p.rows, 3));
  const hone::index rows = p.rows, classes = p.columns;
  cudaStream_t stream = p.stream;
  float *logits = p.x.data(), *teacher = p.x.data(), *gradient = p.gradient.data(), *loss = p.value.data();
  // [first_loss]
  std::span<const std::int64_t> labels(device_labels.data(), rows);  // a device pointer and how many
  hone::cuda gpu(stream);
  auto target = hone::smooth(hone::classes(labels, {.ignore = -100}), 0.1f);
  auto objective =
      0.7f * hone::cross_entropy(target) + 0.3f * hone::distillation(hone::matrix_view{teacher, rows, classes}, 4.0f);
  hone::evaluate(gpu, objective, hone::matrix_view{logits, rows, classes},
                 {.gradient = {gradient, rows, classes}, .value = loss});
  // [/first_loss]
  CHECK(p.answer() > 0);
}

TEST_CASE("factors and divisors in device memory give the same bits as host numbers") {
  const problem p;
  hone::cuda gpu(p.stream);
  const device::buffer<float> factor(std::vector<float>{0.25f});
  const device::buffer<double> count(std::vector<double>{128}), none(std::vector<double>{0});
  hone::evaluate(gpu, 0.25 * p.loss(), p.logits(), p.out(), hone::mean_over(128));
  const float value = p.answer();
  const auto gradient = p.gradient.host();
  CHECK(value > 0);
  hone::evaluate(gpu, hone::device_scalar(factor.data()) * p.loss(), p.logits(), p.out(),
                 hone::mean_over(hone::device_scalar(count.data())));
  CHECK(p.answer() == value);
  CHECK(p.gradient.host() == gradient);
  hone::evaluate(gpu, p.loss(), p.logits(), p.out(), hone::mean_over(hone::device_scalar(none.data())));
  CHECK(p.answer() == 0);
  CHECK(p.gradient.host() == std::vector<float>(gradient.size()));

  const device::buffer<int> labels(std::vector<int>(p.rows, 3));
  const auto ce = hone::cross_entropy(hone::classes(labels));
  hone::evaluate(gpu, 0.25 * ce, p.logits(), p.out(), hone::mean_over(128));
  const float ce_value = p.answer();
  hone::evaluate(gpu, ce * hone::device_scalar(factor.data()), p.logits(), p.out(),
                 hone::mean_over(hone::device_scalar(count.data())));
  CHECK(p.answer() == ce_value);
}

TEST_CASE("cross_entropy ignores rows whose label is not a class, and counts them on the device") {
  const problem p;
  hone::cuda gpu(p.stream);
  std::vector<int> good(p.rows, 3), bad = good;
  good[5] = good[9] = bad[9] = -1;
  bad[5] = p.columns;
  const device::buffer<int> device_good(good), device_bad(bad);
  const device::buffer<unsigned long long> counter(std::vector<unsigned long long>{0});
  hone::evaluate(gpu, hone::cross_entropy(hone::smooth(hone::classes(device_good, {.ignore = -1}), 0.1)), p.logits(),
                 p.out());
  const float value = p.answer();
  const auto gradient = p.gradient.host();
  CHECK(gradient[5 * p.columns] == 0);
  gpu.count_invalid_labels(counter.data());
  hone::evaluate(gpu, hone::cross_entropy(hone::smooth(hone::classes(device_bad, {.ignore = -1}), 0.1)), p.logits(),
                 p.out());
  CHECK(p.answer() == value);
  CHECK(p.gradient.host() == gradient);
  CHECK(counter.host()[0] == 1);
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(device_bad)), p.logits(), p.out());
  p.stream.wait();
  CHECK(counter.host()[0] == 3);
}

TEST_CASE("distribution_focal_loss ignores distances outside the bins, and counts them on the device") {
  const problem p;
  hone::cuda gpu(p.stream);
  std::vector<float> good(p.rows, 2.5f), bad = good;
  good[4] = good[5] = good[6] = good[7] = -1;
  bad[4] = -0.5f, bad[5] = std::nanf(""), bad[6] = 1e30f, bad[7] = float(p.columns) - 0.875f;
  const device::buffer<float> device_good(good), device_bad(bad);
  const device::buffer<unsigned long long> counter(std::vector<unsigned long long>{0});
  hone::evaluate(gpu, hone::distribution_focal_loss(device_good, {.ignore = -1}), p.logits(), p.out());
  const float value = p.answer();
  const auto gradient = p.gradient.host();
  CHECK(gradient[4 * p.columns + 2] == 0);
  CHECK(gradient[3 * p.columns + 2] != 0);
  gpu.count_invalid_labels(counter.data());
  hone::evaluate(gpu, hone::distribution_focal_loss(device_bad), p.logits(), p.out());
  CHECK(p.answer() == value);
  CHECK(p.gradient.host() == gradient);
  CHECK(counter.host()[0] == 4);
  hone::evaluate(gpu, hone::distribution_focal_loss(device_bad, {.clamp = 0.01}), p.logits(), p.out());
  p.stream.wait();
  CHECK(counter.host()[0] == 5);  // no number, clamped or not
}

TEST_CASE("expected_bin returns the mean bin of each row on the device") {
  const problem p;
  hone::cuda gpu(p.stream);
  const device::buffer<float> decoded(static_cast<std::size_t>(p.rows));
  hone::expected_bin(gpu, p.logits(), std::span(decoded.data(), decoded.size()));
  p.stream.wait();
  const auto x = p.x.host(), seen = decoded.host();
  for (std::size_t i = 0; i < seen.size(); ++i) {
    double total = 0, mean = 0;
    for (std::size_t c = 0; c < p.columns; ++c) {
      const double e = std::exp(double(x[i * p.columns + c]));
      total += e, mean += e * double(c);
    }
    CHECK(std::abs(double(seen[i]) - mean / total) < 1e-4);
  }
}

TEST_CASE("row losses are bit-identical in captured graphs, and 0 without rows or classes") {
  const problem p;
  const device::buffer<int> labels(std::vector<int>(p.rows, 7));
  const auto loss = hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)) + hone::z_loss(1e-4);
  hone::cuda gpu(p.stream);
  hone::evaluate(gpu, loss, p.logits(), p.out());
  const float value = p.answer();
  const auto gradient = p.gradient.host();
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t replay = nullptr;
  REQUIRE(cudaStreamBeginCapture(p.stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  hone::evaluate(gpu, loss, p.logits(), p.out());
  REQUIRE(cudaStreamEndCapture(p.stream, &graph) == cudaSuccess);
  REQUIRE(cudaGraphInstantiate(&replay, graph, 0) == cudaSuccess);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(cudaMemsetAsync(p.value.data(), 0, sizeof(float), p.stream) == cudaSuccess);
    REQUIRE(cudaGraphLaunch(replay, p.stream) == cudaSuccess);
    CHECK(p.answer() == value);
    CHECK(p.gradient.host() == gradient);
  }
  cudaGraphExecDestroy(replay);
  cudaGraphDestroy(graph);

  const device::buffer<int> no_labels(std::size_t(0));
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(no_labels)), hone::matrix_view<const float>{p.x.data(), 0, 5},
                 {.value = p.value.data()});
  CHECK(p.answer() == 0);
  const device::buffer<float> losses(std::size_t(p.rows));
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), hone::matrix_view<const float>{p.x.data(), p.rows, 0},
                 {.unreduced = losses.data(), .value = p.value.data()});
  CHECK(p.answer() == 0);
  CHECK(losses.host() == std::vector<float>(p.rows));
}

#if defined(CUDASIM)
TEST_CASE("element-wise losses move every byte once, in accesses of 16 bytes") {
  const problem p;
  hone::cuda gpu(p.stream);
  cudasim_counters_reset();
  hone::evaluate(gpu, p.loss(), p.logits(), p.out());
  p.stream.wait();
  cudasim_counters c;
  REQUIRE(cudasim_counters_get("element_kernel", &c) > 0);
  const double loads = 2.0 * 4 * p.rows * p.columns, stores = 4.0 * p.rows * p.columns;
  CHECK(double(c.global_load_bytes) <= 1.02 * loads);
  CHECK(double(c.global_store_bytes) <= 1.02 * stores);
  CHECK(cudasim_load_coalescing(c) >= 0.95);
  CHECK(cudasim_store_coalescing(c) >= 0.95);
  CHECK(cudasim_wide_fraction(c) >= 0.95);
  CHECK(c.shared_max_ways <= 1);
}
#endif
