// SPDX-License-Identifier: MIT
// Identities of box losses that hold in every bit, whatever the compiler fuses or reassociates: equal boxes have a loss
// of 0, no IoU is above 1, and no finite box has a loss of NaN. One program for each set of flags.
#include <hone/cpu/simd/math.hpp>
#include <hone/loss/box/aligned.hpp>
#include <hone/loss/box/eiou.hpp>
#include <hone/loss/box/experimental/alpha_iou.hpp>
#include <hone/loss/box/experimental/inner_iou.hpp>
#include <hone/loss/box/experimental/mpdiou.hpp>
#include <hone/loss/box/experimental/wise_iou.hpp>
#include <hone/loss/box/siou.hpp>
#include <hone/parity/boxes/darknet_compat.hpp>
#include <hone/parity/boxes/mmdet.hpp>
#include <hone/parity/boxes/paddle.hpp>
#include <hone/parity/boxes/torchvision.hpp>
#include <hone/parity/boxes/ultralytics.hpp>

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cfenv>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace {

using view = hone::matrix_view<const float>;
template <class T>
using four = std::array<T, 4>;

/// By the bits: -ffast-math takes every number for a finite one.
template <class T>
bool is_finite(T x) {
  if constexpr (sizeof(T) == 4)
    return (std::bit_cast<std::uint32_t>(x) & 0x7f800000u) != 0x7f800000u;
  else
    return (std::bit_cast<std::uint64_t>(x) >> 52 & 0x7ff) != 0x7ff;
}

template <class T>
struct answer {
  T value, grad[4];

  bool finite() const {
    return is_finite(value) && is_finite(grad[0]) && is_finite(grad[1]) && is_finite(grad[2]) && is_finite(grad[3]);
  }
  bool zero() const { return value == 0 && grad[0] == 0 && grad[1] == 0 && grad[2] == 0 && grad[3] == 0; }
};

/// The answers of a loss on registers, and whether an operation was invalid or divided by 0.
template <class T, class Format, class Formula>
[[gnu::noinline]] std::vector<answer<T>> ask(Formula const& formula, std::vector<four<T>> const& p,
                                             std::vector<four<T>> const& t, bool* raised = nullptr) {
  using V = hone::on_cpu::pack<T>;
  std::vector<answer<T>> all(p.size());
  std::feclearexcept(FE_ALL_EXCEPT);
  for (std::size_t i = 0; i + std::size_t(V::size) <= p.size(); i += std::size_t(V::size)) {
    T lanes[2][4][V::size], out[5][V::size];
    for (std::size_t k = 0; k < std::size_t(V::size); ++k)
      for (std::size_t c = 0; c < 4; ++c) lanes[0][c][k] = p[i + k][c], lanes[1][c][k] = t[i + k][c];
    V x[4], y[4], grad[4];
    for (int c = 0; c < 4; ++c) x[c] = V::load(lanes[0][c]), y[c] = V::load(lanes[1][c]);
    hone::detail::apply_formula<Format>(formula, x, y, grad).store(out[0]);
    for (int c = 0; c < 4; ++c) grad[c].store(out[c + 1]);
    for (std::size_t k = 0; k < std::size_t(V::size); ++k)
      all[i + k] = {out[0][k], {out[1][k], out[2][k], out[3][k], out[4][k]}};
  }
  if (raised) *raised = std::fetestexcept(FE_INVALID | FE_DIVBYZERO) != 0;
  return all;
}

/// Losses that are 0 for equal boxes.
template <class Visit>
void own_losses(Visit const& visit) {
  const view none;
  namespace experimental = hone::experimental;
  visit("iou", hone::iou_loss(none).formula);
  visit("log iou", hone::log_iou_loss(none).formula);
  visit("squared iou", hone::squared_iou_loss(none).formula);
  visit("giou", hone::giou_loss(none).formula);
  visit("diou", hone::diou_loss(none).formula);
  visit("ciou", hone::ciou_loss(none).formula);
  visit("eiou", hone::eiou_loss(none).formula);
  visit("focal eiou", hone::focal_eiou_loss(none).formula);
  visit("siou", hone::siou_loss(none).formula);
  visit("alpha iou", experimental::alpha_iou_loss(none).formula);
  visit("alpha diou", experimental::alpha_diou_loss(none, {.alpha = 1.5}).formula);
  visit("inner iou", experimental::inner_iou_loss(none).formula);
  visit("mpdiou", experimental::mpdiou_loss(none, 640, 480).formula);
  visit("wise iou", experimental::wise_iou_loss(none, {.mean = 0.4}).formula);
}
/// Losses of other libraries, which are 0 where what they add to areas is lost in them.
template <class Visit>
void parity_losses(Visit const& visit) {
  const view none;
  namespace parity = hone::parity;
  visit("mmdet iou", parity::mmdet_iou_loss(none).formula);
  visit("mmdet giou", parity::mmdet_giou_loss(none).formula);
  visit("mmdet ciou", parity::mmdet_ciou_loss(none).formula);
  visit("torchvision giou", parity::torchvision_giou_loss(none).formula);
  visit("torchvision diou", parity::torchvision_diou_loss(none).formula);
  visit("paddle ciou, squared", parity::paddle_squared_ciou_loss(none).formula);
}
template <class Visit>
void other_losses(Visit const& visit) {
  const view none;
  namespace parity = hone::parity;
  visit("mmdet siou", parity::mmdet_siou_loss(none).formula);
  visit("paddle ciou", parity::paddle_ciou_loss(none).formula);
  visit("ultralytics ciou", parity::ultralytics_ciou_loss(none).formula);
  visit("darknet ciou", hone::darknet_compat::ciou_loss(none).formula);
  visit("darknet diou", hone::darknet_compat::diou_loss(none).formula);
}

template <class Format>
constexpr bool says_corners = std::is_same_v<Format, hone::corners_format>;

/// Boxes in pixels, some of them far out, in a format.
template <class T, class Format>
std::vector<four<T>> some_boxes(double least, std::size_t count = 4096) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> at(-1500, 1500), side(least, 300);
  std::vector<four<T>> all;
  while (all.size() < count) {
    const double far = all.size() % 4 == 3 ? 2000 : 1;
    const T x = T(far * at(random)), y = T(far * at(random)), w = T(side(random)), h = T(side(random));
    four<T> b{x, y, w, h};
    if (says_corners<Format>) b[2] = x + (w + T(far - 1)), b[3] = y + (h + T(far - 1));
    all.push_back(b);
  }
  return all;
}

