// SPDX-License-Identifier: MIT
/// Draws of sample mixing on CUDA: drawn by the device, with the same bits as on the host, or copied
/// from the host.
#pragma once

#include <hone/cuda/memory/device_step.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/cuda/samples/device_draw.cuh>
#include <hone/sample/blend.hpp>
#include <hone/sample/mixup_or_cutmix.hpp>

#include <cstring>
#include <new>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

template <class Rows>
__global__ void __launch_bounds__(block_threads)
    draw_kernel(Rows const rows, integer const seed, step_source const step, index const n, drawn_arrays const to) {
  __shared__ alignas(detail::partner_order) unsigned char shared[sizeof(detail::partner_order)];
  auto& order = reinterpret_cast<detail::partner_order&>(shared);
  const detail::random_bits bits(seed, step.pointer ? integer(*step.pointer) : step.value);
  if (threadIdx.x == 0) new (&order) detail::partner_order(bits, n, detail::partners_of(rows.per, rows.with));
  __syncthreads();
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < n; i += index(gridDim.x) * block_threads) {
    const index partner = order.partner_of(i);
    const detail::shared_draw drawn = rows(bits, detail::leader(rows.per, i, partner));
    to.lambda[i] = drawn.lambda;
    to.partner[i] = partner;
    to.order[i] = order.row_at(i);
    to.boxes[i] = drawn.box;
    to.cut[i] = drawn.cut;
  }
}

template <class Rows>
void enqueue_draw(cuda& backend, Rows const& rows, integer seed, step_source step, device_draw& to, index height,
                  index width) {
  using following = drawn_shape::following;
  const auto how = detail::partners_of(rows.per, rows.with);
  to.shape = {how == partners::any     ? following::loose
              : how == partners::pairs ? following::pairs
                                       : following::circles,
              true, height, width};
  if (to.rows() == 0) return;
  const device_of_stream device(backend.placed());
  launch("draw: draw_kernel", draw_kernel<Rows>, {blocks_for(to.rows()), block_threads}, backend.stream(), rows, seed,
         step, to.rows(), to.arrays());
}

}  // namespace on_cuda

/// Fills a draw on the device, with the same bits as policy.draw(seed, step, n, …). The step is an integer, or
/// hone::device_step(pointer). Throws hone::invalid_argument if policy.draw would. Templates, so that only programs
/// that draw compile the kernel; `Rows` is not to be given.
template <class Rows = detail::mixup_rows>
void draw(cuda& backend, mixup const& policy, integer seed, on_cuda::step_source step, device_draw& to) {
  on_cuda::enqueue_draw(backend, Rows(policy, to.rows()), seed, step, to, 0, 0);
}
template <class Rows = detail::cutmix_rows>
void draw(cuda& backend, cutmix const& policy, integer seed, on_cuda::step_source step, device_draw& to, integer height,
          integer width) {
  on_cuda::enqueue_draw(backend, Rows(policy, to.rows(), height, width), seed, step, to, height, width);
}
template <class Rows = detail::mixup_or_cutmix_rows>
void draw(cuda& backend, mixup_or_cutmix const& policy, integer seed, on_cuda::step_source step, device_draw& to,
          integer height, integer width) {
  on_cuda::enqueue_draw(backend, Rows(policy, to.rows(), height, width), seed, step, to, height, width);
}

/// Copies a draw from the host after checking it; may wait for the stream, because the memory is pageable. Throws
/// hone::invalid_argument if it has not as many rows as `to` or holds an invalid λ, row or box, hone::cuda_error if a
/// CUDA call fails or the stream is captured.
template <class Draw>
void copy(cuda& backend, Draw const& from, device_draw& to)
  requires requires { from.partner.data(); }
{
  const index n = to.rows();
  detail::require_draw("copy", from, n);
  backend.placed().require_no_capture("copy: ");
  const detail::drawn_rows rows = detail::rows_of_draw(from);
  std::vector<std::uint8_t> all(std::size_t(n) * on_cuda::drawn_arrays::bytes_per_row), seen(std::size_t(n) + 1);
  const on_cuda::drawn_arrays host(all.data(), n);
  const auto bring = [n]<class T>(T const* numbers, T* place) {
    if (n > 0 && numbers) std::memcpy(place, numbers, std::size_t(n) * sizeof(T));
  };
  bring(rows.boxes, host.boxes);
  bring(rows.partner, host.partner);
  bring(rows.lambda, host.lambda);
  if (rows.boxes && !rows.cut && n > 0) std::memset(host.cut, 1, std::size_t(n));
  bring(rows.cut, host.cut);
  const bool circles = detail::follow_partners(rows.partner, n, host.order, seen.data());
  using following = on_cuda::drawn_shape::following;
  to.shape = {circles ? following::circles : following::loose, true, rows.height, rows.width};
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::check(cudaMemcpyAsync(to.arrays().boxes, all.data(), all.size(), cudaMemcpyHostToDevice, backend.stream()),
                 "cudaMemcpyAsync");
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
