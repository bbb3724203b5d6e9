// SPDX-License-Identifier: MIT
#include "drawing.hpp"
#include "pictures.hpp"
#include "png.hpp"

#include <hone/cpu.hpp>
#include <hone/policies.hpp>

#include <sstream>
#include <stdexcept>

namespace pictures {

std::string mixed_samples(const demo::image_set& images) {
  constexpr hone::index count = 8, pixels = demo::image_pixels, side = demo::image_side;
  const hone::cpu cpu(1);
  const hone::index seed = 3, step = 1;
  std::vector<std::uint8_t> mixed(static_cast<std::size_t>(count * pixels)), cut(mixed.size());
  const hone::matrix_view<const std::uint8_t> from{images.pixels.data(), count, pixels};
  const auto mixup = hone::mixup{.alpha = 1, .per = hone::sample}.draw(seed, step, count);
  hone::blend(cpu, mixup, from, hone::matrix_view{mixed.data(), count, pixels});
  const auto cutmix = hone::cutmix{.alpha = 1, .per = hone::sample}.draw(seed, step, count, side, side);
  hone::blend(cpu, cutmix, from, hone::matrix_view{cut.data(), count, pixels});

  constexpr double size = 72, step_x = 80, left = 76;
  drawing d(720, 420, "Images of Fashion-MNIST, mixed");
  const auto row = [&](double y, const char* name, const std::vector<std::uint8_t>& all, const auto& index,
                       const auto& says) {
    d.text(left - 8, y + size / 2 + 4, "end", name, "title");
    for (hone::index i = 0; i < count; ++i) {
      const auto begin = all.begin() + index(i) * pixels;
      const demo::grey_image image{side, side, std::vector<std::uint8_t>(begin, begin + pixels)};
      const double x = left + step_x * static_cast<double>(i);
      d.raw(format("<image x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" href=\"data:image/png;base64,", x, y,
                   size, size) +
            demo::base64(demo::png(image)) + "\"/>\n");
      d.text(x + size / 2, y + size + 14, "middle", says(i));
    }
  };
  const auto own = [](hone::index i) { return i; };
  const auto share = [](const auto& draw) {
    return [&](hone::index i) {
      return format("λ = %.2f", static_cast<double>(draw.lambda[static_cast<std::size_t>(i)]));
    };
  };
  row(10, "image", images.pixels, own, [](hone::index) { return std::string(); });
  row(
      106, "partner", images.pixels, [&](hone::index i) { return mixup.partner[static_cast<std::size_t>(i)]; },
      [](hone::index) { return std::string(); });
  row(206, "mixup", mixed, own, share(mixup));
  row(312, "cutmix", cut, own, share(cutmix));
  return d.svg();
}

std::string ladder(const std::string& page) {
  struct rung {
    std::string name;
    double mean, deviation;
  };
  std::vector<rung> demo_rungs, residual;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| rung | demo | change | p | residual |"))
      inside = true;
    else if (inside && line.empty())
      break;
    if (!inside) continue;
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
    const auto add = [&](std::vector<rung>& to, std::size_t column) {
      double mean = 0, deviation = 0;
      if (cells.size() > column && std::sscanf(cells[column].c_str(), " %lf ± %lf", &mean, &deviation) == 2)
        to.push_back({cells[1].substr(1, cells[1].size() - 2), mean, deviation});
    };
    add(demo_rungs, 2);
    add(residual, 5);
  }
  if (demo_rungs.empty() || residual.empty()) throw std::runtime_error("ladder: the page has no table of rungs");
  drawing d(720, 300, "Test error of the ladder's rungs");
  const auto draw = [&](const panel& p, const char* title, const std::vector<rung>& rungs, double step, bool named) {
    d.axes(p, title, ticks(p.x_low, p.x_high, step), {}, "test error, %, mean and standard deviation");
    const double first = rungs.front().mean;
    d.line("c0 dashed", {p.px(first), p.top}, {p.px(first), p.top + p.height});
    for (std::size_t i = 0; i < rungs.size(); ++i) {
      const rung& r = rungs[i];
      const double y = p.top + 14 + 26 * static_cast<double>(i);
      if (named) d.text(p.left - 10, y + 4, "end", r.name);
      d.line("c1", {p.px(r.mean - r.deviation), y}, {p.px(r.mean + r.deviation), y});
      d.circle("f1", {p.px(r.mean), y}, 4);
    }
  };
  draw({120, 30, 270, 212, 8.8, 11, 0, 1}, "demo", demo_rungs, 0.5, false);
  draw({430, 30, 275, 212, 8, 19, 0, 1}, "residual", residual, 2, false);
  for (std::size_t i = 0; i < residual.size(); ++i)
    d.text(110, 30 + 18 + 26 * static_cast<double>(i), "end", residual[i].name);
  return d.svg();
}

}  // namespace pictures
