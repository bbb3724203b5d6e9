// SPDX-License-Identifier: MIT
// Written as a PyTorch user writes it: eager calls and autograd.
#include "peer.hpp"

#include <torch/torch.h>

#include <cmath>
#include <memory>

namespace bench::peer {
namespace {

namespace F = torch::nn::functional;

torch::Tensor leaf(batch const& b) { return torch::from_blob(b.logits, {b.rows, b.columns}).requires_grad_(); }
torch::Tensor constant(float const* p, batch const& b) {
  return torch::from_blob(const_cast<float*>(p), {b.rows, b.columns});
}
torch::Tensor indices(std::int64_t const* p, batch const& b) {
  return torch::from_blob(const_cast<std::int64_t*>(p), {b.rows}, torch::kInt64);
}

template <class Loss>
std::function<void()> step(batch b, Loss loss) {
  return [z = leaf(b), loss]() mutable {
    z.mutable_grad() = torch::Tensor();
    loss(z).backward();
  };
}

}  // namespace

bool available() { return true; }
std::string version() { return TORCH_VERSION; }
void set_threads(int threads) { at::set_num_threads(threads); }

std::function<void()> cross_entropy(batch b, double smoothing) {
  return step(b, [y = indices(b.labels, b), smoothing](torch::Tensor const& z) {
    return F::cross_entropy(z, y, F::CrossEntropyFuncOptions().label_smoothing(smoothing));
  });
}
std::function<void()> distillation(batch b, double T) {
  return step(b, [y = indices(b.labels, b), t = constant(b.teacher, b), T](torch::Tensor const& z) {
    const auto kd = F::kl_div(F::log_softmax(z / T, 1), F::log_softmax(t / T, 1),
                              F::KLDivFuncOptions().reduction(torch::kBatchMean).log_target(true));
    return 0.3 * T * T * kd + 0.7 * F::cross_entropy(z, y);
  });
}
std::function<void()> soft_targets(batch b) {
  return step(b, [q = constant(b.targets, b)](torch::Tensor const& z) { return F::cross_entropy(z, q); });
}
std::function<void()> sigmoid_focal(batch b) {
  return step(b, [t = constant(b.targets, b)](torch::Tensor const& x) {  // as torchvision.ops does
    const auto p = torch::sigmoid(x);
    const auto ce =
        F::binary_cross_entropy_with_logits(x, t, F::BinaryCrossEntropyWithLogitsFuncOptions().reduction(torch::kNone));
    const auto p_t = p * t + (1 - p) * (1 - t);
    const auto alpha_t = 0.25 * t + 0.75 * (1 - t);
    return (alpha_t * ce * torch::pow(1 - p_t, 2)).mean();
  });
}
std::vector<std::function<void()>> averages(hone::tensor_list<float> const& shadow,
                                            hone::tensor_list<float> const& parameters, double decay) {
  std::vector<torch::Tensor> s, p;
  for (auto const& t : shadow) s.push_back(torch::from_blob(t.data, {t.size}));
  for (auto const& t : parameters) p.push_back(torch::from_blob(t.data, {t.size}));
  const auto each = [=](auto body) {
    return [=] {
      const torch::NoGradGuard none;
      for (std::size_t i = 0; i < s.size(); ++i) body(s[i], p[i]);
    };
  };
  return {each([=](torch::Tensor a, torch::Tensor const& b) { a.lerp_(b, 1 - decay); }),
          each([=](torch::Tensor a, torch::Tensor const& b) { a.mul_(decay).add_(b, 1 - decay); }), [=] {
            const torch::NoGradGuard none;
            at::_foreach_mul_(s, decay);
            at::_foreach_add_(s, p, 1 - decay);
          }};
}

std::vector<std::function<void()>> clips(hone::tensor_list<float> const& gradients) {
  std::vector<torch::Tensor> g, p;
  for (auto const& t : gradients) {
    g.push_back(torch::from_blob(t.data, {t.size}));
    p.push_back(torch::zeros({t.size}).requires_grad_());
    p.back().mutable_grad() = g.back();
  }
  return {[=] { torch::nn::utils::clip_grad_norm_(p, 1e30); },
          [=] {
            const torch::NoGradGuard none;
            const double norm = torch::stack(at::_foreach_norm(g)).norm().item<double>();
            at::_foreach_mul_(g, std::min(1.0, 1e30 / (norm + 1e-6)));
          }};
}
std::vector<std::function<void()>> norms(hone::tensor_list<float> const& gradients) {
  std::vector<torch::Tensor> g;
  for (auto const& t : gradients) g.push_back(torch::from_blob(t.data, {t.size}));
  return {[=] {
    const torch::NoGradGuard none;
    torch::stack(at::_foreach_norm(g)).norm().item<double>();
  }};
}

std::vector<std::function<void()>> steps(training const& t) {
  const auto tensors_of = [](hone::tensor_list<float> const& list) {
    std::vector<torch::Tensor> all;
    for (auto const& x : list) all.push_back(torch::from_blob(x.data, {x.size}));
    return all;
  };
  const auto p = tensors_of(t.parameters), g = tensors_of(t.gradients), m = tensors_of(t.momenta),
             s = tensors_of(t.shadow);
  for (std::size_t i = 0; i < p.size(); ++i) p[i].set_requires_grad(true).mutable_grad() = g[i];
  const auto sgd = std::make_shared<torch::optim::SGD>(p, torch::optim::SGDOptions(t.rate).momentum(t.momentum));
  return {[=] {  // tensor by tensor, the optimiser PyTorch's own
            const torch::NoGradGuard none;
            const double unscaling = t.unscaling();
            for (auto const& x : g) x.mul_(unscaling);
            if (std::isfinite(torch::nn::utils::clip_grad_norm_(p, t.max_norm))) sgd->step();
            for (std::size_t i = 0; i < s.size(); ++i) s[i].lerp_(p[i], 1 - t.decay);
          },
          [=] {  // all at once
            const torch::NoGradGuard none;
            at::_foreach_mul_(g, t.unscaling());
            const double norm = torch::stack(at::_foreach_norm(g)).norm().item<double>();
            if (!std::isfinite(norm)) return;
            at::_foreach_mul_(g, std::min(1.0, t.max_norm / (norm + 1e-6)));
            at::_foreach_mul_(m, t.momentum);
            at::_foreach_add_(m, g);
            at::_foreach_add_(p, m, -t.rate);
            at::_foreach_mul_(s, t.decay);
            at::_foreach_add_(s, p, 1 - t.decay);
          },
          [=] {  // the coefficient goes with the unscaling, the average is lerp_: as few sweeps as eager calls allow
            const torch::NoGradGuard none;
            const double unscaling = t.unscaling(),
                         norm = torch::stack(at::_foreach_norm(g)).norm().item<double>() * unscaling;
            if (!std::isfinite(norm)) return;
            const double factor = unscaling * std::min(1.0, t.max_norm / (norm + 1e-6));
            for (std::size_t i = 0; i < s.size(); ++i) {
              m[i].mul_(t.momentum).add_(g[i], factor);
              p[i].add_(m[i], -t.rate);
              s[i].lerp_(p[i], 1 - t.decay);
            }
          }};
}

}  // namespace bench::peer
