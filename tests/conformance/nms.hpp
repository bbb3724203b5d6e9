// SPDX-License-Identifier: MIT
/// What every backend must answer for non-maximum suppression: one list, against the definition in double. Coordinates
/// are integers, so that areas and their comparisons are exact in every type.
#pragma once

#include <conformance/batch.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

namespace conformance {

enum class suppression { nms, batched_nms, diou_nms, batched_diou_nms };

/// Detections as the definition reads them.
struct detections {
  std::vector<std::vector<double>> boxes;
  std::vector<double> scores;
  std::vector<index> classes;

  index size() const { return static_cast<index>(boxes.size()); }
};

/// The length of [a, b], and of what it shares with [c, d].
inline double length(double a, double b) { return std::max(b - a, 0.0); }
inline double common(double a, double b, double c, double d) { return length(std::max(a, c), std::min(b, d)); }

/// IoU or DIoU; coordinates beyond 2^30 are that.
inline double overlap(std::vector<double> p, std::vector<double> q, bool distance) {
  for (auto* b : {&p, &q})
    for (double& x : *b) x = std::clamp(x, -0x1p30, 0x1p30);
  const double area_p = length(p[0], p[2]) * length(p[1], p[3]), area_q = length(q[0], q[2]) * length(q[1], q[3]);
  if (area_p == 0 || area_q == 0) return 0;
  const double both = common(p[0], p[2], q[0], q[2]) * common(p[1], p[3], q[1], q[3]);
  const double iou = both / (area_p + area_q - both);
  if (!distance) return iou;
  const double dx = (p[0] + p[2] - q[0] - q[2]) / 2, dy = (p[1] + p[3] - q[1] - q[3]) / 2;
  const double w = std::max(p[2], q[2]) - std::min(p[0], q[0]), h = std::max(p[3], q[3]) - std::min(p[1], q[1]);
  return iou - (dx * dx + dy * dy) / (w * w + h * h);
}

/// The definition: of what is left, the highest score is kept and suppresses what it overlaps.
inline std::vector<index> suppressed_by_definition(detections const& d, suppression how, hone::nms_options options) {
  const bool distance = how == suppression::diou_nms || how == suppression::batched_diou_nms,
             by_class = how == suppression::batched_nms || how == suppression::batched_diou_nms;
  std::vector<index> left, kept;
  for (index i = 0; i < d.size(); ++i) {
    const auto& b = d.boxes[std::size_t(i)];
    if (std::none_of(b.begin(), b.end(), [](double x) { return std::isnan(x); }) &&
        d.scores[std::size_t(i)] > options.score_threshold)
      left.push_back(i);
  }
  while (!left.empty() && static_cast<index>(kept.size()) < options.most) {
    const index best = *std::max_element(left.begin(), left.end(), [&](index a, index b) {  // the first of equals
      return d.scores[std::size_t(a)] < d.scores[std::size_t(b)];
    });
    kept.push_back(best);
    std::erase_if(left, [&](index i) {
      const bool same = !by_class || d.classes[std::size_t(i)] == d.classes[std::size_t(best)];
      // A DIoU that is the threshold has its rounding; the next one is at least 1e-8 away.
      return i == best || (same && overlap(d.boxes[std::size_t(best)], d.boxes[std::size_t(i)], distance) >
                                       options.threshold + (distance ? 1e-10 : 0));
    });
  }
  return kept;
}

/// Boxes with corners on a plane of so many integers, sides up to 15: some of them equal, some without area, some
/// inverted; scores in eighths, some of them no numbers.
inline detections some_detections(index n, index plane) {
  detections d;
  std::uint64_t state = 88172645463325252ULL + static_cast<std::uint64_t>(n * 1000 + plane);
  const auto draw = [&](index below) {  // xorshift
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return static_cast<index>((state >> 11) % static_cast<std::uint64_t>(below));
  };
  for (index i = 0; i < n; ++i) {
    const index x = draw(plane), y = draw(plane), kind = draw(16);
    const index w = kind == 0 ? 0 : 1 + draw(15), h = kind == 1 ? -3 : 1 + draw(15);
    std::vector<double> b{double(x), double(y), double(x + w), double(y + h)};
    if (kind == 2 && i > 0) b = d.boxes[std::size_t(draw(i))];
    if (draw(97) == 5) b[std::size_t(draw(4))] = std::numeric_limits<double>::quiet_NaN();
    d.boxes.push_back(b);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double odd[] = {std::numeric_limits<double>::quiet_NaN(), infinity, -infinity, -0.0};
    const index which = draw(40);
    d.scores.push_back(which < 4 ? odd[which] : double(draw(64) - 16) / 8);
    d.classes.push_back(draw(5) - 2);
  }
  return d;
}

/// Asks the backend, in the types given, and holds its answer against the definition of what these types hold.
template <class Device, class T, class Score, class Label>
void suppress(detections d, suppression how, hone::nms_options options, index padding = 0) {
  const padded<Device, T> p({d.size(), 4, padding});
  const auto numbers = p.filled([&](index i, index c) { return d.boxes[std::size_t(i)][std::size_t(c)]; });
  std::vector<Score> scores;
  std::vector<Label> classes;
  for (index i = 0; i < d.size(); ++i) {
    for (index c = 0; c < 4; ++c) d.boxes[std::size_t(i)][std::size_t(c)] = p.at(numbers, i, c);
    scores.push_back(static_cast<Score>(d.scores[std::size_t(i)]));
    classes.push_back(static_cast<Label>(d.classes[std::size_t(i)]));
  }
  const typename Device::template buffer<T> boxes(numbers);
  const typename Device::template buffer<Score> device_scores(scores);
  const typename Device::template buffer<Label> device_classes(classes);
  const auto expected = suppressed_by_definition(d, how, options);
  const auto seen = Device::suppress(how, hone::matrix_view<const T>(p.view(boxes)),
                                     std::span<Score const>(device_scores.data(), scores.size()),
                                     std::span<Label const>(device_classes.data(), classes.size()), options);
  CAPTURE(static_cast<int>(how));
  CAPTURE(d.size());
  CAPTURE(sizeof(T));
  CAPTURE(options.threshold.value);
  CAPTURE(expected.size());
  CAPTURE(seen.size());
  CHECK(seen == expected);
}

template <class Device, class T, class Score, class Label>
void suppressions_of(std::vector<index> const& sizes, index plane, index padding = 0) {
  for (const index n : sizes) {
    const detections d = some_detections(n, plane);
    for (const auto how :
         {suppression::nms, suppression::batched_nms, suppression::diou_nms, suppression::batched_diou_nms})
      for (const double threshold : {0.0, 0.25, 0.5, 1.0})
        suppress<Device, T, Score, Label>(d, how, {.threshold = threshold}, padding);
  }
}

template <class Device>
void suppressions() {
  using half = typename Device::half;
  using bfloat16 = typename Device::bfloat16;
  const std::vector<index> few{0, 1, 2, 63, 64, 65}, some{33, 257};
  suppressions_of<Device, float, float, int>(few, 24);
  suppressions_of<Device, float, double, std::int64_t>(some, 24, 3);
  suppressions_of<Device, float, float, signed char>({700}, 240);  // most are kept
  suppressions_of<Device, double, float, short>(some, 24);
  suppressions_of<Device, double, double, int>({130}, 240, 1);
  suppressions_of<Device, half, float, int>(some, 24);
  suppressions_of<Device, bfloat16, double, std::int64_t>(some, 24, 4);

  const detections d = some_detections(300, 60);
  for (const auto how : {suppression::nms, suppression::batched_diou_nms}) {
    for (const index most : {0, 1, 7, 64, 299}) suppress<Device, float, float, int>(d, how, {.most = most});
    for (const double least : {-2.0, -0.125, 0.0, 3.0, 100.0})
      suppress<Device, float, float, int>(d, how, {.threshold = 0.25, .score_threshold = least, .most = 40});
  }

  constexpr double huge = std::numeric_limits<float>::max(), infinity = std::numeric_limits<double>::infinity();
  const detections far{{{-huge, -huge, huge, huge},
                        {-infinity, -huge, huge, infinity},
                        {0, -huge, huge, huge},
                        {0x1p31, 0, huge, 9},
                        {-5, -5, 5, 5}},
                       {5, 4, 3, 2, 1},
                       {0, 0, 0, 0, 0}};
  for (const auto how : {suppression::nms, suppression::diou_nms})
    for (const double threshold : {0.25, 0.5, 0.75})
      suppress<Device, float, float, int>(far, how, {.threshold = threshold});
}

}  // namespace conformance
