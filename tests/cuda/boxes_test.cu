// SPDX-License-Identifier: MIT
// Box losses on the CUDA backend: the conformance cases of every backend, captured graphs, and the memory traffic that
// the simulator counts.
#include <hone/hone.cuh>

#include <conformance/boxes.hpp>
#include <cuda/device.cuh>

#include <cstdlib>
#include <string>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

TEST_CASE("CUDA passes the conformance cases of box losses") { conformance::box_losses<device::conformance>(); }
TEST_CASE("CUDA passes the conformance cases of pairwise metrics") {
  conformance::metrics_of_pairs<device::conformance>();
}
TEST_CASE("CUDA passes the conformance cases of overlap matrices") {
  conformance::matrices_of_overlaps<device::conformance>();
}

namespace {

template <class T>
struct some_boxes {
  hone::index size;
  device::buffer<T> predicted, wanted, gradient;
  device::buffer<hone::accumulator_t<T>> value;
  device::stream stream;

  explicit some_boxes(hone::index n)
      : size(n), predicted(numbers(0)), wanted(numbers(1)), gradient(std::size_t(4 * n)), value(1) {}

  std::vector<T> numbers(int off) const {
    std::vector<T> v;
    for (hone::index i = 0; i < size; ++i)
      for (const hone::index edge : {i % 50, i % 70, i % 50 + 9 + i % 11, i % 70 + 5 + i % 13})
        v.push_back(static_cast<T>(static_cast<float>(edge + off * (i % 5))));
    return v;
  }
  hone::matrix_view<T> view(device::buffer<T> const& b) const { return {b.data(), size, 4}; }
  void evaluate(hone::cuda& gpu) const {
    hone::evaluate(gpu, hone::ciou_loss(view(wanted)), view(predicted),
                   {.gradient = view(gradient), .value = value.data()});
  }
};

}  // namespace

TEST_CASE("box losses and overlap matrices in a captured graph are bit-identical to direct calls") {
  const some_boxes<float> b(300);
  const device::buffer<float> matrix(300 * 300);
  const hone::matrix_view<float> out{matrix.data(), 300, 300};
  hone::cuda gpu(b.stream);
  gpu.reserve(hone::workspace_bytes(hone::ciou_loss(b.view(b.wanted))));
  b.evaluate(gpu);
  hone::pairwise_giou(gpu, b.view(b.predicted), b.view(b.wanted), out);
  b.stream.wait();
  const auto gradient = b.gradient.host(), overlaps = matrix.host();
  const float value = b.value.host()[0];

  cudaGraph_t graph = nullptr;
  cudaGraphExec_t replay = nullptr;
  hone::on_cuda::check(cudaStreamBeginCapture(b.stream, cudaStreamCaptureModeGlobal), "cudaStreamBeginCapture");
  b.evaluate(gpu);
  hone::pairwise_giou(gpu, b.view(b.predicted), b.view(b.wanted), out);
  hone::on_cuda::check(cudaStreamEndCapture(b.stream, &graph), "cudaStreamEndCapture");
  hone::on_cuda::check(cudaGraphInstantiate(&replay, graph, 0), "cudaGraphInstantiate");
  hone::on_cuda::check(cudaMemset(b.gradient.data(), 0, 4 * 300 * sizeof(float)), "cudaMemset");
  hone::on_cuda::check(cudaMemset(matrix.data(), 0, 300 * 300 * sizeof(float)), "cudaMemset");
  hone::on_cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  for (int turn = 0; turn < 2; ++turn) {
    hone::on_cuda::check(cudaGraphLaunch(replay, b.stream), "cudaGraphLaunch");
    b.stream.wait();
    CHECK(b.gradient.host() == gradient);
    CHECK(b.value.host()[0] == value);
    CHECK(matrix.host() == overlaps);
  }
  cudaGraphExecDestroy(replay);
  cudaGraphDestroy(graph);
}

namespace {

/// Grids of at most so many blocks, where narrow_grids.cpp is linked: the simulator's.
class blocks_at_most {
 public:
  explicit blocks_at_most(char const* blocks) {
    if (char const* const set = std::getenv(name)) before_ = set;
    setenv(name, blocks, 1);
  }
  ~blocks_at_most() { before_.empty() ? unsetenv(name) : setenv(name, before_.c_str(), 1); }
  blocks_at_most(blocks_at_most const&) = delete;
  blocks_at_most& operator=(blocks_at_most const&) = delete;

