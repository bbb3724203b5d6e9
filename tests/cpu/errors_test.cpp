// SPDX-License-Identifier: MIT
// Invalid arguments throw hone::invalid_argument with names and values, and nothing is written.
#include <hone/hone.hpp>

#include <support/message.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN(),
             infinity = std::numeric_limits<double>::infinity();
const std::vector<int> labels{0, 1, 2, 0};
const std::vector<float> numbers_of_rows(4, 1);
std::vector<float> numbers(64, 0.25f);

struct call {  // a correct call for 4 rows of 3 classes
  hone::cpu cpu;
  std::vector<float> logits = std::vector<float>(64, 0.5f), out = std::vector<float>(64, 7), losses = out;
  float value = 7;

  void operator()(auto const& objective) { (*this)(objective, {logits.data(), 4, 3}, {out.data(), 4, 3}); }
  void operator()(auto const& objective, hone::matrix_view<float> z, hone::matrix_view<float> g) {
    hone::evaluate(cpu, objective, z, {.gradient = g, .unreduced = losses.data(), .value = &value});
  }
  bool untouched() const { return out == std::vector<float>(64, 7) && losses == out && value == 7; }
};

void refuses(std::string const& text, std::function<void(call&)> const& body) {
  call c;
  CAPTURE(text);
  const std::string said = support::message([&] { body(c); });
  REQUIRE_MESSAGE(!said.empty(), "nothing was thrown");
  CHECK_MESSAGE(said.find(text) != std::string::npos, said);
  CHECK(c.untouched());
}

}  // namespace

TEST_CASE("evaluate: views of the wrong shape, stride or without data throw") {
  const auto o = hone::cross_entropy(hone::classes(labels));
  using view = hone::matrix_view<float>;
  refuses("evaluate: gradient is 3 x 3, prediction is 4 x 3",
          [&](call& c) { c(o, {c.logits.data(), 4, 3}, {c.out.data(), 3, 3}); });
  refuses("evaluate: gradient is 4 x 3 but has no data",
          [&](call& c) { c(o, {c.logits.data(), 4, 3}, view{static_cast<float*>(nullptr), 4, 3}); });
  refuses("evaluate: prediction has a row_stride of 2",
          [&](call& c) { c(o, {c.logits.data(), 4, 3, 2}, {c.out.data(), 4, 3}); });
  refuses("evaluate: prediction is -4 x 3", [&](call& c) { c(o, {c.logits.data(), -4, 3}, {c.out.data(), 4, 3}); });
  refuses("evaluate: prediction is 4 x 3 but has no data",
          [&](call& c) { c(o, view{static_cast<float*>(nullptr), 4, 3}, {c.out.data(), 4, 3}); });
}

TEST_CASE("evaluate: negative sizes and transposed gradients throw") {
  const auto o = hone::cross_entropy(hone::classes(labels));
  refuses("evaluate: prediction is 4 x -3", [&](call& c) { c(o, {c.logits.data(), 4, -3}, {c.out.data(), 4, 3}); });
  refuses("evaluate: prediction has a row_stride of -3",
          [&](call& c) { c(o, {c.logits.data(), 4, 3, -3}, {c.out.data(), 4, 3}); });
  refuses("evaluate: gradient is 3 x 4, prediction is 4 x 3",
          [&](call& c) { c(o, {c.logits.data(), 4, 3}, {c.out.data(), 3, 4}); });
  refuses("evaluate: gradient has a row_stride of 1",
          [&](call& c) { c(o, {c.logits.data(), 4, 3}, {c.out.data(), 4, 3, 1}); });
}

