// SPDX-License-Identifier: MIT
// Written as a PyTorch user writes it: eager calls and autograd.
#include "peer.hpp"

#include <torch/torch.h>

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

}  // namespace bench::peer