template <class T, class Format, class Formula>
void are_at_zero(std::string const& name, Formula const& formula, std::vector<four<T>> const& boxes) {
  std::size_t wrong = 0;
  for (answer<T> const& a : ask<T, Format>(formula, boxes, boxes)) wrong += !a.zero();
  CHECK_MESSAGE(wrong == 0, name, ": ", wrong, " of ", boxes.size());
}

/// A step of the last place, up or down.
template <class T>
T beside(T x, unsigned how) {
  using bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  return x == 0 ? x : std::bit_cast<T>(static_cast<bits>(std::bit_cast<bits>(x) + bits(how % 3) - 1));
}

template <class T, class Format>
void identities() {
  own_losses([](const char* name, auto const& formula) {
    are_at_zero<T, Format>(name, formula, some_boxes<T, Format>(0.02));
  });
  const auto boxes = some_boxes<T, Format>(4);
  if constexpr (sizeof(T) == 4)
    parity_losses([&](const char* name, auto const& formula) { are_at_zero<T, Format>(name, formula, boxes); });
  auto near = boxes;
  std::mt19937 random(3);
  for (four<T>& b : near)
    for (T& x : b) x = beside(x, unsigned(random()));
  std::size_t wrong = 0;
  for (answer<T> const& a : ask<T, Format>(hone::one_minus<hone::iou_metric>(), near, boxes)) wrong += !(a.value >= 0);
  CHECK_MESSAGE(wrong == 0, wrong, " boxes beside each other have a loss below 0");
  own_losses([&](const char* name, auto const& formula) {
    std::size_t below = 0;
    for (answer<T> const& a : ask<T, Format>(formula, near, boxes)) below += !(a.value >= 0);
    CHECK_MESSAGE(below == 0, std::string(name), ": ", below, " of ", boxes.size(), " are below 0");
  });
}

