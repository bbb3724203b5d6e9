// SPDX-License-Identifier: MIT
// The examples of docs/deformable.md.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <cstddef>
#include <vector>

int main() {
  const hone::index n = 2, channels = 4, height = 6, width = 5, outputs = 3, taps = 9;
  const auto numbers = [](hone::index count, float value) { return std::vector<float>(std::size_t(count), value); };
  const auto pixels = height * width;
  auto x = numbers(n * channels * pixels, 2), dx = x;
  auto offset = numbers(n * 2 * taps * pixels, 0), d_offset = offset;
  auto gate = numbers(n * taps * pixels, 0.5f), d_gate = gate;
  auto w = numbers(outputs * channels * taps, 1), dw = w;
  auto b = numbers(outputs, 3), db = b;
  auto y = numbers(n * outputs * pixels, 0), dy = numbers(n * outputs * pixels, 1);

  // [forward]
  const hone::cpu cpu;
  const hone::feature_view input(x.data(), n, channels, height, width);
  const hone::feature_view offsets(offset.data(), n, 2 * taps, height, width);  // y, x of tap 0, y, x of tap 1, …
  const hone::feature_view mask(gate.data(), n, taps, height, width);           // after its sigmoid; {}: v1
  const hone::feature_view weight(w.data(), outputs, channels, 3, 3);
  const hone::feature_view output(y.data(), n, outputs, height, width);
  hone::deform_conv2d(cpu, input, offsets, mask, weight, {b.data(), 1, outputs}, {.padding = 1}, output);
  // [/forward]
  expect(y[std::size_t(width + 1)], 3 + 0.5 * 2 * 4 * 9, "an inner pixel");
  expect(y[0], 3 + 0.5 * 2 * 4 * 4, "a corner");

  // [backward]
  const hone::feature_view output_gradient(dy.data(), n, outputs, height, width);
  hone::deform_conv2d_backward(cpu, input, offsets, mask, weight, {.padding = 1}, output_gradient,
                               {.input = {dx.data(), n, channels, height, width},
                                .offsets = {d_offset.data(), n, 2 * taps, height, width},
                                .mask = {d_gate.data(), n, taps, height, width},
                                .weight = {dw.data(), outputs, channels, 3, 3},
                                .bias = {db.data(), 1, outputs}});
  // [/backward]
  expect(db[0], double(n * pixels), "the gradient of a bias");
  expect(d_gate[0], 0, "the gradient of a mask outside");
  expect(d_offset[0], 0, "a tap in the corner: x is outside, too");
  expect(d_offset[1 * 2 * std::size_t(pixels)], 0.5 * 2 * 4 * 3, "a tap above the image may move in");

  // [parity]
  const hone::deform_conv_options options =
      hone::parity::torchvision_deform_conv({.stride = 2, .padding = {0, 1, 1, 2}});
  // [/parity]
  expect(options.padding.right == 2 && options.border == hone::deform_border::rightward, "the options");
  return failures;
}
