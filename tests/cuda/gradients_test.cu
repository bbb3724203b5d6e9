// SPDX-License-Identifier: MIT
// Gradient steps on the CUDA backend: the conformance cases of every backend, captured graphs, reports in
// device memory, and memory traffic.
#include <hone/hone.cuh>

#include <conformance/averages.hpp>
#include <conformance/each_number.hpp>
#include <conformance/gradient_edges.hpp>
#include <conformance/step.hpp>
#include <cuda/device.cuh>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

namespace {

/// Tensors of these sizes side by side in one buffer, each `gap` numbers after the one before.
struct model {
  hone::index total = 0;
  std::vector<float> numbers;
  device::buffer<float> memory;
  hone::tensor_list<float> list;
  device::stream stream;

  explicit model(std::vector<hone::index> const& sizes, hone::index gap = 0)
      : numbers(filled(sizes, gap)), memory(numbers) {
    hone::index at = 0;
    for (const hone::index n : sizes) list.push_back({memory.data() + at, n}), at += n + gap, total += n;
  }
  static std::vector<float> filled(std::vector<hone::index> const& sizes, hone::index gap) {
    hone::index all = 0;
    for (const hone::index n : sizes) all += n + gap;
    std::vector<float> v;
    for (const double x : support::noise(0, all)) v.push_back(static_cast<float>(x));
    return v;
  }
};

}  // namespace

TEST_CASE("CUDA passes the conformance cases of gradient steps") { conformance::gradients<device::conformance>(); }

TEST_CASE("user-defined gradient steps work on lists of several types") {
  conformance::steps_of_ones_own<device::conformance>();
}

TEST_CASE("CUDA passes the conformance cases of steps of training") {
  conformance::steps_of_training<device::conformance>();
}

TEST_CASE("CUDA passes the conformance cases of gradients at the edges of their types") {
  conformance::gradient_edges<device::conformance>();
}

