// SPDX-License-Identifier: MIT
#include "picture.hpp"

#include "text.hpp"

#include <zlib.h>

#include <stdexcept>

namespace detection {
namespace {

std::string big_endian(unsigned long number) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

const Bytef* bytes_of(const std::string& text) { return reinterpret_cast<const Bytef*>(text.data()); }

std::string chunk(const std::string& kind, const std::string& data) {
  const std::string body = kind + data;
  return big_endian(data.size()) + body +
         big_endian(crc32(crc32(0, nullptr, 0), bytes_of(body), static_cast<uInt>(body.size())));
}

std::string rectangle_of(const rectangle& b, const char* style, const std::string& said) {
  return demo::format("<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">", style, b.x1, b.y1,
                      b.x2 - b.x1, b.y2 - b.y1) +
         "<title>" + demo::escaped(said) + "</title></rect>";
}

}  // namespace

std::string png(const demo::grey_image& image) {
  std::string lines;
  for (int y = 0; y < image.height; ++y) {
    lines += '\0';  // no filter
    for (int x = 0; x < image.width; ++x) lines += static_cast<char>(image.at(x, y));
  }
  uLongf size = compressBound(static_cast<uLong>(lines.size()));
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, bytes_of(lines), static_cast<uLong>(lines.size()), 9) !=
      Z_OK)
    throw std::runtime_error("png: zlib could not compress");
  packed.resize(size);
  const std::string header = big_endian(static_cast<unsigned long>(image.width)) +
                             big_endian(static_cast<unsigned long>(image.height)) +
                             std::string("\x08\0\0\0\0", 5);  // 8 bits, grey
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", packed) + chunk("IEND", {});
}

std::string base64(const std::string& bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < bytes.size() ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? digits[three >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string picture(const scene& scene, const std::vector<detected>& found, const std::vector<std::string>& classes,
                    double least_score) {
  const auto name = [&](int label) { return classes[static_cast<std::size_t>(label)]; };
  const int w = scene.image.width, h = scene.image.height;
  std::string out =
      demo::format("<svg class=\"scene\" viewBox=\"0 0 %d %d\"><image width=\"%d\" height=\"%d\" href=\"", w, h, w, h) +
      "data:image/png;base64," + base64(png(scene.image)) + "\"/>";
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
