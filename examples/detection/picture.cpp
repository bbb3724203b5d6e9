// SPDX-License-Identifier: MIT
#include "picture.hpp"

#include "png.hpp"
#include "text.hpp"

namespace detection {
namespace {

std::string rectangle_of(const rectangle& b, const char* style, const std::string& said) {
  return demo::format("<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">", style, b.x1, b.y1,
                      b.x2 - b.x1, b.y2 - b.y1) +
         "<title>" + demo::escaped(said) + "</title></rect>";
}

}  // namespace

std::string picture(const scene& scene, const std::vector<detected>& found, const std::vector<std::string>& classes,
                    double least_score) {
  const auto name = [&](int label) { return classes[static_cast<std::size_t>(label)]; };
  const int w = scene.image.width, h = scene.image.height;
  std::string out =
      demo::format("<svg class=\"scene\" viewBox=\"0 0 %d %d\"><image width=\"%d\" height=\"%d\" href=\"", w, h, w, h) +
      "data:image/png;base64," + demo::base64(demo::png(scene.image)) + "\"/>";
  for (const truth& t : scene.truths) out += rectangle_of(t.box, "truth", name(t.label) + (t.crowd ? " (crowd)" : ""));
  for (const detected& d : found)
    if (d.score >= least_score) {
      out += rectangle_of(d.box, "found", name(d.label) + demo::format(", score %.2f", d.score));
      out += demo::format("<text x=\"%.1f\" y=\"%.1f\">", d.box.x1 + 1, d.box.y1 > 6 ? d.box.y1 - 1 : d.box.y1 + 5) +
             demo::escaped(name(d.label)) + "</text>";
    }
  return out + "</svg>\n";
}

}  // namespace detection
