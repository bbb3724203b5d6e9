// SPDX-License-Identifier: MIT
// Every function of hone.h gives the bits of the C++ call that it stands for.
#include <doctest/doctest.h>
#include <hone.h>
#include <hone/hone.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using hone::index;

template <class T>
constexpr std::int32_t dtype = std::is_same_v<T, float>         ? HONE_FLOAT32
                               : std::is_same_v<T, double>      ? HONE_FLOAT64
                               : std::is_same_v<T, Eigen::half> ? HONE_FLOAT16
                                                                : HONE_BFLOAT16;

template <class T>
std::vector<T> random_numbers(index n, unsigned seed, double from = -4, double to = 4) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (T& number : x) {
    seed = seed * 1664525U + 1013904223U;
    number = static_cast<T>(from + (to - from) * static_cast<double>(seed >> 8U) / 16777216.0);
  }
  return x;
}
template <class L>
std::vector<L> random_labels(index n, index classes) {
  std::vector<L> y(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<L>(static_cast<index>(i * i + 3 * i) % classes);
  return y;
}

/// The bits are the same; a zero may have another sign, because a term of factor 0 adds 0.
template <class T>
bool same_bits(std::vector<T> const& a, std::vector<T> const& b) {
  using bits = std::conditional_t<sizeof(T) == 8, std::uint64_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<bits>(a[i]) == std::bit_cast<bits>(b[i]) || (a[i] == T(0) && b[i] == T(0))) continue;
    MESSAGE("number " << i << ": " << static_cast<double>(a[i]) << " and " << static_cast<double>(b[i]));
    return false;
  }
  return true;
}
bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

struct freed {
  void operator()(hone_loss* p) const { hone_loss_free(p); }
  void operator()(hone_clip* p) const { hone_clip_free(p); }
  void operator()(hone_scaler* p) const { hone_scaler_free(p); }
  void operator()(hone_average* p) const { hone_average_free(p); }
  void operator()(hone_schedule* p) const { hone_schedule_free(p); }
};
template <class H>
using handle = std::unique_ptr<H, freed>;

/// Fails the test with the library's sentence where a call fails.
void ok(hone_status status) {
  INFO(hone_last_error());
  REQUIRE(status == HONE_OK);
}
template <class H, class Create, class... Arguments>
handle<H> made(Create const& create, Arguments const&... arguments) {
  H* p = nullptr;
  ok(create(arguments..., &p));
  return handle<H>(p);
}

/// A prediction, and everything that a loss may read beside it.
template <class T, template <class> class View>
struct batch {
  static constexpr index rows = 24, columns = 11;
  static constexpr bool is_matrix = std::is_same_v<View<T>, hone::matrix_view<T>>;
  static constexpr index stride = is_matrix ? 13 : 12;  // padding, or the pixels of a channel

  std::vector<T> logits = random_numbers<T>(24 * 13, 1), soft = random_numbers<T>(24 * 13, 2, 0, 1),
                 teacher = random_numbers<T>(24 * 13, 3);
  std::vector<std::int64_t> labels = random_labels<std::int64_t>(rows, columns);
  std::vector<std::int32_t> others = random_labels<std::int32_t>(rows, 7);
  std::vector<index> partners = std::vector<index>(24, 5);
  std::vector<float> lambdas = random_numbers<float>(rows, 4, 0, 1);
  std::vector<double> weights = random_numbers<double>(rows, 5, 0, 2),
                      of_classes = random_numbers<double>(columns, 6, 0, 2);

  batch() {
    labels[3] = -100;
    if constexpr (std::numeric_limits<T>::has_infinity) logits[5] = -std::numeric_limits<T>::infinity();
  }

  template <class U>
  View<U> view(U* data) const {
    if constexpr (is_matrix)
      return {data, rows, columns, stride};
    else
      return {data, rows / stride, columns, stride};
  }
  hone_array array(T const* data) const {
    if (!is_matrix) return hone_images(data, dtype<T>, rows / stride, columns, stride);
    hone_array a = hone_matrix(data, dtype<T>, rows, columns);
    a.stride = stride;
    return a;
  }
  hone_targets labelled() const { return hone_targets_of(hone_vector_of(labels.data(), HONE_INT64, rows)); }
  hone_targets labelled32() const { return hone_targets_of(hone_vector_of(others.data(), HONE_INT32, rows)); }

  /// Compares a loss with an objective under a reduction.
  template <class Objective>
  void compare(handle<hone_loss> const& loss, hone_targets const& targets, Objective const& objective,
               bool losses_of_rows = true, std::int32_t how = HONE_MEAN) const {
    using A = hone::accumulator_t<T>;
    std::vector<T> gradient(logits.size(), T(7)), expected = gradient;
    std::vector<A> losses(static_cast<std::size_t>(rows * columns), A(7)), expected_losses = losses;
    hone_outputs to = hone_outputs_to(gradient.data());
    to.gradient_stride = stride, to.reduction = how, to.count = 3;
    hone::outputs<T, View> out{view(expected.data()), nullptr, nullptr};
    if (losses_of_rows) to.unreduced = losses.data(), out.unreduced = expected_losses.data();
    double value = 0;
    const hone_array prediction = array(logits.data());
    ok(hone_evaluate(nullptr, loss.get(), &prediction, &targets, &to, &value));
    const hone::reduction reductions[] = {hone::mean, hone::sum, hone::mean_over(3), hone::batch_mean,
                                          hone::element_mean};
    const double truth = hone::evaluate(hone::cpu(), objective, view(logits.data()), out, reductions[how]);
    CHECK(same_bits(value, truth));
    CHECK(same_bits(gradient, expected));
    CHECK(same_bits(losses, expected_losses));
  }
};

