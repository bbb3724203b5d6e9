// SPDX-License-Identifier: MIT
// Gradients of losses of elements, boxes and regions through hone::adapt::loss.
#include "gradcheck.hpp"

using namespace gradcheck;

TEST_CASE("torch: gradients of losses of elements") {
  const at::Tensor z = waves({4, 3}), t = at::sigmoid(waves({4, 3}, 2.9)), y = labels(4, 3),
                   w = waves({4, 3}, 0.4).abs();
  const auto targets = ha::rows_of<double>(t);
  check(hone::binary_cross_entropy(targets), z);
  check(hone::binary_cross_entropy(hone::classes(ha::labels_of(y))), z);
  check(hone::binary_cross_entropy(targets, hone::smooth_binary(0.1)), z);
  check(hone::binary_cross_entropy(hone::smooth(hone::classes(ha::labels_of(y)), 0.1)), z);
  check(hone::sigmoid_focal_loss(targets), z);
  check(hone::quality_focal_loss(targets), z, hone::sum);
  check(hone::asymmetric_loss(targets), z);
  check(hone::poly1_binary_cross_entropy(targets), z);
  check([&](auto view) { return hone::weigh_elements(hone::binary_cross_entropy(view(t)), view(w)); }, z);
  const std::vector<double> weights{1, 2, 3};
  check(hone::weigh_columns(hone::binary_cross_entropy(targets), weights), z);
  check(hone::weigh_positives(hone::binary_cross_entropy(targets), weights), z);
  check(2 * hone::binary_cross_entropy(targets) + hone::sigmoid_focal_loss(targets), z);
}

TEST_CASE("torch: N logits of elements are N x 1") {
  const at::Tensor z = waves({7}), t = at::sigmoid(waves({7}, 2.9));
  check(hone::binary_cross_entropy(ha::rows_of<double>(t)), z);
  check([&](auto view) { return hone::binary_cross_entropy(view(t)); }, z);
  const at::Tensor wide = waves({7, 3});
  const at::Tensor column = wide.select(1, 1);
  CHECK(ha::value<double>([&](auto view) { return hone::binary_cross_entropy(view(t)); }, column) ==
        ha::value<double>([&](auto view) { return hone::binary_cross_entropy(view(t)); }, column.contiguous()));
}

TEST_CASE("torch: gradients of varifocal loss, whose weight has no gradient") {
  const at::Tensor z = waves({4, 3}).requires_grad_(), t = at::sigmoid(waves({4, 3}, 2.9));
  const at::Tensor g = gradient(ha::loss<double>(hone::varifocal_loss(ha::rows_of<double>(t)), z), z);
  at::Tensor expected = at::empty({4, 3}, at::kDouble);
  hone::evaluate(hone::cpu{1}, hone::varifocal_loss(ha::rows_of<double>(t)), ha::rows_of<double>(z),
                 {.gradient = ha::rows_of<double>(expected)});
  CHECK(at::equal(g, expected));
}

namespace {

at::Tensor boxes(double shift) {
  at::Tensor b = at::empty({5, 4}, at::kDouble);
  for (int i = 0; i < 5; ++i) {
    double* const row = b.data_ptr<double>() + 4 * i;
    row[0] = i + shift, row[1] = 2 * i - shift, row[2] = i + 3 + 2 * shift, row[3] = 2 * i + 2 + 1.6 * shift;
  }
  return b;
}

}  // namespace

TEST_CASE("torch: gradients of losses of boxes") {
  const at::Tensor p = boxes(0.3), t = boxes(0);
  const auto wanted = ha::rows_of<double>(t);
  check(hone::iou_loss(wanted), p);
  check(hone::log_iou_loss(wanted), p);
  check(hone::squared_iou_loss(wanted), p);
  check(hone::giou_loss(wanted), p);
  check(hone::diou_loss(wanted), p);
  check(hone::eiou_loss(wanted), p);
  check(hone::siou_loss(wanted), p);
  check(hone::experimental::alpha_iou_loss(wanted), p);
  check([&](auto view) { return 2 * hone::giou_loss(view(t)) + hone::diou_loss(view(t)); }, p, hone::sum);
  const std::vector<double> weights{1, 2, 3, 4, 5};
  check(hone::weigh_rows(hone::iou_loss(wanted), weights), p);
}

TEST_CASE("torch: losses of boxes with parts without gradient have the gradient of evaluate") {
  const at::Tensor p = boxes(0.3).requires_grad_(), t = boxes(0);
  const auto compare = [&](auto const& objective) {
    const at::Tensor g = gradient(ha::loss<double>(objective, p), p);
    at::Tensor expected = at::empty({5, 4}, at::kDouble);
    hone::evaluate(hone::cpu{1}, objective, ha::rows_of<double>(p), {.gradient = ha::rows_of<double>(expected)});
    CHECK(at::equal(g, expected));
    CHECK(number(g.abs().max()) > 0);
  };
  const auto wanted = ha::rows_of<double>(t);
  compare(hone::ciou_loss(wanted));
  compare(hone::focal_eiou_loss(wanted));
  compare(hone::experimental::wise_iou_loss(wanted));
}

TEST_CASE("torch: gradients of losses of regions, N x C x H x W") {
  const at::Tensor z = waves({2, 3, 2, 3}), y = labels(12, 3).view({2, 2, 3});
  const auto target = hone::classes(ha::labels_of(y));
  for (const at::Tensor& x : {z, z.contiguous(at::MemoryFormat::ChannelsLast)}) {
    check(hone::dice_loss(target), x);
    check(hone::dice_loss(target, {.per_image = true}), x);
    check(hone::jaccard_loss(target), x);
    check(hone::tversky_loss(target), x);
    check(hone::focal_tversky_loss(target), x);
    check(hone::cross_entropy(target) + hone::dice_loss(target), x);
    check(hone::lovasz_softmax_loss(target), x, hone::mean, 1e-6);
  }
  const at::Tensor t = at::sigmoid(waves({2, 3, 2, 3}, 0.8));
  check([&](auto view) { return hone::sigmoid_dice_loss(view(t)); }, z);
  check(hone::sigmoid_dice_loss(ha::pixels_of<double>(t)), z);
}