 private:
  static constexpr char const* name = "HONE_TEST_BLOCKS";
  std::string before_;
};

/// The value has the same bits on devices of any size.
template <class T>
void value_of_any_grid(hone::index n) {
  const some_boxes<T> b(n);
  hone::cuda gpu(b.stream);
  const auto value = [&] {
    b.evaluate(gpu);
    b.stream.wait();
    return b.value.host()[0];
  };
  const auto all = value();
  CHECK(all > 0);
  for (char const* const blocks : {"1", "3", "700", "5000"}) {
    CAPTURE(blocks);
    const blocks_at_most fewer(blocks);
    CHECK(value() == all);
  }
}

}  // namespace

TEST_CASE("the value of box losses does not depend on the grid") {
  value_of_any_grid<double>(5000);  // whose last bits show the order of a sum
  value_of_any_grid<__nv_bfloat16>(600'001);
}

#if defined(CUDASIM)
TEST_CASE("box losses launch no more blocks than the device runs at once") {
  const some_boxes<float> b(400'000);  // 1,563 parts
  hone::cuda gpu(b.stream);
  cudasim_counters_reset();
  b.evaluate(gpu);
  b.stream.wait();
  cudasim_counters c{};
  REQUIRE(cudasim_counters_get("box_kernel", &c) == 1);
  int device = 0, multiprocessors = 0;
  hone::on_cuda::check(cudaGetDevice(&device), "cudaGetDevice");
  hone::on_cuda::check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
                       "cudaDeviceGetAttribute");
  const bool narrow = std::getenv("HONE_TEST_BLOCKS") != nullptr;
  CHECK(c.blocks == (narrow ? 1 : 8 * static_cast<unsigned>(multiprocessors)));  // the simulator has registers for 8
}

namespace {

template <class T>
void moves_once() {
  const some_boxes<T> b(4096);
  hone::cuda gpu(b.stream);
  gpu.reserve(hone::workspace_bytes(hone::ciou_loss(b.view(b.wanted))));
  b.stream.wait();
  cudasim_counters_reset();
  b.evaluate(gpu);
  b.stream.wait();
  cudasim_counters c{};
  REQUIRE(cudasim_counters_get("box_kernel", &c) == 1);
  const double bytes = 4.0 * double(b.size) * sizeof(T);
  MESSAGE("loads ", double(c.global_load_bytes) / (2 * bytes), ", stores ", double(c.global_store_bytes) / bytes,
          ", coalescing ", cudasim_load_coalescing(c), " and ", cudasim_store_coalescing(c), ", 16 bytes ",
          cudasim_wide_fraction(c), ", instructions per box ", double(c.instructions) / double(b.size));
  CHECK(double(c.global_load_bytes) <= 1.02 * 2 * bytes + 16 * double(c.blocks));  // and the sums of the blocks
  CHECK(double(c.global_store_bytes) <= 1.02 * bytes + 16 * double(c.blocks));
  CHECK(cudasim_load_coalescing(c) >= 0.95);
  CHECK(cudasim_store_coalescing(c) >= 0.95);
  CHECK(cudasim_wide_fraction(c) >= 0.95);
  CHECK(c.shared_max_ways <= 1);
  CHECK(c.local_load_bytes + c.local_store_bytes == 0);
  CHECK(double(c.instructions) <= 335 * double(b.size));
}

}  // namespace

TEST_CASE("box losses move every byte once") {
  moves_once<float>();
  moves_once<__nv_bfloat16>();
}

TEST_CASE("pairwise_iou writes every overlap once, in accesses of 16 bytes") {
  const some_boxes<float> a(256), b(512);
  const device::buffer<float> matrix(256 * 512);
  hone::cuda gpu(a.stream);
  cudasim_counters_reset();
  hone::pairwise_iou(gpu, a.view(a.predicted), b.view(b.predicted), hone::matrix_view{matrix.data(), 256, 512});
  a.stream.wait();
  cudasim_counters c{};
  REQUIRE(cudasim_counters_get("pairwise_kernel", &c) == 1);
  MESSAGE("stores ", double(c.global_store_bytes) / (4.0 * 256 * 512), ", coalescing ", cudasim_store_coalescing(c),
          ", instructions per pair ", double(c.instructions) / (256 * 512), ", loads per stored byte ",
          double(c.global_load_bytes) / (4.0 * 256 * 512));
  CHECK(c.global_store_bytes == 4 * 256 * 512);
  CHECK(cudasim_store_coalescing(c) >= 0.95);
  CHECK(cudasim_wide_fraction(c) >= 0.95);
  CHECK(c.local_load_bytes + c.local_store_bytes == 0);
}
#endif
