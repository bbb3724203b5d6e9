// SPDX-License-Identifier: MIT
// Averages on the CUDA backend: the conformance cases of every backend, and what only a device has.
#include <hone/hone.cuh>

#include <conformance/averages.hpp>
#include <cuda/device.cuh>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

using parameters = conformance::step_parameters<device::conformance, float>;

TEST_CASE("CUDA passes the conformance cases of averages") { conformance::averages<device::conformance>(); }

TEST_CASE("before the first update, copy of a from_zero state writes nothing and swap throws") {
  const parameters weights({50}, 0), out({50}, 1);
  const device::stream stream;
  hone::cuda gpu(stream);
  hone::device_ema_state<float> shadow(gpu, weights.list(), {.from_zero = true});
  hone::copy(gpu, shadow, out.list());
  stream.wait();
  CHECK(out.numbers() == out.first_numbers());
  CHECK_THROWS_WITH(hone::swap(gpu, shadow, weights.list()),
                    "swap: the state began at zero, so its averages have to be divided; hone::copy does it");
}

TEST_CASE("tensors whose names match a pattern follow the parameters on the device") {
  const parameters weights({50, 3}, 0), other({50, 3}, 1), out({50, 3}, 2);
  const device::stream stream;
  hone::cuda gpu(stream);
  hone::device_ema_state<float> shadow(gpu, weights.list());
  CHECK(shadow.copy_only(std::vector<std::string>{"conv.weight", "conv.weight_u"}, {"*_u"}) == 1);
  hone::update(gpu, hone::ema{.decay = 0.5}, shadow, other.list());
  hone::copy(gpu, shadow, out.list());
  stream.wait();
  const auto seen = out.numbers(), copied = other.numbers();
  CHECK(std::equal(seen.begin() + 50, seen.end(), copied.begin() + 50));
  CHECK(!std::equal(seen.begin(), seen.begin() + 50, copied.begin()));
}

TEST_CASE("copy takes tensors of any type and rounds once to a narrower type") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const std::vector<std::int64_t> batches{7, std::int64_t(1) << 60, -3};
  const device::buffer<std::int64_t> from(batches), to(std::vector<std::int64_t>{0, 0, 0});
  hone::copy(gpu, hone::tensor_list<std::int64_t>{{from.data(), 3}}, hone::tensor_list<std::int64_t>{{to.data(), 3}});
  const parameters masters({31, 5000}, 0, 1);
  const conformance::step_parameters<device::conformance, __nv_bfloat16> narrow({31, 5000}, 9);
  hone::copy(gpu, masters.list(), narrow.list());
  stream.wait();
  CHECK(to.host() == batches);
  std::vector<double> rounded = masters.numbers();
  for (double& x : rounded) x = static_cast<float>(__nv_bfloat16(static_cast<float>(x)));
  CHECK(narrow.numbers() == rounded);
}

TEST_CASE("device_master_weights start as the parameters, and refresh rounds them to the narrower type") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const conformance::step_parameters<device::conformance, __half> narrow({31, 0, 5000}, 3, 1);
  const parameters updated({31, 0, 5000}, 4);
  const hone::device_master_weights<float> masters(gpu, narrow.list());
  const parameters before({31, 0, 5000}, 5);
  hone::copy(gpu, masters.tensors(), before.list());
  hone::copy(gpu, updated.list(), masters.tensors());
  hone::refresh(gpu, masters, narrow.list());
  stream.wait();
  std::vector<double> rounded = updated.numbers();
  for (double& x : rounded) x = static_cast<float>(__half(static_cast<float>(x)));
  CHECK(before.numbers() == narrow.first_numbers());
  CHECK(narrow.numbers() == rounded);
  CHECK_THROWS_WITH(hone::refresh(gpu, masters, hone::tensor_list<__half>{{narrow.list()[0].data, 31}}),
                    "refresh: parameters has 1 tensors, master_weights has 3");
}

