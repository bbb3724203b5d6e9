// SPDX-License-Identifier: MIT
#include "png.hpp"

#include <zlib.h>

#include <stdexcept>

namespace demo {
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

/// Of one byte per pixel; `kind` is PNG's colour type, `palette` a chunk or nothing.
std::string file_of(const grey_image& image, char kind, const std::string& palette) {
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
                             big_endian(static_cast<unsigned long>(image.height)) + '\x08' + kind +
                             std::string(3, '\0');  // 8 bits
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + palette + chunk("IDAT", packed) + chunk("IEND", {});
}

}  // namespace

std::string png(const grey_image& image) { return file_of(image, 0, {}); }

std::string png(const grey_image& image, std::span<const colour> palette) {
  std::string colours;
  for (const colour& c : palette)
    for (const std::uint8_t part : c) colours += static_cast<char>(part);
  return file_of(image, 3, chunk("PLTE", colours));
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

}  // namespace demo
