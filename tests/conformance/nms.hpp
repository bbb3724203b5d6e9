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

/// The definition: of what is left, the highest score is kept and suppresses what it overlaps. Limits close a class, or
/// an image, that has kept its most.
inline std::vector<index> suppressed_by_definition(detections const& d, suppression how, hone::nms_options options,
                                                   std::vector<index> images = {}) {
  const bool distance = how == suppression::diou_nms || how == suppression::batched_diou_nms,
             by_class = how == suppression::batched_nms || how == suppression::batched_diou_nms;
  images.resize(std::size_t(d.size()));
  const auto image = [&](index i) { return images[std::size_t(i)]; };
  const auto group = [&](index i) { return std::pair(image(i), by_class ? d.classes[std::size_t(i)] : 0); };
  std::vector<index> left, kept;
  for (index i = 0; i < d.size(); ++i) {
    const auto& b = d.boxes[std::size_t(i)];
    if (std::none_of(b.begin(), b.end(), [](double x) { return std::isnan(x); }) &&
        d.scores[std::size_t(i)] > options.score_threshold)
      left.push_back(i);
  }
  while (!left.empty()) {
    const index best = *std::max_element(left.begin(), left.end(), [&](index a, index b) {  // the first of equals
      return d.scores[std::size_t(a)] < d.scores[std::size_t(b)];
    });
    const auto of_image = std::count_if(kept.begin(), kept.end(), [&](index i) { return image(i) == image(best); });
    const auto of_group = std::count_if(kept.begin(), kept.end(), [&](index i) { return group(i) == group(best); });
    const bool room = of_image < options.most && (!by_class || of_group < options.most_per_class);
    if (room) kept.push_back(best);
    std::erase_if(left, [&](index i) {
      // A DIoU that is the threshold has its rounding; the next one is at least 1e-8 away.
      return i == best || (room && group(i) == group(best) &&
                           overlap(d.boxes[std::size_t(best)], d.boxes[std::size_t(i)], distance) >
                               options.threshold + (distance ? 1e-10 : 0));
    });
  }
  std::vector<index> by_image(images);
  std::sort(by_image.begin(), by_image.end());
  by_image.erase(std::unique(by_image.begin(), by_image.end()), by_image.end());
  std::vector<index> ordered;
  for (const index of : by_image)
    for (const index i : kept)
      if (image(i) == of) ordered.push_back(i);
  return ordered;
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

/// Boxes as the format says them, of which corners are integers; scores in the second column of three, of 16 bits.
template <class Device, class T, class Format>
void suppressions_in(Format format, hone::nms_options options) {
  using half = typename Device::half;
  detections d = some_detections(120, 24);
  for (auto& b : d.boxes)
    if (std::any_of(b.begin(), b.end(), [](double x) { return std::isnan(x); })) b = {0, 0, 1, 1};
  std::vector<T> numbers;
  std::vector<half> scores;
  for (index i = 0; i < d.size(); ++i) {
    auto const& b = d.boxes[std::size_t(i)];
    std::vector<double> said = b;
    if constexpr (!std::is_same_v<Format, hone::corners_format>) said[2] = b[2] - b[0], said[3] = b[3] - b[1];
    if constexpr (std::is_same_v<Format, hone::centers_format>) said[0] += said[2] / 2, said[1] += said[3] / 2;
    if (said[3] < 0 && std::is_same_v<Format, hone::centers_format>) said[3] = 0;
    for (const double x : said) numbers.push_back(static_cast<T>(x));
    for (int c = 0; c < 3; ++c)
      scores.push_back(half(float(c == 1 ? d.scores[std::size_t(i)] : 100.0 * double(i % 7))));
  }
  const typename Device::template buffer<T> boxes(numbers);
  const typename Device::template buffer<half> column(scores);
  const typename Device::template buffer<index> classes(d.classes);
  for (const auto how : {suppression::nms, suppression::batched_nms, suppression::batched_diou_nms})
    CHECK(Device::suppress(how, hone::matrix_view<const T>{boxes.data(), d.size(), 4},
                           hone::matrix_view<const half>{column.data() + 1, d.size(), 1, 3},
                           std::span<index const>(classes.data(), d.classes.size()), options,
                           format) == suppressed_by_definition(d, how, options));
}

/// Pairs of boxes whose IoU is the threshold, and pairs of the next IoU above: the former stay, whatever the threshold
/// is in binary. All in one call, every pair on a line of its own.
template <class Device, class T>
void suppressions_of_ties() {
  for (int percent = 5; percent < 100; percent += 5) {
    std::vector<T> numbers;
    std::vector<float> scores;
    std::vector<int> classes;
    std::vector<index> expected;
    for (int whole = 20; whole <= 400; whole += 20)
      for (int more = 0; more < 2; ++more) {
        const auto pair = static_cast<index>(scores.size());
        for (const int length : {whole, whole * percent / 100 + more}) {
          for (const index x : {index(0), 2 * pair, index(length), 2 * pair + 1}) numbers.push_back(static_cast<T>(x));
          scores.push_back(float(1000 - pair));
          classes.push_back(7);
        }
        expected.push_back(pair);
        if (more == 0) expected.push_back(pair + 1);
      }
    const typename Device::template buffer<T> boxes(numbers);
    const typename Device::template buffer<float> by(scores);
    const typename Device::template buffer<int> of(classes);
    CAPTURE(percent);
    for (const auto how : {suppression::nms, suppression::batched_nms})
      CHECK(Device::suppress(how, hone::matrix_view<const T>{boxes.data(), scores.size(), 4},
                             std::span<float const>(by.data(), scores.size()),
                             std::span<int const>(of.data(), classes.size()),
                             {.threshold = percent / 100.0}) == expected);
  }
}

/// Several images in one call, and limits of images and classes.
template <class Device>
void suppressions_of_images() {
  for (const index n : {0, 1, 70, 300}) {
    const detections d = some_detections(n, 40);
    std::vector<float> numbers, scores;
    std::vector<short> images;
    std::vector<index> wide_images;
    for (index i = 0; i < n; ++i) {
      for (const double x : d.boxes[std::size_t(i)]) numbers.push_back(static_cast<float>(x));
      scores.push_back(static_cast<float>(d.scores[std::size_t(i)]));
      images.push_back(static_cast<short>((i * 7 % 5) * 3 - 4));
      wide_images.push_back(images.back());
    }
    const typename Device::template buffer<float> boxes(numbers), device_scores(scores);
    const typename Device::template buffer<index> classes(d.classes);
    const typename Device::template buffer<short> device_images(images);
    const hone::matrix_view<const float> view{boxes.data(), n, 4};
    const std::span<float const> by(device_scores.data(), scores.size());
    const std::span<index const> of_classes(classes.data(), d.classes.size());
    const std::span<short const> of_images(device_images.data(), images.size());
    constexpr index all = std::numeric_limits<index>::max();
    for (const auto how : {suppression::batched_nms, suppression::batched_diou_nms})
      for (const index most : {index(0), index(3), index(20), all})
        for (const index per_class : {index(0), index(1), index(4), all}) {
          const hone::nms_options options{.threshold = 0.25, .most = most, .most_per_class = per_class};
          CAPTURE(n);
          CAPTURE(most);
          CAPTURE(per_class);
          CHECK(Device::suppress_images(how, view, by, of_classes, of_images, options) ==
                suppressed_by_definition(d, how, options, wide_images));
          CHECK(Device::suppress(how, view, by, of_classes, options) == suppressed_by_definition(d, how, options));
        }
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

  suppressions_of<Device, std::int32_t, float, int>({33}, 24);
  suppressions_of<Device, std::int16_t, float, int>({64}, 24, 1);
  suppressions_in<Device, std::int64_t>(hone::corners, {.threshold = 0.25});
  suppressions_in<Device, std::int16_t>(hone::top_left, {.threshold = 0.25});
  suppressions_in<Device, float>(hone::top_left, {});
  suppressions_in<Device, double>(hone::centers, {.most_per_class = 5});
  suppressions_of_images<Device>();
  suppressions_of_ties<Device, float>();
  suppressions_of_ties<Device, double>();
  suppressions_of_ties<Device, std::int16_t>();

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
