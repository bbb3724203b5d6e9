// SPDX-License-Identifier: MIT
// What docs/torch.md shows of losses.
#include <hone/adapt/torch.hpp>
#include <hone/hone.hpp>

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <vector>

namespace {

struct network {
  at::Tensor weight = at::sin(at::arange(50, at::kFloat)).view({5, 10}).requires_grad_();
  at::Tensor forward(at::Tensor const& x) const { return at::mm(x, weight); }
};

const at::Tensor x = at::cos(at::arange(40, at::kFloat)).view({8, 5}), y = at::arange(8, at::kLong),
                 q = at::softmax(at::cos(at::arange(80, at::kFloat)).view({8, 10}), 1),
                 teacher_logits = at::sin(at::arange(80, at::kFloat) * 2).view({8, 10});

}  // namespace

TEST_CASE("torch: the page's first step") {
  network net;
  // [step]
  at::Tensor logits = net.forward(x);
  const auto target = hone::smooth(hone::classes(hone::adapt::labels_of(y)), 0.1);
  double loss = hone::adapt::backward(hone::cross_entropy(target), logits);  // in place of loss and loss.backward()
  // [/step]
  const at::Tensor theirs = at::cross_entropy_loss(net.forward(x), y, {}, 1, -100, 0.1);
  CHECK(loss == doctest::Approx(theirs.item<double>()).epsilon(1e-6));
  const at::Tensor gradient = net.weight.grad().clone();
  net.weight.mutable_grad().zero_();
  theirs.backward();
  CHECK((gradient - net.weight.grad()).abs().max().item<float>() < 1e-6f);
}

TEST_CASE("torch: the page's loss in a graph") {
  network net;
  const at::Tensor logits = net.forward(x);
  const auto objective = hone::cross_entropy(hone::classes(hone::adapt::labels_of(y)));
  // [graph]
  at::Tensor loss = hone::adapt::loss(objective, logits) + 1e-4 * net.weight.square().sum();
  loss.backward();
  // [/graph]
  CHECK(net.weight.grad().defined());
}

TEST_CASE("torch: the page's soft targets and teachers") {
  network net;
  const at::Tensor logits = net.forward(x);
  // [view]
  double loss = hone::adapt::backward(
      [&](auto view) {
        return 0.5 * hone::cross_entropy(hone::probabilities(view(q))) +
               0.5 * hone::distillation(view(teacher_logits), 4);
      },
      logits);
  // [/view]
  // [typed]
  auto objective = 0.5 * hone::cross_entropy(hone::probabilities(hone::adapt::rows_of<float>(q))) +
                   0.5 * hone::distillation(hone::adapt::rows_of<float>(teacher_logits), 4);
  // [/typed]
  CHECK(hone::adapt::value(objective, logits) == loss);
}

TEST_CASE("torch: the page's labels") {
  network net;
  const at::Tensor logits = net.forward(x), narrow = y.to(at::kByte);
  // [labels]
  auto target = hone::classes(hone::adapt::labels_of(y));                    // int64, torch's usual labels
  auto bytes = hone::classes(hone::adapt::labels_of<std::uint8_t>(narrow));  // another integer dtype that is known
  at::Tensor loss = hone::adapt::loss(                                       // any integer dtype, also a temporary
      [&](auto view) { return hone::cross_entropy(hone::classes(view.labels(narrow.clone()))); }, logits);
  // [/labels]
  CHECK(hone::adapt::value(hone::cross_entropy(target), logits) ==
        hone::adapt::value(hone::cross_entropy(bytes), logits));
  CHECK(loss.item<float>() == static_cast<float>(hone::adapt::value(hone::cross_entropy(target), logits)));
}

TEST_CASE("torch: the page's backends") {
  const auto objective = hone::cross_entropy(hone::classes(hone::adapt::labels_of(y)));
  const at::Tensor logits = network().forward(x).detach();
  // [backend]
  hone::cpu cpu = hone::adapt::torch_cpu();  // at::get_num_threads() threads
  double loss = hone::adapt::value(cpu, objective, logits);
  double same = hone::adapt::value(objective, logits);  // torch_cpu() is the default
  double bits = hone::adapt::value(hone::cpu{1}, objective, logits);
  // [/backend]
  CHECK((loss == same && loss == bits));
}

TEST_CASE("torch: the page's verbs of hone on tensors") {
  const at::Tensor logits = network().forward(x).detach();
  const auto objective = hone::cross_entropy(hone::classes(hone::adapt::labels_of(y)));
  // [verbs]
  at::Tensor gradient = at::empty_like(logits);
  hone::evaluate(hone::adapt::torch_cpu(), objective, hone::adapt::rows_of(logits),
                 {.gradient = hone::adapt::rows_of(gradient)});
  // [/verbs]
  CHECK(gradient.abs().sum().item<float>() > 0);
}