TEST_CASE("evaluate: invalid arguments inside nested targets and sums throw") {
  static const std::vector<int> large{0, 1, 3, 0}, ignored{0, -100, 2, 0};
  static const std::vector<float> bad{0.5f, float(not_a_number), 0.5f, 0.5f};
  const auto good = hone::classes(labels), wrong = hone::classes(large);
  using view = hone::matrix_view<const float>;
  const view no_data{static_cast<const float*>(nullptr), 4, 3};
  const std::string label = "evaluate: the label of row 2 is 3, must be in [0, 3)";
  refuses(label, [&](call& c) { c(hone::z_loss(0.5) + hone::cross_entropy(hone::smooth(wrong, 0.1))); });
  refuses(label, [&](call& c) { c(hone::cross_entropy(hone::mix(good, wrong, 0.5))); });
  refuses(label, [&](call& c) { c(0.5 * hone::weigh_rows(hone::softmax_focal_loss(wrong), numbers_of_rows)); });
  refuses("the label of row 1 is -100", [&](call& c) { c(hone::cross_entropy(hone::classes(ignored))); });
  refuses("mix lambda of row 1 is nan", [&](call& c) { c(hone::cross_entropy(hone::mix(good, good, bad))); });
  refuses("weigh_rows weight of row 1 is nan", [&](call& c) { c(hone::weigh_rows(hone::cross_entropy(good), bad)); });
  refuses("weigh_rows weight of row 1 is nan",
          [&](call& c) { c(hone::weigh_rows(hone::binary_cross_entropy(good), bad)); });
  refuses("smooth: epsilon is 1.5",
          [&](call& c) { c(hone::cross_entropy(hone::smooth(good, 1.5f, hone::leave_one_out))); });
  refuses("evaluate: probabilities is 4 x 3 but has no data",
          [&](call& c) { c(hone::cross_entropy(hone::probabilities(no_data))); });
  refuses("evaluate: probabilities has a row_stride of 2",
          [&](call& c) { c(hone::cross_entropy(hone::probabilities(view{numbers.data(), 4, 3, 2}))); });
  refuses("evaluate: distillation teacher is 4 x 3 but has no data",
          [&](call& c) { c(hone::distillation(no_data, 4)); });
  refuses("evaluate: distillation teacher is 4 x 2",
          [&](call& c) { c(hone::reverse_distillation(view{numbers.data(), 4, 2}, 4)); });
  refuses("evaluate: distillation teacher is 3 x 3",
          [&](call& c) { c(hone::jensen_shannon_distillation(view{numbers.data(), 3, 3}, 4)); });
  refuses("evaluate: distillation teacher is 4 x 2",
          [&](call& c) { c(hone::decoupled_distillation(good, view{numbers.data(), 4, 2}, 4)); });
  refuses(label, [&](call& c) { c(hone::decoupled_distillation(wrong, view{numbers.data(), 4, 3}, 4)); });
  refuses("evaluate: targets is 3 x 3", [&](call& c) { c(hone::binary_cross_entropy(view{numbers.data(), 3, 3})); });
  refuses("evaluate: targets is 4 x 3 but has no data", [&](call& c) { c(hone::quality_focal_loss(no_data)); });
  refuses("varifocal_loss: alpha is nan",
          [&](call& c) { c(hone::varifocal_loss(view{numbers.data(), 4, 3}, {.alpha = not_a_number})); });
}

TEST_CASE("evaluate: invalid labels, λ and weights throw with row or class") {
  static const std::vector<int> few{0, 1, 2}, large{0, 1, 3, 0}, negative{0, 1, -1, 0};
  static const std::vector<float> three{1, 1, 1}, beyond{0.5f, 1.5f, 0.5f, 0.5f}, bad{1, float(not_a_number), 1};
  const auto target = hone::classes(labels);
  refuses("evaluate: 3 labels for 4 rows", [&](call& c) { c(hone::cross_entropy(hone::classes(few))); });
  refuses("evaluate: the label of row 2 is 3, must be in [0, 3)",
          [&](call& c) { c(hone::cross_entropy(hone::classes(large))); });
  refuses("the label of row 2 is -1",
          [&](call& c) { c(hone::softmax_focal_loss(hone::classes(negative, {.ignore = -100}))); });
  refuses("mix lambda of row 1 is 1.5", [&](call& c) { c(hone::cross_entropy(hone::mix(target, target, beyond))); });
  refuses("evaluate: 3 mix lambdas for 4 rows",
          [&](call& c) { c(hone::cross_entropy(hone::mix(target, target, three))); });
  refuses("weigh_classes weight of class 1 is nan",
          [&](call& c) { c(hone::cross_entropy(hone::weigh_classes(target, bad))); });
  refuses("evaluate: 4 ldam_loss margins for 3 classes",
          [&](call& c) { c(hone::ldam_loss(target, std::span(numbers).first(4))); });
  refuses("ldam_loss margin of class 1 is nan", [&](call& c) { c(hone::ldam_loss(target, bad)); });
  refuses("the label of row 2 is 3", [&](call& c) { c(hone::ldam_loss(hone::classes(large), three)); });
  refuses("evaluate: 4 weigh_classes weights for 3",
          [&](call& c) { c(hone::cross_entropy(hone::weigh_classes(target, beyond))); });
  refuses("evaluate: 3 weigh_rows weights for 4 rows",
          [&](call& c) { c(hone::weigh_rows(hone::cross_entropy(target), three)); });
  refuses("evaluate: 3 labels for 4 rows", [&](call& c) { c(hone::binary_cross_entropy(hone::classes(few))); });
}