handle<hone_loss> row_loss(hone_row_options const& o) { return made<hone_loss>(hone_row_loss_create, &o); }

template <class T, template <class> class View>
void compare_rows() {
  const batch<T, View> b;
  const auto labels = hone::classes(b.labels, {.ignore = -100});
  hone_row_options o = hone_row_defaults(HONE_CROSS_ENTROPY);
  o.ignores = 1, o.ignore = -100;
  SUBCASE("labels") {
    b.compare(row_loss(o), b.labelled(), hone::cross_entropy(labels));
    b.compare(row_loss(hone_row_defaults(HONE_CROSS_ENTROPY)), b.labelled32(),
              hone::cross_entropy(hone::classes(b.others)), true, HONE_SUM);
  }
  SUBCASE("smoothed, mixed, weighed rows, z-loss, a teacher") {
    hone_targets t = b.labelled();
    o.smoothing = 0.1, o.z_loss = 1e-3, o.factor = 0.7, o.distillation = 0.3, o.temperature = 4;
    t.partners = hone_vector_of(b.partners.data(), HONE_INT64, b.rows);
    t.lambdas = hone_vector_of(b.lambdas.data(), HONE_FLOAT32, b.rows);
    t.row_weights = hone_vector_of(b.weights.data(), HONE_FLOAT64, b.rows);
    const hone_array teacher = b.array(b.teacher.data());
    t.teacher = &teacher;
    const auto mixed = hone::mix(labels, hone::partner_classes(b.labels, b.partners, {.ignore = -100}), b.lambdas);
    b.compare(row_loss(o), t,
              hone::weigh_rows(0.7 * hone::cross_entropy(hone::smooth(mixed, 0.1)) +
                                   0.3 * hone::distillation(b.view(b.teacher.data()), 4) + hone::z_loss(1e-3),
                               b.weights),
              true, HONE_MEAN_OVER);
    o.distillation = 0, o.leave_one_out = 1, t.teacher = nullptr;
    b.compare(
        row_loss(o), t,
        hone::weigh_rows(0.7 * hone::cross_entropy(hone::smooth(mixed, 0.1, hone::leave_one_out)) + hone::z_loss(1e-3),
                         b.weights));
  }
  SUBCASE("two labels and one lambda") {
    hone_targets t = b.labelled();
    const float lambda = 0.3F;
    t.mixed_labels = hone_vector_of(b.others.data(), HONE_INT32, b.rows);
    t.lambdas = hone_vector_of(&lambda, HONE_FLOAT32, 1);
    b.compare(row_loss(o), t, hone::cross_entropy(hone::mix(labels, hone::classes(b.others), lambda)));
  }
  SUBCASE("class weights, focal, poly-1") {
    o.class_weights = hone_vector_of(b.of_classes.data(), HONE_FLOAT64, b.columns), o.smoothing = 0.2;
    b.compare(row_loss(o), b.labelled(),
              hone::cross_entropy(hone::weigh_classes(hone::smooth(labels, 0.2), b.of_classes)));
    const hone_array teacher = b.array(b.teacher.data());
    hone_targets taught = b.labelled();
    taught.teacher = &teacher;
    o.z_loss = 1e-3;
    const auto weighed = hone::cross_entropy(hone::weigh_classes(hone::smooth(labels, 0.2), b.of_classes));
    b.compare(row_loss(o), b.labelled(), weighed + hone::z_loss(1e-3));
    o.distillation = 0.3, o.temperature = 2;
    b.compare(row_loss(o), taught,
              weighed + 0.3 * hone::distillation(b.view(b.teacher.data()), 2) + hone::z_loss(1e-3));
    o.distillation = 0, o.z_loss = 0;
    o.kind = HONE_SOFTMAX_FOCAL, o.gamma = 1.5;
    hone_loss* none = nullptr;
    CHECK(hone_row_loss_create(&o, &none) == HONE_INVALID_ARGUMENT);
    CHECK(std::string(hone_last_error()) ==
          "hone_row_loss_create: class_weights are given, are for HONE_CROSS_ENTROPY alone");
    o.class_weights = {};
    b.compare(row_loss(o), b.labelled(), hone::softmax_focal_loss(hone::smooth(labels, 0.2), {.gamma = 1.5}));
    o.smoothing = 0;
    b.compare(row_loss(o), b.labelled(), hone::softmax_focal_loss(labels, {.gamma = 1.5}));
    o.kind = HONE_POLY1, o.epsilon = 1;
    b.compare(row_loss(o), b.labelled(), hone::poly1_cross_entropy(labels, {.epsilon = 1}), true, HONE_BATCH_MEAN);
  }
  SUBCASE("probabilities") {
    const hone_array soft = b.array(b.soft.data());
    hone_targets t = hone_targets_of({});
    t.numbers = &soft;
    o = hone_row_defaults(HONE_CROSS_ENTROPY);
    b.compare(row_loss(o), t, hone::cross_entropy(hone::probabilities(b.view(b.soft.data()))), true, HONE_ELEMENT_MEAN);
    o.smoothing = 0.1;
    b.compare(row_loss(o), t, hone::cross_entropy(hone::smooth(hone::probabilities(b.view(b.soft.data())), 0.1)));
    const hone_array teacher = b.array(b.teacher.data());
    t.teacher = &teacher;
    o.smoothing = 0, o.distillation = 0.5, o.temperature = 4;
    b.compare(row_loss(o), t,
              hone::cross_entropy(hone::probabilities(b.view(b.soft.data()))) +
                  0.5 * hone::distillation(b.view(b.teacher.data()), 4));
  }
}

