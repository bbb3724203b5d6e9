// SPDX-License-Identifier: MIT
// The examples of docs/structure.md.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

int main() {
  constexpr int n = 2, c = 16, height = 7, width = 5, pixels = height * width;
  constexpr auto size = std::size_t(n * c * pixels);
  std::vector<float> of_x(size, 2), of_shortcut(size, -1), of_y(size), of_dy(size, 1), of_dx(size), of_dshortcut(size);
  std::vector<float> mean(n * c), gates(n * c), dgates(n * c);
  const hone::cpu cpu;

  // [planes]
  const hone::image_view x{of_x.data(), n, c, height, width}, y{of_y.data(), n, c, height, width};
  const hone::image_view shortcut{of_shortcut.data(), n, c, height, width};
  hone::reduce_planes(cpu, hone::plane_mean, x, {mean.data(), n, c});
  hone::scale_planes(cpu, hone::sigmoid_gate, x, {gates.data(), n, c}, y,
                     {.residual = shortcut, .activation = hone::relu});
  // [/planes]
  expect(mean[3], 2, "the mean");
  expect(of_y[5], 0, "2 σ(0) - 1");

  const hone::image_view dy{of_dy.data(), n, c, height, width}, dx{of_dx.data(), n, c, height, width};
  const hone::image_view dshortcut{of_dshortcut.data(), n, c, height, width};
  std::ranges::fill(gates, 1.0f);
  // [planes_backward]
  hone::scale_planes_backward(cpu, hone::sigmoid_gate, x, {gates.data(), n, c}, dy, dx, {dgates.data(), n, c},
                              {.residual = shortcut, .activation = hone::relu, .dresidual = dshortcut});
  // [/planes_backward]
  const double p = 1 / (1 + std::exp(-1.0));
  expect(of_dx[7], p, "dx");
  expect(of_dshortcut[7], 1, "dresidual");
  expect(dgates[3], 2 * pixels * p * (1 - p), "de");

  // [squeeze_excite]
  const hone::index r = hone::squeeze_excite_width(c);  // 8: 1/16 of the channels, in multiples of 8
  std::vector<float> w1(std::size_t(r * c)), b1(static_cast<std::size_t>(r)), w2(std::size_t(c * r)), b2(c);
  std::vector<float> kept(std::size_t(n * 2 * (c + r)));  // for the backward pass
  const hone::recalibration_numbers<float> numbers{.squeezed = {kept.data(), n, c},
                                                   .excited = {kept.data() + n * c, n, c},
                                                   .hidden = {kept.data() + 2 * n * c, n, r},
                                                   .activated = {kept.data() + 2 * n * c + n * r, n, r}};
  const hone::squeeze_excite<float> branch{
      .reduce = {w1.data(), r, c}, .reduce_bias = b1, .expand = {w2.data(), c, r}, .expand_bias = b2};
  hone::recalibrate(cpu, branch, x, y, numbers, {.residual = shortcut, .activation = hone::relu});
  // [/squeeze_excite]
  expect(of_y[5], 0, "2 σ(0) - 1 again");
  expect(static_cast<double>(hone::parameters_of(branch)), static_cast<double>(2 * r * c + r + c), "its parameters");

  std::vector<float> d1(w1), e1(b1), d2(w2), e2(b2), room(kept);
  const hone::recalibration_numbers<float> scratch{{room.data(), n, c},
                                                   {room.data() + n * c, n, c},
                                                   {room.data() + 2 * n * c, n, r},
                                                   {room.data() + 2 * n * c + n * r, n, r}};
  // [squeeze_excite_backward]
  const hone::squeeze_excite<float> gradients{
      .reduce = {d1.data(), r, c}, .reduce_bias = e1, .expand = {d2.data(), c, r}, .expand_bias = e2};
  hone::recalibrate_backward(cpu, branch, x, dy, numbers, dx, gradients, scratch,
                             {.residual = shortcut, .activation = hone::relu, .dresidual = dshortcut});
  // [/squeeze_excite_backward]
  expect(e2[3], 0, "no gradient, because every sum is 0 before relu");

  // [efficient]
  std::vector<float> kernel(std::size_t(hone::efficient_channel_attention_size(c)), 1.0f);  // 3 numbers
  hone::recalibrate(cpu, hone::efficient_channel_attention<const float>{.kernel = kernel}, x, y, numbers);
  // [/efficient]
  expect(of_y[size - 1], 2 / (1 + std::exp(-4.0)), "the last channel has one neighbour");

  constexpr int kernel_size = 7;
  std::vector<float> mean_and_max(n * 2 * c), of_reduced(n * 2 * pixels), of_first(n * pixels),
      of_pixels(n * pixels, 3);
  std::vector<float> of_dpixels(of_pixels), of_dreduced(of_reduced), of_z(size), of_dz(size);
  const hone::image_view z{of_z.data(), n, c, height, width}, dz{of_dz.data(), n, c, height, width};
  // [attention_parts]
  hone::reduce_planes(cpu, hone::plane_mean_and_max, x, {mean_and_max.data(), n, 2 * c});
  // your products make the gates of the planes from mean_and_max
  hone::scale_planes(cpu, hone::sigmoid_gate, x, {gates.data(), n, c}, z);
  const hone::image_view reduced{of_reduced.data(), n, 2, height, width};
  const hone::matrix_view first{of_first.data(), n, pixels}, e{of_pixels.data(), n, pixels};
  hone::reduce_pixels(cpu, z, reduced, first);
  // your convolution from 2 channels to 1, and its normalisation, make e from reduced
  hone::scale_pixels(cpu, hone::sigmoid_gate, z, e, y, {.residual = shortcut, .activation = hone::relu});
  // [/attention_parts]
  expect(mean_and_max[c], 2, "a maximum");
  expect(of_reduced[pixels], 2 * p, "the maximum over the channels");
  const double q = 1 / (1 + std::exp(-3.0));
  expect(of_y[0], 2 * p * q - 1, "z σ(3) - 1");

  const hone::matrix_view de{of_dpixels.data(), n, pixels};
  const hone::image_view dreduced{of_dreduced.data(), n, 2, height, width};
  // [attention_parts_backward]
  const hone::image_view<float> none;
  hone::scale_pixels_backward(cpu, hone::sigmoid_gate, z, e, dy, none, de,
                              {.residual = shortcut, .activation = hone::relu, .dresidual = dshortcut});
  // your normalisation and convolution, backward: de to dreduced
  hone::scale_pixels_backward(cpu, hone::sigmoid_gate, z, e, dshortcut, dz, {}, {.dreduced = dreduced, .first = first});
  // [/attention_parts_backward]
  expect(of_dz[0], q, "dz");
  expect(of_dpixels[0], 2 * p * c * q * (1 - q), "de of a pixel");

  std::vector<float> reduce(c), expand(c), kernel_of(2 * kernel_size * kernel_size), dreduce(c), dexpand(c),
      dkernel(kernel_of);
  // [cbam]
  constexpr int squeezed = 1;  // squeeze_excite_width(c, 1.0 / 16, 1)
  const hone::index count = hone::cbam_numbers<float>::size(n, c, squeezed, pixels);
  std::vector<float> kept_numbers(std::size_t(count), 0.0f), scratch_numbers(kept_numbers);
  const auto kept_by = hone::cbam_numbers<float>::in(kept_numbers, n, c, squeezed, pixels);  // for the backward pass
  const auto room_for = hone::cbam_numbers<float>::in(scratch_numbers, n, c, squeezed, pixels);
  const hone::cbam<float> attention{
      .reduce = {reduce.data(), squeezed, c}, .expand = {expand.data(), c, squeezed}, .kernel = kernel_of};
  const hone::cbam<float> dattention{
      .reduce = {dreduce.data(), squeezed, c}, .expand = {dexpand.data(), c, squeezed}, .kernel = dkernel};
  hone::attend(cpu, attention, x, {height, width}, y, kept_by, {.residual = shortcut, .activation = hone::relu});
  hone::attend_backward(cpu, attention, x, {height, width}, dy, kept_by, dx, dattention, room_for,
                        {.residual = shortcut, .activation = hone::relu, .dresidual = dshortcut});
  // [/cbam]
  expect(of_y[5], 0, "2 σ(0) σ(0) - 1");
  expect(static_cast<double>(hone::parameters_of(attention)), 2 * c + 98, "its parameters");

  std::vector<float> of_split(2 * size, 3), of_e(n * 2 * c), of_dsplit(2 * size), of_de(n * 2 * c);
  const hone::matrix_view selection{of_e.data(), n, 2 * c}, dselection{of_de.data(), n, 2 * c};
  // [branches]
  const hone::image_view split{of_split.data(), n, 2 * c, height, width};  // of a convolution to 2 c channels
  hone::select_branches(cpu, split, selection, y);
  const hone::image_view<const float> several[] = {x, shortcut};  // or of several convolutions
  hone::select_branches(cpu, several, selection, y);
  // [/branches]
  expect(of_y[5], 0.5, "half of 2 and -1");
  // [branches_backward]
  const hone::image_view dsplit{of_dsplit.data(), n, 2 * c, height, width};
  hone::select_branches_backward(cpu, split, selection, dy, dsplit, dselection);
  // [/branches_backward]
  expect(of_dsplit[5], 0.5, "half of dy");
  expect(of_de[5], 0, "equal branches");

  constexpr int small = 4 * 3;
  std::vector<float> of_pooled(n * c * small);
  // [average_pool]
  const hone::plane_size size_of_x{height, width}, pooled = hone::average_pool_size(size_of_x);  // 4 x 3 of 7 x 5
  const hone::image_view shrunk{of_pooled.data(), n, c, pooled.height, pooled.width};
  hone::average_pool(cpu, x, size_of_x, shrunk);
  hone::average_pool_backward(cpu, shrunk, size_of_x, dx);  // here shrunk stands for the gradient by itself
  // [/average_pool]
  expect(of_pooled[small - 1], 2, "the pool at the border");
  expect(of_dx[34], 2, "the only pixel of its window");
  expect(of_dx[0], 0.5, "one of four pixels");

  constexpr int half_height = 4, half_width = 3;
  std::vector<float> of_blurred(n * c * half_height * half_width);
  // [blur_pool]
  const hone::plane_size halved = hone::blur_pool_size(size_of_x);  // 4 x 3
  const hone::image_view blurred{of_blurred.data(), n, c, halved.height, halved.width};
  hone::blur_pool(cpu, x, size_of_x, blurred);
  hone::blur_pool_backward(cpu, blurred, size_of_x, dx);
  // [/blur_pool]
  expect(of_blurred[5], 2, "a blurred constant");
  expect(of_dx[0], 2 * 0.5 * 0.5, "the weight of a corner, by itself and nothing else");
  return failures;
}
