// SPDX-License-Identifier: MIT
/// What every backend must answer for box losses and matrices of overlaps: one list, against the formulas in double.
#pragma once

#include <conformance/batch.hpp>

namespace conformance {

/// Boxes that overlap, lie inside one another, touch, lie apart, are equal, have no area or are inverted.
inline double coordinate(index i, index c, bool target) {
  const double x = 8 * std::sin(0.7 * double(i)) + (target ? 0 : 2 * std::sin(1.9 * double(i)));
  const double y = 6 * std::cos(1.1 * double(i)) + (target ? 0 : std::cos(2.3 * double(i)));
  const double w = i % 13 == 4 ? 0 : i % 17 == 6 && !target ? -1 : 3 + 2 * std::sin(0.3 * double(i) + (target ? 1 : 0));
  const double h = i % 19 == 4 ? 0 : 4 + 2 * std::cos(0.9 * double(i) + (target ? 2 : 0));
  if (i % 11 == 5) return target || c > 1 ? double(c + 1) : double(c);  // corners of small integers: ties
  if (i % 23 == 7) return double(2 * c + 1);                            // equal
  return c == 0 ? x : c == 1 ? y : c == 2 ? x + w : y + h;
}

template <class Device, class T>
struct box_batch : padded<Device, T> {
  using padded<Device, T>::filled;

  std::vector<T> x, t;
  std::vector<float> weights;
  typename Device::template buffer<T> device_x, device_t;
  typename Device::template buffer<float> device_weights;

  explicit box_batch(shape s)
      : padded<Device, T>(s),
        x(filled([](index i, index c) { return coordinate(i, c, false); })),
        t(filled([](index i, index c) { return coordinate(i, c, true); })),
        weights(static_cast<std::size_t>(s.rows)),
        device_x(x),
        device_t(t),
        device_weights((weigh(), weights)) {}