TEST_CASE("losses of rows") {
  SUBCASE("float") { compare_rows<float, hone::matrix_view>(); }
  SUBCASE("bfloat16") { compare_rows<Eigen::bfloat16, hone::matrix_view>(); }
  SUBCASE("images of double") { compare_rows<double, hone::image_view>(); }
}

template <class T, template <class> class View>
void compare_elements() {
  const batch<T, View> b;
  const hone_array soft = b.array(b.soft.data());
  const auto view = b.view(b.soft.data());
  hone_targets t = hone_targets_of({});
  t.numbers = &soft;
  const auto compare = [&](hone_element_options const& o, hone_targets const& of, auto const& objective) {
    b.compare(made<hone_loss>(hone_element_loss_create, &o), of, objective);
  };
  hone_element_options o = hone_element_defaults(HONE_BINARY_CROSS_ENTROPY);
  compare(o, t, hone::binary_cross_entropy(view));
  o.smoothing = 0.2;
  compare(o, t, hone::binary_cross_entropy(view, hone::smooth_binary(0.2)));
  o.positive_weights = hone_vector_of(b.of_classes.data(), HONE_FLOAT64, b.columns);
  compare(
      o, t,
      hone::weigh_positives(hone::binary_cross_entropy(view, hone::smooth_binary(0.2)), hone::numbers(b.of_classes)));
  o.smoothing = 0, o.positive_weights.size = 1;
  const auto plain = hone::smooth_binary(0);
  compare(o, t, hone::weigh_positives(hone::binary_cross_entropy(view, plain), b.of_classes[0]));
  compare(o, b.labelled32(),
          hone::weigh_positives(hone::binary_cross_entropy(hone::classes(b.others), plain), b.of_classes[0]));
  compare(hone_element_defaults(HONE_SIGMOID_FOCAL), t, hone::sigmoid_focal_loss(view));
  compare(hone_element_defaults(HONE_QUALITY_FOCAL), t, hone::quality_focal_loss(view));
  compare(hone_element_defaults(HONE_VARIFOCAL), t, hone::varifocal_loss(view));
  compare(hone_element_defaults(HONE_ASYMMETRIC), t, hone::asymmetric_loss(view));
  compare(hone_element_defaults(HONE_POLY1_BINARY), t, hone::poly1_binary_cross_entropy(view));
  o = hone_element_defaults(HONE_SIGMOID_FOCAL);
  o.alpha = 0.6, o.gamma = 1.5, o.ignores = 1, o.ignore = -100;
  compare(o, b.labelled(),
          hone::sigmoid_focal_loss(hone::classes(b.labels, {.ignore = -100}), {.alpha = 0.6, .gamma = 1.5}));
  compare(hone_element_defaults(HONE_SIGMOID_FOCAL), b.labelled32(), hone::sigmoid_focal_loss(hone::classes(b.others)));
}

TEST_CASE("losses of elements") {
  SUBCASE("float") { compare_elements<float, hone::matrix_view>(); }
  SUBCASE("images of float") { compare_elements<float, hone::image_view>(); }
}

