// SPDX-License-Identifier: MIT
// Non-maximum suppression on the CUDA backend: the conformance cases of every backend, captured graphs, workspaces and
// memory traffic.
#include <hone/hone.cuh>

#include <conformance/nms.hpp>
#include <cuda/device.cuh>
#include <support/message.hpp>

#include <string>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

namespace {

/// Detections in device memory, and room for an answer.
struct problem {
  conformance::detections d;
  device::buffer<float> boxes, scores;
  device::buffer<int> classes;
  device::buffer<hone::index> kept, count;
  device::stream stream;

  problem(hone::index n, hone::index plane)
      : d(conformance::some_detections(n, plane)),
        boxes(of_boxes()),
        scores(std::vector<float>(d.scores.begin(), d.scores.end())),
        classes(std::vector<int>(d.classes.begin(), d.classes.end())),
        kept(std::vector<hone::index>(std::size_t(n), -1)),
        count(std::vector<hone::index>(1, -1)) {}

  std::vector<float> of_boxes() const {
    std::vector<float> all;
    all.reserve(4 * d.boxes.size());
    for (auto const& b : d.boxes)
      for (const double x : b) all.push_back(static_cast<float>(x));
    return all;
  }
  hone::matrix_view<const float> view() const { return {boxes.data(), d.size(), 4}; }
  std::span<const float> by() const { return {scores.data(), scores.size()}; }

  std::vector<hone::index> answer() const {
    stream.wait();
    std::vector<hone::index> rows = kept.host();
    rows.resize(static_cast<std::size_t>(count.host()[0]));
    return rows;
  }
  std::vector<hone::index> expected(hone::nms_options options = {}) const {
    return conformance::suppressed_by_definition(d, conformance::suppression::nms, options);
  }
  bool untouched() const { return kept.host() == std::vector<hone::index>(kept.size(), -1) && count.host()[0] == -1; }
};

}  // namespace

TEST_CASE("CUDA passes the conformance cases of nms") { conformance::suppressions<device::conformance>(); }

TEST_CASE("a captured graph of nms uses the boxes present at each replay") {
  problem p(150, 24), q(150, 30);
  const auto boxes = p.view();
  const auto scores = p.by();
  hone::index *kept = p.kept.data(), *count = p.count.data();
  const cudaStream_t stream = p.stream;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t replay = nullptr;
  // [capture]
  hone::cuda gpu(stream);
  gpu.reserve(hone::nms_workspace_bytes(boxes));  // what a captured stream could not allocate
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);
  hone::nms(gpu, boxes, scores, kept, count, {.threshold = 0.5});
  cudaStreamEndCapture(stream, &graph);
  // [/capture]
  REQUIRE(cudaGraphInstantiate(&replay, graph, 0) == cudaSuccess);
  REQUIRE(cudaGraphLaunch(replay, p.stream) == cudaSuccess);
  CHECK(p.answer() == p.expected());
  const auto copy = [&](auto const& to, auto const& from) {
    REQUIRE(cudaMemcpyAsync(to.data(), from.data(), from.size() * sizeof(*from.data()), cudaMemcpyDeviceToDevice,
                            p.stream) == cudaSuccess);
  };
  copy(p.boxes, q.boxes), copy(p.scores, q.scores);
  REQUIRE(cudaGraphLaunch(replay, p.stream) == cudaSuccess);
  CHECK(p.answer() == q.expected());
  CHECK(p.expected() != q.expected());
  cudaGraphExecDestroy(replay);
  cudaGraphDestroy(graph);
}

TEST_CASE("nms shares a backend with other calls, and throws if the workspace is one byte too small") {
  problem p(300, 24), small(3, 24);
  const device::buffer<char> memory(hone::nms_workspace_bytes(p.view()));
  hone::cuda gpu(p.stream, memory.data(), memory.size());
  const device::buffer<float> loss(1);
  for (int turn = 0; turn < 2; ++turn) {
    hone::nms(gpu, small.view(), small.by(), p.kept.data(), p.count.data());
    CHECK(p.answer() == small.expected());
    hone::nms(gpu, p.view(), p.by(), p.kept.data(), p.count.data());
    CHECK(p.answer() == p.expected());
    hone::evaluate(gpu, hone::iou_loss(p.view()), p.view(), {.value = loss.data()});  // leaves its sums where keys were
  }
  hone::cuda narrow(p.stream, memory.data(), memory.size() - 1);
  CHECK_THROWS_AS(hone::nms(narrow, p.view(), p.by(), p.kept.data(), p.count.data()), hone::cuda_error);
}

TEST_CASE("nms reads boxes that are not aligned to 16 bytes") {
  problem p(70, 24);
  std::vector<float> moved(1, 0);
  for (const float x : p.boxes.host()) moved.push_back(x);
  const device::buffer<float> boxes(moved);
  hone::cuda gpu(p.stream);
  hone::nms(gpu, hone::matrix_view<const float>{boxes.data() + 1, 70, 4}, p.by(), p.kept.data(), p.count.data());
  CHECK(p.answer() == p.expected());
}