TEST_CASE("losses and targets: invalid hyper-parameters throw with the parameter's name") {
  const auto target = hone::classes(labels);
  const hone::matrix_view<const float> dense{numbers.data(), 4, 3};
  for (const double x : {-0.1, 1.0, not_a_number, infinity})
    refuses("smooth: epsilon is ", [&](call& c) { c(hone::cross_entropy(hone::smooth(target, x))); });
  for (const double x : {-0.1, 1.0, not_a_number, infinity})
    refuses("asymmetric_loss: clip is ", [&](call& c) { c(hone::asymmetric_loss(dense, {.clip = x})); });
  for (const double x : {-0.1, 1.1, not_a_number})
    refuses("mix: lambda is ", [&](call& c) { c(hone::cross_entropy(hone::mix(target, target, x))); });
  for (const double x : {0.0, -1.0, not_a_number, infinity})
    refuses("distillation: temperature is ", [&](call& c) { c(hone::distillation(dense, x)); });
  for (const double x : {0.0, -1.0, not_a_number, infinity}) {
    refuses("ldam_loss: scale is ", [&](call& c) { c(hone::ldam_loss(target, numbers, {.scale = x})); });
    refuses("ldam_margins: largest is ", [&](call&) { hone::ldam_margins(std::vector<double>{3, 1}, x); });
    refuses("ldam_margins: the count of class 1 is ", [&](call&) { hone::ldam_margins(std::vector<double>{3, x}); });
    refuses("reverse_distillation: temperature is ", [&](call& c) { c(hone::reverse_distillation(dense, x)); });
    refuses("jensen_shannon_distillation: temperature is ",
            [&](call& c) { c(hone::jensen_shannon_distillation(dense, x)); });
  }
  for (const double x : {-1.0, not_a_number, infinity}) {
    refuses("decoupled_distillation: temperature is ",
            [&](call& c) { c(hone::decoupled_distillation(target, dense, x)); });
    refuses("decoupled_distillation: alpha is ",
            [&](call& c) { c(hone::decoupled_distillation(target, dense, 4, {.alpha = x})); });
    refuses("decoupled_distillation: beta is ",
            [&](call& c) { c(hone::decoupled_distillation(target, dense, 4, {.beta = x})); });
  }
  for (const double x : {0.0, 1.0, -0.5, not_a_number})
    refuses("jensen_shannon_distillation: beta is ",
            [&](call& c) { c(hone::jensen_shannon_distillation(dense, 2, {.beta = x})); });
  for (const double x : {-1.0, not_a_number, infinity}) {
    refuses("softmax_focal_loss: gamma is ", [&](call& c) { c(hone::softmax_focal_loss(target, {.gamma = x})); });
    refuses("soft_target_focal_loss: gamma is ",
            [&](call& c) { c(hone::soft_target_focal_loss(target, {.gamma = x})); });
    refuses("sigmoid_focal_loss: gamma is ", [&](call& c) { c(hone::sigmoid_focal_loss(dense, {.gamma = x})); });
    refuses("quality_focal_loss: beta is ", [&](call& c) { c(hone::quality_focal_loss(dense, {.beta = x})); });
    refuses("varifocal_loss: gamma is ", [&](call& c) { c(hone::varifocal_loss(dense, {.gamma = x})); });
    refuses("asymmetric_loss: gamma_positive is ",
            [&](call& c) { c(hone::asymmetric_loss(dense, {.gamma_positive = x})); });
    refuses("asymmetric_loss: gamma_negative is ",
            [&](call& c) { c(hone::asymmetric_loss(dense, {.gamma_negative = x})); });
    refuses("mean_over: count is ", [&](call&) { hone::mean_over(x); });
  }
  for (const double x : {not_a_number, infinity}) {
    refuses("z_loss: coefficient is ", [&](call& c) { c(hone::z_loss(x)); });
    refuses("poly1_cross_entropy: epsilon is ", [&](call& c) { c(hone::poly1_cross_entropy(target, {.epsilon = x})); });
    refuses("poly1_binary_cross_entropy: epsilon is ",
            [&](call& c) { c(hone::poly1_binary_cross_entropy(dense, {.epsilon = x})); });
    refuses("operator*: factor is ", [&](call& c) { c(x * hone::cross_entropy(target)); });
  }
  refuses("sigmoid_focal_loss: alpha is nan",
          [&](call& c) { c(hone::sigmoid_focal_loss(dense, {.alpha = not_a_number})); });
  refuses("cpu: threads is -1", [&](call&) { hone::cpu none{-1}; });
}

TEST_CASE("evaluate: targets and teachers of the wrong shape throw") {
  using view = hone::matrix_view<const float>;
  refuses("evaluate: probabilities is 3 x 3",
          [&](call& c) { c(hone::cross_entropy(hone::probabilities(view{numbers.data(), 3, 3}))); });
  refuses("evaluate: distillation teacher is 4 x 4",
          [&](call& c) { c(hone::distillation(view{numbers.data(), 4, 4}, 4)); });
  refuses("evaluate: targets is 4 x 4", [&](call& c) { c(hone::sigmoid_focal_loss(view{numbers.data(), 4, 4})); });
}