template <class T>
void compare_boxes() {
  const index n = 37;
  std::vector<T> boxes = random_numbers<T>(4 * n, 1, 0, 10), targets = random_numbers<T>(4 * n, 2, 0, 10);
  const std::vector<float> weights = random_numbers<float>(n, 3, 0, 2);
  const hone::matrix_view<T> predicted{boxes.data(), n, 4}, truth{targets.data(), n, 4};
  const hone_array prediction = hone_matrix(boxes.data(), dtype<T>, n, 4),
                   numbers = hone_matrix(targets.data(), dtype<T>, n, 4);
  const auto compare = [&](std::int32_t kind, auto const& factory) {
    for (const std::int32_t format : {HONE_XYXY, HONE_CXCYWH})
      for (const bool weighed : {false, true}) {
        hone_box_options o = hone_box_defaults(kind);
        o.format = format;
        hone_targets t = hone_targets_of({});
        t.numbers = &numbers;
        if (weighed) t.row_weights = hone_vector_of(weights.data(), HONE_FLOAT32, n);
        std::vector<T> gradient(boxes.size()), expected = gradient;
        hone_outputs to = hone_outputs_to(gradient.data());
        double value = 0;
        ok(hone_evaluate(nullptr, made<hone_loss>(hone_box_loss_create, &o).get(), &prediction, &t, &to, &value));
        const auto evaluated = [&](auto const& loss) {
          const hone::outputs<T> out{{expected.data(), n, 4}, nullptr, nullptr};
          return weighed ? hone::evaluate(hone::cpu(), hone::weigh_rows(loss, weights), predicted, out)
                         : hone::evaluate(hone::cpu(), loss, predicted, out);
        };
        CHECK(same_bits(value, format == HONE_XYXY ? evaluated(factory(truth, hone::corners))
                                                   : evaluated(factory(truth, hone::centers))));
        CHECK(same_bits(gradient, expected));
      }
  };
  compare(HONE_IOU, [](auto t, auto f) { return hone::iou_loss(t, f); });
  compare(HONE_GIOU, [](auto t, auto f) { return hone::giou_loss(t, f); });
  compare(HONE_DIOU, [](auto t, auto f) { return hone::diou_loss(t, f); });
  compare(HONE_CIOU, [](auto t, auto f) { return hone::ciou_loss(t, f); });
  compare(HONE_EIOU, [](auto t, auto f) { return hone::eiou_loss(t, f); });
  compare(HONE_SIOU, [](auto t, auto f) { return hone::siou_loss(t, f); });
  compare(HONE_LOG_IOU, [](auto t, auto f) { return hone::log_iou_loss(t, f); });
  compare(HONE_FOCAL_EIOU, [](auto t, auto f) { return hone::focal_eiou_loss(t, {}, f); });
}

TEST_CASE("losses of boxes") { compare_boxes<float>(); }

TEST_CASE("losses of regions") {
  const batch<float, hone::image_view> b;
  const auto labels = hone::classes(b.labels, {.ignore = -100});
  hone_region_options o = hone_region_defaults(HONE_DICE);
  o.ignores = 1, o.ignore = -100;
  const auto loss = [&] { return made<hone_loss>(hone_region_loss_create, &o); };
  b.compare(loss(), b.labelled(), hone::dice_loss(labels), false);
  o.smooth = 1, o.squared = 1, o.per_image = 1, o.cross_entropy = 0.5, o.absent = HONE_ABSENT_COUNTED;
  b.compare(loss(), b.labelled(),
            hone::dice_loss(
                labels, {.smooth = 1, .squared = true, .per_image = true, .absent = hone::absent_classes::counted}) +
                0.5 * hone::cross_entropy(labels),
            false);
  o = hone_region_defaults(HONE_JACCARD);
  o.logarithm = 1, o.smooth_denominator = 0.5;
  o.class_weights = hone_vector_of(b.of_classes.data(), HONE_FLOAT64, b.columns);
  b.compare(loss(), b.labelled32(),
            hone::jaccard_loss(hone::classes(b.others),
                               {.smooth_denominator = 0.5, .logarithm = true, .weights = b.of_classes}),
            false);
  o = hone_region_defaults(HONE_TVERSKY), o.smoothing = 0.1;
  b.compare(loss(), b.labelled32(), hone::tversky_loss(hone::smooth(hone::classes(b.others), 0.1)), false);
  const hone_array soft = b.array(b.soft.data());
  hone_targets t = hone_targets_of({});
  t.numbers = &soft;
  o = hone_region_defaults(HONE_FOCAL_TVERSKY);
  b.compare(loss(), t, hone::focal_tversky_loss(hone::probabilities(b.view(b.soft.data()))), false);
  o = hone_region_defaults(HONE_LOVASZ), o.per_image = 1;
  b.compare(loss(), b.labelled32(), hone::lovasz_softmax_loss(hone::classes(b.others), {.per_image = true}), false);
  o.ignores = 1, o.ignore = -100;
  b.compare(loss(), b.labelled(), hone::lovasz_softmax_loss(labels, {.per_image = true}), false);
  o.cross_entropy = 0.5, o.factor = 2;
  b.compare(loss(), b.labelled(),
            2.0 * hone::lovasz_softmax_loss(labels, {.per_image = true}) + 0.5 * hone::cross_entropy(labels), false);
}

