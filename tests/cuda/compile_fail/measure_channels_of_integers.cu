// SPDX-License-Identifier: MIT
// wrong: measure_channels: x must be of float, double or a 16-bit type
#include <hone/hone.cuh>

#include <span>

#ifdef WRONG
using number = unsigned char;
#else
using number = const float;
#endif

void measure_channels_of_integers(hone::cuda& gpu, hone::image_view<number> x, std::span<hone::channel_statistics> to) {
  hone::measure_channels(gpu, x, to);
}