 private:
  void weigh() {
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 0.25f * float(i % 4);
  }
};

/// Lengths are differences of coordinates: what cancels there is not the formula's.
template <class T>
inline constexpr double box_tolerance = 4 * tolerance<T>;

/// What a formula makes of a row, in double.
struct expected_box {
  double value, grad[4];
};
template <class Format, class Formula, class Batch>
expected_box expected_of(Formula const& formula, Batch const& b, index i, double weight = 1) {
  double p[4], t[4], g[4];
  for (index c = 0; c < 4; ++c) p[c] = b.at(b.x, i, c), t[c] = b.at(b.t, i, c);
  const double value = hone::detail::apply_formula<Format>(formula, p, t, g);
  return {weight * value, {weight * g[0], weight * g[1], weight * g[2], weight * g[3]}};
}

template <class Device, class T, class Objective, class Expected>
void expect_boxes(box_batch<Device, T> const& b, Objective const& objective, Expected expected, double divisor,
                  hone::reduction how, bool in_place = false) {
  const answers<T> a = ask(b, objective, b.x, b.size.rows, how, in_place);
  double total = 0;
  bool gradients = true, unreduced = true;
  for (index i = 0; i < b.size.rows; ++i) {
    const expected_box y = expected(i);
    if (divisor > 0) total += y.value / divisor;
    unreduced &= close(double(a.unreduced[std::size_t(i)]), y.value, box_tolerance<hone::accumulator_t<T>>);
    for (index c = 0; c < 4; ++c) {
      const double seen = b.at(a.gradient, i, c);
      gradients &= divisor > 0 ? close(seen * divisor, y.grad[c], box_tolerance<T>) : seen == 0;
    }
  }
  CHECK_MESSAGE(gradients, "gradient");
  CHECK_MESSAGE(unreduced, "unreduced");
  CHECK_MESSAGE(b.padding_is_untouched(a.gradient), "padding is not written");
  CHECK(close(a.value, total, box_tolerance<hone::accumulator_t<T>>));
}

/// One loss, in a format of boxes, with a factor, row weights and every reduction.
template <class Device, class T, class Format, class Loss>
void box_loss(Loss const& loss, Format, std::vector<shape> const& shapes) {
  each_batch<box_batch<Device, T>>(shapes, [&](auto const& b) {
    const auto objective = loss(b.view(b.device_t));
    const auto expected = [&](index i) { return expected_of<Format>(objective.formula, b, i); };
    expect_boxes(b, objective, expected, double(b.size.rows), hone::mean);
    expect_boxes(b, objective, expected, 5, hone::mean_over(5), true);
    expect_boxes(b, objective, expected, 0, hone::mean_over(0));
    expect_boxes(b, objective, expected, 0, hone::mean_over(0), true);
    expect_boxes(
        b, hone::weigh_rows(3 * objective, b.device_weights),
        [&](index i) { return expected_of<Format>(objective.formula, b, i, 3 * double(b.weights[std::size_t(i)])); }, 1,
        hone::sum);
  });
}

/// A formula alone: what objectives do with it, the losses above have shown.
template <class Device, class T, class Format, class Loss>
void box_formula_alone(Loss const& loss, Format, std::vector<shape> const& shapes) {
  each_batch<box_batch<Device, T>>(shapes, [&](auto const& b) {
    const auto objective = loss(b.view(b.device_t));
    expect_boxes(
        b, objective, [&](index i) { return expected_of<Format>(objective.formula, b, i); }, double(b.size.rows),
        hone::mean);
  });
}

/// Boxes in separate arrays, one array per coordinate and image, answer as rows of boxes do.
template <class Device, class T>
void box_images(index images, index pixels) {
  const index rows = images * pixels;
  const auto n = static_cast<std::size_t>(rows);
  const box_batch<Device, T> b({rows, 4});
  const auto rearranged = [&](std::vector<T> const& v) { return planes_of(v, 4, pixels); };
  using A = hone::accumulator_t<T>;
  const typename Device::template buffer<T> x(rearranged(b.x)), t(rearranged(b.t)), planes(b.x), matrix(b.x);
  const typename Device::template buffer<A> losses(n), same(n), value(1), as_value(1);
  const auto objective = [&](auto boxes) {
    return hone::weigh_rows(hone::ciou_loss(boxes, hone::centers), b.device_weights) + 0.5 * hone::giou_loss(boxes);
  };
  Device::evaluate(
      objective(hone::image_view<const T>{t.data(), images, 4, pixels}),
      hone::image_view<const T>{x.data(), images, 4, pixels},
      hone::outputs<T, hone::image_view>{
          .gradient = {planes.data(), images, 4, pixels}, .unreduced = losses.data(), .value = value.data()},
      hone::mean);
  Device::evaluate(
      objective(b.view(b.device_t)), b.view(b.device_x),
      hone::outputs<T>{.gradient = {matrix.data(), rows, 4}, .unreduced = same.data(), .value = as_value.data()},
      hone::mean);
  answers_alone_are_those_of_all<Device, T>(objective(hone::image_view<const T>{t.data(), images, 4, pixels}),
                                            hone::image_view<const T>{x.data(), images, 4, pixels},
                                            {planes.host(), losses.host(), double(value.host()[0])}, b.x, hone::mean);
  const auto a = planes.host(), e = rearranged(matrix.host());
  bool close_enough = true;
  for (std::size_t i = 0; i < a.size(); ++i)
    close_enough &=
        close(static_cast<double>(static_cast<A>(a[i])), static_cast<double>(static_cast<A>(e[i])), tolerance<A>);
  CHECK(close_enough);
  const auto la = losses.host(), le = same.host();
  bool losses_close = true;
  for (std::size_t i = 0; i < la.size(); ++i) losses_close &= close(double(la[i]), double(le[i]), tolerance<A>);
  CHECK(losses_close);
  CHECK(close(double(value.host()[0]), double(as_value.host()[0]), tolerance<A>));
}

/// A row with NaN is NaN, and no other.
template <class Device>
void nan_in_one_box() {
  for (index c = 0; c < 8; ++c) {
    box_batch<Device, float> b({37, 4});
    (c < 4 ? b.x : b.t)[std::size_t(4 * 9 + c % 4)] = std::nanf("");
    const typename Device::template buffer<float> x(b.x), t(b.t), gradient(b.x.size()), losses(37), value(1);
    Device::evaluate(
        hone::ciou_loss(b.view(t)), b.view(x),
        hone::outputs<float>{.gradient = b.view(gradient), .unreduced = losses.data(), .value = value.data()},
        hone::sum);
    const auto g = gradient.host(), l = losses.host();
    bool right = true;
    for (std::size_t i = 0; i < 37; ++i) {
      right &= std::isnan(l[i]) == (i == 9);
      for (std::size_t k = 0; k < 4; ++k) right &= std::isnan(g[4 * i + k]) == (i == 9);
    }
    CHECK_MESSAGE(right, "coordinate ", c);
  }
}

/// Losses as other libraries have them.
template <class Device>
void parity_of_boxes(std::vector<shape> const& shapes) {
  namespace parity = hone::parity;
  const auto check = [&](auto const& loss) { box_formula_alone<Device, float>(loss, hone::corners, shapes); };
  check([](auto b) { return parity::torchvision_giou_loss(b); });
  check([](auto b) { return parity::torchvision_diou_loss(b); });
  check([](auto b) { return parity::torchvision_ciou_loss(b); });
  check([](auto b) { return parity::mmdet_iou_loss(b); });
  check([](auto b) { return parity::mmdet_giou_loss(b); });
  check([](auto b) { return parity::mmdet_diou_loss(b); });
  check([](auto b) { return parity::mmdet_ciou_loss(b); });
  check([](auto b) { return parity::mmdet_siou_loss(b); });
  check([](auto b) { return parity::paddle_squared_giou_loss(b); });
  check([](auto b) { return parity::paddle_squared_diou_loss(b); });
  check([](auto b) { return parity::paddle_diou_loss(b); });
  check([](auto b) { return parity::paddle_ciou_loss(b); });
  // a box with neither width nor height has slopes of 1/ε here, which cancel where it is inverted: there is none in
  // these
  const std::vector<shape> with_sides{{22, 4}, {19, 4, 4}};
  box_formula_alone<Device, float>([](auto b) { return parity::paddle_squared_ciou_loss(b); }, hone::corners,
                                   with_sides);
  box_formula_alone<Device, float>([](auto b) { return parity::ultralytics_ciou_loss(b); }, hone::corners, with_sides);
}

template <class Device>
void box_losses() {
  using half = typename Device::half;
  using bfloat16 = typename Device::bfloat16;
  const std::vector<shape> all{{0, 4}, {1, 4}, {3, 4, 3}, {16, 4}, {333, 4}, {37, 4, 1}, {40, 4, 4}, {601, 4}};
  const std::vector<shape> some{{261, 4}, {19, 4, 4}};
  const auto iou = [](auto b) { return hone::iou_loss(b); };
  const auto giou = [](auto b) { return hone::giou_loss(b); };
  const auto diou = [](auto b) { return hone::diou_loss(b, hone::top_left); };
  const auto ciou = [](auto b) { return hone::ciou_loss(b, hone::centers); };
  const auto eiou = [](auto b) { return hone::eiou_loss(b); };
  const auto siou = [](auto b) { return hone::siou_loss(b, hone::centers); };
  box_loss<Device, float>(iou, hone::corners, all);
  box_loss<Device, double>(iou, hone::corners, some);
  box_loss<Device, half>(giou, hone::corners, all);
  box_loss<Device, float>(giou, hone::corners, some);
  box_loss<Device, float>(diou, hone::top_left, some);
  box_loss<Device, float>(ciou, hone::centers, all);
  box_loss<Device, double>(ciou, hone::centers, some);
  box_loss<Device, bfloat16>(ciou, hone::centers, some);
  box_loss<Device, float>(eiou, hone::corners, some);
  box_loss<Device, float>(siou, hone::centers, some);
  box_formula_alone<Device, float>([](auto b) { return hone::log_iou_loss(b); }, hone::corners, some);
  box_formula_alone<Device, float>([](auto b) { return hone::squared_iou_loss(b); }, hone::corners, some);
  box_formula_alone<Device, float>([](auto b) { return hone::focal_eiou_loss(b, {.gamma = 0.5}); }, hone::corners,
                                   some);
  namespace experimental = hone::experimental;
  box_formula_alone<Device, float>([](auto b) { return experimental::alpha_iou_loss(b); }, hone::corners, some);
  box_formula_alone<Device, float>([](auto b) { return experimental::alpha_diou_loss(b); }, hone::corners, some);
  box_formula_alone<Device, float>([](auto b) { return experimental::inner_iou_loss(b); }, hone::corners, some);
  box_formula_alone<Device, float>([](auto b) { return experimental::mpdiou_loss(b, 64, 48); }, hone::corners, some);
  box_formula_alone<Device, float>([](auto b) { return experimental::wise_iou_loss(b, {.mean = 0.7}); }, hone::corners,
                                   some);
  namespace darknet = hone::darknet_compat;
  box_formula_alone<Device, double>([](auto b) { return darknet::iou_loss(b, hone::centers); }, hone::centers, some);
  box_formula_alone<Device, float>([](auto b) { return darknet::giou_loss(b); }, hone::corners, some);
  box_formula_alone<Device, float>([](auto b) { return darknet::diou_loss(b, hone::centers); }, hone::centers, some);
  box_formula_alone<Device, double>([](auto b) { return darknet::ciou_loss(b, hone::centers); }, hone::centers, some);
  parity_of_boxes<Device>(some);
  box_images<Device, float>(1, 300);
  box_images<Device, float>(3, 7);
  box_images<Device, half>(2, 33);
  nan_in_one_box<Device>();
}

/// Matrices of overlaps against the metrics in double.
template <class Device, class T, class Pairwise, class Overlap>
void overlaps(Pairwise const& pairwise, Overlap const& overlap, shape size, index padding_of_boxes) {
  const box_batch<Device, T> a({size.rows, 4, padding_of_boxes}), b({size.columns, 4, padding_of_boxes});
  const padded<Device, T> out(size);
  const typename Device::template buffer<T> answer(out.filled([](index, index) { return 0.0; }));
  pairwise(a.view(a.device_x), b.view(b.device_t), out.view(answer));
  const auto seen = answer.host();
  bool right = true;
  for (index i = 0; i < size.rows; ++i)
    for (index j = 0; j < size.columns; ++j) {
      double p[4], t[4];
      for (index c = 0; c < 4; ++c) p[c] = a.at(a.x, i, c), t[c] = b.at(b.t, j, c);
      const hone::box_pair<double> pair(hone::corners_format::corners_of(p), hone::corners_format::corners_of(t));
      right &= close(out.at(seen, i, j), overlap(pair), box_tolerance<T>);
    }
  CHECK(right);
  CHECK_MESSAGE(out.padding_is_untouched(seen), "padding is not written");
}

/// Overlaps of boxes a million pixels from the origin, where a float keeps sixteenths, against those of the same
/// numbers in double. `first` is the part of a side that lies before the number that the format says a place with.
template <class Device, class Verb, class Format, class Overlap>
void overlaps_far_out(Verb const& verb, Format format, double first, Overlap const& overlap) {
  const shape size{37, 75};
  const auto coordinates = [&](bool of_a) {
    return padded<Device, float>({of_a ? size.rows : size.columns, 4}).filled([&](index i, index c) {
      const double k = double(of_a ? i : i + 5);
      return c < 2 ? (c == 0 ? 1e6 : -7e5) + std::floor(40 * std::sin(k + 3 * double(c))) / 16
                   : 3.5 + 3 * std::cos(1.7 * k + double(c));
    });
  };
  const std::vector<float> a = coordinates(true), b = coordinates(false);
  const typename Device::template buffer<float> on_a(a), on_b(b), answer(std::vector<float>(37 * 75));
  Device::call([&](auto const& backend) {
    verb(backend, hone::matrix_view{on_a.data(), size.rows, 4}, hone::matrix_view{on_b.data(), size.columns, 4},
         hone::matrix_view{answer.data(), size.rows, size.columns}, format);
  });
  const auto seen = answer.host();
  bool right = true;
  for (std::size_t i = 0; i < 37; ++i)
    for (std::size_t j = 0; j < 75; ++j) {
      double length[2][3];  // of a, of b and of what both cover
      for (std::size_t c = 0; c < 2; ++c) {
        const double p = a[4 * i + c], w = a[4 * i + c + 2], q = b[4 * j + c], v = b[4 * j + c + 2];
        const double both = std::min(p + (1 - first) * w, q + (1 - first) * v) - std::max(p - first * w, q - first * v);
        length[c][0] = w, length[c][1] = v, length[c][2] = std::max(both, 0.0);
      }
      const double both = length[0][2] * length[1][2];
      right &= close(seen[75 * i + j], overlap(both, length[0][0] * length[1][0], length[0][1] * length[1][1]), 4e-6);
    }
  CHECK(right);
}

/// Metrics of pairs against their formulas in double, in a format.
template <class Device, class T, class Format, class Verb, class Metric>
void aligned(Verb const& verb, Metric const& metric, Format format, index rows, index padding) {
  const box_batch<Device, T> boxes({rows, 4, padding});
  const padded<Device, T> out({rows, 1, padding});
  const typename Device::template buffer<T> answer(out.filled([](index, index) { return 0.0; }));
  Device::call([&](auto const& backend) {
    verb(backend, boxes.view(boxes.device_x), boxes.view(boxes.device_t), out.view(answer), format);
  });
  const auto seen = answer.host();
  bool right = true;
  for (index i = 0; i < rows; ++i) {
    double p[4], t[4];
    for (index c = 0; c < 4; ++c) p[c] = boxes.at(boxes.x, i, c), t[c] = boxes.at(boxes.t, i, c);
    const hone::box_pair<double, Format> pair(Format::numbers_of(p), Format::numbers_of(t));
    right &= close(out.at(seen, i, 0), metric(pair).value, box_tolerance<T>);
  }
  CHECK(right);
  CHECK_MESSAGE(out.padding_is_untouched(seen), "padding is not written");
}

template <class Device>
void metrics_of_pairs() {
  const auto iou = [](auto const& backend, auto... all) { hone::aligned_iou(backend, all...); };
  const auto ciou = [](auto const& backend, auto... all) { hone::aligned_ciou(backend, all...); };
  for (const index rows : {0, 1, 3, 300, 5000}) {
    CAPTURE(rows);
    aligned<Device, float>(iou, hone::iou_metric(), hone::corners, rows, 0);
    aligned<Device, float>(iou, hone::iou_metric(), hone::centers, rows, 3);
    aligned<Device, double>(ciou, hone::ciou_metric(), hone::centers, rows, 0);
  }
  aligned<Device, typename Device::half>(ciou, hone::ciou_metric(), hone::corners, 37, 1);
  aligned<Device, float>([](auto const& backend, auto... all) { hone::aligned_giou(backend, all...); },
                         hone::giou_metric(), hone::top_left, 333, 4);
  aligned<Device, float>([](auto const& backend, auto... all) { hone::aligned_diou(backend, all...); },
                         hone::diou_metric(), hone::top_left, 333, 0);
}

template <class Device>
void matrices_of_overlaps() {
  using half = typename Device::half;
  const auto iou = [](auto a, auto b, auto out) { Device::pairwise_iou(a, b, out); };
  const auto ciou = [](auto a, auto b, auto out) { Device::pairwise_ciou(a, b, out); };
  const hone::detail::overlap_of<hone::iou_metric> of_iou;
  const hone::detail::overlap_of<hone::ciou_metric> of_ciou;
  for (const shape s : {shape{0, 3}, {3, 0}, {1, 1}, {5, 300}, {70, 33, 3}, {33, 8}, {33, 520}}) {
    CAPTURE(s.rows);
    CAPTURE(s.columns);
    overlaps<Device, float>(iou, of_iou, s, 0);
    overlaps<Device, float>(iou, of_iou, s, 3);
    overlaps<Device, half>(iou, of_iou, s, 0);
    overlaps<Device, double>(ciou, of_ciou, s, 0);
    overlaps<Device, float>([](auto a, auto b, auto out) { Device::pairwise_ioa(a, b, out); },
                            hone::detail::overlap_over_first(), s, 0);
  }
  overlaps<Device, float>([](auto a, auto b, auto out) { Device::pairwise_giou(a, b, out); },
                          hone::detail::overlap_of<hone::giou_metric>(), {9, 40}, 4);
  overlaps<Device, float>([](auto a, auto b, auto out) { Device::pairwise_diou(a, b, out); },
                          hone::detail::overlap_of<hone::diou_metric>(), {9, 40}, 4);
  const auto far_iou = [](auto const& backend, auto... all) { hone::pairwise_iou(backend, all...); };
  const auto far_ioa = [](auto const& backend, auto... all) { hone::pairwise_ioa(backend, all...); };
  const auto over_union = [](double both, double a, double b) { return both / (a + b - both); };
  overlaps_far_out<Device>(far_iou, hone::centers, 0.5, over_union);
  overlaps_far_out<Device>(far_iou, hone::top_left, 0, over_union);
  overlaps_far_out<Device>(far_ioa, hone::centers, 0.5, [](double both, double a, double) { return both / a; });
}

}  // namespace conformance