TEST_CASE_TEMPLATE("losses of regions of sigmoids", T, float, double) {
  const batch<T, hone::image_view> b;
  const hone_array soft = b.array(b.soft.data());
  hone_targets t = hone_targets_of({});
  t.numbers = &soft;
  const auto view = b.view(b.soft.data());
  hone_region_options o = hone_region_defaults(HONE_DICE);
  const auto loss = [&] { return made<hone_loss>(hone_region_loss_create, &o); };
  o.sigmoid = 1, o.smooth = 1;
  b.compare(loss(), t, hone::sigmoid_dice_loss(view, {.smooth = 1}), false);
  o.cross_entropy = 0.5, o.per_image = 1, o.squared = 1;
  b.compare(loss(), t,
            hone::sigmoid_dice_loss(view, {.smooth = 1, .squared = true, .per_image = true}) +
                0.5 * hone::binary_cross_entropy(view),
            false);
  o = hone_region_defaults(HONE_JACCARD);
  o.sigmoid = 1, o.ignores = 1, o.ignore = -100;
  o.class_weights = hone_vector_of(b.of_classes.data(), HONE_FLOAT64, b.columns);
  b.compare(loss(), b.labelled(),
            hone::sigmoid_jaccard_loss(hone::classes(b.labels, {.ignore = -100}), {.weights = b.of_classes}), false);
  o = hone_region_defaults(HONE_FOCAL_TVERSKY);
  o.sigmoid = 1, o.gamma = 0.5;
  b.compare(loss(), b.labelled32(), hone::sigmoid_focal_tversky_loss(hone::classes(b.others), {.gamma = 0.5}), false);
  o.kind = HONE_TVERSKY;
  b.compare(loss(), t, hone::sigmoid_tversky_loss(view), false);
}

TEST_CASE_TEMPLATE("gradients", T, float, double, Eigen::half) {
  const std::vector<T> before = random_numbers<T>(60, 1);
  std::vector<T> weights = random_numbers<T>(60, 2, -1, 1);
  const hone::tensor_list<T> parameters{{weights.data(), 3, 10}, {weights.data() + 30, 30}};
  const hone_tensor weight_tensors[] = {hone_tensor_of(weights.data(), dtype<T>, 3, 10),
                                        hone_tensor_of(weights.data() + 30, dtype<T>, 1, 30)};
  const hone_scaler_options scaling = hone_scaler_defaults();
  const auto scaler = made<hone_scaler>(hone_scaler_create, &scaling);
  const auto compare = [&](hone_clip_options const& o, hone_scaler const* by, auto const& chain) {
    std::vector<T> mine = before, theirs = before;
    const hone_tensor list[] = {hone_tensor_of(mine.data(), dtype<T>, 3, 10),
                                hone_tensor_of(mine.data() + 30, dtype<T>, 1, 30)};
    hone_gradient_report report;
    ok(hone_clip_apply(nullptr, made<hone_clip>(hone_clip_create, &o).get(), by, list,
                       o.kind == HONE_CLIP_ADAPTIVE ? weight_tensors : nullptr, 2, &report));
    const hone::tensor_list<T> gradients{{theirs.data(), 3, 10}, {theirs.data() + 30, 30}};
    const hone::gradient_report truth = hone::transform(hone::cpu(), chain, gradients);
    CHECK(same_bits(mine, theirs));
    CHECK(same_bits(report.norm, truth.norm));
    CHECK(same_bits(report.coefficient, truth.coefficient));
    CHECK(same_bits(report.factor, truth.factor));
    CHECK((report.finite != 0) == truth.finite);
  };
  hone_clip_options o = hone_clip_defaults(HONE_CLIP_BY_GLOBAL_NORM);
  o.max = 5;
  compare(o, nullptr, hone::clip_by_global_norm(5));
  compare(o, scaler.get(), hone::chain(hone::unscale(65536), hone::clip_by_global_norm(5)));
  o.p = std::numeric_limits<double>::infinity();
  compare(o, nullptr, hone::clip_by_global_norm(5, {.p = o.p}));
  o = hone_clip_defaults(HONE_CLIP_BY_NORM), o.max = 3;
  compare(o, nullptr, hone::clip_by_norm(3));
  o = hone_clip_defaults(HONE_CLIP_BY_VALUE), o.max = 1.5;
  compare(o, nullptr, hone::clip_by_value(1.5));
  compare(hone_clip_defaults(HONE_CLIP_NONE), scaler.get(), hone::unscale(65536));
  const std::int64_t last = 1;
  o = hone_clip_defaults(HONE_CLIP_ADAPTIVE), o.excluded = &last, o.excluded_count = 1;
  compare(o, nullptr, hone::adaptive_clip(parameters, {.excluded = {1}}));
}

TEST_CASE("a loss scaler") {
  hone_scaler_options o = hone_scaler_defaults();
  o.interval = 2, o.hysteresis = 2;
  const auto scaler = made<hone_scaler>(hone_scaler_create, &o);
  hone::loss_scaler truth{.interval = 2, .hysteresis = 2};
  for (const bool finite : {true, false, false, true, true, true, false, true}) {
    ok(hone_scaler_update(scaler.get(), finite ? 1 : 0));
    truth.update(finite);
    double scale = 0;
    ok(hone_scaler_scale(scaler.get(), &scale));
    CHECK(scale == truth.scale());
  }
  hone_scaler_state state;
  ok(hone_scaler_get_state(scaler.get(), &state));
  CHECK((state.scale == truth.state.scale && state.finite == truth.state.finite));
  state.scale = 8;
  ok(hone_scaler_set_state(scaler.get(), &state));
  double scale = 0;
  ok(hone_scaler_scale(scaler.get(), &scale));
  CHECK(scale == 8);
}

