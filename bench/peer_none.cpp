// SPDX-License-Identifier: MIT
#include "peer.hpp"

namespace bench::peer {

bool available() { return false; }
std::string version() { return "not installed"; }
void set_threads(int) {}
std::function<void()> cross_entropy(batch, double) { return {}; }
std::function<void()> distillation(batch, double) { return {}; }
std::function<void()> soft_targets(batch) { return {}; }
std::function<void()> sigmoid_focal(batch) { return {}; }
std::function<void()> giou(batch) { return {}; }
std::function<void()> diou(batch) { return {}; }
std::function<void()> ciou(batch) { return {}; }
std::function<void()> pairwise_iou(float*, std::int64_t, float*, std::int64_t) { return {}; }
std::vector<std::function<void()>> mixup(images) { return {}; }
std::vector<std::function<void()>> mixup_of_batch(images) { return {}; }
std::vector<std::function<void()>> mixup_in_place(images) { return {}; }
std::vector<std::function<void()>> averages(hone::tensor_list<float> const&, hone::tensor_list<float> const&, double) {
  return {};
}

std::vector<std::function<void()>> clips(hone::tensor_list<float> const&) { return {}; }
std::vector<std::function<void()>> norms(hone::tensor_list<float> const&) { return {}; }
std::vector<std::function<void()>> steps(training const&) { return {}; }

}  // namespace bench::peer