TEST_CASE("evaluate: outputs of rows that the objective does not have throw") {
  const auto o = hone::cross_entropy(hone::classes(labels));
  const hone::matrix_view<float> dense{numbers.data(), 4, 3};
  struct facts {
    std::vector<float> log_sum_exp = std::vector<float>(4, 7);
    std::vector<int> predicted = std::vector<int>(4, 7);
    hone::index correct = 7, counted = 7;
  } f;
  const auto with = [&](call& c, auto const& objective, auto const& set) {
    hone::outputs<float> out{.gradient = {c.out.data(), 4, 3}, .value = &c.value};
    set(out);
    hone::evaluate(c.cpu, objective, hone::matrix_view<float>{c.logits.data(), 4, 3}, out);
  };
  const auto sums = [&](auto& out) { out.log_sum_exp = f.log_sum_exp.data(); };
  const auto classes = [&](auto& out) { out.predicted = f.predicted.data(); };
  const auto counts = [&](auto& out) { out.counted = &f.counted; };
  const auto all = [&](auto& out) { classes(out), out.correct = &f.correct; };
  const auto of_elements = hone::binary_cross_entropy(dense);
  refuses("outputs.log_sum_exp is for losses of rows", [&](call& c) { with(c, of_elements, sums); });
  refuses("outputs.predicted is for losses of rows", [&](call& c) { with(c, of_elements, classes); });
  refuses("outputs.counted is for losses of rows", [&](call& c) { with(c, of_elements, counts); });
  refuses("outputs.predicted is for losses of rows, such as hone::cross_entropy, without a region loss",
          [&](call& c) { with(c, o + hone::dice_loss(hone::classes(labels)), classes); });
  refuses("outputs.log_sum_exp needs a term with a softmax of the logits",
          [&](call& c) { with(c, hone::distillation(dense, 2), sums); });
  refuses("outputs.counted is counted from outputs.predicted, which must be present",
          [&](call& c) { with(c, o, counts); });
  refuses("outputs.correct needs one label per row, hone::classes, in the first term that has labels",
          [&](call& c) { with(c, hone::cross_entropy(hone::probabilities(dense)), all); });
  refuses("outputs.correct needs one label per row", [&](call& c) {
    with(c, hone::cross_entropy(hone::mix(hone::classes(labels), hone::classes(labels), numbers_of_rows)) + o, all);
  });
  refuses("log_sum_exp and gradient overlap",
          [&](call& c) { with(c, o, [&](auto& out) { out.log_sum_exp = c.out.data(); }); });
  refuses("predicted and labels overlap",
          [&](call& c) { with(c, o, [&](auto& out) { out.predicted = const_cast<int*>(labels.data()); }); });
  // Rows of 5 numbers, of which 3 are classes: the padding is written, and the gradient in place has that of the
  // logits.
  const auto padded = [&](call& c, hone::index from, bool zero) {
    hone::evaluate(c.cpu, o, hone::matrix_view<float>{c.logits.data(), 4, 3, 5},
                   {.gradient = {c.out.data(), 4, 3, 5}, .value = c.out.data() + from, .zero_padding = zero});
  };
  refuses("value and gradient overlap", [&](call& c) { padded(c, 4, true); });
  refuses("value and gradient overlap", [&](call& c) { padded(c, 19, true); });
  call c;
  padded(c, 4, false), padded(c, 20, true);
  CHECK(c.out[3] == 0);
  CHECK(c.out[19] == 0);
  c.logits[3] = 9, c.logits[20] = 9;
  hone::evaluate(c.cpu, hone::binary_cross_entropy(dense), hone::matrix_view<float>{c.logits.data(), 4, 3, 5},
                 {.gradient = {c.logits.data(), 4, 3, 5}, .zero_padding = true});
  CHECK(c.logits[3] == 0);
  CHECK(c.logits[19] == 0);
  CHECK(c.logits[20] == 9);
  const std::vector<int> zeros(4, 0);
  refuses("gradient and prediction overlap", [&](call& other) {
    hone::evaluate(other.cpu, hone::cross_entropy(hone::classes(zeros)),
                   hone::matrix_view<float>{other.out.data() + 3, 4, 2, 5},
                   {.gradient = {other.out.data(), 4, 2, 5}, .zero_padding = true});
  });
  CHECK(f.log_sum_exp == std::vector<float>(4, 7));
  CHECK(f.predicted == std::vector<int>(4, 7));
  CHECK(f.correct + f.counted == 14);
}
