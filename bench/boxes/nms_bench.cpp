// SPDX-License-Identifier: MIT
// Non-maximum suppression of detections that hardly overlap, of scattered ones, and of clusters around objects.
#include "../random.hpp"
#include "works.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace bench::boxes {
namespace {

constexpr index per_object = 50;

struct detections : data {
  index size;
  float plane;     ///< the side of the image
  bool clustered;  ///< 50 detections of each object
  float *boxes = nullptr, *scores = nullptr;

  detections(index n, float side, bool of_objects) : size(n), plane(side), clustered(of_objects) {}

 private:
  void fill() override {
    random_numbers random;
    boxes = make<float>("boxes", {size, 4});
    random.uniform(scores = make<float>("scores", {size}), size, 0, 1);
    std::vector<float> place(static_cast<std::size_t>(4 * size)), noise(place.size());
    random.uniform(place.data(), 4 * size, 0, 1);
    random.normal(noise.data(), 4 * size, 0, clustered ? 0.1f : 0);
    for (index i = 0; i < size; ++i) {
      float const* const p = place.data() + 4 * (clustered ? i / per_object : i);
      float const* const e = noise.data() + 4 * i;
      for (int k = 0; k < 2; ++k) {
        const float side = (10 + 90 * p[2 + k]) * std::clamp(1 + 2 * e[2 + k], 0.3f, 3.0f),
                    first = plane * p[k] + side * e[k];
        boxes[4 * i + k] = first, boxes[4 * i + 2 + k] = first + side;
      }
    }
  }
};

void add(registry& r, std::string const& name, float side, bool clustered) {
  const auto d = std::make_shared<detections>(r.rows(10000), side, clustered);
  for (const double threshold : {0.5, 0.7})
    for (const int threads : r.settings.threads) {
      const hone::cpu cpu(threads);
      const std::string at = threshold == 0.5 ? "threshold:0.5/" : "threshold:0.7/";
      work& w = r.add("boxes/nms/" + name + "/" + at + std::to_string(d->size), threads, 20.0 * double(d->size), d);
      w.add("hone", [=] {
        const std::span<const float> scores(d->scores, static_cast<std::size_t>(d->size));
        const auto kept = hone::nms(cpu, hone::matrix_view{d->boxes, d->size, 4}, scores, {.threshold = threshold});
        return static_cast<double>(kept.size());
      });
    }
}

}  // namespace

void add_nms(registry& r) {
  add(r, "apart", 20000, false);
  add(r, "scattered", 2000, false);
  add(r, "clusters", 1000, true);
}

}  // namespace bench::boxes
