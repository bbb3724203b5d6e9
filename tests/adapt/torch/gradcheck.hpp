// SPDX-License-Identifier: MIT
/// The gradient of hone::adapt::loss in float64, against central differences of hone::adapt::value.
#pragma once

#include <hone/adapt/torch.hpp>
#include <hone/hone.hpp>

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <vector>

namespace gradcheck {

namespace ha = hone::adapt;

/// Numbers that differ, without a generator: the same in every version of LibTorch.
inline at::Tensor waves(at::IntArrayRef sizes, double step = 1.7, double size = 2) {
  at::Tensor x = at::empty(sizes, at::kDouble);
  auto* p = x.data_ptr<double>();
  for (std::int64_t i = 0; i < x.numel(); ++i) p[i] = size * std::sin(step * static_cast<double>(i) + 0.3);
  return x;
}
inline at::Tensor labels(std::int64_t n, std::int64_t classes, at::ScalarType type = at::kLong) {
  at::Tensor y = at::empty({n}, at::kLong);
  for (std::int64_t i = 0; i < n; ++i) y.data_ptr<std::int64_t>()[i] = i * 7 % classes;
  return y.to(type);
}
inline at::Tensor gradient(at::Tensor const& loss, at::Tensor const& by, bool retain = false, bool create = false) {
  return torch::autograd::grad({loss}, {by}, {}, retain, create)[0];
}
inline double number(at::Tensor const& x) { return x.item<double>(); }
inline double distance(at::Tensor const& a, at::Tensor const& b) {
  REQUIRE((a.sizes() == b.sizes()));
  return a.numel() == 0 ? 0 : number((a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max());
}

/// The number of a tensor of any strides.
inline double& at_place(at::Tensor const& x, std::int64_t i) {
  std::int64_t offset = 0;
  for (std::int64_t d = x.dim(); d-- > 0; i /= x.size(d)) offset += i % x.size(d) * x.stride(d);
  return x.data_ptr<double>()[offset];
}

/// Compares value and gradient; the gradient is taken of three times the loss.
template <class Source>
void check(Source const& source, at::Tensor const& logits, hone::reduction how = hone::mean, double tolerance = 1e-8) {
  const at::Tensor z = logits.detach().clone().requires_grad_();
  const at::Tensor loss = ha::loss<double>(source, z, how);
  REQUIRE(loss.dim() == 0);
  REQUIRE((loss.scalar_type() == at::kDouble));
  CHECK(number(loss) == ha::value<double>(source, z, how));
  const at::Tensor g = gradient(3 * loss, z);
  const double h = 1e-5;
  const at::Tensor x = z.detach();
  double worst = 0, largest = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    double& at = at_place(x, i);
    const double before = at;
    at = before + h;
    const double above = ha::value<double>(source, x, how);
    at = before - h;
    const double below = ha::value<double>(source, x, how);
    at = before;
    worst = std::max(worst, std::abs(3 * (above - below) / (2 * h) - at_place(g, i)));
    largest = std::max(largest, std::abs(at_place(g, i)));
  }
  CHECK(worst <= tolerance * (1 + std::abs(number(loss)) + largest));
  CHECK(largest > 0);
}

}  // namespace gradcheck
