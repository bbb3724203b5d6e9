// SPDX-License-Identifier: MIT
// Boxes computed in the numbers of their format: accuracy far from the origin, and formats in the place of options.
#include <hone/cpu/simd/math.hpp>
#include <hone/loss/box/aligned.hpp>
#include <hone/loss/box/eiou.hpp>
#include <hone/loss/box/experimental/alpha_iou.hpp>
#include <hone/loss/box/experimental/inner_iou.hpp>
#include <hone/loss/box/experimental/wise_iou.hpp>
#include <hone/loss/box/siou.hpp>
#include <hone/parity/boxes/darknet_compat.hpp>
#include <hone/parity/boxes/mmdet.hpp>
#include <hone/parity/boxes/paddle.hpp>
#include <hone/parity/boxes/torchvision.hpp>

#include <loss/box/boxes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <type_traits>

namespace {

using naive::dual;
using pack = hone::on_cpu::pack<float>;

struct answer {
  float value, grad[4];
};

template <class Format, class Formula>
answer in_float(Formula const& formula, float const (&p)[4], float const (&t)[4]) {
  const pack x[] = {pack(p[0]), pack(p[1]), pack(p[2]), pack(p[3])};
  const pack y[] = {pack(t[0]), pack(t[1]), pack(t[2]), pack(t[3])};
  pack grad[4];
  float out[5][pack::size];
  hone::detail::apply_formula<Format>(formula, x, y, grad).store(out[0]);
  for (int c = 0; c < 4; ++c) grad[c].store(out[c + 1]);
  return {out[0][0], {out[1][0], out[2][0], out[3][0], out[4][0]}};
}

/// Corners in double, by a place and sides; `at`: which part of the sides lies before the place.
naive::corners corners_of(float const (&b)[4], double at, int by) {
  const auto x = [&](int c) { return dual(double(b[c]), c == by ? 1 : 0); };
  const dual before(at), after(1 - at);
  return {x(0) - before * x(2), x(1) - before * x(3), x(0) + after * x(2), x(1) + after * x(3)};
}

template <class Format, class Formula, class Reference>
void keeps_digits(Formula const& formula, Reference const& reference, double before) {
  std::mt19937 random(9);
  std::uniform_real_distribution<double> unit(-1, 1);
  for (const double far : {0.0, 1e3, 1e5, 2e6, 1e7}) {
    double of_value = 0, of_gradient = 0;
    for (int k = 0; k < 400; ++k) {
      const double side = k % 3 == 0 ? 900 : 60;
      const float p[] = {float(far * unit(random) + 30 * unit(random)), float(far * unit(random)),
                         float(side * (1.2 + unit(random))), float(side * (1.2 + unit(random)))};
      const auto whole = [&] { return float(2 * std::round(20 * unit(random)) + 1); };  // odd: no edges on one another
      const float t[] = {p[0] + whole(), p[1] + whole(), float(side * (1.2 + unit(random))),
                         float(side * (1.2 + unit(random)))};
      const answer seen = in_float<Format>(formula, p, t);
      double exact[4], size = 0, value = 0;
      for (int c = 0; c < 4; ++c) {
        const dual y = reference(corners_of(p, before, c), corners_of(t, before, -1));
        exact[c] = y.d, value = y.v, size = std::max(size, std::abs(y.d));
      }
      of_value = std::max(of_value, std::abs(double(seen.value) - value));
      for (int c = 0; c < 4; ++c) of_gradient = std::max(of_gradient, std::abs(double(seen.grad[c]) - exact[c]) / size);
    }
    CAPTURE(far);
    CHECK(of_value <= 6e-7);
    CHECK(of_gradient <= 4e-6);
  }
}

template <class Format>
void each_loss(double before) {
  keeps_digits<Format>(hone::one_minus<hone::iou_metric>(), naive::iou_loss, before);
  keeps_digits<Format>(hone::one_minus<hone::giou_metric>(), naive::giou_loss, before);
  keeps_digits<Format>(hone::one_minus<hone::ciou_metric>(), naive::ciou_loss, before);
  keeps_digits<Format>(hone::one_minus<hone::eiou_metric>(), naive::eiou_loss, before);
}

}  // namespace

TEST_CASE("box losses of centers and top_left keep their accuracy far from the origin") {
  SUBCASE("centers") { each_loss<hone::centers_format>(0.5); }
  SUBCASE("top_left") { each_loss<hone::top_left_format>(0); }
}

TEST_CASE("small boxes far from the origin keep their area") {
  const float b[] = {4.5e6f, -3e6f, 0.2f, 0.3f}, wider[] = {4.5e6f, -3e6f, 0.4f, 0.3f};
  const auto check = [&]<class Format>(Format) {
    const answer same = in_float<Format>(hone::one_minus<hone::ciou_metric>(), b, b);
    CHECK(same.value == 0);
    for (const float g : same.grad) CHECK(g == 0);
    CHECK(in_float<Format>(hone::one_minus<hone::iou_metric>(), b, wider).value == doctest::Approx(0.5));
    CHECK(in_float<Format>(hone::darknet_compat::iou_formula(), b, b).value == 0);
  };
  check(hone::centers), check(hone::top_left);
}

TEST_CASE("box losses take a format in the place of options") {
  const hone::matrix_view<const float> boxes;
  const auto same = [](auto const& a, auto const& b) {
    static_assert(std::is_same_v<decltype(a), decltype(b)>);
    const float p[] = {1, 2, 3, 4}, t[] = {2, 1, 5, 4};
    using format = typename std::remove_cvref_t<decltype(a)>::format;
    CHECK(in_float<format>(a.formula, p, t).value == in_float<format>(b.formula, p, t).value);
  };
  namespace experimental = hone::experimental;
  namespace parity = hone::parity;
  const auto f = hone::centers;
  same(hone::focal_eiou_loss(boxes, f), hone::focal_eiou_loss(boxes, {}, f));
  same(experimental::alpha_iou_loss(boxes, f), experimental::alpha_iou_loss(boxes, {}, f));
  same(experimental::alpha_diou_loss(boxes, f), experimental::alpha_diou_loss(boxes, {}, f));
  same(experimental::inner_iou_loss(boxes, f), experimental::inner_iou_loss(boxes, {}, f));
  same(experimental::wise_iou_loss(boxes, f), experimental::wise_iou_loss(boxes, {}, f));
  same(parity::torchvision_giou_loss(boxes, f), parity::torchvision_giou_loss(boxes, {}, f));
  same(parity::torchvision_diou_loss(boxes, f), parity::torchvision_diou_loss(boxes, {}, f));
  same(parity::torchvision_ciou_loss(boxes, f), parity::torchvision_ciou_loss(boxes, {}, f));
  same(parity::mmdet_giou_loss(boxes, f), parity::mmdet_giou_loss(boxes, {}, f));
  same(parity::mmdet_diou_loss(boxes, f), parity::mmdet_diou_loss(boxes, {}, f));
  same(parity::mmdet_ciou_loss(boxes, f), parity::mmdet_ciou_loss(boxes, {}, f));
  same(parity::mmdet_siou_loss(boxes, f), parity::mmdet_siou_loss(boxes, {}, f));
  same(parity::paddle_diou_loss(boxes, f), parity::paddle_diou_loss(boxes, {}, f));
  same(parity::paddle_ciou_loss(boxes, f), parity::paddle_ciou_loss(boxes, {}, f));
}