TEST_CASE("a captured graph of update, copy, swap and refresh uses the current values at each replay") {
  const std::vector<hone::index> sizes{31, 0, 5000};
  const parameters weights(sizes, 0), out(sizes, 1, 1), model(sizes, 2);
  const conformance::step_parameters<device::conformance, __nv_bfloat16> narrow(sizes, 3);
  const device::stream stream;
  hone::cuda gpu(stream);
  const hone::device_list<float> w(gpu, weights.list()), o(gpu, out.list()), m(gpu, model.list());
  const hone::device_list<__nv_bfloat16> n(gpu, narrow.list());
  hone::device_ema_state<float> shadow(gpu, weights.list());
  const hone::device_master_weights<float> masters(gpu, narrow.list());
  const device::graph step(stream, [&] {
    hone::update(gpu, hone::ema{.decay = 0.75}, shadow, w);
    hone::copy(gpu, shadow, o);
    hone::swap(gpu, shadow, w);
    hone::copy(gpu, w, m);
    hone::swap(gpu, shadow, w);
    hone::copy(gpu, w, masters.list());
    hone::refresh(gpu, masters, n);
  });
  std::vector<double> s = weights.first_numbers();
  for (int i = 1; i <= 3; ++i) {
    const parameters next(sizes, 10 * i);
    hone::copy(gpu, next.list(), weights.list());
    step.launch();
    stream.wait();
    const std::vector<double> p = next.numbers();
    std::vector<double> rounded;
    for (std::size_t k = 0; k < s.size(); ++k) {
      s[k] = 0.75 * s[k] + 0.25 * p[k];
      rounded.push_back(static_cast<float>(__nv_bfloat16(static_cast<float>(p[k]))));
    }
    CHECK(conformance::distance(out.numbers(), s) <= 2e-6);
    CHECK(model.numbers() == out.numbers());
    CHECK(weights.numbers() == p);
    CHECK(narrow.numbers() == rounded);
  }
  CHECK(shadow.steps() == 3);
}

TEST_CASE("update is bit-identical in every run") {
  const std::vector<hone::index> sizes{1, 1000, 0, 70001};
  std::vector<std::string> runs;
  for (int run = 0; run < 3; ++run) {
    const parameters first(sizes, 0);
    const device::stream stream;
    hone::cuda gpu(stream);
    hone::device_ema_state<float> shadow(gpu, first.list());
    for (int n = 1; n <= 3; ++n)
      hone::update(gpu, hone::ema{.decay = 0.9, .ramp = hone::threshold_ramp()}, shadow, parameters(sizes, n).list());
    runs.push_back(conformance::saved(shadow));
  }
  CHECK(runs[0] == runs[1]);
  CHECK(runs[0] == runs[2]);
}

