// SPDX-License-Identifier: MIT
// The examples of docs/regularisation.md.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

int main() {
  constexpr int n = 2, c = 16, height = 7, width = 5, pixels = height * width;
  constexpr auto size = std::size_t(n * c * pixels);
  std::vector<float> of_x(size, 2), of_shortcut(size, -1), of_y(size), of_dy(size, 1), of_dx(size);
  const hone::cpu cpu;
  const hone::image_view x{of_x.data(), n, c, height, width}, y{of_y.data(), n, c, height, width};
  const hone::image_view shortcut{of_shortcut.data(), n, c, height, width};
  const hone::image_view dy{of_dy.data(), n, c, height, width}, dx{of_dx.data(), n, c, height, width};

  constexpr int seed = 1, step = 7, block = 3, blocks = 4;
  // [drop_path]
  const hone::drop_path policy{.rate = hone::drop_path_rate(0.2, block, blocks)};
  std::vector<float> factors(n);  // one per sample: 0 or 1.25
  policy.draw(seed, step, block, std::span(factors));
  constexpr int features = c * pixels;  // a sample is scaled as a plane of one image
  hone::scale_planes(cpu, hone::identity_gate, {of_x.data(), 1, n, features}, {factors.data(), 1, n},
                     hone::image_view{of_y.data(), 1, n, features}, {.residual = {of_shortcut.data(), 1, n, features}});
  // [/drop_path]
  expect(of_y[0], 2.0 * static_cast<double>(factors[0]) - 1, "drop path");

  constexpr int layer = 5;
  // [drop_block]
  const hone::drop_block blocks_of{.rate = 0.1, .size = 3};
  std::vector<std::uint8_t> of_mask(size);
  std::vector<float> kept(n);
  const hone::image_view mask{of_mask.data(), n, c, height, width};
  hone::draw_blocks(cpu, blocks_of, seed, step, layer, {height, width}, mask, std::span(kept));
  hone::drop_blocks(cpu, x, mask, kept, y);
  hone::drop_blocks(cpu, dy, mask, kept, dx);  // the backward pass
  // [/drop_block]
  double all = 0;
  for (int i = 0; i < c * pixels; ++i) all += static_cast<double>(of_y[std::size_t(i)]);
  expect(all, 2.0 * c * pixels, "the sum of a sample stays");

  // [layer_scale]
  std::vector<float> gamma(c, static_cast<float>(hone::layer_scale_start(12))), dgamma(c);  // 0.1
  hone::layer_scale(cpu, x, gamma, y, {.residual = shortcut});
  hone::layer_scale_backward(cpu, x, gamma, dy, dx, dgamma);  // the shortcut's gradient is dy

  constexpr int tokens = n * pixels;  // the same for N x T x C
  const hone::matrix_view rows{of_x.data(), tokens, c};
  hone::layer_scale(cpu, rows, gamma, hone::matrix_view{of_y.data(), tokens, c});
  // [/layer_scale]
  expect(of_y[0], 0.2, "layer scale");
  expect(of_dx[0], 0.1, "dx");
  expect(dgamma[3], 2.0 * n * pixels, "dgamma");

  std::vector<float> weight(c * 9, 2), bias(c), scale(c, 2), shift(c, 1), running_mean(c), running_variance(c, 4);
  // [batch_norm]
  std::vector<hone::channel_statistics> statistics(c);
  hone::measure_channels(cpu, x, statistics);  // once per batch: the batches are merged
  hone::fold_batch_norm<float>({.mean = running_mean, .variance = running_variance, .scale = scale, .shift = shift},
                               {weight.data(), c, 9}, bias);
  // [/batch_norm]
  expect(statistics[2].mean, 2, "the mean of a channel");
  expect(statistics[2].unbiased_variance(), 0, "its variance");
  expect(weight[0], 2 * 2 / std::sqrt(4 + 1e-5), "the folded weight");
  expect(bias[0], 1, "the folded bias");

  const std::vector<float> first(size, 1), second(size, 3);
  std::vector<hone::image_view<const float>> batches{{first.data(), n, c, pixels}, {second.data(), n, c, pixels}};
  const auto input_of_norm = [](hone::image_view<const float> batch) { return batch; };
  // [precise]
  std::vector<hone::channel_statistics> precise(c);  // for each layer of batch normalisation
  for (const auto& batch : batches) hone::measure_channels(cpu, input_of_norm(batch), precise);
  hone::store_statistics<float>(precise, running_mean, running_variance);
  // [/precise]
  expect(running_mean[3], 2, "the mean of 1 and 3");
  expect(running_variance[3], 1, "their variance");

  std::vector<float> dscale(c), dshift(c);
  // [frozen]
  const hone::batch_norm_view<float> norm{running_mean, running_variance, scale, shift};
  hone::frozen_batch_norm(cpu, x, norm, y, {.residual = shortcut, .activation = hone::relu});
  hone::frozen_batch_norm_backward(cpu, x, norm, dy, dx, {.scale = dscale, .shift = dshift},
                                   {.residual = shortcut, .activation = hone::relu});
  // [/frozen]
  expect(of_y[0], 0, "(2 - 2) 2 + 1 - 1");
  expect(dshift[3], 0, "the derivative of relu at 0");

  std::vector<float> w(c * 9), used(c * 9), dused(c * 9, 1), dw(c * 9), gain(c, 1), dgain(c);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 9);
  // [weights]
  const hone::weight_standardisation<float> standard{.factor = hone::scaled_standardisation(9), .gain = gain};
  hone::standardise_weights(standard, {w.data(), c, 9}, {used.data(), c, 9});  // before the convolution
  hone::standardise_weights_backward(standard, {w.data(), c, 9}, {dused.data(), c, 9}, {dw.data(), c, 9}, dgain);
  // [/weights]
  expect(used[8], 4 / std::sqrt(60.0 / 9) / 3, "a standardised weight");
  expect(dw[0], 0, "a constant gradient changes nothing");
  return failures;
}
