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

namespace {

/// As torchvision.ops 0.14 does, but for its masked assignment of the intersection: with it the whole takes twice as
/// long.
struct corners {
  torch::Tensor x1, y1, x2, y2;

  explicit corners(torch::Tensor const& boxes) {
    const auto c = boxes.unbind(-1);
    x1 = c[0], y1 = c[1], x2 = c[2], y2 = c[3];
  }
};
struct overlap {
  torch::Tensor iou, whole, distance;
};
constexpr double tiny = 1e-7;

overlap overlap_of(corners const& a, corners const& b) {
  const auto i = (torch::min(a.x2, b.x2) - torch::max(a.x1, b.x1)).clamp_min(0) *
                 (torch::min(a.y2, b.y2) - torch::max(a.y1, b.y1)).clamp_min(0);
  const auto u = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - i;
  return {i / (u + tiny), u, {}};
}
overlap with_distance(corners const& a, corners const& b) {
  overlap o = overlap_of(a, b);
  const auto cw = torch::max(a.x2, b.x2) - torch::min(a.x1, b.x1), ch = torch::max(a.y2, b.y2) - torch::min(a.y1, b.y1);
  const auto dx = (a.x2 + a.x1) / 2 - (b.x2 + b.x1) / 2, dy = (a.y2 + a.y1) / 2 - (b.y2 + b.y1) / 2;
  o.distance = (dx * dx + dy * dy) / (cw * cw + ch * ch + tiny);
  return o;
}

}  // namespace

std::function<void()> giou(batch b) {
  return step(b, [t = corners(constant(b.targets, b))](torch::Tensor const& z) {
    const corners p(z);
    const overlap o = overlap_of(p, t);
    const auto c =
        (torch::max(p.x2, t.x2) - torch::min(p.x1, t.x1)) * (torch::max(p.y2, t.y2) - torch::min(p.y1, t.y1));
    return (1 - (o.iou - (c - o.whole) / (c + tiny))).mean();
  });
}
std::function<void()> diou(batch b) {
  return step(b, [t = corners(constant(b.targets, b))](torch::Tensor const& z) {
    const overlap o = with_distance(corners(z), t);
    return (1 - o.iou + o.distance).mean();
  });
}
std::function<void()> ciou(batch b) {
  return step(b, [t = corners(constant(b.targets, b))](torch::Tensor const& z) {
    const corners p(z);
    const overlap o = with_distance(p, t);
    const auto angle = torch::atan((t.x2 - t.x1) / (t.y2 - t.y1)) - torch::atan((p.x2 - p.x1) / (p.y2 - p.y1));
    const auto v = 4 / (M_PI * M_PI) * angle * angle;
    torch::Tensor alpha;
    {
      const torch::NoGradGuard none;
      alpha = v / (1 - o.iou + v + tiny);
    }
    return (1 - o.iou + o.distance + alpha * v).mean();
  });
}
std::function<void()> pairwise_iou(float* a, std::int64_t rows, float* b, std::int64_t columns) {
  return [a = torch::from_blob(a, {rows, 4}), b = torch::from_blob(b, {columns, 4})] {
    using torch::indexing::None, torch::indexing::Slice;
    const torch::NoGradGuard none;
    const auto area = [](torch::Tensor const& x) {
      const corners c(x);
      return (c.x2 - c.x1) * (c.y2 - c.y1);
    };
    const auto upper = torch::max(a.index({Slice(), None, Slice(None, 2)}), b.index({Slice(), Slice(None, 2)}));
    const auto lower = torch::min(a.index({Slice(), None, Slice(2, None)}), b.index({Slice(), Slice(2, None)}));
    const auto side = (lower - upper).clamp_min(0);
    const auto i = side.select(2, 0) * side.select(2, 1);
    const auto iou = i / (area(a).unsqueeze(1) + area(b) - i);
    static_cast<void>(iou);
  };
}

std::vector<std::function<void()>> mixup(images b) {
  const auto x = torch::from_blob(b.from, {b.rows, b.features}), y = torch::from_blob(b.to, {b.rows, b.features});
  const auto l = torch::from_blob(const_cast<float*>(b.lambda), {b.rows, 1});
  const auto partner = torch::from_blob(const_cast<std::int64_t*>(b.partner), {b.rows}, torch::kInt64);
  return {[=] {
            const torch::NoGradGuard none;
            y.copy_(l * x + (1 - l) * x.index_select(0, partner));
          },
          [=] {
            const torch::NoGradGuard none;
            torch::Tensor out = y, other = x.index_select(0, partner);
            torch::lerp_out(out, other, x, l);
          }};
}
std::vector<std::function<void()>> mixup_of_batch(images b) {
  const auto x = torch::from_blob(b.from, {b.rows, b.features});
  return {[=] {
            const torch::NoGradGuard none;
            x.roll(1, 0).mul_(0.7).add_(x.mul(0.3));  // torchvision
          },
          [=] {
            const torch::NoGradGuard none;
            x.mul(0.3).add_(x.flip(0).mul_(0.7));
          }};
}
std::vector<std::function<void()>> mixup_in_place(images b) {
  auto x = torch::from_blob(b.from, {b.rows, b.features});
  return {[=]() mutable {
    const torch::NoGradGuard none;
    const auto flipped = x.flip(0).mul_(0.7);  // timm
    x.mul_(0.3).add_(flipped);
  }};
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
