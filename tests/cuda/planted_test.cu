// SPDX-License-Identifier: MIT
// That the simulator sees what can go wrong in hone's kernels: here they read too far, read what nobody wrote, and sum
// up without their barriers. Without the simulator there is nothing to test.
#if defined(CUDASIM)
#include <cuda_runtime.h>
#define __syncthreads() \
  static_cast<void>(0)  // in all of hone that this file sees; the other tests have the right twins
#endif

#include <hone/hone.cuh>

#include <cuda/device.cuh>

#include <doctest/doctest.h>

#if defined(CUDASIM)
#include <cudasim.h>

namespace {

constexpr int rows = 40, columns = 16;

/// Kinds of findings of one evaluate that asks for these outputs.
struct findings {
  std::uint64_t of_this_kind, in_all;
};

findings evaluate(const char* kind, device::buffer<float> const& x, int claimed_rows, float* value) {
  const device::buffer<float> t(std::vector<float>(std::size_t(rows + 8) * columns)), gradient(t.size());
  const device::stream stream;
  hone::cuda gpu(stream);
  cudasim_reports_clear();
  try {
    hone::evaluate(gpu, hone::binary_cross_entropy(hone::matrix_view<const float>{t.data(), claimed_rows, columns}),
                   hone::matrix_view<const float>{x.data(), claimed_rows, columns},
                   {.gradient = {gradient.data(), claimed_rows, columns}, .value = value});
  } catch (hone::cuda_error const&) {  // what a report makes of the launch
  }
  const findings f{cudasim_report_count(kind), cudasim_report_count(nullptr)};
  cudasim_reports_clear();
  return f;
}

}  // namespace

TEST_CASE("planted bugs are found, each as what it is") {
  const device::buffer<float> written(std::vector<float>(std::size_t(rows) * columns)), unwritten(written.size());
  const device::buffer<float> value(1);
  CHECK(evaluate("out-of-bounds", written, rows, nullptr).in_all == 0);
  CHECK(evaluate("out-of-bounds", written, rows + 8, nullptr).of_this_kind > 0);
  CHECK(evaluate("uninitialized", unwritten, rows, nullptr).of_this_kind > 0);
  CHECK(evaluate("race", written, rows, value.data()).of_this_kind > 0);
}
#endif
