// SPDX-License-Identifier: MIT
// Gradients of losses of rows through hone::adapt::loss.
#include "gradcheck.hpp"

using namespace gradcheck;

namespace {

const std::int64_t n = 6, classes = 5;

struct batch {
  at::Tensor z = waves({n, classes}), y = labels(n, classes), q = at::softmax(waves({n, classes}, 0.9), 1),
             teacher = waves({n, classes}, 2.3);
};

}  // namespace

TEST_CASE("torch: gradients of losses of labels") {
  const batch b;
  const auto y = hone::classes(ha::labels_of(b.y));
  check(hone::cross_entropy(y), b.z);
  check(hone::cross_entropy(y), b.z, hone::sum);
  check(hone::cross_entropy(y), b.z, hone::mean_over(4));
  check(hone::cross_entropy(hone::smooth(y, 0.1)), b.z);
  check(hone::cross_entropy(hone::smooth(y, 0.1, hone::leave_one_out)), b.z);
  check(hone::cross_entropy(hone::smooth(y, 0.1, hone::allowed_classes)), b.z);
  const std::vector<double> weights{1, 2, 0.5, 3, 1};
  check(hone::cross_entropy(hone::weigh_classes(y, weights)), b.z);
  check(hone::softmax_focal_loss(y, {.gamma = 2}), b.z);
  check(hone::poly1_cross_entropy(y), b.z);
  const std::vector<double> margins{0.1, 0.2, 0.3, 0.4, 0.5};
  check(hone::ldam_loss(y, margins, {.scale = 3}), b.z);
}

TEST_CASE("torch: gradients of mixed labels") {
  const batch b;
  const std::vector<hone::index> partner{5, 4, 3, 2, 1, 0};
  const auto y = hone::classes(ha::labels_of(b.y));
  const auto mixed = hone::mix(y, hone::partner_classes(ha::labels_of(b.y), partner), 0.3);
  check(hone::cross_entropy(mixed), b.z);
  check(hone::cross_entropy(hone::smooth(mixed, 0.1)), b.z);
  check(hone::soft_target_focal_loss(hone::smooth(mixed, 0.1)), b.z);
}

TEST_CASE("torch: gradients of soft targets and teachers") {
  const batch b;
  check(hone::cross_entropy(hone::probabilities(ha::rows_of<double>(b.q))), b.z);
  check([&](auto view) { return hone::cross_entropy(hone::probabilities(view(b.q))); }, b.z);
  check([&](auto view) { return hone::soft_target_focal_loss(hone::probabilities(view(b.q))); }, b.z);
  check([&](auto view) { return hone::distillation(view(b.teacher), 4); }, b.z);
  check([&](auto view) { return hone::reverse_distillation(view(b.teacher), 2); }, b.z);
  check([&](auto view) { return hone::jensen_shannon_distillation(view(b.teacher), 2); }, b.z);
  check([&](auto view) { return hone::decoupled_distillation(hone::classes(view.labels(b.y)), view(b.teacher), 3); },
        b.z);
}

TEST_CASE("torch: gradients of sums, factors and weights of rows") {
  const batch b;
  const std::vector<double> weights{1, 0.5, 2, 0, 3, 1};
  const auto y = hone::classes(ha::labels_of(b.y), {.ignore = 2});
  check(0.7 * hone::cross_entropy(hone::smooth(y, 0.1)) + 0.3 * hone::distillation(ha::rows_of<double>(b.teacher), 4) +
            hone::z_loss(1e-2),
        b.z);
  check(hone::weigh_rows(hone::cross_entropy(y), weights), b.z);
  check(hone::z_loss(0.1), b.z);
  check(
      [&](auto view) {
        return hone::knowledge_distillation(hone::classes(view.labels(b.y.to(at::kByte))), view(b.teacher.clone()), 4);
      },
      b.z);
}

TEST_CASE("torch: gradients of two-hot targets and of a teacher's likeliest classes") {
  const batch b;
  const std::vector<double> distances{0.3, 1.7, 2.2, 3.9, 0.1, 2.5};
  check(hone::distribution_focal_loss(distances), b.z);
  check(hone::cross_entropy(hone::two_hot(distances)), b.z);
  check(hone::weigh_rows(hone::expected_bin(), distances), b.z, hone::sum);
  const std::vector<std::int32_t> listed{0, 3, 1, 2, 0, 4, 2, 3, 1, 4, 0, 1};
  std::vector<float> logs(12, std::log(0.4f)), rest(6, std::log(0.2f));
  hone::top_k_view top;
  top.classes = listed.data(), top.log_probabilities = logs.data(), top.rest = rest.data();
  top.rows = n, top.columns = classes, top.k = 2, top.temperature = 2;
  check(hone::top_k_distillation(top), b.z);
}