/// Boxes of all sizes and of none, each beside each, in every format: numbers that are corners, or a place and sides.
template <class T, class Format>
void numbers_only() {
  const T shapes[][4] = {{0, 0, 0, 0},
                         {1, 2, 1, 2},
                         {3, 1, 2, 5},
                         {3, 3, -2, 1},
                         {0, 0, 1, 0},
                         {T(0.26), T(0.64), T(5.96e-8), T(1.9e-6)},
                         {T(0.26), T(0.64), T(0.26001), T(0.64001)},
                         {T(1e-12), T(-1e-12), T(2e-12), T(1e-11)},
                         {T(-1e-30), T(1e-30), T(3e-30), T(1e-25)},
                         {T(1e-42), T(2e-42), T(3e-42), T(7e-42)},
                         {T(1e9), T(-1e9), T(2e9), T(3e9)},
                         {T(-3e38), T(-3e38), T(3e38), T(3e38)},
                         {T(4.5e6), T(-2e6), T(4.5e6), T(1)},
                         {7, T(1e-20), T(1e20), T(1e-20)},
                         {-5, -5, 5, 5},
                         {-1, -1, 1, 1}};
  std::vector<four<T>> p, t;
  for (auto const& a : shapes)
    for (auto const& b : shapes) p.push_back({a[0], a[1], a[2], a[3]}), t.push_back({b[0], b[1], b[2], b[3]});
  const auto check = [&](const char* name, auto const& formula) {
    bool raised = false;
    const auto all = ask<T, Format>(formula, p, t, &raised);
    std::size_t wrong = 0, last = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!all[i].finite()) ++wrong, last = i;
    CHECK_MESSAGE(wrong == 0, std::string(name), ": ", wrong, ", the last shape ", last / std::size(shapes),
                  " beside shape ", last % std::size(shapes));
#if !defined(__FAST_MATH__)
    CHECK_MESSAGE(!raised, std::string(name), ": an operation was invalid, or divided by 0");
#endif
  };
  own_losses(check), parity_losses(check), other_losses(check);
}

}  // namespace

TEST_CASE("box losses are exactly 0 for equal boxes and never negative") {
  SUBCASE("float corners") { identities<float, hone::corners_format>(); }
  SUBCASE("float centers") { identities<float, hone::centers_format>(); }
  SUBCASE("double corners") { identities<double, hone::corners_format>(); }
}

TEST_CASE("box losses of finite boxes are never NaN, and raise no invalid operation") {
  SUBCASE("float corners") { numbers_only<float, hone::corners_format>(); }
  SUBCASE("float centers") { numbers_only<float, hone::centers_format>(); }
  SUBCASE("float top_left") { numbers_only<float, hone::top_left_format>(); }
}

TEST_CASE("the IoU of equal boxes is exactly 1, and no IoU is above 1") {
  const auto boxes = some_boxes<float, hone::corners_format>(0.02);
  std::size_t unequal = 0, above = 0;
  std::mt19937 random(5);
  for (auto const& b : boxes) {
    const hone::box<double> one{b[0], b[1], b[2], b[3]};
    hone::box<double> other = one;
    other.x2 = beside(other.x2, unsigned(random())), other.y1 = beside(other.y1, unsigned(random()));
    unequal += hone::iou_metric()(hone::box_pair<double>(one, one)).value != 1;
    above += hone::iou_metric()(hone::box_pair<double>(one, other)).value > 1;
    using V = hone::on_cpu::pack<float>;
    const hone::box<V> same{V(b[0]), V(b[1]), V(b[2]), V(b[3])};
    const hone::box<V> moved{V(b[0]), V(beside(b[1], unsigned(random()))), V(beside(b[2], unsigned(random()))),
                             V(b[3])};
    float matrix[V::size], near[V::size];
    hone::detail::overlap_of<hone::iou_metric>()(hone::box_pair<V>(same, same)).store(matrix);
    hone::detail::overlap_of<hone::iou_metric>()(hone::box_pair<V>(same, moved)).store(near);
    unequal += matrix[0] != 1, above += near[0] > 1;
    hone::detail::overlap_over_first()(hone::box_pair<V>(same, same)).store(matrix);
    unequal += matrix[0] != 1;
  }
  CHECK(unequal == 0);
  CHECK(above == 0);
}