template <class T>
void compare_averages(hone_average_options const& o, auto const& policy, bool from_zero = false) {
  using S = hone::accumulator_t<T>;
  std::vector<T> weights = random_numbers<T>(50, 1);
  const hone_tensor list[] = {hone_tensor_of(weights.data(), dtype<T>, 5, 8),
                              hone_tensor_of(weights.data() + 40, dtype<T>, 10, 1)};
  const hone::tensor_list<T> parameters{{weights.data(), 5, 8}, {weights.data() + 40, 10, 1}};
  hone_average* raw = nullptr;
  ok(hone_average_create(&o, list, 2, &raw));
  const handle<hone_average> average(raw);
  hone::ema_state<S> truth(parameters, {.from_zero = from_zero});
  ok(hone_average_copy_only(average.get(), 1));
  truth.copy_only(1);
  for (unsigned step = 0; step < 5; ++step) {
    const std::vector<T> next = random_numbers<T>(50, 7 + step);
    std::copy(next.begin(), next.end(), weights.begin());
    ok(hone_average_update(nullptr, average.get(), list, 2, step != 2 ? 1 : 0));
    hone::update(hone::cpu(), policy, truth, parameters, step != 2);
  }
  std::vector<S> mine(50), theirs(50);
  const hone_tensor to[] = {hone_tensor_of(mine.data(), dtype<S>, 5, 8),
                            hone_tensor_of(mine.data() + 40, dtype<S>, 10, 1)};
  ok(hone_average_copy(nullptr, average.get(), to, 2));
  hone::copy(hone::cpu(), truth, hone::tensor_list<S>{{theirs.data(), 5, 8}, {theirs.data() + 40, 10, 1}});
  CHECK(same_bits(mine, theirs));
  std::int64_t updates = 0;
  ok(hone_average_updates(average.get(), &updates));
  CHECK(updates == truth.steps());

  const std::string path = "c_interface_average.tmp";
  ok(hone_average_save(average.get(), path.c_str()));
  ok(hone_average_update(nullptr, average.get(), list, 2, 1));
  ok(hone_average_load(average.get(), path.c_str()));
  std::remove(path.c_str());
  std::fill(mine.begin(), mine.end(), S(0));
  ok(hone_average_copy(nullptr, average.get(), to, 2));
  CHECK(same_bits(mine, theirs));

  std::int64_t bytes = 0;
  ok(hone_average_write(average.get(), nullptr, 0, &bytes));
  std::vector<char> saved(static_cast<std::size_t>(bytes) + 1, 'x');
  CHECK(hone_average_write(average.get(), saved.data(), bytes - 1, nullptr) == HONE_INVALID_ARGUMENT);
  CHECK(saved.front() == 'x');
  ok(hone_average_write(average.get(), saved.data(), bytes + 1, nullptr));
  CHECK(saved.back() == 'x');
  ok(hone_average_update(nullptr, average.get(), list, 2, 1));
  CHECK(hone_average_read(average.get(), saved.data(), bytes - 1) == HONE_INVALID_ARGUMENT);
  CHECK(hone_average_read(average.get(), saved.data(), bytes + 1) == HONE_INVALID_ARGUMENT);
  ok(hone_average_read(average.get(), saved.data(), bytes));
  ok(hone_average_copy(nullptr, average.get(), to, 2));
  CHECK(same_bits(mine, theirs));
  if constexpr (std::is_same_v<T, S>) {
    if (from_zero) return;
    const std::vector<T> kept(weights.begin(), weights.end());
    ok(hone_average_swap(nullptr, average.get(), list, 2));
    CHECK(same_bits(weights, theirs));
    CHECK(hone_average_update(nullptr, average.get(), list, 2, 1) == HONE_INVALID_ARGUMENT);
    ok(hone_average_swap(nullptr, average.get(), list, 2));
    CHECK(same_bits(weights, kept));
  } else {
    CHECK(hone_average_swap(nullptr, average.get(), list, 2) == HONE_INVALID_ARGUMENT);
  }
}

TEST_CASE_TEMPLATE("averages", T, float, double, Eigen::bfloat16) {
  hone_average_options o = hone_average_defaults(HONE_EMA);
  compare_averages<T>(o, hone::ema{});
  o.decay = 0.9, o.ramp = HONE_RAMP_EXPONENTIAL, o.ramp_first = 3;
  compare_averages<T>(o, hone::ema{.decay = 0.9, .ramp = hone::exponential_ramp(3)});
  o.ramp = HONE_RAMP_INVERSE_POWER, o.ramp_second = 0.75;
  compare_averages<T>(o, hone::ema{.decay = 0.9, .ramp = hone::inverse_power_ramp(3, 0.75)});
  o.ramp = HONE_RAMP_THRESHOLD, o.update_after = 1, o.least_decay = 0.2;
  compare_averages<T>(o,
                      hone::ema{.decay = 0.9, .ramp = hone::threshold_ramp(), .update_after = 1, .least_decay = 0.2});
  o = hone_average_defaults(HONE_EMA);
  o.ramp = HONE_RAMP_LINEAR, o.ramp_first = 4, o.ramp_second = 0.5, o.cycle = 2, o.from_zero = 1;
  compare_averages<T>(o, hone::ema{.ramp = hone::linear_ramp(4, 0.5), .cycle = 2}, true);
  compare_averages<T>(hone_average_defaults(HONE_SWA), hone::swa{});
}