TEST_CASE("a captured graph transforms a device_list again at each replay") {
  const model m({1000, 3, 0, 40000});
  hone::cuda gpu(m.stream);
  const hone::device_list<float> list(gpu, m.list);
  hone::device_report report(gpu);
  gpu.reserve(hone::workspace_bytes(list));
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t replay = nullptr;
  REQUIRE(cudaStreamBeginCapture(m.stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  hone::transform(gpu, hone::chain(hone::unscale(2), hone::clip_by_global_norm(10)), list, &report);
  REQUIRE(cudaStreamEndCapture(m.stream, &graph) == cudaSuccess);
  REQUIRE(cudaGraphInstantiate(&replay, graph, 0) == cudaSuccess);
  double norm = 0;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(cudaGraphLaunch(replay, m.stream) == cudaSuccess);
    const auto seen = report.host();
    if (i > 0) CHECK(seen.norm == doctest::Approx(i == 1 ? 5.0 : 2.5));  // clipped to 10, halved, and so on
    norm = seen.norm;
  }
  CHECK(norm > 0);
  cudaGraphExecDestroy(replay);
  cudaGraphDestroy(graph);
}

TEST_CASE("a device_list works on another stream than the one it was made on") {
  const model m({1000, 3, 0, 40000}), same({1000, 3, 0, 40000});
  const device::stream another;
  hone::cuda own(same.stream), gpu(m.stream), gpu_of_another(another);
  hone::transform(own, hone::clip_by_global_norm(1), same.list);
  same.stream.wait();
  cudaEvent_t made = nullptr, used = nullptr;
  REQUIRE(cudaEventCreate(&made) == cudaSuccess);
  REQUIRE(cudaEventCreate(&used) == cudaSuccess);
  const cudaStream_t stream = m.stream, other = another;
  hone::tensor_list<float> const& tensors = m.list;
  // [two_streams]
  {
    const hone::device_list<float> list(gpu, tensors);
    cudaEventRecord(made, stream), cudaStreamWaitEvent(other, made, 0);  // before it is used there
    hone::transform(gpu_of_another, hone::clip_by_global_norm(1), list);
    cudaEventRecord(used, other), cudaStreamWaitEvent(stream, used, 0);  // before it ends
  }
  // [/two_streams]
  m.stream.wait();
  CHECK(m.memory.host() == same.memory.host());
  CHECK(m.memory.host() != m.numbers);
  cudaEventDestroy(made);
  cudaEventDestroy(used);
}

TEST_CASE("adaptive_clip in a captured graph is bit-identical to a direct call") {
  const model weights({300, 64, 4000}), m({300, 64, 4000}), other({300, 64, 4000});
  const auto shaped = [](model const& of) {
    return hone::tensor_list<float>{{of.list[0].data, 3, 100}, {of.list[1].data, 64}, {of.list[2].data, 40, 100}};
  };
  for (const auto units : {hone::agc_units::rows, hone::agc_units::columns}) {
    hone::cuda gpu(m.stream);
    const hone::device_list<float> list(gpu, m.list), straight(gpu, other.list);
    const hone::device_adaptive_clip clip(
        gpu, hone::adaptive_clip(shaped(weights), {.clipping = 0.3, .units = units, .excluded = {1}}));
    const auto step = hone::chain(hone::unscale(2), clip.step(), hone::clip_by_global_norm(5));
    hone::device_report report(gpu), expected(gpu);
    gpu.reserve(hone::workspace_bytes(hone::device_list<const float>(gpu, shaped(weights))) + (1 << 20));
    const device::graph graph(m.stream, [&] { hone::transform(gpu, step, list, &report); });
    for (int i = 0; i < 2; ++i) {
      graph.launch();
      hone::transform(gpu, step, straight, &expected);
      CHECK(report.host().coefficient == expected.host().coefficient);
      CHECK(report.host().norm == expected.host().norm);
      CHECK(m.memory.host() == other.memory.host());
    }
    CHECK(m.memory.host() != m.numbers);
  }
}

TEST_CASE("transform is bit-identical in every run") {
  const std::vector<hone::index> sizes{70001, 3, 0, 4096, 33000};
  const auto step = hone::chain(hone::unscale(3), hone::clip_by_value(1), hone::clip_by_norm(30),
                                hone::clip_by_global_norm(40), hone::clip_by_value(0.4));
  std::vector<std::vector<float>> numbers;
  std::vector<double> norms, coefficients;
  for (int run = 0; run < 3; ++run) {
    const model m(sizes);
    hone::cuda gpu(m.stream);
    hone::device_report report(gpu);
    hone::transform(gpu, step, m.list, &report);
    norms.push_back(report.host().norm), coefficients.push_back(report.host().coefficient);
    numbers.push_back(m.memory.host());
  }
  CHECK(coefficients[0] < 1);
  for (const std::size_t run : {1u, 2u}) {
    CHECK(norms[run] == norms[0]);
    CHECK(coefficients[run] == coefficients[0]);
    CHECK(numbers[run] == numbers[0]);
  }
}

TEST_CASE("transform of a plain tensor_list throws during a capture, which stays valid") {
  const model m({100});
  hone::cuda gpu(m.stream);
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamBeginCapture(m.stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  std::string message;
  try {
    hone::transform(gpu, hone::unscale(2), m.list);
  } catch (hone::cuda_error const& e) {
    message = e.what();
  }
  CHECK(message.find("device_list: the stream is captured: do this before the capture begins") == 0);
  CHECK(cudaStreamEndCapture(m.stream, &graph) == cudaSuccess);
  cudaGraphDestroy(graph);
}

TEST_CASE("a non-finite gradient leaves all gradients unchanged and is reported; measure changes nothing") {
  model m({5000, 77});
  hone::cuda gpu(m.stream);
  const hone::device_list<float> list(gpu, m.list);
  hone::device_report report(gpu);
  hone::measure(gpu, hone::chain(hone::unscale(4), hone::clip_by_global_norm(1)), list, report);
  CHECK(m.memory.host() == m.numbers);
  CHECK(report.host().finite);
  CHECK(report.host().factor == report.host().coefficient / 4);

  m.numbers[5070] = INFINITY;
  device::bring(m.memory.data() + 5070, &m.numbers[5070], 1);
  hone::transform(gpu, hone::chain(hone::unscale(4), hone::clip_by_value(1), hone::clip_by_norm(1)), list, &report);
  CHECK(!report.host().finite);
  CHECK(m.memory.host() == m.numbers);
}

TEST_CASE("transform divides by a loss scale in device memory, which backs off after non-finite gradients") {
  const model m({64});
  hone::cuda gpu(m.stream);
  const hone::device_list<float> list(gpu, m.list);
  hone::device_report report(gpu);
  const hone::device_loss_scaler scaler(gpu, {.initial = 8, .interval = 2});
  const auto step = [&](float first) {
    std::vector<float> numbers = m.numbers;
    numbers[0] = first;
    device::bring(m.memory.data(), numbers.data(), 64);
    hone::transform(gpu, hone::unscale(scaler.scale()), list, &report);
    scaler.update(gpu, report);
    return scaler.host().scale();
  };
  CHECK(step(16) == 8);
  CHECK(m.memory.host()[0] == 2);
  CHECK(step(16) == 16);
  CHECK(step(16) == 16);
  CHECK(m.memory.host()[0] == 1);
  CHECK(step(INFINITY) == 8);
  CHECK(m.memory.host()[1] == m.numbers[1]);
}

TEST_CASE("device_loss_scaler follows the host loss_scaler, and continues from a copy of its state") {
  const device::stream stream;
  hone::cuda gpu(stream);
  hone::loss_scaler host{.initial = 8, .interval = 3, .hysteresis = 2, .minimum = 2, .maximum = 32};
  const hone::device_loss_scaler first(gpu, host);
  const hone::device_report report(gpu);
  const auto tell = [&](hone::device_loss_scaler const& scaler, bool finite) {
    const hone::gradient_report how{1, 1, 1, finite};
    REQUIRE(cudaMemcpyAsync(report.data(), &how, sizeof how, cudaMemcpyHostToDevice, stream) == cudaSuccess);
    scaler.update(gpu, report);
    return scaler.host();
  };
  const auto same = [&](hone::loss_scaler const& seen) {
    CHECK(seen.scale() == host.scale());
    CHECK(seen.state.finite == host.state.finite);
    CHECK(seen.state.not_finite == host.state.not_finite);
  };
  const std::string steps = "+++-+--+++-----+++++++++";  // one bad step is forgiven, the second in a row is not
  for (std::size_t i = 0; i < 12; ++i) {
    host.update(steps[i] == '+');
    same(tell(first, steps[i] == '+'));
  }
  const hone::device_loss_scaler resumed(gpu, first.host());
  for (std::size_t i = 12; i < steps.size(); ++i) {
    host.update(steps[i] == '+');
    same(tell(first, steps[i] == '+'));
    same(tell(resumed, steps[i] == '+'));
  }
  CHECK(host.scale() == 16);
}

namespace {

/// The caller's optimiser: SGD with momentum over one buffer, which takes the factor of the gradients along.
__global__ void sgd_kernel(float* p, float* momentum, float const* g, hone::index n, double const* rate,
                           double const* factor, bool const* finite) {
  if (!*finite) return;
  const auto by = static_cast<float>(*factor), step = static_cast<float>(*rate);
  for (hone::index i = blockIdx.x * hone::index(blockDim.x) + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    momentum[i] = 0.9f * momentum[i] + by * g[i];
    p[i] -= step * momentum[i];
  }
}

/// A model, its gradients, momentum and average, and a step of its training in a graph.
struct training {
  using parameters = conformance::step_parameters<device::conformance, float>;

  parameters of_p, of_g;
  hone::index n = 0;
  device::stream stream;
  hone::cuda gpu{stream};
  device::buffer<float> momentum;
  hone::device_list<float> weights, gradients;
  hone::device_ema_state<float> shadow;
  hone::device_report report{gpu};
  hone::device_loss_scaler scaler{gpu, {.initial = 4}};
  hone::device_schedule<hone::cosine> rate{gpu, {.peak = 0.5, .total = 10}};
  cudaGraphExec_t replay = nullptr;

  explicit training(std::vector<hone::index> const& sizes)
      : of_p(sizes, 0),
        of_g(sizes, 1),
        momentum(std::vector<float>(of_p.numbers().size())),
        weights(gpu, of_p.list()),
        gradients(gpu, of_g.list()),
        shadow(gpu, of_p.list()) {
    n = hone::index(momentum.size());
    gpu.reserve(hone::workspace_bytes(gradients));
    cudaGraph_t graph = nullptr;
    REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
    step();
    REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
    REQUIRE(cudaGraphInstantiate(&replay, graph, 0) == cudaSuccess);
    cudaGraphDestroy(graph);
  }
  ~training() { cudaGraphExecDestroy(replay); }

  void step() {
    float *const p = weights.tensors()[0].data, *const m = momentum.data(), *const g = gradients.tensors()[0].data;
    // [training_step]
    hone::measure(gpu, hone::chain(hone::unscale(scaler.scale()), hone::clip_by_global_norm(1)), gradients, report);
    sgd_kernel<<<8, 256, 0, stream>>>(p, m, g, n, rate.data(), report.factor(), report.finite());
    hone::update(gpu, hone::ema{.decay = 0.9}, shadow, weights, report.finite());
    hone::advance(gpu, report, rate, scaler);
    // [/training_step]
  }
};

}  // namespace

TEST_CASE("a training step in a captured graph matches the host, and skips non-finite gradients") {
  training t({1000, 3, 0, 40000});
  const std::vector<double> g = t.of_g.numbers();
  std::vector<double> p = t.of_p.numbers(), s = p, m(p.size());
  double loss_scale = 4;
  hone::index steps = 0;
  for (int i = 0; i < 6; ++i) {
    std::vector<float> scaled;
    for (const double x : g) scaled.push_back(static_cast<float>(loss_scale * x));
    if (i == 2) scaled[1001] = INFINITY;
    if (i == 4) scaled.back() = NAN;
    REQUIRE(cudaMemcpyAsync(t.gradients.tensors()[0].data, scaled.data(), 4 * scaled.size(), cudaMemcpyHostToDevice,
                            t.stream) == cudaSuccess);
    REQUIRE(cudaGraphLaunch(t.replay, t.stream) == cudaSuccess);
    t.stream.wait();
    if (i == 2 || i == 4) {
      loss_scale /= 2;
      continue;
    }
    double norm = 0;
    for (const double x : g) norm += x * x;
    const double rate = hone::cosine{.peak = 0.5, .total = 10}.rate(steps++);
    for (std::size_t k = 0; k < p.size(); ++k) {
      m[k] = 0.9 * m[k] + g[k] / std::max(1.0, std::sqrt(norm));
      p[k] -= rate * m[k];
      s[k] = 0.9 * s[k] + 0.1 * p[k];
    }
  }
  CHECK(t.shadow.steps() == 4);
  CHECK(t.rate.host().step == 4);
  CHECK(t.scaler.host().scale() == loss_scale);
  CHECK(conformance::distance(t.of_p.numbers(), p) <= 1e-5);
  const training::parameters out({1000, 3, 0, 40000}, 2);
  hone::copy(t.gpu, t.shadow, out.list());
  t.stream.wait();
  CHECK(conformance::distance(out.numbers(), s) <= 1e-5);
}

TEST_CASE("transform: invalid lists throw before anything is enqueued") {
  const model m({6}), other({3, 3});
  hone::cuda gpu(m.stream);
  const hone::device_adaptive_clip units(gpu, hone::adaptive_clip(other.list));
  const hone::device_list<float> list(gpu, m.list);
  CHECK_THROWS_WITH(hone::transform(gpu, units.step(), list),
                    "transform: gradients has 1 tensors, the list of adaptive_clip has 2");
  CHECK_THROWS_WITH(hone::transform(gpu, hone::unscale(2), hone::tensor_list<float>{{static_cast<float*>(nullptr), 2}}),
                    "transform: tensor 0 of gradients has 2 numbers but no data");
}

TEST_CASE("a captured hone::step reads gradients twice, everything else once, and skips on the device") {
  training t({1000, 3, 0, 400000});
  hone::tensor_list<float> of_momenta;
  hone::index at = 0;
  for (auto const& p : t.weights.tensors()) of_momenta.push_back({t.momentum.data() + at, p.size}), at += p.size;
  const hone::device_list<float> momenta(t.gpu, of_momenta);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t replay = nullptr;
  REQUIRE(cudaStreamBeginCapture(t.stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  hone::step(t.gpu, hone::clip_by_global_norm(1), conformance::sgd_rule{0.125, 0.75}, t.report, t.gradients, t.weights,
             momenta, hone::averaged_in(hone::ema{.decay = 0.75}, t.shadow));
  REQUIRE(cudaStreamEndCapture(t.stream, &graph) == cudaSuccess);
  REQUIRE(cudaGraphInstantiate(&replay, graph, 0) == cudaSuccess);
  for (const bool finite : {true, false}) {
    if (!finite) {
      const float infinite = INFINITY;
      REQUIRE(cudaMemcpyAsync(t.gradients.tensors()[0].data + 7, &infinite, sizeof infinite, cudaMemcpyHostToDevice,
                              t.stream) == cudaSuccess);
    }
#if defined(CUDASIM)
    t.stream.wait();
    cudasim_counters_reset();
#endif
    REQUIRE(cudaGraphLaunch(replay, t.stream) == cudaSuccess);
    CHECK(t.report.host().finite == finite);
    CHECK(t.shadow.steps() == 1);
#if defined(CUDASIM)
    cudasim_counters all{};
    cudasim_counters_get("", &all);
    const double bytes = 4 * double(t.n);
    MESSAGE("launches ", all.launches, ", loads ", double(all.global_load_bytes) / bytes, ", stores ",
            double(all.global_store_bytes) / bytes);
    CHECK(all.launches == 3);  // measure, decide, step
    CHECK(double(all.global_load_bytes) <= 1.02 * bytes * (finite ? 5 : 1));
    CHECK(double(all.global_store_bytes) <= 1.02 * bytes * (finite ? 3 : 0.02));
#endif
  }
  cudaGraphExecDestroy(replay);
  cudaGraphDestroy(graph);
}

#if defined(CUDASIM)
namespace {

/// The shapes of a residual network, `part`th of their sizes: many tiny tensors among some large ones.
std::vector<hone::index> many_tensors(int part) {
  std::vector<hone::index> sizes;
  for (int block = 0; block < 53; ++block) {
    for (const hone::index n : {hone::index(1 + block) * 9216 / part * 4, hone::index(64), hone::index(64)})
      sizes.push_back(n);
  }
  sizes.push_back(0), sizes.push_back(1);
  return sizes;
}

}  // namespace

TEST_CASE("clip_by_global_norm takes two launches, reads once to measure, and reads and writes once to change") {
  for (const int part : {64, 16}) {
    for (const hone::index gap : {0, 1}) {  // 1: most tensors do not begin at 16 bytes
      const model m(many_tensors(part), gap);
      hone::cuda gpu(m.stream);
      const hone::device_list<float> list(gpu, m.list);
      gpu.reserve(hone::workspace_bytes(list));
      const auto check_bytes = [&](double max) {
        m.stream.wait();
        cudasim_counters_reset();
        hone::transform(gpu, hone::clip_by_global_norm(max), list);
        m.stream.wait();
        cudasim_counters all{}, measured{}, applied{};
        cudasim_counters_get("", &all);
        cudasim_counters_get("measure_kernel", &measured);
        cudasim_counters_get("apply_kernel", &applied);
        CHECK(all.launches == 2);
        const double model_bytes = 4 * double(m.total);
        MESSAGE("1/", part, ", gap ", gap, ", ", m.list.size(), " tensors: measure loads ",
                double(measured.global_load_bytes) / model_bytes, ", apply loads ",
                double(applied.global_load_bytes) / model_bytes, ", stores ",
                double(applied.global_store_bytes) / model_bytes, ", coalescing ", cudasim_load_coalescing(measured),
                " and ", cudasim_store_coalescing(applied), ", 16 bytes ", cudasim_wide_fraction(measured),
                ", instructions per number ", double(measured.instructions) / double(m.total), " and ",
                double(applied.instructions) / double(m.total));
        CHECK(double(measured.global_load_bytes) <= 1.01 * model_bytes);
        CHECK(double(applied.global_load_bytes) <= (max > 1 ? 0.01 : 1.01) * model_bytes);
        CHECK(double(applied.global_store_bytes) == (max > 1 ? 0 : model_bytes));
        CHECK(cudasim_load_coalescing(measured) >= 0.95);
        CHECK(cudasim_wide_fraction(measured) >= (part == 16 ? 0.95 : 0.9));
        CHECK(double(measured.instructions) <= 30 * double(m.total));
        CHECK(double(applied.instructions) <= (max > 1 ? 8 : 20) * double(m.total));
        CHECK(measured.shared_max_ways <= 2);  // power_sums of a block's warps
        for (cudasim_counters const& c : {measured, applied}) CHECK(c.local_load_bytes + c.local_store_bytes == 0);
      };
      check_bytes(1e6);
      check_bytes(1);
    }
  }
}

namespace {

/// A step that changes every number, once measured and once applied; `others` are bytes that it has to measure besides.
template <class T, class Step>
void moves_once(std::string const& name, hone::cuda& gpu, Step const& step, hone::device_list<T> const& list,
                int launches, double others) {
  double bytes = 0;
  for (auto const& t : list.tensors()) bytes += double(sizeof(T)) * double(t.size);
  const auto wait = [&] { REQUIRE(cudaStreamSynchronize(gpu.stream()) == cudaSuccess); };
  hone::transform(gpu, hone::unscale(1), list);  // reserves
  wait();
  cudasim_counters_reset();
  hone::transform(gpu, step, list);
  wait();
  cudasim_counters all{}, measured{}, applied{};
  cudasim_counters_get("", &all);
  cudasim_counters_get("measure_kernel", &measured);
  cudasim_counters_get("apply_kernel", &applied);
  MESSAGE(name, ": measure loads ", double(measured.global_load_bytes) / (bytes + others), ", apply loads ",
          double(applied.global_load_bytes) / bytes, ", stores ", double(applied.global_store_bytes) / bytes,
          ", coalescing ", cudasim_load_coalescing(measured), " and ", cudasim_store_coalescing(applied),
          ", instructions per number ", double(sizeof(T)) * double(measured.instructions) / bytes, " and ",
          double(sizeof(T)) * double(applied.instructions) / bytes);
  CHECK(all.launches == launches);
  CHECK(double(measured.global_load_bytes) <= 1.02 * (bytes + others));
  CHECK(double(applied.global_load_bytes) <= 1.02 * bytes);
  CHECK(double(applied.global_store_bytes) == bytes);
  CHECK(cudasim_load_coalescing(measured) >= 0.95);
  CHECK(cudasim_store_coalescing(applied) >= 0.95);
}

}  // namespace

TEST_CASE("clip_by_value, adaptive_clip and 16-bit gradients move every byte once") {
  const std::vector<hone::index> sizes = many_tensors(16);
  const model m(sizes);
  hone::cuda gpu(m.stream);
  const hone::device_list<float> list(gpu, m.list);
  const auto values = hone::chain(hone::unscale(2), hone::clip_by_value(0.5), hone::clip_by_global_norm(1));
  moves_once("values", gpu, values, list, 2, 0);

  const model weights(sizes);
  hone::tensor_list<float> shaped;
  for (auto const& t : weights.list) shaped.push_back(t.size > 64 ? hone::tensor<float>(t.data, 64, t.size / 64) : t);
  const hone::device_adaptive_clip clip(gpu, hone::adaptive_clip(shaped, {.clipping = 1e-6}));
  moves_once("rows", gpu, clip.step(), list, 3, 4 * double(weights.total));

  const conformance::step_parameters<device::conformance, __nv_bfloat16> brain(sizes, 0);
  const conformance::step_parameters<device::conformance, __half> half(sizes, 1);
  const hone::device_list<__nv_bfloat16> brains(gpu, brain.list());
  const hone::device_list<__half> halves(gpu, half.list());
  moves_once("bfloat16", gpu, values, brains, 2, 0);
  moves_once("half", gpu, hone::clip_by_global_norm(1), halves, 2, 0);
}

TEST_CASE("a norm has the same bits for any grid, and the accuracy that docs/cuda.md states") {
  const model m({70001, 3, 0, 4096, 33000}, 1);
  hone::cuda gpu(m.stream);
  const hone::device_list<float> list(gpu, m.list);
  hone::device_report report(gpu);
  double squares = 0;
  for (auto const& t : m.list)
    for (hone::index i = 0; i < t.size; ++i) {
      const double x = m.numbers[std::size_t(t.data + i - m.memory.data())];
      squares += x * x;
    }
  char const* const most = std::getenv("HONE_TEST_BLOCKS");
  const std::string before = most ? most : "";
  const auto measured = [&](const char* blocks, auto const& chain) {
    setenv("HONE_TEST_BLOCKS", blocks, 1);
    hone::measure(gpu, chain, list, report);
    before.empty() ? unsetenv("HONE_TEST_BLOCKS") : setenv("HONE_TEST_BLOCKS", before.c_str(), 1);
    return report.host();
  };
  const auto same = [&](auto const& chain) {
    const hone::gradient_report one = measured("1", chain);
    for (const char* blocks : {"3", "100000"}) {
      const hone::gradient_report other = measured(blocks, chain);
      CHECK(other.norm == one.norm);
      CHECK(other.coefficient == one.coefficient);
    }
    return one.norm;
  };
  CHECK(std::abs(same(hone::clip_by_global_norm(1)) / std::sqrt(squares) - 1) <= 3.3e-7);
  same(hone::clip_by_global_norm(1, {.p = 1}));
}

TEST_CASE("gradients that are all 0 take no more instructions than others") {
  const model m({70001, 64});
  hone::cuda gpu(m.stream);
  const hone::device_list<float> list(gpu, m.list);
  hone::device_report report(gpu);
  const auto instructions = [&](double p) {
    m.stream.wait();
    cudasim_counters_reset();
    hone::measure(gpu, hone::clip_by_global_norm(1, {.p = p}), list, report);
    m.stream.wait();
    cudasim_counters measured{};
    cudasim_counters_get("measure_kernel", &measured);
    return double(measured.instructions);
  };
  const double squares = instructions(2), all = instructions(1);
  REQUIRE(cudaMemset(m.memory.data(), 0, m.memory.size() * sizeof(float)) == cudaSuccess);
  MESSAGE("zeros: ", instructions(2) / squares, " and ", instructions(1) / all, " of the instructions");
  CHECK(instructions(2) <= 1.02 * squares);
  CHECK(instructions(1) <= 1.02 * all);
}

TEST_CASE("a training step reads the gradients twice and never writes them") {
  training t(many_tensors(16));
  t.stream.wait();
  cudasim_counters_reset();
  REQUIRE(cudaGraphLaunch(t.replay, t.stream) == cudaSuccess);
  t.stream.wait();
  cudasim_counters all{};
  cudasim_counters_get("", &all);
  const double loads = 4 * double(t.n) * (2 + 1 + 1 + 2), stores = 4 * double(t.n) * 3;  // g twice, m, p, and s with p
  MESSAGE("launches ", all.launches, ", loads ", double(all.global_load_bytes) / loads, ", stores ",
          double(all.global_store_bytes) / stores);
  CHECK(all.launches == 5);  // SGD, and four of hone's: measure, decide and update, schedule with scaler
  CHECK(double(all.global_load_bytes) <= 1.02 * loads);
  CHECK(double(all.global_store_bytes) <= 1.02 * stores);
}
#endif