TEST_CASE("nms with a threshold of 1 suppresses nothing, however areas are rounded") {
  std::vector<float> boxes;
  for (int i = 0; i < 200; ++i) {
    const float x = 0.37f * float(i % 29), y = 0.71f * float(i % 23);
    const float w = 0.013f * float(i + 1), h = 0.029f * float(211 - i);
    for (int twice = 0; twice < 2; ++twice)
      for (const float c : {x, y, x + w, y + h}) boxes.push_back(c);
  }
  const device::buffer<float> memory(boxes), scores(std::vector<float>(400, 1));
  const device::buffer<hone::index> kept(400), count(1);
  const device::stream stream;
  hone::cuda gpu(stream);
  const hone::matrix_view<const float> view{memory.data(), 400, 4};
  hone::nms(gpu, view, std::span<const float>(scores.data(), 400), kept.data(), count.data(), {.threshold = 1});
  stream.wait();
  CHECK(count.host()[0] == 400);
  hone::nms(gpu, view, std::span<const float>(scores.data(), 400), kept.data(), count.data(), {.threshold = 0.999});
  stream.wait();
  CHECK(count.host()[0] == 200);
}

TEST_CASE("nms: invalid arguments throw, and nothing is written") {
  problem p(3, 24);
  hone::cuda gpu(p.stream);
  const std::span<const float> two(p.scores.data(), 2);
  const std::span<const int> classes(p.classes.data(), 2);
  hone::index *kept = p.kept.data(), *count = p.count.data();
  const auto said = [&](auto const& call) { return support::message([&] { call(); }); };
  CHECK(said([&] { hone::nms(gpu, p.view(), two, kept, count); }) == "nms: 2 scores for 3 boxes");
  CHECK(said([&] { hone::batched_nms(gpu, p.view(), p.by(), classes, kept, count); }) ==
        "batched_nms: 2 classes for 3 boxes");
  CHECK(said([&] { hone::nms(gpu, p.view(), p.by(), kept, count, {.threshold = 2}); }) ==
        "nms: threshold is 2, must be in [0, 1]");
  CHECK(said([&] { hone::diou_nms(gpu, p.view(), p.by(), nullptr, count); }) ==
        "diou_nms: kept is null, must have room for 3 rows");
  CHECK(said([&] { hone::diou_nms(gpu, p.view(), p.by(), nullptr, count, {.most = 2}); }) ==
        "diou_nms: kept is null, must have room for 2 rows");
  CHECK(said([&] { hone::nms(gpu, p.view(), p.by(), kept, nullptr); }) == "nms: count is null");
  const hone::index many = 1048577;
  const hone::matrix_view<const float> boxes{p.boxes.data(), many, 4};
  CHECK(said([&] { hone::nms(gpu, boxes, std::span(p.scores.data(), std::size_t(many)), kept, count); }) ==
        "nms: boxes is 1048577 x 4, must be at most 1048576 rows");
  p.stream.wait();
  CHECK(p.untouched());
}

#if defined(CUDASIM)
TEST_CASE("nms takes four launches, writes each bit once, and reads only the rows of kept boxes") {
  problem p(1000, 400);
  hone::cuda gpu(p.stream);
  gpu.reserve(hone::nms_workspace_bytes(p.view()));
  p.stream.wait();
  cudasim_counters_reset();
  hone::nms(gpu, p.view(), p.by(), p.kept.data(), p.count.data());
  const auto kept = static_cast<double>(p.answer().size());
  cudasim_counters all{}, keys{}, ranks{}, bits{}, walk{};
  cudasim_counters_get("", &all), cudasim_counters_get("nms_key_kernel", &keys);
  cudasim_counters_get("nms_rank_kernel", &ranks), cudasim_counters_get("nms_bits_kernel", &bits);
  cudasim_counters_get("nms_walk_kernel", &walk);
  CHECK(all.launches == 4);
  const double n = 1000, words = 16, triangle = 64 * words * (words + 1) / 2;
  MESSAGE("kept ", kept, "; keys: loads per box ", double(keys.global_load_bytes) / n, "; ranks: loads per box ",
          double(ranks.global_load_bytes) / n, ", stores ", double(ranks.global_store_bytes) / n,
          "; bits: stores per word ", double(bits.global_store_bytes) / triangle, ", coalescing ",
          cudasim_load_coalescing(bits), " and ", cudasim_store_coalescing(bits), ", banks ", bits.shared_max_ways,
          ", instructions per pair ", double(bits.instructions) / (64 * triangle), "; walk: loads per word ",
          double(walk.global_load_bytes) / triangle, ", coalescing ", cudasim_load_coalescing(walk), ", barriers ",
          walk.block_barriers);
  CHECK(double(keys.global_load_bytes) == n * (16 + 4));
  CHECK(double(ranks.global_store_bytes) <= n * (8 + 16) + 8);
  CHECK(double(bits.global_store_bytes) <= 8 * triangle);
  CHECK(cudasim_load_coalescing(bits) >= 0.95);
  CHECK(cudasim_store_coalescing(bits) >= 0.75);  // beside the diagonal, sectors are written in part
  CHECK(bits.shared_max_ways <= 1);
  CHECK(double(walk.global_load_bytes) <= 8 * (kept / n * triangle + 3 * n));
  CHECK(cudasim_load_coalescing(walk) >= 0.9);
  CHECK(double(walk.block_barriers) <= 2 * words);
  CHECK(all.local_load_bytes + all.local_store_bytes == 0);
}
#endif