TEST_CASE("schedules") {
  const auto compare = [](hone_schedule_options const& o, auto const& truth) {
    const auto schedule = made<hone_schedule>(hone_schedule_create, &o);
    for (const std::int64_t step : {0, 1, 9, 10, 11, 30, 99, 100, 101, 1000}) {
      double rate = 0;
      ok(hone_schedule_rate(schedule.get(), step, &rate));
      CHECK(same_bits(rate, truth.rate(step)));
    }
  };
  const auto options = [](std::int32_t kind) {
    hone_schedule_options o = hone_schedule_defaults(kind);
    o.start = 0.01, o.peak = 0.5, o.floor = 0.001, o.total = 100;
    return o;
  };
  hone_schedule_options o = options(HONE_CONSTANT);
  compare(o, hone::constant{0.5});
  compare(options(HONE_COSINE), hone::cosine{.peak = 0.5, .floor = 0.001, .total = 100});
  o = options(HONE_COSINE), o.warmup = 10;
  compare(o, hone::warmup(hone::cosine{.peak = 0.5, .floor = 0.001, .total = 100}, {.start = 0.01, .steps = 10}));
  o.kind = HONE_WARMUP_COSINE;
  compare(o, hone::warmup_cosine{.start = 0.01, .peak = 0.5, .floor = 0.001, .warmup = 10, .total = 100});
  o.kind = HONE_ONE_CYCLE;
  compare(o, hone::one_cycle{.start = 0.01, .peak = 0.5, .floor = 0.001, .rise = 10, .total = 100});
  o = options(HONE_WSD), o.warmup = 10, o.decay = 20, o.shape = HONE_SHAPE_COSINE;
  compare(o, hone::wsd{.start = 0.01,
                       .peak = 0.5,
                       .floor = 0.001,
                       .warmup = 10,
                       .decay = 20,
                       .total = 100,
                       .shape = hone::decay_shape::cosine});
  o = options(HONE_INVERSE_SQUARE_ROOT), o.warmup = 10;
  compare(o, hone::inverse_square_root{.start = 0.01, .peak = 0.5, .warmup = 10});
  o = options(HONE_POLYNOMIAL), o.power = 2;
  compare(o, hone::polynomial{.peak = 0.5, .floor = 0.001, .power = 2, .total = 100});
  o = options(HONE_STEP_DECAY), o.period = 30;
  compare(o, hone::step_decay{.peak = 0.5, .floor = 0.001, .period = 30});
  o = options(HONE_EXPONENTIAL), o.period = 30, o.factor = 0.9;
  compare(o, hone::exponential{.peak = 0.5, .floor = 0.001, .factor = 0.9, .period = 30});
  o = options(HONE_COSINE_RESTARTS), o.period = 30, o.factor = 2, o.decay_of_peak = 0.5;
  compare(o, hone::cosine_restarts{.peak = 0.5, .floor = 0.001, .period = 30, .factor = 2, .decay = 0.5});
  const std::int64_t at[] = {10, 30};
  o = options(HONE_MILESTONES), o.milestones = at, o.milestone_count = 2;
  compare(o, hone::milestones<2>{.peak = 0.5, .at = {10, 30}});
}

TEST_CASE("mixing") {
  const index n = 12, height = 6, width = 5, features = 3 * height * width;
  std::vector<float> lambdas(12), images = random_numbers<float>(n * features, 1), mixed(images.size()),
                                  expected = mixed;
  std::vector<std::int64_t> partners(12), boxes(48);
  std::vector<std::uint8_t> cut(12);
  const hone_draw draw{lambdas.data(), partners.data(), boxes.data(), cut.data(), n, height, width};
  for (const double cutmix_alpha : {0.0, 1.0}) {
    hone_mixing_options o = hone_mixing_defaults();
    o.cutmix_alpha = cutmix_alpha, o.per = HONE_PER_SAMPLE;
    ok(hone_draw_mixing(&o, 17, 3, &draw));
    const auto truth =
        hone::mixup_or_cutmix{.cutmix_alpha = cutmix_alpha, .per = hone::sample}.draw(17, 3, n, height, width);
    CHECK(same_bits(lambdas, truth.lambda));
    CHECK(partners == truth.partner);
    CHECK(cut == truth.cut);
    if (cutmix_alpha == 0) CHECK(lambdas == hone::mixup{.alpha = 0.8, .per = hone::sample}.draw(17, 3, n).lambda);
    const hone_array from = hone_matrix(images.data(), HONE_FLOAT32, n, features);
    ok(hone_blend(nullptr, &draw, &from, mixed.data()));
    hone::blend(hone::cpu(), truth, hone::matrix_view{images.data(), n, features},
                hone::matrix_view{expected.data(), n, features});
    CHECK(same_bits(mixed, expected));
  }
  std::vector<std::uint8_t> bytes(images.size(), 9), mixed_bytes(images.size());
  const hone_array from = hone_matrix(bytes.data(), HONE_UINT8, n, features);
  ok(hone_blend(nullptr, &draw, &from, mixed_bytes.data()));
  CHECK(mixed_bytes == bytes);
}

