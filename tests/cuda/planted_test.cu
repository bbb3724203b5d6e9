// SPDX-License-Identifier: MIT
// Checks that the simulator detects errors in hone's kernels: reads out of bounds, reads of uninitialised memory and
// missing barriers, each beside a correct call. Skipped without the simulator.
#if defined(CUDASIM)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

namespace planted {

__device__ bool barriers = true;

__device__ inline void block_barrier() {
  if (barriers) __syncthreads();
}
__device__ inline void warp_barrier() {
  if (barriers) __syncwarp();
}

}  // namespace planted

// Those of hone, in all that this file sees of it.
#define __syncthreads planted::block_barrier
#define __syncwarp planted::warp_barrier
#endif

#include <hone/hone.cuh>

#include <cuda/device.cuh>

#include <doctest/doctest.h>

#if defined(CUDASIM)
#include <cudasim.h>

#include <string>

namespace {

using buffer = device::buffer<float>;
constexpr int too_many = 8;  // rows that a call may claim and that are not there

/// Where a call's gradient goes, if anywhere, and whether it asks for the value.
enum class asks { nothing, gradient, gradient_in_place, value };

/// A kernel by name, and an objective whose rows of so many columns it takes.
struct kernel {
  std::string name;
  int rows, columns;
  bool elements = false;
};
const kernel element{"element_kernel", 40, 16, true}, tile{"tile_kernel", 40, 10}, pairs{"small_team_kernel", 40, 24},
    warp{"row_kernel_of", 12, 200}, block{"row_kernel_of", 3, 2000}, held{"held_row_kernel", 3, 10000},
    wide_block{"row_kernel_of", 2, 30000}, streamed{"row_kernel_of", 2, 60000};

/// What the simulator says of one call: kinds that are told apart, and all in all.
struct findings {
  std::uint64_t races, out_of_bounds, uninitialized, all;
  bool of_this_kernel;
};

findings evaluate(kernel const& k, asks what, buffer const& x, int rows, bool barriers = true) {
  const buffer t(std::vector<float>(std::size_t(rows) * k.columns)), gradient(t.size()), value(1);
  const device::buffer<int> labels(std::vector<int>(std::size_t(rows), k.columns / 2));  // not the first thread's
  REQUIRE(cudaMemcpyToSymbol(planted::barriers, &barriers, sizeof barriers) == cudaSuccess);
  const device::stream stream;
  const hone::matrix_view<const float> logits{x.data(), rows, k.columns};
  hone::outputs<float> out;
  if (what == asks::gradient) out.gradient = {gradient.data(), rows, k.columns};
  if (what == asks::gradient_in_place) out.gradient = {x.data(), rows, k.columns};
  if (what == asks::value) out.value = value.data();
  cudasim_reports_clear();
  {
    hone::cuda gpu(stream);
    try {
      if (k.elements) {
        hone::evaluate(gpu, hone::binary_cross_entropy(hone::matrix_view<const float>{t.data(), rows, k.columns}),
                       logits, out);
      } else {
        hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels)), logits, out, hone::sum);  // mean would count
      }
    } catch (hone::cuda_error const&) {  // what a report makes of the launch
    }
  }
  findings f{cudasim_report_count("race"), cudasim_report_count("out-of-bounds"), cudasim_report_count("uninitialized"),
             cudasim_report_count(nullptr), false};
  if (f.all > 0) f.of_this_kernel = std::string(cudasim_report_text(0)).find(k.name) != std::string::npos;
  cudasim_reports_clear();
  return f;
}

buffer written(kernel const& k) { return buffer(std::vector<float>(std::size_t(k.rows) * k.columns)); }
buffer unwritten(kernel const& k) { return buffer(std::size_t(k.rows) * k.columns); }

}  // namespace

TEST_CASE("the simulator reports nothing for a correct call, and each planted bug as what it is") {
  for (kernel const& k : {element, tile, pairs, warp, block, held, wide_block, streamed}) {
    CAPTURE(k.name);
    CAPTURE(k.columns);
    CHECK(evaluate(k, asks::gradient, written(k), k.rows).all == 0);
    CHECK(evaluate(k, asks::value, written(k), k.rows).all == 0);

    const findings too_far = evaluate(k, asks::gradient, written(k), k.rows + too_many);
    CHECK(too_far.out_of_bounds > 0);
    CHECK(too_far.of_this_kernel);
    const findings unread = evaluate(k, asks::gradient, unwritten(k), k.rows);
    CHECK(unread.uninitialized > 0);
    CHECK(unread.of_this_kernel);
    const findings sum = evaluate(k, asks::value, written(k), k.rows, false);
    CHECK(sum.races > 0);
    CHECK(sum.of_this_kernel);
  }
}

TEST_CASE("the simulator reports a missing barrier between threads that share rows as a race") {
  for (kernel const& k : {tile, block, held, wide_block, streamed}) {
    CAPTURE(k.name);
    CAPTURE(k.columns);
    const findings f = evaluate(k, asks::gradient, written(k), k.rows, false);
    CHECK(f.races > 0);
    CHECK(f.of_this_kernel);
  }
}
TEST_CASE("the simulator reports nothing for a block that processes several tiles") {
  const kernel tiles{"tile_kernel", hone::on_cuda::tile_rows_of_matrix * (hone::on_cuda::max_blocks + 1), 2};
  for (asks what : {asks::gradient, asks::value}) CHECK(evaluate(tiles, what, written(tiles), tiles.rows).all == 0);
}
TEST_CASE("a warp without its barrier is a race only if the gradient overwrites the logits in place") {
  for (kernel const& k : {pairs, warp}) {
    CAPTURE(k.name);
    CHECK(evaluate(k, asks::gradient, written(k), k.rows, false).all == 0);
    CHECK(evaluate(k, asks::gradient_in_place, written(k), k.rows).all == 0);
    const findings f = evaluate(k, asks::gradient_in_place, written(k), k.rows, false);
    CHECK(f.races > 0);
    CHECK(f.of_this_kernel);
  }
}
#endif
