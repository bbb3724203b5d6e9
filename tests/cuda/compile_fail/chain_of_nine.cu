// SPDX-License-Identifier: MIT
// wrong: transform: a chain has at most 8 steps
#include <hone/hone.cuh>

void chain_of_nine(hone::cuda& gpu, hone::device_list<float> const& gradients) {
  const auto clip = hone::clip_by_norm(1);
#ifdef WRONG
  const auto steps = hone::chain(clip, clip, clip, clip, clip, clip, clip, clip, clip);
#else
  const auto steps = hone::chain(clip, clip, clip, clip, clip, clip, clip, clip);
#endif
  hone::transform(gpu, steps, gradients);
}
