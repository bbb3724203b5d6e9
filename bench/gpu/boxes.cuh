// SPDX-License-Identifier: MIT
/// A loss of boxes, and non-maximum suppression.
#pragma once

#include <hone/hone.cuh>

#include <gpu/arrays.cuh>

#include <algorithm>
#include <array>
#include <numbers>
#include <numeric>

namespace bench::of_boxes {

using box = std::array<double, 4>;

inline double area(box const& b) { return (b[2] - b[0]) * (b[3] - b[1]); }
inline double overlap(box const& a, box const& b) {
  const double width = std::min(a[2], b[2]) - std::max(a[0], b[0]);
  const double height = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  const double common = std::max(0.0, width) * std::max(0.0, height);
  return common / (area(a) + area(b) - common);
}

inline double shapes_apart(box const& a, box const& b) {
  const auto angle = [](box const& x) { return std::atan((x[2] - x[0]) / (x[3] - x[1])); };
  const double d = angle(b) - angle(a);
  return 4 / (std::numbers::pi * std::numbers::pi) * d * d;
}
/// Zheng et al. 2020, arXiv 1911.08287; the gradient takes α as a constant.
inline double alpha_of(box const& a, box const& b) {
  const double v = shapes_apart(a, b);
  return v > 0 ? v / (1 - overlap(a, b) + v) : 0;
}
inline double ciou_loss(box const& a, box const& b, double alpha) {
  double far = 0, diagonal = 0;
  for (const std::size_t side : {0, 1}) {
    const double center = (a[side] + a[side + 2] - b[side] - b[side + 2]) / 2;
    const double whole = std::max(a[side + 2], b[side + 2]) - std::min(a[side], b[side]);
    far += center * center, diagonal += whole * whole;
  }
  return 1 - overlap(a, b) + far / diagonal + alpha * shapes_apart(a, b);
}

/// Corners of boxes about a grid of points; no two sides are close enough for a kink within the step of a difference.
static __global__ void fill_boxes(float4* to, index n, std::uint64_t seed, float spread) {
  for (index i = blockIdx.x * index(blockDim.x) + threadIdx.x; i < n; i += index(gridDim.x) * blockDim.x) {
    const std::uint64_t at = scrambled(std::uint64_t(i)), off = scrambled(seed + std::uint64_t(i));
    const auto part = [](std::uint64_t bits, int k) { return float((bits >> (16 * k)) & 0xffff) / 65536; };
    const float x = spread * part(at, 0) + 10 * part(off, 0), y = spread * part(at, 1) + 10 * part(off, 1);
    to[i] = {x, y, x + 20 + 30 * part(off, 2), y + 20 + 30 * part(off, 3)};
  }
}

inline box box_of(std::vector<float4> const& boxes, std::size_t i) {
  return {double(boxes[i].x), double(boxes[i].y), double(boxes[i].z), double(boxes[i].w)};
}

struct boxes {
  index n;
  int sets;
  device::stream stream;
  device::buffer<float4> predicted, wanted, gradient;
  device::buffer<float> value{1};

