// SPDX-License-Identifier: MIT
// wrong: transform: on CUDA adaptive_clip must be prepared as a hone::device_adaptive_clip
#include <hone/hone.cuh>

void adaptive_clip_not_prepared(hone::cuda& gpu, hone::tensor_list<float> const& parameters,
                                hone::device_list<float> const& gradients) {
  const auto clip = hone::adaptive_clip(parameters);
#ifdef WRONG
  hone::transform(gpu, clip, gradients);
#else
  const hone::device_adaptive_clip units(gpu, clip);
  hone::transform(gpu, units.step(), gradients);
#endif
}
