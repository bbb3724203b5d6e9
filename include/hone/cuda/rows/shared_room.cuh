// SPDX-License-Identifier: MIT
/// The shared memory that a kernel may have for rows on the current device.
#pragma once

#include <hone/cuda/rows/shape.hpp>
#include <hone/cuda/run/error.cuh>
#include <hone/cuda/run/runtime_answers.hpp>

#include <cstddef>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline runtime_answers known_rooms;

/// Allows a kernel of held rows all shared memory of a block of the current device, and returns what is left beside its
/// own arrays.
inline shared_room ask_room(void const* kernel, int device) {
  int block = 0, multiprocessor = 0, reserved = 0;
  for (const auto& [to, attribute] : {std::pair(&block, cudaDevAttrMaxSharedMemoryPerBlockOptin),
                                      std::pair(&multiprocessor, cudaDevAttrMaxSharedMemoryPerMultiprocessor),
                                      std::pair(&reserved, cudaDevAttrReservedSharedMemoryPerBlock)})
    check(cudaDeviceGetAttribute(to, attribute, device), "cudaDeviceGetAttribute");
  cudaFuncAttributes of_kernel{};
  check(cudaFuncGetAttributes(&of_kernel, kernel), "cudaFuncGetAttributes");
  const int own = static_cast<int>(of_kernel.sharedSizeBytes);
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, block - own), "cudaFuncSetAttribute");
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, cudaSharedmemCarveoutMaxShared),
        "cudaFuncSetAttribute");
  shared_room room = room_of_blocks(block, multiprocessor, reserved, own);
  int blocks = 0;  // for which registers may be too few
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads_of(row_kernel::held),
                                                      static_cast<std::size_t>(room.of_two)),
        "cudaOccupancyMaxActiveBlocksPerMultiprocessor");
  if (blocks < 2) room.of_two = 0;
  return room;
}

/// The same, asked at the first call for a kernel and a device.
inline shared_room room_of_kernel(void const* kernel) {
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  constexpr int unit = 16;  // an answer has 16 bits
  const auto part = [&](int number, index shared_room::* which) {
    return index(unit) * known_rooms.find(hash_of(kernel, {device, number}),
                                          [&] { return static_cast<int>(ask_room(kernel, device).*which / unit); });
  };
  return {part(1, &shared_room::alone), part(2, &shared_room::of_two)};
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
