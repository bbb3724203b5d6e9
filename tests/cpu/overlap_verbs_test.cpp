// SPDX-License-Identifier: MIT
// Overlap checks of every input against every output: vectors, images, and functions other than evaluate.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/same_bytes.hpp>

#include <doctest/doctest.h>

#include <Eigen/Core>

#include <span>
#include <string>
#include <vector>

namespace {

/// Calls body with memory that holds 0.5 and 1, and what prepare puts there, and returns what it says of an overlap.
/// Then nothing was written.
template <class Body>
std::string refused(Body const& body, void (*prepare)(std::byte*) = nullptr) {
  std::vector<double> memory(128);
  auto* const floats = reinterpret_cast<float*>(memory.data());
  for (int i = 0; i < 256; ++i) floats[i] = i % 2 ? 1.0f : 0.5f;
  if (prepare) prepare(reinterpret_cast<std::byte*>(memory.data()));
  const std::vector<double> before = memory;
  const std::string said = support::message([&] { body(reinterpret_cast<std::byte*>(memory.data())); });
  if (!said.empty()) CHECK(support::same_bytes(before.data(), memory.data(), 1024));
  return said.find("overlap") != std::string::npos ? said : "";
}
template <class T>
T* at(std::byte* memory, hone::index byte) {
  return reinterpret_cast<T*>(memory + byte);
}

/// 4 rows of 3 logits at the front, of which the gradient is a copy elsewhere.
template <class Objective>
void evaluate(std::byte* m, Objective const& o, hone::outputs<float> const& out) {
  const hone::cpu cpu{1};
  hone::evaluate(cpu, o, hone::matrix_view{at<float>(m, 0), 4, 3}, out);
}

/// What reads `bytes` bytes from byte 512 on is refused exactly where an output begins up to so many bytes behind.
template <class Make>
void held_apart(const char* name, hone::index bytes, Make const& make) {
  CAPTURE(name);
  constexpr hone::index losses = hone::elementwise<decltype(make(nullptr))> ? 48 : 16;
  const auto prepare = +[](std::byte* m) { (void)Make()(m); };
  for (hone::index begin = 400; begin <= 600; begin += 4) {
    CAPTURE(begin);
    const auto meets = [&](hone::index width) { return begin < 512 + bytes && 512 < begin + width; };
    const auto expect = [&](const char* output, hone::index width, std::string const& said) {
      CAPTURE(output);
      CHECK(said.empty() == !meets(width));
      if (!said.empty()) CHECK_MESSAGE(said.find("evaluate: " + std::string(output) + " and " + name) == 0, said);
    };
    expect("gradient", 48,
           refused([&](std::byte* m) { evaluate(m, make(m), {.gradient = {at<float>(m, begin), 4, 3}}); }, prepare));
    expect("unreduced", losses,
           refused([&](std::byte* m) { evaluate(m, make(m), {.unreduced = at<float>(m, begin)}); }, prepare));
    expect("value", 4, refused([&](std::byte* m) { evaluate(m, make(m), {.value = at<float>(m, begin)}); }, prepare));
  }
}

const std::vector<int> labels{0, 1, 2, 0};
const std::vector<hone::index> partners{1, 0, 3, 2};

}  // namespace

TEST_CASE("labels, partners and weights that share memory with an output throw") {
  using hone::classes, hone::cross_entropy, hone::mix;
  held_apart("labels", 16, [](std::byte* m) {
    for (int i = 0; i < 4; ++i) at<int>(m, 512)[i] = labels[std::size_t(i)];
    return hone::binary_cross_entropy(classes(std::span(at<int>(m, 512), 4)));
  });
  held_apart("labels", 32, [](std::byte* m) {
    for (int i = 0; i < 4; ++i) at<hone::index>(m, 512)[i] = labels[std::size_t(i)];
    return cross_entropy(hone::smooth(classes(std::span(at<hone::index>(m, 512), 4)), 0.1));
  });
  held_apart("labels", 4, [](std::byte* m) {
    for (int i = 0; i < 4; ++i) at<signed char>(m, 512)[i] = static_cast<signed char>(labels[std::size_t(i)]);
    return cross_entropy(hone::partner_classes(std::span(at<signed char>(m, 512), 4), partners));
  });
  held_apart("partners", 32, [](std::byte* m) {
    for (int i = 0; i < 4; ++i) at<hone::index>(m, 512)[i] = partners[std::size_t(i)];
    const auto of_partner = hone::partner_classes(labels, std::span(at<hone::index>(m, 512), 4));
    return hone::softmax_focal_loss(mix(classes(labels), of_partner, 0.5));
  });
  held_apart("mix lambda", 16, [](std::byte* m) {
    return cross_entropy(mix(classes(labels), classes(labels), std::span(at<float>(m, 512), 4)));
  });
  held_apart("weigh_classes weights", 12, [](std::byte* m) {
    return cross_entropy(hone::weigh_classes(classes(labels), std::span(at<float>(m, 512), 3)));
  });
  held_apart("weigh_rows weights", 32, [](std::byte* m) {
    for (int i = 0; i < 4; ++i) at<double>(m, 512)[i] = 0.5;
    return 0.5 * hone::weigh_rows(hone::z_loss(1) + cross_entropy(classes(labels)), std::span(at<double>(m, 512), 4));
  });
  held_apart("two_hot values", 16,
             [](std::byte* m) { return hone::distribution_focal_loss(std::span(at<float>(m, 512), 4)); });
}

