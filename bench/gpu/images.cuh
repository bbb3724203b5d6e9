// SPDX-License-Identifier: MIT
/// Losses of images, whose classes lie a plane apart: 4 images of 512 x 512 pixels with the 21 classes of Pascal VOC.
#pragma once

#include <hone/hone.cuh>

#include <gpu/arrays.cuh>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>
#include <utility>

namespace bench::of_images {

constexpr index images = 4, classes = 21;

/// Calls body(i) for the numbers under n, in threads.
template <class Body>
void in_threads(std::size_t n, Body const& body) {
  std::atomic<std::size_t> next{0};
  const auto some = [&] {
    for (std::size_t i = next++; i < n; i = next++) body(i);
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) threads.emplace_back(some);
}

/// Logits as plain numbers, pixel by pixel, and what the losses are of them.
struct reference {
  std::vector<double> z;  // pixels x classes
  std::vector<std::int64_t> labels;

  std::vector<double> probabilities(double h, std::vector<double> const& direction) const {
    std::vector<double> p(z.size());
    const std::size_t pixels = labels.size(), part = 4096;
    in_threads((pixels + part - 1) / part, [&](std::size_t k) {
      for (std::size_t i = k * part; i < std::min(pixels, (k + 1) * part); ++i) {
        const std::size_t first = i * classes, end = first + classes;
        double most = -1e300, total = 0;
        for (std::size_t c = first; c < end; ++c) p[c] = z[c] + h * direction[c], most = std::max(most, p[c]);
        for (std::size_t c = first; c < end; ++c) total += p[c] = std::exp(p[c] - most);
        for (std::size_t c = first; c < end; ++c) p[c] /= total;
      }
    });
    return p;
  }
  double cross_entropy(std::vector<double> const& p) const {
    double sum = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) sum -= std::log(p[i * classes + std::size_t(labels[i])]);
    return sum / double(labels.size());
  }
  /// Sudre et al. 2017, arXiv 1707.03237, over the batch.
  double dice(std::vector<double> const& p) const {
    double common[classes] = {}, of_p[classes] = {}, of_q[classes] = {};
    for (std::size_t i = 0; i < labels.size(); ++i) {
      for (std::size_t c = 0; c < classes; ++c) of_p[c] += p[i * classes + c];
      const auto y = std::size_t(labels[i]);
      common[y] += p[i * classes + y], of_q[y] += 1;
    }
    double sum = 0, present = 0;
    for (int c = 0; c < classes; ++c)
      if (of_q[c] > 0) sum += 1 - 2 * common[c] / (of_p[c] + of_q[c]), present += 1;
    return sum / present;
  }
  /// Berman et al. 2018, arXiv 1705.08790, over the batch.
  double lovasz(std::vector<double> const& p) const {
    double losses[classes] = {}, present = 0;
    for (int c = 0; c < classes; ++c) present += double(std::count(labels.begin(), labels.end(), c) > 0);
    in_threads(classes, [&](std::size_t c) { losses[c] = lovasz_of_class(p, c); });
    return std::accumulate(losses, losses + classes, 0.0) / present;
  }
  double lovasz_of_class(std::vector<double> const& p, std::size_t c) const {
    std::vector<std::pair<double, bool>> errors(labels.size());
    double all = 0, missed = 0, extra = 0, before = 0, loss = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const bool is = labels[i] == std::int64_t(c);
      const double of = p[i * classes + c];
      errors[i] = {is ? 1 - of : of, is}, all += double(is);
    }
    if (all == 0) return 0;
    std::sort(errors.begin(), errors.end(), [](auto const& a, auto const& b) { return a.first > b.first; });
    for (auto const& [error, is] : errors) {
      (is ? missed : extra) += 1;
      const double jaccard = 1 - (all - missed) / (all + extra);
      loss += error * (jaccard - before), before = jaccard;
    }
    return loss;
  }
};

/// Labels of patches, so that regions have borders.
static __global__ void label_patches(std::int64_t* labels, index n, index side) {
  for (index i = blockIdx.x * index(blockDim.x) + threadIdx.x; i < n; i += index(gridDim.x) * blockDim.x)
    labels[i] = std::int64_t(scrambled(std::uint64_t(i / side / 32 * 1000 + i % side / 32)) % classes);
}

