// SPDX-License-Identifier: MIT
#include "drawing.hpp"
#include "pictures.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>

namespace pictures {

std::string drop_path() {
  constexpr int blocks = 12, shown = 18, many = 4096;
  constexpr double most = 0.4;
  drawing d(720, 310, "Which branches drop path leaves out");
  d.text(40, 20, "start", "branches of 18 samples: filled ones are computed", "title");
  const panel rates{405, 30, 300, 210, 0, blocks - 1, 0, 0.5};
  d.axes(rates, "share of dropped branches", ticks(0, blocks - 1, 1), ticks(0, 0.5, 0.1), "block");
  series rate{"drop_path_rate", 1, {}};
  std::vector<float> factors(many);
  for (int block = 0; block < blocks; ++block) {
    const double wanted = hone::drop_path_rate(most, block, blocks);
    hone::drop_path{.rate = wanted}.draw(1, 0, block, std::span(factors));
    rate.points.push_back({double(block), wanted});
    for (int sample = 0; sample < shown; ++sample) {
      const bool kept = factors[static_cast<std::size_t>(sample)] > 0;
      d.rectangle(kept ? "f2" : "c0 box", 42 + 25.0 * block, 31 + 11.7 * sample, 20, 8);
    }
    d.text(52 + 25.0 * block, 256, "middle", format("%d", block));
    const auto dropped = std::count(factors.begin(), factors.end(), 0.0f);
    d.circle("f2", {rates.px(block), rates.py(double(dropped) / many)}, 4);
  }
  d.text(190, 273, "middle", "block");
  d.curve(rates, rate);
  d.legend(405, 300, {rate, {"of 4096 samples", 2, {}}});
  return d.svg();
}

std::string drop_block() {
  constexpr int plane = 32;
  constexpr double cell = 7;
  drawing d(720, 262, "Masks of drop block");
  const hone::cpu cpu(1);
  double left = 12;
  for (const int size : {1, 3, 7}) {
    const hone::drop_block policy{.rate = 0.25, .size = size};
    std::vector<std::uint8_t> mask(plane * plane);
    std::vector<float> factor(1);
    hone::draw_blocks(cpu, policy, 3, 0, 0, {plane, plane}, hone::image_view{mask.data(), 1, 1, plane, plane},
                      std::span(factor));
    const auto kept = std::accumulate(mask.begin(), mask.end(), 0);
    d.text(left, 18, "start", format("size %d: %.0f %% dropped", size, 100 - 100.0 * kept / (plane * plane)), "title");
    for (int y = 0; y < plane; ++y)
      for (int x = 0, end = 0; x < plane; x = end) {  // runs of equal numbers
        const auto at = [&](int column) { return mask[static_cast<std::size_t>(y * plane + column)]; };
        for (end = x + 1; end < plane && at(end) == at(x); ++end) {
        }
        if (!at(x)) d.rectangle("f1", left + cell * x, 28 + cell * y, cell * (end - x), cell);
      }
    d.rectangle("c0 box", left, 28, cell * plane, cell * plane);
    left += 240;
  }
  return d.svg();
}

std::string gates() {
  std::vector<series> values{{"sigmoid_gate", 1, {}}, {"hard_sigmoid_gate", 2, {}}}, slopes = values;
  for (int i = 0; i <= 160; ++i) {
    const double e = 0.1 * i - 8;
    const auto soft = hone::sigmoid_gate(e), hard = hone::hard_sigmoid_gate(e);
    values[0].points.push_back({e, soft.value});
    values[1].points.push_back({e, hard.value});
    slopes[0].points.push_back({e, soft.grad});
    slopes[1].points.push_back({e, hard.grad});
  }
  // Eight channels of 4 x 4 pixels, whose means are 0.25, 0.5, …, and a branch that suppresses every second one.
  constexpr int channels = 8, width = 2, pixels = 16;
  std::vector<double> x(channels * pixels), y(x.size()), kept(2 * (channels + width));
  for (int i = 0; i < channels * pixels; ++i) x[static_cast<std::size_t>(i)] = 0.25 * (1 + i / pixels);
  std::vector<double> reduce(width * channels), expand(channels * width);
  for (int c = 0; c < channels; ++c) {
    reduce[static_cast<std::size_t>(c)] = c % 2 == 0 ? 0.8 : 0;
    reduce[static_cast<std::size_t>(channels + c)] = c % 2 == 1 ? 0.8 : 0;
    expand[static_cast<std::size_t>(width * c)] = c % 2 == 0 ? 0.5 : -0.5;
    expand[static_cast<std::size_t>(width * c + 1)] = c % 2 == 1 ? -0.5 : 0.1;
  }
  const hone::squeeze_excite<double> branch{.reduce = {reduce.data(), width, channels},
                                            .expand = {expand.data(), channels, width}};
  const hone::recalibration_numbers<double> numbers{.squeezed = {kept.data(), 1, channels},
                                                    .excited = {kept.data() + channels, 1, channels},
                                                    .hidden = {kept.data() + 2 * channels, 1, width},
                                                    .activated = {kept.data() + 2 * channels + width, 1, width}};
  hone::recalibrate(hone::cpu(1), branch, hone::image_view{x.data(), 1, channels, 4, 4},
                    hone::image_view{y.data(), 1, channels, 4, 4}, numbers);
  drawing d(720, 310, "Gates, and channels before and after squeeze-and-excitation");
  const panel a{40, 30, 195, 210, -8, 8, 0, 1}, b{280, 30, 195, 210, -8, 8, 0, 0.3},
      c{515, 30, 195, 210, -0.5, 7.5, 0, 2};
  d.axes(a, "gate", ticks(-8, 8, 4), ticks(0, 1, 0.25), "e");
  d.axes(b, "its derivative", ticks(-8, 8, 4), ticks(0, 0.3, 0.1), "e");
  d.axes(c, "mean of a channel", ticks(0, 7, 1), ticks(0, 2, 0.5), "channel");
  for (const series& s : values) d.curve(a, s);
  for (const series& s : slopes) d.curve(b, s);
  std::vector<point> before, after;
  for (int i = 0; i < channels; ++i) {
    before.push_back({i - 0.2, x[static_cast<std::size_t>(i * pixels)]});
    after.push_back({i + 0.2, y[static_cast<std::size_t>(i * pixels)]});
  }
  d.bars(c, before, 0.36, 0);
  d.bars(c, after, 0.36, 2);
  d.legend(40, 300, {values[0], values[1], {"channel before", 0, {}}, {"channel after", 2, {}}});
  return d.svg();
}

std::string blur_pool() {
  constexpr int columns = 24, rows = 8, first = 8, last = 16;
  const hone::cpu cpu(1);
  std::vector<series> all{{"size 1: every second pixel", 0, {}, true}, {"size 3", 1, {}}, {"size 5", 2, {}, true}};
  const int sizes[] = {1, 3, 5};
  drawing d(720, 310, "What a stride of 2 sees of a line of one pixel");
  const panel a{40, 30, 300, 210, first, last, 0, 1}, b{405, 30, 300, 210, 0, 11, 0, 1};
  d.axes(a, "sum of a row of the result", ticks(first, last, 1), ticks(0, 1, 0.25), "column of the line");
  d.axes(b, "a row of the result, line in column 10", ticks(0, 11, 1), ticks(0, 1, 0.25), "pixel of the result");
  for (std::size_t k = 0; k < all.size(); ++k) {
    const hone::blur_pool_options options{.size = sizes[k]};
    const auto to = hone::blur_pool_size({rows, columns}, options);
    for (int column = first; column <= last; ++column) {
      std::vector<double> x(rows * columns), y(static_cast<std::size_t>(to.height * to.width));
      for (int r = 0; r < rows; ++r) x[static_cast<std::size_t>(r * columns + column)] = 1;
      hone::blur_pool(cpu, hone::image_view{x.data(), 1, 1, rows, columns}, {rows, columns},
                      hone::image_view{y.data(), 1, 1, to.height, to.width}, options);
      const auto row = y.begin() + to.width;
      all[k].points.push_back({double(column), std::accumulate(row, row + to.width, 0.0)});
      if (column != 10) continue;
      series result{all[k].name, all[k].colour, {}, all[k].dashed};
      for (hone::index i = 0; i < to.width; ++i) result.points.push_back({double(i), row[i]});
      d.curve(b, result);
    }
    d.curve(a, all[k]);
  }
  d.legend(40, 300, all);
  return d.svg();
}

std::string deformable_taps() {
  constexpr int side = 11, taps = 9;
  constexpr double cell = 21;
  const hone::cpu cpu(1);
  drawing d(720, 290, "Where a deformable convolution reads");
  constexpr const char* titles[] = {"offsets 0: a plain convolution", "offsets of a turn by 30 degrees",
                                    "the same, 1.8 times as wide"};
  double left = 6;
  for (int k = 0; k < 3; ++k, left += side * cell + 8) {
    std::vector<double> x(side * side), dx(x.size()), dy(x.size()), weight(taps, 1.0), offsets(2 * taps * x.size());
    const auto centre = static_cast<std::size_t>(side / 2 * side + side / 2);
    dy[centre] = 1;
    std::vector<point> places;
    for (int t = 0; t < taps; ++t) {
      const double y0 = t / 3 - 1, x0 = t % 3 - 1, scale = k == 2 ? 1.8 : 1, turn = k == 0 ? 0 : std::acos(-1) / 6;
      const double to_y = scale * (std::cos(turn) * y0 + std::sin(turn) * x0);
      const double to_x = scale * (std::cos(turn) * x0 - std::sin(turn) * y0);
      offsets[static_cast<std::size_t>(2 * t) * x.size() + centre] = to_y - y0;
      offsets[static_cast<std::size_t>(2 * t + 1) * x.size() + centre] = to_x - x0;
      places.push_back({to_x, to_y});
    }
    hone::deform_conv2d_backward(
        cpu, hone::feature_view(x.data(), 1, 1, side, side),
        hone::feature_view(offsets.data(), 1, 2 * taps, side, side), {}, hone::feature_view(weight.data(), 1, 1, 3, 3),
        {.padding = 1}, hone::feature_view(dy.data(), 1, 1, side, side), {.input = {dx.data(), 1, 1, side, side}});
    d.text(left, 18, "start", titles[k], "title");
    for (int i = 0; i < side * side; ++i) {
      const double px = left + cell * (i % side), py = 30 + cell * (i / side), share = dx[static_cast<std::size_t>(i)];
      d.rectangle("c0 box pale", px, py, cell, cell);
      if (share > 0)
        d.raw(format("<rect class=\"f2\" opacity=\"%.2f\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                     std::min(0.9, 0.8 * share), px, py, cell, cell));
    }
    for (const point& p : places)
      d.circle("f1", {left + cell * (side / 2 + 0.5 + p.x), 30 + cell * (side / 2 + 0.5 + p.y)}, 4);
  }
  return d.svg();
}

std::string precise_statistics() {
  // One channel of 4 images of 4 x 4 pixels; numbers are uniform, each image has a mean of its own.
  constexpr int batches = 120, images = 4, pixels = 16;
  const hone::cpu cpu(1);
  std::mt19937_64 random(7);
  const auto unit = [&random] { return static_cast<double>(random() >> 11) * 0x1p-53 - 0.5; };
  std::vector<double> x(images * pixels), mean(1), variance(1, 1.0);
  std::vector<hone::channel_statistics> merged(1);
  std::vector<series> means{{"running, momentum 0.1", 0, {}}, {"channel_statistics, merged", 1, {}}}, variances = means;
  for (int batch = 1; batch <= batches; ++batch) {
    for (std::size_t i = 0; i < images; ++i) {
      const double own = 2 * unit();
      for (std::size_t p = 0; p < pixels; ++p) x[i * pixels + p] = own + 2 * unit();
    }
    const hone::image_view view{x.data(), images, 1, 4, 4};
    std::vector<hone::channel_statistics> now(1);
    hone::measure_channels(cpu, view, now);
    hone::measure_channels(cpu, view, merged);
    hone::update_running<double>(now, mean, variance);
    means[0].points.push_back({double(batch), mean[0]});
    means[1].points.push_back({double(batch), merged[0].mean});
    variances[0].points.push_back({double(batch), variance[0]});
    variances[1].points.push_back({double(batch), merged[0].variance()});
  }
  drawing d(720, 310, "Running and precise statistics of a channel");
  const panel a{40, 30, 300, 210, 0, batches, -0.6, 0.6}, b{405, 30, 300, 210, 0, batches, 0.2, 1};
  d.axes(a, "mean: 0", ticks(0, batches, 30), ticks(-0.6, 0.6, 0.2), "batch");
  d.axes(b, "variance: 2/3", ticks(0, batches, 30), ticks(0.2, 1, 0.2), "batch");
  for (const series& s : means) d.curve(a, s);
  for (const series& s : variances) d.curve(b, s);
  d.legend(40, 300, means);
  return d.svg();
}

}  // namespace pictures