  boxes(index count, index bytes, table const& works, float spread)
      : n(count),
        sets(works.sets_for(bytes)),
        predicted(std::size_t(sets * n)),
        wanted(std::size_t(sets * n)),
        gradient(std::size_t(sets * n)) {
    fill_boxes<<<256, 256, 0, stream>>>(predicted.data(), sets * n, 1ull << 32, spread);
    fill_boxes<<<256, 256, 0, stream>>>(wanted.data(), sets * n, 2ull << 32, spread);
    check(cudaGetLastError(), "fill_boxes");
    stream.wait();
  }
  hone::matrix_view<float> view(device::buffer<float4> const& b, int set) const {
    return {reinterpret_cast<float*>(b.data() + set * n), n, 4};
  }
};

inline std::string wrong_ciou(boxes const& b) {
  b.stream.wait();
  const auto x = on_host(b.predicted.data(), b.n), y = on_host(b.wanted.data(), b.n),
             seen = on_host(b.gradient.data(), b.n);
  double mean = 0;
  std::string what;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const box at = box_of(x, i), wanted = box_of(y, i);
    const double alpha = alpha_of(at, wanted);
    mean += ciou_loss(at, wanted, alpha) / double(b.n);
    if (!what.empty() || i % 97 != 0) continue;
    const std::array<float, 4> g{seen[i].x, seen[i].y, seen[i].z, seen[i].w};
    what = differs(
        "gradient", g,
        [&](std::size_t side) {
          box more = at, less = at;
          more[side] += 1e-5, less[side] -= 1e-5;
          return (ciou_loss(more, wanted, alpha) - ciou_loss(less, wanted, alpha)) / 2e-5 / double(b.n);
        },
        1e-3, 1e-5 / double(b.n));
  }
  return what.empty() ? differs("value", b.value.host(), [&](std::size_t) { return mean; }, 1e-5) : what;
}

inline void ciou(table& works) {
  entry e{"CIoU", 1000000, 4, "float"};
  if (!works.wants(e)) return;
  if (works.asked().quick) e.rows = 4096;
  const index bytes = 3 * e.rows * index(sizeof(float4));
  const boxes b(e.rows, bytes, works, 1000);
  hone::cuda gpu(b.stream);
  const auto call = [&](int set) {
    hone::evaluate(gpu, hone::ciou_loss(b.view(b.wanted, set)), b.view(b.predicted, set),
                   {.gradient = b.view(b.gradient, set), .value = b.value.data()});
  };
  works.measure(e, bytes, b.sets, b.stream, call, [&] {
    call(0);
    return wrong_ciou(b);
  });
}

/// Of the boxes of one set, those that no better one overlaps by more than a half.
inline std::vector<index> kept_of(std::vector<float4> const& all, std::vector<float> const& scores) {
  std::vector<index> order(all.size()), kept;
  std::iota(order.begin(), order.end(), index(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](index a, index b) { return scores[std::size_t(a)] > scores[std::size_t(b)]; });
  for (const index i : order)
    if (std::none_of(kept.begin(), kept.end(),
                     [&](index k) { return overlap(box_of(all, std::size_t(k)), box_of(all, std::size_t(i))) > 0.5; }))
      kept.push_back(i);
  return kept;
}

inline void nms(table& works) {
  entry e{"NMS, threshold 0.5", 10000, 4, "float"};
  if (!works.wants(e)) return;
  if (works.asked().quick) e.rows = 300;
  const index bytes = e.rows * index(sizeof(float4) + sizeof(float) + sizeof(index));
  const boxes b(e.rows, bytes, works, works.asked().quick ? 150 : 900);
  const device::buffer<float> scores(std::size_t(b.n));
  const device::buffer<index> kept(std::size_t(b.n)), count(1);
  fill(scores.data(), b.n, 7, b.stream);
  hone::cuda gpu(b.stream);
  gpu.reserve(hone::nms_workspace_bytes(b.view(b.predicted, 0)));
  const auto call = [&](int set) {
    hone::nms(gpu, hone::matrix_view<const float>(b.view(b.predicted, set)),
              std::span<const float>(scores.data(), scores.size()), kept.data(), count.data(), {.threshold = 0.5});
  };
  works.measure(e, bytes, b.sets, b.stream, call, [&] {
    call(0);
    b.stream.wait();
    const auto expected = kept_of(on_host(b.predicted.data(), b.n), scores.host());
    const auto seen = on_host(kept.data(), count.host()[0]);
    return seen == expected ? std::string()
                            : "kept " + std::to_string(seen.size()) + ", the reference " +
                                  std::to_string(expected.size()) + ", or others";
  });
}

inline void all(table& works) {
  ciou(works);
  nms(works);
}

}  // namespace bench::of_boxes
