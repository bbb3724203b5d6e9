// SPDX-License-Identifier: MIT
// HONE_TEST_BLOCKS=n: no grid has more than n blocks, so that its loops take many turns where the library's own grid
// would take one. The linker leads cudaLaunchKernel and cudaLaunchKernelExC here, see CMakeLists.txt.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdlib>

namespace {

dim3 narrowed(dim3 grid) {
  if (char const* const most = std::getenv("HONE_TEST_BLOCKS"))
    grid.x = std::min(grid.x, static_cast<unsigned>(std::atoi(most)));
  return grid;
}

}  // namespace

extern "C" {

cudaError_t __real_cudaLaunchKernelExC(cudaLaunchConfig_t const*, void const*, void**);
cudaError_t __real_cudaLaunchKernel(void const*, dim3, dim3, void**, std::size_t, cudaStream_t);

cudaError_t __wrap_cudaLaunchKernel(void const* kernel, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                                    cudaStream_t stream) {
  return __real_cudaLaunchKernel(kernel, narrowed(grid), block, arguments, shared, stream);
}
cudaError_t __wrap_cudaLaunchKernelExC(cudaLaunchConfig_t const* config, void const* kernel, void** arguments) {
  cudaLaunchConfig_t narrow = *config;
  narrow.gridDim = narrowed(narrow.gridDim);
  return __real_cudaLaunchKernelExC(&narrow, kernel, arguments);
}
}