TEST_CASE("calls that allocate, wait or read back throw during a capture, which stays valid") {
  const parameters weights({100}, 0);
  const device::stream stream;
  hone::cuda gpu(stream);
  hone::device_ema_state<float> shadow(gpu, weights.list());
  const hone::device_report report(gpu);
  const hone::device_loss_scaler scaler(gpu, {});
  const hone::device_schedule rate(gpu, hone::constant{0.1});
  std::stringstream saved, other;
  shadow.save(saved);
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  const std::string refused = "the stream is captured: do this before the capture begins or after it has ended";
  const auto is_refused = [&](const char* who, auto call) {
    CAPTURE(who);
    CHECK_THROWS_WITH(call(), (who + (": " + refused)).c_str());
  };
  is_refused("device_memory", [&] { hone::device_ema_state<float>(gpu, weights.list()); });
  is_refused("device_list", [&] { hone::device_list<float>(gpu, weights.list()); });
  is_refused("device_report", [&] { hone::device_report{gpu}; });
  is_refused("device_report", [&] { static_cast<void>(report.host()); });
  is_refused("device_loss_scaler", [&] { static_cast<void>(scaler.host()); });
  is_refused("device_schedule", [&] { static_cast<void>(rate.host()); });
  is_refused("device_memory", [&] { shadow.copy_only(0); });
  is_refused("device_memory", [&] { shadow.copy_only(std::vector<std::string>{"w"}, {"*"}); });
  is_refused("device_memory", [&] { static_cast<void>(shadow.steps()); });
  is_refused("device_memory", [&] { static_cast<void>(shadow.counted()); });
  is_refused("device_memory", [&] { shadow.save(other); });
  is_refused("device_memory", [&] { shadow.load(saved); });
  std::size_t nodes = 1;
  REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  CHECK(cudaGraphGetNodes(graph, nullptr, &nodes) == cudaSuccess);
  CHECK(nodes == 0);
  cudaGraphDestroy(graph);
  CHECK(!shadow.copies(0));
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("objects destroyed during a capture add no node that frees memory the graph did not allocate") {
  const parameters weights({100}, 0);
  const device::stream stream;
  hone::cuda gpu(stream);
  cudaGraph_t graph = nullptr;
  std::vector<void const*> left;
  {
    const hone::device_list<float> list(gpu, weights.list());
    const hone::device_report report(gpu);
    const hone::device_memory memory(gpu);
    const hone::detail::owned_tensors<float, hone::device_memory> owned(weights.list(), memory);
    left = {list.table().cuts, report.data(), owned.list()[0].data};
    REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  }
  std::size_t nodes = 1;
  REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  CHECK(cudaGraphGetNodes(graph, nullptr, &nodes) == cudaSuccess);
  CHECK(nodes == 0);
  cudaGraphDestroy(graph);
  for (void const* p : left) CHECK(cudaFree(const_cast<void*>(p)) == cudaSuccess);
}

#if defined(CUDASIM)
namespace {

/// A kernel's traffic per byte that it has to move, and how it moves it.
template <class Call>
void check_bytes(std::string const& name, device::stream const& stream, double loads, double stores, int launches,
                 double wide, double instructions, Call const& call) {
  stream.wait();
  cudasim_counters_reset();
  call();
  stream.wait();
  cudasim_counters all{}, pairs{};
  cudasim_counters_get("", &all);
  cudasim_counters_get("pair_kernel", &pairs);
  MESSAGE(name, ": loads ", double(all.global_load_bytes) / loads, ", stores ", double(all.global_store_bytes) / stores,
          ", coalescing ", cudasim_load_coalescing(pairs), " and ", cudasim_store_coalescing(pairs), ", 16 bytes ",
          cudasim_wide_fraction(pairs), ", instructions per number ", 4 * double(pairs.instructions) / stores);
  CHECK(all.launches == launches);
  CHECK(double(all.global_load_bytes) <= 1.02 * loads);
  CHECK(double(all.global_store_bytes) <= 1.001 * stores);
  CHECK(cudasim_load_coalescing(pairs) >= 0.95);
  CHECK(cudasim_store_coalescing(pairs) >= 0.95);
  CHECK(cudasim_wide_fraction(pairs) >= wide);
  CHECK(double(pairs.instructions) <= instructions * stores / 4);
  CHECK(pairs.local_load_bytes + pairs.local_store_bytes == 0);
}

}  // namespace

TEST_CASE("update takes two launches for any list, copy and swap take one, and every byte moves once") {
  std::vector<hone::index> sizes;
  for (int block = 0; block < 53; ++block) sizes.insert(sizes.end(), {hone::index(1 + block) * 2304, 64, 64});
  const parameters weights(sizes, 0);
  const conformance::step_parameters<device::conformance, __nv_bfloat16> narrow(sizes, 1);
  const device::stream stream;
  hone::cuda gpu(stream);
  const hone::device_list<float> p(gpu, weights.list());
  const hone::device_list<__nv_bfloat16> q(gpu, narrow.list());
  hone::device_ema_state<float> shadow(gpu, weights.list());
  double n = 0;
  for (const hone::index size : sizes) n += double(size);
  check_bytes("update", stream, 8 * n, 4 * n, 2, 0.95, 19, [&] { hone::update(gpu, hone::ema{}, shadow, p); });
  check_bytes("update from bfloat16", stream, 6 * n, 4 * n, 2, 0.66, 22,
              [&] { hone::update(gpu, hone::ema{}, shadow, q); });
  check_bytes("copy", stream, 4 * n, 4 * n, 1, 0.95, 8, [&] { hone::copy(gpu, shadow, p); });
  check_bytes("copy to bfloat16", stream, 4 * n, 2 * n, 1, 0.49, 22.5, [&] { hone::copy(gpu, shadow, q); });
  check_bytes("swap", stream, 8 * n, 8 * n, 1, 0.95, 5.2, [&] { hone::swap(gpu, shadow, p); });
  const hone::device_master_weights<float> masters(gpu, narrow.list());
  check_bytes("refresh", stream, 4 * n, 2 * n, 1, 0.49, 22.5, [&] { hone::refresh(gpu, masters, q); });
}
#endif