TEST_CASE("targets and teachers of other types that share memory with an output throw") {
  held_apart("targets", 96, [](std::byte* m) {
    for (int i = 0; i < 12; ++i) at<double>(m, 512)[i] = 0.5;
    return hone::sigmoid_focal_loss(hone::matrix_view{at<double>(m, 512), 4, 3});
  });
  held_apart("distillation teacher", 24, [](std::byte* m) {
    for (int i = 0; i < 12; ++i) at<Eigen::half>(m, 512)[i] = Eigen::half(i);
    const hone::matrix_view teacher{at<Eigen::half>(m, 512), 4, 3};
    return hone::reverse_distillation(teacher, 2) + hone::z_loss(1);
  });
  held_apart("probabilities", 48, [](std::byte* m) {
    const auto dense = hone::probabilities(hone::matrix_view{at<float>(m, 512), 4, 3});
    return hone::cross_entropy(hone::weigh_classes(hone::smooth(dense, 0.1), hone::numbers(at<float>(m, 128), 3)));
  });
  held_apart("top_k_distillation teacher", 48, [](std::byte* m) {
    for (int i = 0; i < 4; ++i) at<std::int32_t>(m, 512)[i] = labels[std::size_t(i)];
    return hone::top_k_distillation({at<std::int32_t>(m, 512), at<float>(m, 528), at<float>(m, 544), 4, 3, 1});
  });
}

TEST_CASE("images that share memory with an output throw, except for a gradient in place") {
  const hone::cpu cpu{1};
  const auto loss = [&](std::byte* m, hone::index gradient, hone::index targets, hone::index unreduced) {
    const hone::image_view z{at<float>(m, 256), 2, 3, 2};  // 48 bytes
    hone::evaluate(cpu, hone::binary_cross_entropy(hone::image_view{at<float>(m, targets), 2, 3, 2}), z,
                   {.gradient = {at<float>(m, gradient), 2, 3, 2}, .unreduced = at<float>(m, unreduced)});
  };
  for (hone::index by = -60; by <= 60; by += 4) {
    CAPTURE(by);
    const bool meets = by > -48 && by < 48;
    CHECK(refused([&](std::byte* m) { loss(m, 256 + by, 600, 800); }).empty() == (!meets || by == 0));
    CHECK(refused([&](std::byte* m) { loss(m, 400, 400 + by, 800); }).empty() == !meets);
    CHECK(refused([&](std::byte* m) { loss(m, 600, 500, 256 + by); }).empty() == !meets);
    CHECK(refused([&](std::byte* m) { loss(m, 600, 800, 600 + by); }).empty() == !meets);
  }
}

TEST_CASE("functions with one output: an output that shares memory with an input throws") {
  const hone::cpu cpu{1};
  for (hone::index by = -80; by <= 80; by += 4) {
    CAPTURE(by);
    const bool meets = by > -48 && by < 48;  // two matrices of 48 bytes
    const auto boxes = [&](std::byte* m, hone::index byte) {
      return hone::matrix_view{at<const float>(m, byte), 3, 4};
    };
    const auto matrix = [&](std::byte* m, hone::index byte) { return hone::matrix_view{at<float>(m, byte), 4, 3}; };
    CHECK(refused([&](std::byte* m) {
            hone::pairwise_iou(cpu, boxes(m, 256), boxes(m, 600), {at<float>(m, 256 + by), 3, 3});
          }).empty() == !(by > -36 && by < 48));
    CHECK(refused([&](std::byte* m) {
            hone::pairwise_ioa(cpu, boxes(m, 600), boxes(m, 256), {at<float>(m, 256 + by), 3, 3});
          }).empty() == !(by > -36 && by < 48));
    CHECK(refused([&](std::byte* m) {
            hone::fused_confidence(cpu, matrix(m, 256), matrix(m, 600), matrix(m, 256 + by));
          }).empty() == (!meets || by == 0));
    CHECK(refused([&](std::byte* m) {
            hone::fused_confidence(cpu, matrix(m, 600), matrix(m, 256), matrix(m, 256 + by));
          }).empty() == (!meets || by == 0));
    CHECK(refused([&](std::byte* m) {
            hone::average_teachers(cpu, {matrix(m, 600), matrix(m, 256)}, 2, matrix(m, 256 + by));
          }).empty() == (!meets || by == 0));
    CHECK(refused([&](std::byte* m) {
            hone::hard_labels(cpu, matrix(m, 256), std::span(at<int>(m, 256 + by), 4));
          }).empty() == !(by > -16 && by < 48));
    CHECK(refused([&](std::byte* m) {
            hone::expected_bin(cpu, matrix(m, 256), std::span(at<float>(m, 256 + by), 4));
          }).empty() == !(by > -16 && by < 48));
    CHECK(refused([&](std::byte* m) {
            hone::blend(cpu, hone::mixup_draw{{1, .5f, 0, 1}, {1, 0, 3, 2}}, matrix(m, 256), matrix(m, 256 + by));
          }).empty() == (!meets || by == 0));
  }
}

TEST_CASE("interleaved columns of one buffer do not count as shared memory") {
  const hone::cpu cpu{1};
  std::vector<float> buffer(48), mixed = buffer;
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = float(i % 7) / 7;
  const auto columns = [&](hone::index from) { return hone::matrix_view<float>{buffer.data() + from, 4, 3, 12}; };
  CHECK_NOTHROW(hone::evaluate(cpu, hone::binary_cross_entropy(columns(3)), columns(0), {.gradient = columns(6)}));
  CHECK_NOTHROW(hone::fused_confidence(cpu, columns(0), columns(3), columns(6)));
  CHECK_NOTHROW(hone::average_teachers(cpu, {columns(0), columns(3)}, 1, columns(6)));
  CHECK_NOTHROW(hone::blend(cpu, hone::mixup_draw{{1, .5f, 0, 1}, {1, 0, 3, 2}}, columns(0), columns(9)));
  CHECK_THROWS_AS(hone::fused_confidence(cpu, columns(0), columns(3), columns(5)), hone::invalid_argument);
}
