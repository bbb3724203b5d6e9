// SPDX-License-Identifier: MIT
// The examples of docs/mixing.md.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <cstdint>
#include <vector>

int main() {
  const hone::index n = 6, height = 4, width = 5, features = 3 * height * width, classes = 10;
  std::vector<float> pixels(std::size_t(n * features)), mixed_pixels(pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i % 17);
  const std::vector<int> labels{0, 3, 5, 9, 1, 3};
  const std::vector<float> numbers(std::size_t(n * classes), 0.5f);
  std::vector<float> gradient(numbers.size());
  const hone::index seed = 1, step = 100;
  const hone::matrix_view images{pixels.data(), n, features}, mixed{mixed_pixels.data(), n, features};
  const hone::matrix_view logits{numbers.data(), n, classes};

  // [step]
  const hone::cpu cpu;
  const auto draw = hone::mixup{.alpha = 0.2}.draw(seed, step, n);
  hone::blend(cpu, draw, images, mixed);
  // … logits = network(mixed) …
  const auto target =
      hone::smooth(hone::mix(hone::classes(labels), hone::partner_classes(labels, draw.partner), draw.lambda), 0.1);
  const double loss =
      hone::evaluate(cpu, hone::cross_entropy(target), logits, {.gradient = {gradient.data(), n, classes}});
  // [/step]
  expect(loss, std::log(10.0), "the loss of equal logits");
  {
    // [binary]
    const double binary =
        hone::evaluate(cpu, hone::binary_cross_entropy(target), logits, {.gradient = {gradient.data(), n, classes}});
    // [/binary]
    expect(binary, std::log1p(std::exp(0.5)) - 0.5 / 10, "binary cross entropy of equal logits");
  }
  const auto first = std::size_t(draw.partner[0]) * std::size_t(features);
  expect(static_cast<double>(mixed_pixels[1]),
         static_cast<double>(draw.lambda[0] * pixels[1] + (1 - draw.lambda[0]) * pixels[first + 1]), "a mixed pixel");

  // [cutmix]
  const auto cut = hone::cutmix{.alpha = 1.0}.draw(seed, step, n, height, width);
  hone::blend(cpu, cut, images, mixed);
  // [/cutmix]
  const hone::pixel_box box = cut.boxes[0];
  expect(static_cast<double>(cut.lambda[0]), 1 - static_cast<double>(box.area()) / 20, "what stays of an image");

  // [both]
  const hone::mixup_or_cutmix policy{
      .mixup_alpha = 0.8, .cutmix_alpha = 1.0, .probability = 1, .switch_probability = 0.5};
  const auto either = policy.draw(seed, step, n, height, width);
  hone::blend(cpu, either, images, mixed);
  // [/both]
  expect(either.cut.size() == 6, "which of the two");

  // [in_place]
  const auto pairs = hone::mixup{.alpha = 0.2, .per = hone::pair}.draw(seed, step, n);
  hone::blend(cpu, pairs, images, images);
  // [/in_place]

  // [bytes]
  std::vector<std::uint8_t> bytes(pixels.size(), 200), mixed_bytes(bytes.size());
  hone::blend(cpu, draw, hone::matrix_view{bytes.data(), n, features},
              hone::matrix_view{mixed_bytes.data(), n, features});
  // [/bytes]
  expect(mixed_bytes == bytes, "equal bytes");

  // [detections]
  hone::detections<float> of{
      .boxes = {10, 10, 30, 40, 5, 5, 9, 9}, .classes = {3, 7}, .scores = {}, .first = {0, 1, 2}};
  const auto two = hone::mixup{.alpha = 1.5}.draw(seed, step, 2);
  const auto boxes = hone::mix_detections(two, of);  // each image has two boxes now, with scores λ and 1-λ
  // [/detections]
  expect(boxes.classes == std::vector<hone::index>{3, 7, 7, 3}, "classes of both images");
  expect(static_cast<double>(boxes.scores[1]), 1 - static_cast<double>(two.lambda[0]), "the partner's score");
  return failures;
}
