// SPDX-License-Identifier: MIT
// Values and gradients of hone::adapt::loss beside those of LibTorch's own losses.
#include "gradcheck.hpp"

using namespace gradcheck;

namespace {

template <class Source>
void same(Source const& source, at::Tensor const& z, at::Tensor const& theirs, hone::reduction how = hone::mean) {
  const at::Tensor ours = ha::loss<double>(source, z, how);
  CHECK(distance(ours, theirs) < 1e-12);
  CHECK(distance(gradient(ours, z), gradient(theirs, z, true)) < 1e-13);
}

const at::Tensor none;

}  // namespace

TEST_CASE("torch: cross entropy as LibTorch's") {
  const at::Tensor z = waves({6, 5}).requires_grad_(), y = labels(6, 5), q = at::softmax(waves({6, 5}, 0.9), 1),
                   w = at::tensor({1.0, 2.0, 0.5, 3.0, 1.0}, at::kDouble);
  const auto target = hone::classes(ha::labels_of(y));
  same(hone::cross_entropy(target), z, at::cross_entropy_loss(z, y));
  same(hone::cross_entropy(hone::smooth(target, 0.2)), z, at::cross_entropy_loss(z, y, none, 1, -100, 0.2));
  same(hone::cross_entropy(target), z, at::cross_entropy_loss(z, y, none, at::Reduction::Sum), hone::sum);
  same(hone::cross_entropy(hone::classes(ha::labels_of(y), {.ignore = 3})), z,
       at::cross_entropy_loss(z, y, none, 1, 3));
  same(hone::cross_entropy(hone::probabilities(ha::rows_of<double>(q))), z, at::cross_entropy_loss(z, q));
  same([&](auto view) { return hone::cross_entropy(hone::smooth(hone::probabilities(view(q)), 0.1)); }, z,
       at::cross_entropy_loss(z, q, none, 1, -100, 0.1));
  const std::vector<double> weights{1, 2, 0.5, 3, 1};
  same(hone::cross_entropy(hone::weigh_classes(target, weights)), z, at::cross_entropy_loss(z, y, w));
}

TEST_CASE("torch: cross entropy of pixels as LibTorch's") {
  const at::Tensor x = waves({2, 5, 3, 4}), y = labels(24, 5).view({2, 3, 4});
  for (const at::Tensor& layout : {x, x.contiguous(at::MemoryFormat::ChannelsLast)}) {
    const at::Tensor z = layout.detach().requires_grad_();
    same(hone::cross_entropy(hone::smooth(hone::classes(ha::labels_of(y)), 0.1)), z,
         at::cross_entropy_loss(z, y, none, 1, -100, 0.1));
  }
}

TEST_CASE("torch: distillation as kl_div") {
  const at::Tensor z = waves({6, 5}).requires_grad_(), teacher = waves({6, 5}, 2.3);
  const double T = 4;
  const at::Tensor theirs =
      T * T * at::kl_div(at::log_softmax(z / T, 1), at::log_softmax(teacher / T, 1), at::Reduction::Sum, true) / 6;
  same(hone::distillation(ha::rows_of<double>(teacher), T), z, theirs);
  same([&](auto view) { return hone::distillation(view(teacher.t().contiguous().t()), T); }, z, theirs);
}

TEST_CASE("torch: binary cross entropy as LibTorch's") {
  const at::Tensor z = waves({4, 3}).requires_grad_(), t = at::sigmoid(waves({4, 3}, 2.9)),
                   w = waves({4, 3}, 0.4).abs(), positive = at::tensor({1.0, 2.0, 3.0}, at::kDouble);
  const auto targets = ha::rows_of<double>(t);
  same(hone::binary_cross_entropy(targets), z, at::binary_cross_entropy_with_logits(z, t));
  same(hone::weigh_elements(hone::binary_cross_entropy(targets), ha::rows_of<double>(w)), z,
       at::binary_cross_entropy_with_logits(z, t, w));
  const std::vector<double> weights{1, 2, 3};
  same(hone::weigh_positives(hone::binary_cross_entropy(targets), weights), z,
       at::binary_cross_entropy_with_logits(z, t, none, positive));
}
