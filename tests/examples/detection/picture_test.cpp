// SPDX-License-Identifier: MIT
#include "picture.hpp"
#include "png.hpp"

#include <doctest/doctest.h>

#include <zlib.h>

using namespace detection;
using demo::base64;
using demo::png;

TEST_CASE("base64 matches the examples of the RFC") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
}

TEST_CASE("a PNG has the right size, pixels and checksums") {
  const demo::grey_image image{3, 2, {0, 10, 255, 7, 8, 9}};
  const std::string file = png(image);
  const auto number = [&](std::size_t at) {
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < 4; ++i) n = n << 8 | static_cast<std::uint8_t>(file.at(at + i));
    return n;
  };
  REQUIRE(file.starts_with("\x89PNG\r\n\x1a\n"));
  std::string kinds, pixels(8, ' ');
  for (std::size_t at = 8; at < file.size();) {
    const std::uint32_t size = number(at);
    const std::string body = file.substr(at + 4, 4 + size), kind = body.substr(0, 4);
    CHECK(number(at + 8 + size) ==
          crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
    kinds += kind;
    if (kind == "IHDR") CHECK((number(at + 8) == 3 && number(at + 12) == 2));
    if (kind == "IDAT") {
      uLongf length = pixels.size();
      CHECK(uncompress(reinterpret_cast<Bytef*>(pixels.data()), &length,
                       reinterpret_cast<const Bytef*>(body.data() + 4), size) == Z_OK);
      CHECK(length == 8);
    }
    at += 12 + size;
  }
  CHECK(kinds == "IHDRIDATIEND");
  CHECK(pixels == std::string("\0\0\x0a\xff\0\x07\x08\x09", 8));
}

TEST_CASE("a picture shows boxes above the least score, and escapes names") {
  const scene s{{2, 1, {0, 255}}, {{{0, 0, 1, 1}, 0}}};
  const std::string svg = picture(s, {{{0, 0, 2, 1}, 1, 0.9}, {{1, 0, 2, 1}, 1, 0.2}}, {"a", "b<c"}, 0.5);
  CHECK(svg.find("class=\"truth\"") != std::string::npos);
  CHECK(svg.find("b&lt;c, score 0.90") != std::string::npos);
  CHECK(svg.find("0.20") == std::string::npos);
  CHECK(svg.find("data:image/png;base64,iVBORw0KGgo") != std::string::npos);
}
