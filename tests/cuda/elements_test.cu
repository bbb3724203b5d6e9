// SPDX-License-Identifier: MIT
// CUDA against the list of cases that every backend answers.
#include <hone/hone.cuh>

#include <conformance/elements.hpp>
#include <cuda/device.cuh>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace {

struct on_a_device {
  using half = __half;
  using bfloat16 = __nv_bfloat16;
  template <class T>
  using buffer = device::buffer<T>;

  template <class Objective, class View, class Outputs>
  static void evaluate(Objective const& objective, View prediction, Outputs const& out, hone::reduction how) {
    const device::stream stream;
    hone::cuda gpu(stream);
    hone::evaluate(gpu, objective, prediction, out, how);
    stream.wait();
  }
};

}  // namespace

TEST_CASE("element-wise losses answer as every backend does") { conformance::element_losses<on_a_device>(); }