TEST_CASE("calibration") {
  const batch<float, hone::matrix_view> b;
  const std::int64_t ignore = -100;
  const hone_array logits = b.array(b.logits.data());
  hone_calibration c;
  ok(hone_calibrate(nullptr, &logits, hone_vector_of(b.labels.data(), HONE_INT64, b.rows), &ignore, 10, 2, &c));
  const auto truth = hone::reliability(hone::cpu(), b.view(b.logits.data()), hone::classes(b.labels, {.ignore = -100}),
                                       {.bins = 10, .temperature = 2});
  CHECK(same_bits(c.expected_error, truth.expected_calibration_error()));
  CHECK(same_bits(c.maximum_error, truth.maximum_calibration_error()));
  CHECK(same_bits(c.brier_score, truth.brier_score()));
  CHECK(same_bits(c.negative_log_likelihood, truth.negative_log_likelihood()));
  CHECK((c.accuracy == truth.accuracy() && c.count == b.rows - 1));
}

TEST_CASE("threads share handles, and each has its own error") {
  const batch<float, hone::matrix_view> b;
  const auto loss = row_loss(hone_row_defaults(HONE_CROSS_ENTROPY));
  const hone_array logits = b.array(b.logits.data());
  const hone_targets right = b.labelled32();
  double truth = 0;
  ok(hone_evaluate(nullptr, loss.get(), &logits, &right, nullptr, &truth));
  const auto work = [&](std::int32_t wrong, bool& same) {
    const std::vector<std::int32_t> labels(static_cast<std::size_t>(b.rows), wrong);
    const hone_targets targets = hone_targets_of(hone_vector_of(labels.data(), HONE_INT32, b.rows));
    const std::string expected =
        "hone_evaluate: the label of row 0 is " + std::to_string(wrong) + ", must be in [0, 11)";
    same = true;
    for (int i = 0; i < 50; ++i) {
      double value = 0;
      same = same && hone_evaluate(nullptr, loss.get(), &logits, &right, nullptr, &value) == HONE_OK && value == truth;
      same = same && hone_evaluate(nullptr, loss.get(), &logits, &targets, nullptr, &value) == HONE_INVALID_ARGUMENT &&
             hone_last_error() == expected;
    }
  };
  bool mine = false, theirs = false;
  std::thread other([&] { work(101, theirs); });
  work(100, mine);
  other.join();
  CHECK(mine);
  CHECK(theirs);
}

TEST_CASE("what a loss does not read is refused, and so are types that it has no loops for") {
  const batch<float, hone::matrix_view> b;
  const hone_array logits = b.array(b.logits.data());
  hone_targets t = b.labelled32();
  t.teacher = &logits;
  double value = 0;
  const auto loss = row_loss(hone_row_defaults(HONE_CROSS_ENTROPY));
  const auto said = [&](hone_loss const* of, hone_array const& prediction) {
    CHECK(hone_evaluate(nullptr, of, &prediction, &t, nullptr, &value) == HONE_INVALID_ARGUMENT);
    return std::string(hone_last_error());
  };
  CHECK(said(loss.get(), logits) ==
        "hone_evaluate: teacher of the targets are given, but a loss without distillation does not read them");
  t.teacher = nullptr;
  t.lambdas = hone_vector_of(b.lambdas.data(), HONE_FLOAT32, b.rows);
  CHECK(said(loss.get(), logits) == "hone_evaluate: lambdas are given, but neither mixed_labels nor partners");
  t.lambdas = {};
  const std::vector<Eigen::half> half(24);
  CHECK(said(loss.get(), hone_images(half.data(), HONE_FLOAT16, 1, 1, 24)) ==
        "hone_evaluate: dtype of prediction is float16, must be float32 or float64 for HONE_IMAGES");
  const hone_region_options region = hone_region_defaults(HONE_DICE);
  CHECK(said(made<hone_loss>(hone_region_loss_create, &region).get(), hone_matrix(half.data(), HONE_FLOAT16, 24, 1)) ==
        "hone_evaluate: dtype of prediction is float16, must be float32 or float64 for a loss of regions");
  hone_outputs onto = hone_outputs_to(const_cast<float*>(b.logits.data() + 1));
  CHECK(hone_evaluate(nullptr, loss.get(), &logits, &t, &onto, &value) == HONE_INVALID_ARGUMENT);
}

}  // namespace
