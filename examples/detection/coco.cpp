// SPDX-License-Identifier: MIT
#include "coco.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <limits>

namespace detection {
namespace {

constexpr int thresholds = average_precision::thresholds, recall_points = 101;

/// numpy.linspace(.5, .95, 10), to the bit.
constexpr double threshold(int k) { return k == thresholds - 1 ? 0.95 : 0.5 + k * ((0.95 - 0.5) / 9); }

/// A detection of one class in any image: at each threshold it is right, wrong or does not count.
enum class outcome : unsigned char { wrong, right, ignored };
struct judged {
  double score;
  std::array<outcome, thresholds> at;
};

auto view_of(const std::vector<rectangle>& boxes) {
  return hone::matrix_view<const double>{boxes.empty() ? nullptr : &boxes.front().x1, boxes.size(), 4};
}

/// detections x truths: IoU, or for a crowd the part of the detection that it covers.
std::vector<double> overlaps(const hone::cpu& cpu, const std::vector<rectangle>& detections,
                             const std::vector<rectangle>& truths, const std::vector<bool>& crowd) {
  std::vector<double> iou(detections.size() * truths.size()), inside(iou.size());
  const auto matrix = [&](std::vector<double>& to) {
    return hone::matrix_view{to.data(), detections.size(), truths.size()};
  };
  hone::pairwise_iou(cpu, view_of(detections), view_of(truths), matrix(iou));
  hone::pairwise_ioa(cpu, view_of(detections), view_of(truths), matrix(inside));
  for (std::size_t i = 0; i < iou.size(); ++i)
    if (crowd[i % truths.size()]) iou[i] = inside[i];
  return iou;
}

/// Matches one image's detections of a class, highest scores first, each with the free truth that it overlaps most;
/// with a crowd only where there is no such truth. A crowd is never used up.
void match(const hone::cpu& cpu, const evaluated_image& image, int label, int most, std::vector<judged>& all) {
  std::vector<rectangle> truths, boxes;
  std::vector<bool> crowd;
  for (const bool wanted : {false, true})  // crowds last
    for (const truth& t : image.truths)
      if (t.label == label && t.crowd == wanted) {
        truths.push_back(t.box);
        crowd.push_back(wanted);
      }
  std::vector<const detected*> order;
  for (const detected& d : image.detections)
    if (d.label == label) order.push_back(&d);
  std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->score > b->score; });
  if (order.size() > static_cast<std::size_t>(most)) order.resize(static_cast<std::size_t>(most));
  for (const detected* d : order) boxes.push_back(d->box);

  const std::vector<double> overlap = overlaps(cpu, boxes, truths, crowd);
  const std::size_t first = all.size();
  for (const detected* d : order) all.push_back({d->score, {}});
  for (int k = 0; k < thresholds; ++k) {
    std::vector<bool> taken(truths.size());
    for (std::size_t d = 0; d < order.size(); ++d) {
      double least = std::min(threshold(k), 1 - 1e-10);
      std::size_t best = truths.size();
      for (std::size_t t = 0; t < truths.size(); ++t) {
        if (taken[t] && !crowd[t]) continue;
        if (best < truths.size() && !crowd[best] && crowd[t]) break;
        if (overlap[d * truths.size() + t] < least) continue;
        least = overlap[d * truths.size() + t];
        best = t;
      }
      if (best == truths.size()) continue;
      taken[best] = true;
      all[first + d].at[static_cast<std::size_t>(k)] = crowd[best] ? outcome::ignored : outcome::right;
    }
  }
}

/// The mean of the precision at 101 recalls, each the best at that recall or a higher one.
double precision_of(const std::vector<judged>& in_order, int k, double truths) {
  std::vector<double> recall, precision;
  double right = 0, wrong = 0;
  for (const judged& d : in_order) {
    const outcome o = d.at[static_cast<std::size_t>(k)];
    right += o == outcome::right ? 1 : 0;
    wrong += o == outcome::wrong ? 1 : 0;
    recall.push_back(right / truths);
    precision.push_back(right / (right + wrong + std::numeric_limits<double>::epsilon()));
  }
  for (std::size_t i = precision.size(); i > 1; --i) precision[i - 2] = std::max(precision[i - 2], precision[i - 1]);
  double sum = 0;
  for (int r = 0; r < recall_points; ++r) {
    const double wanted = r == recall_points - 1 ? 1.0 : r * 0.01;  // numpy.linspace(0, 1, 101)
    const auto at = std::lower_bound(recall.begin(), recall.end(), wanted);
    if (at != recall.end()) sum += precision[static_cast<std::size_t>(at - recall.begin())];
  }
  return sum / recall_points;
}

}  // namespace

average_precision evaluate(const std::vector<evaluated_image>& images, int classes, int most) {
  const hone::cpu cpu{1};
  average_precision result;
  int counted = 0;
  for (int label = 0; label < classes; ++label) {
    double truths = 0;
    std::vector<judged> all;
    for (const evaluated_image& image : images) {
      match(cpu, image, label, most, all);
      for (const truth& t : image.truths) truths += t.label == label && !t.crowd ? 1 : 0;
    }
    result.of_class.push_back(-1);
    if (truths == 0) continue;
    std::stable_sort(all.begin(), all.end(), [](const judged& a, const judged& b) { return a.score > b.score; });
    double sum = 0;
    for (int k = 0; k < thresholds; ++k) {
      const double precision = precision_of(all, k, truths);
      result.at[static_cast<std::size_t>(k)] += precision;
      sum += precision;
    }
    result.of_class.back() = sum / thresholds;
    ++counted;
  }
  if (counted == 0) {
    result.at.fill(-1);
    return result;
  }
  result.mean = 0;
  for (double& ap : result.at) result.mean += (ap /= counted) / thresholds;
  return result;
}

}  // namespace detection