template <class T>
struct pictures {
  index pixels;
  int sets;
  device::stream stream;
  device::buffer<T> logits, gradient;
  device::buffer<std::int64_t> labels;
  device::buffer<float> value{1};

  pictures(index side, index bytes, table const& works)
      : pixels(side * side),
        sets(works.sets_for(bytes)),
        logits(std::size_t(sets * n())),
        gradient(std::size_t(sets * n())),
        labels(std::size_t(images * pixels)) {
    fill(logits.data(), sets * n(), 1, stream);
    label_patches<<<64, 256, 0, stream>>>(labels.data(), images * pixels, side);
    check(cudaGetLastError(), "label_patches");
    stream.wait();
  }
  index n() const { return images * classes * pixels; }
  auto target() const { return hone::classes(std::span<const std::int64_t>(labels.data(), labels.size())); }
  hone::image_view<T> view(device::buffer<T> const& b, int set) const {
    return {b.data() + set * n(), images, classes, pixels};
  }
  /// The numbers of the first set, pixel by pixel.
  std::vector<double> by_pixel(device::buffer<T> const& b) const {
    const auto from = on_host(b.data(), n());
    std::vector<double> to(from.size());
    for (index i = 0; i < images; ++i)
      for (index c = 0; c < classes; ++c)
        for (index x = 0; x < pixels; ++x)
          to[std::size_t((i * pixels + x) * classes + c)] =
              double(static_cast<float>(from[std::size_t((i * classes + c) * pixels + x)]));
    return to;
  }
};

/// The value, and the slope along a direction that nothing knows of.
template <class T, class Loss>
std::string wrong(pictures<T> const& d, Loss const& loss) {
  d.stream.wait();
  const reference r{d.by_pixel(d.logits), on_host(d.labels.data(), images * d.pixels)};
  const auto gradient = d.by_pixel(d.gradient);
  std::vector<double> direction(gradient.size());
  double slope = 0, squares = 0;
  for (std::size_t i = 0; i < direction.size(); ++i) {
    direction[i] = double(some_number(i)) / 3;
    slope += gradient[i] * direction[i], squares += gradient[i] * gradient[i];
  }
  const auto at = [&](double h) { return loss(r, r.probabilities(h, direction)); };
  const double h = 1e-3, expected = (at(h) - at(-h)) / (2 * h);
  if (!(std::abs(slope - expected) <= 0.01 * std::sqrt(squares)))
    return "the slope is " + std::to_string(slope) + ", the reference's " + std::to_string(expected);
  return differs("value", d.value.host(), [&](std::size_t) { return at(0); }, 1e-4);
}

template <class T, class Objective, class Loss>
void measure(table& works, const char* name, const char* type, Objective const& objective, Loss const& loss) {
  index side = 512;
  entry e{name, images * side * side, classes, type};
  if (!works.wants(e)) return;
  if (works.asked().quick) side = 17, e.rows = images * side * side;
  const index bytes = 2 * e.rows * classes * index(sizeof(T)) + 8 * e.rows;
  const pictures<T> d(side, bytes, works);
  hone::cuda gpu(d.stream);
  gpu.reserve(hone::workspace_bytes(objective(d), d.view(d.logits, 0)));
  const auto call = [&](int set) {
    hone::evaluate(gpu, objective(d), d.view(d.logits, set),
                   {.gradient = d.view(d.gradient, set), .value = d.value.data()});
  };
  works.measure(e, bytes, d.sets, d.stream, call, [&] {
    call(0);
    return wrong(d, loss);
  });
}

template <class T>
void cross_entropy(table& works, const char* type) {
  measure<T>(
      works, "cross entropy of images", type, [](auto const& d) { return hone::cross_entropy(d.target()); },
      [](reference const& r, auto const& p) { return r.cross_entropy(p); });
}

inline void all(table& works) {
  cross_entropy<float>(works, "float");
  cross_entropy<__nv_bfloat16>(works, "bfloat16");
  measure<float>(
      works, "cross entropy + Dice of images", "float",
      [](auto const& d) { return hone::cross_entropy(d.target()) + hone::dice_loss(d.target()); },
      [](reference const& r, auto const& p) { return r.cross_entropy(p) + r.dice(p); });
  measure<float>(
      works, "Lovasz-Softmax of images", "float", [](auto const& d) { return hone::lovasz_softmax_loss(d.target()); },
      [](reference const& r, auto const& p) { return r.lovasz(p); });
}

}  // namespace bench::of_images
