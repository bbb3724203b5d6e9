// SPDX-License-Identifier: MIT
// The kernel of a mean begins while its rows are counted, where the device can do that. The linker leads
// cudaLaunchKernelExC here, see CMakeLists.txt; budgets.py holds that the kernels wait before they read.
#include <hone/hone.cuh>

#include <cuda/device.cuh>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {
int dependent = 0;  // launches that may begin early
}

extern "C" {
cudaError_t __real_cudaLaunchKernelExC(cudaLaunchConfig_t const*, void const*, void**);

cudaError_t __wrap_cudaLaunchKernelExC(cudaLaunchConfig_t const* config, void const* kernel, void** arguments) {
  for (unsigned i = 0; i < config->numAttrs; ++i)
    dependent += config->attrs[i].id == cudaLaunchAttributeProgrammaticStreamSerialization &&
                 config->attrs[i].val.programmaticStreamSerializationAllowed;
  return __real_cudaLaunchKernelExC(config, kernel, arguments);
}
}

namespace {

bool begins_early(bool mean, hone::index columns) {
  const device::stream stream;
  hone::cuda gpu(stream);
  const device::buffer<float> z(std::vector<float>(std::size_t(4 * columns))), value(1);
  const device::buffer<int> labels({0, 1, -100, 1});
  dependent = 0;
  hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels, {.ignore = -100})),
                 hone::matrix_view<const float>{z.data(), 4, columns}, {.value = value.data()},
                 mean ? hone::reduction(hone::mean) : hone::sum);
  stream.wait();
  CHECK(value.host()[0] == doctest::Approx((mean ? 1 : 3) * std::log(double(columns))));
  return dependent == 1;
}

}  // namespace

TEST_CASE("rows of a mean are evaluated by a dependent launch, which begins while they are counted") {
  cudaDeviceProp device{};
  REQUIRE(cudaGetDeviceProperties(&device, 0) == cudaSuccess);
  for (const hone::index columns : {10, 48, 1000, 40000}) {
    CAPTURE(columns);
    CHECK(begins_early(true, columns) == (device.major >= 9));
    CHECK_FALSE(begins_early(false, columns));  // nothing is counted
  }
}
