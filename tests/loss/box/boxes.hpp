// SPDX-License-Identifier: MIT
/// Box losses written down from their papers, on dual numbers: what the tests hold values and gradients to. Where a
/// source lets a part carry no gradient, that part is computed in double first.
#pragma once

#include <support/dual.hpp>

#include <algorithm>
#include <cmath>

namespace naive {

using support::dual;

struct corners {
  dual x1, y1, x2, y2;
};

inline double value(dual a) { return a.v; }
inline dual area(corners const& a) { return (a.x2 - a.x1) * (a.y2 - a.y1); }
inline dual square(dual a) { return a * a; }

inline dual intersection(corners const& a, corners const& b) {
  const dual w = min(a.x2, b.x2) - max(a.x1, b.x1), h = min(a.y2, b.y2) - max(a.y1, b.y1);
  return w.v > 0 && h.v > 0 ? w * h : dual(0.0);
}
inline dual iou(corners const& a, corners const& b) {
  const dual i = intersection(a, b);
  return i / (area(a) + area(b) - i);
}
inline corners hull(corners const& a, corners const& b) {
  return {min(a.x1, b.x1), min(a.y1, b.y1), max(a.x2, b.x2), max(a.y2, b.y2)};
}

inline dual iou_loss(corners const& a, corners const& b) { return dual(1.0) - iou(a, b); }
inline dual log_iou_loss(corners const& a, corners const& b) {
  const dual i = iou(a, b);
  return i.v < 1e-6 ? dual(-std::log(1e-6)) : -log(i);
}
inline dual squared_iou_loss(corners const& a, corners const& b) { return dual(1.0) - square(iou(a, b)); }

inline dual giou_loss(corners const& a, corners const& b) {
  const dual i = intersection(a, b), u = area(a) + area(b) - i, c = area(hull(a, b));
  return dual(1.0) - (i / u - (c - u) / c);
}

inline dual distance(corners const& a, corners const& b) {  // ρ²/c²
  const corners c = hull(a, b);
  const dual dx = (a.x1 + a.x2 - b.x1 - b.x2) / dual(2.0), dy = (a.y1 + a.y2 - b.y1 - b.y2) / dual(2.0);
  return (square(dx) + square(dy)) / (square(c.x2 - c.x1) + square(c.y2 - c.y1));
}
inline dual diou_loss(corners const& a, corners const& b) { return dual(1.0) - iou(a, b) + distance(a, b); }

inline dual ciou_loss(corners const& a, corners const& b) {
  const dual angle = atan((b.x2 - b.x1) / (b.y2 - b.y1)) - atan((a.x2 - a.x1) / (a.y2 - a.y1));
  const dual v = dual(4 / (M_PI * M_PI)) * square(angle);
  const double alpha = v.v == 0 ? 0 : v.v / (1 - iou(a, b).v + v.v);  // carries no gradient
  return dual(1.0) - iou(a, b) + distance(a, b) + dual(alpha) * v;
}

inline dual eiou_loss(corners const& a, corners const& b) {
  const corners c = hull(a, b);
  const dual w = (a.x2 - a.x1) - (b.x2 - b.x1), h = (a.y2 - a.y1) - (b.y2 - b.y1);
  return dual(1.0) - iou(a, b) + distance(a, b) + square(w / (c.x2 - c.x1)) + square(h / (c.y2 - c.y1));
}
inline dual focal_eiou_loss(corners const& a, corners const& b, double gamma) {
  return dual(std::pow(iou(a, b).v, gamma)) * eiou_loss(a, b);
}

inline dual sine(dual x) { return dual(std::sin(x.v), x.d * std::cos(x.v)); }
inline dual arcsine(dual x) { return dual(std::asin(x.v), x.d / std::sqrt(1 - x.v * x.v)); }
inline dual siou_loss(corners const& a, corners const& b) {
  const corners c = hull(a, b);
  const dual dx = (a.x1 + a.x2 - b.x1 - b.x2) / dual(2.0), dy = (a.y1 + a.y2 - b.y1 - b.y2) / dual(2.0);
  const dual sigma = sqrt(square(dx) + square(dy));
  const dual angle = sine(dual(2.0) * arcsine(min(abs(dx), abs(dy)) / sigma));
  const dual rho_x = square(dx / (c.x2 - c.x1)), rho_y = square(dy / (c.y2 - c.y1)), gamma = dual(2.0) - angle;
  const dual delta = (dual(1.0) - exp(-(gamma * rho_x))) + (dual(1.0) - exp(-(gamma * rho_y)));
  const auto shape = [](dual p, dual t) { return square(square(dual(1.0) - exp(-(abs(p - t) / max(p, t))))); };
  const dual omega = shape(a.x2 - a.x1, b.x2 - b.x1) + shape(a.y2 - a.y1, b.y2 - b.y1);
  return dual(1.0) - iou(a, b) + (delta + omega) / dual(2.0);
}

inline dual to_power(dual x, double alpha) {
  return dual(std::pow(x.v, alpha), alpha * std::pow(x.v, alpha - 1) * x.d);
}
inline dual alpha_iou_loss(corners const& a, corners const& b, double alpha) {
  return dual(1.0) - to_power(iou(a, b), alpha);
}
inline dual alpha_diou_loss(corners const& a, corners const& b, double alpha) {
  return dual(1.0) - to_power(iou(a, b), alpha) + to_power(distance(a, b), alpha);
}

inline dual inner_iou_loss(corners const& a, corners const& b, double ratio) {
  const auto scaled = [&](corners const& c) {
    const dual x = (c.x1 + c.x2) / dual(2.0), y = (c.y1 + c.y2) / dual(2.0), half(ratio / 2);
    const dual w = half * (c.x2 - c.x1), h = half * (c.y2 - c.y1);
    return corners{x - w, y - h, x + w, y + h};
  };
  return iou_loss(scaled(a), scaled(b));
}

inline dual mpdiou_loss(corners const& a, corners const& b, double width, double height) {
  const dual d1 = square(a.x1 - b.x1) + square(a.y1 - b.y1), d2 = square(a.x2 - b.x2) + square(a.y2 - b.y2);
  const dual image(width * width + height * height);
  return dual(1.0) - iou(a, b) + d1 / image + d2 / image;
}

inline dual wise_iou_loss(corners const& a, corners const& b, double mean, double alpha, double delta) {
  const corners c = hull(a, b);
  const dual dx = (a.x1 + a.x2 - b.x1 - b.x2) / dual(2.0), dy = (a.y1 + a.y2 - b.y1 - b.y2) / dual(2.0);
  const double diagonal = square(c.x2 - c.x1).v + square(c.y2 - c.y1).v;  // carries no gradient
  const dual v1 = exp((square(dx) + square(dy)) / dual(diagonal)) * iou_loss(a, b);
  if (mean == 0) return v1;
  const double beta = iou_loss(a, b).v / mean;  // nor does this
  return dual(beta / (delta * std::pow(alpha, beta - delta))) * v1;
}

}  // namespace naive
