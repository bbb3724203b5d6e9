// SPDX-License-Identifier: MIT
// The main of the CUDA tests. Without a device there is nothing that could pass.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <iostream>

int main(int argc, char** argv) {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error != cudaSuccess || devices == 0)
    return std::cerr << "no CUDA device: " << cudaGetErrorString(error) << "\n", 2;
  return doctest::Context(argc, argv).run();
}
