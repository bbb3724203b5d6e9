// SPDX-License-Identifier: MIT
// The kernels whose instructions budgets.py counts, as a caller gets them: by the public verbs. It is compiled to
// device code only, and never run.
#include <hone/hone.cuh>

#include <cuda_bf16.h>

namespace budgets {

/// Cross entropy against smoothed labels: every kernel of rows.
template <class T>
void rows(hone::cuda& gpu, hone::matrix_view<const T> z, std::span<int const> labels, hone::matrix_view<T> gradient,
          float* value) {
  hone::evaluate(gpu, hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)), z,
                 {.gradient = gradient, .value = value});
}
template void rows(hone::cuda&, hone::matrix_view<const float>, std::span<int const>, hone::matrix_view<float>, float*);
template void rows(hone::cuda&, hone::matrix_view<const __nv_bfloat16>, std::span<int const>,
                   hone::matrix_view<__nv_bfloat16>, float*);

template <class T>
void elements(hone::cuda& gpu, hone::matrix_view<const T> z, hone::matrix_view<const T> targets,
              hone::matrix_view<T> gradient, float* value) {
  const hone::outputs<T> out{.gradient = gradient, .value = value};
  hone::evaluate(gpu, hone::binary_cross_entropy(targets), z, out);
  hone::evaluate(gpu, hone::sigmoid_focal_loss(targets), z, out);
}
template void elements(hone::cuda&, hone::matrix_view<const float>, hone::matrix_view<const float>,
                       hone::matrix_view<float>, float*);
template void elements(hone::cuda&, hone::matrix_view<const __nv_bfloat16>, hone::matrix_view<const __nv_bfloat16>,
                       hone::matrix_view<__nv_bfloat16>, float*);

void boxes(hone::cuda& gpu, hone::matrix_view<const float> b, hone::matrix_view<const float> targets,
           hone::matrix_view<float> gradient, float* value) {
  hone::evaluate(gpu, hone::ciou_loss(targets), b, {.gradient = gradient, .value = value});
}

void lists(hone::cuda& gpu, hone::device_list<float> const& gradients, hone::device_list<__nv_bfloat16> const& narrow,
           hone::device_report& report, hone::device_ema_state<float>& shadow) {
  hone::measure(gpu, hone::clip_by_global_norm(1), gradients, report);
  hone::measure(gpu, hone::clip_by_global_norm(1), narrow, report);
  hone::transform(gpu, hone::clip_by_global_norm(1), gradients, &report);
  hone::update(gpu, hone::ema{.decay = 0.99}, shadow, gradients);
}

}  // namespace budgets
