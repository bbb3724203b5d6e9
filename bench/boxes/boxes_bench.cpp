// SPDX-License-Identifier: MIT
// Losses of boxes with the boxes that they should be, and the matrix of overlaps of two sets.
#include "../random.hpp"
#include "../streams.hpp"
#include "twin_boxes.hpp"
#include "twin_pairwise.hpp"
#include "works.hpp"

#include <hone/hone.hpp>

namespace bench::boxes {
namespace {

/// Boxes with sides of 20 to 100.
void draw(random_numbers& random, float* to, index n) {
  random.uniform(to, 4 * n, 0, 80);
  for (index i = 0; i < n; ++i, to += 4) {
    const float place = 7.0f * to[0];
    to[0] += place, to[1] += place;
    to[2] += to[0] + 20, to[3] += to[1] + 20;
  }
}

struct pairs : data {
  index size;
  float *predicted = nullptr, *wanted = nullptr, *gradient = nullptr;

  explicit pairs(index n) : size(n) {}
  hone::matrix_view<float> view(float* p) const { return {p, size, 4}; }

 private:
  void fill() override {
    random_numbers random;
    draw(random, predicted = make<float>("predicted", {size, 4}), size);
    random.uniform(wanted = make<float>("wanted", {size, 4}), 4 * size, -9, 9);
    for (index i = 0; i < 4 * size; ++i) wanted[i] += predicted[i];
    gradient = make<float>("gradient", {size, 4});
    writes("gradient");
  }
};

template <class Loss, class Twin>
void add(registry& r, std::string const& name, Loss const& loss, Twin twin) {
  for (const index n : {10000, 100000, 1000000}) {
    if (r.rows(n) < n && n > 10000) return;  // small ones would be the same
    const auto d = std::make_shared<pairs>(r.rows(n));
    const bool past = r.past_caches(16.0 * static_cast<double>(d->size));
    for (const int threads : r.settings.threads) {
      const hone::cpu cpu(threads);
      work& w = r.add("boxes/" + name + "/" + std::to_string(d->size), threads, 48.0 * double(d->size), d);
      w.add("hone", [=] {
        return hone::evaluate(cpu, loss(d->view(d->wanted)), d->view(d->predicted), {.gradient = d->view(d->gradient)});
      });
      if constexpr (!std::is_same_v<Twin, std::nullptr_t>)
        w.add("twin", [=] { return twin_boxes(cpu, twin, d->predicted, d->wanted, d->gradient, d->size, past); });
      streams::add(w, cpu, false,
                   [=] { return streams::arrays<2>{{d->predicted, d->wanted}, d->gradient, 4 * d->size}; });
    }
  }
}

struct two_sets : data {
  index rows, columns;
  float *a = nullptr, *b = nullptr, *overlaps = nullptr;

  two_sets(index n, index k) : rows(n), columns(k) {}

 private:
  void fill() override {
    random_numbers random;
    draw(random, a = make<float>("a", {rows, 4}), rows);
    draw(random, b = make<float>("b", {columns, 4}), columns);
    overlaps = make<float>("overlaps", {rows, columns});
    writes("overlaps");
  }
};

void add_pairwise(registry& r) {
  const auto d = std::make_shared<two_sets>(r.rows(10000), r.columns(1000));
  const double bytes = 4.0 * static_cast<double>(d->rows * d->columns);
  const bool past = r.past_caches(bytes);
  for (const int threads : r.settings.threads) {
    const hone::cpu cpu(threads);
    work& w =
        r.add("boxes/pairwise_iou/" + std::to_string(d->rows) + "x" + std::to_string(d->columns), threads, bytes, d);
    w.add("hone", [=] {
      hone::pairwise_iou(cpu, hone::matrix_view{d->a, d->rows, 4}, hone::matrix_view{d->b, d->columns, 4},
                         hone::matrix_view{d->overlaps, d->rows, d->columns});
      return 0.0;
    });
    w.add("twin", [=] { return twin_pairwise_iou(cpu, d->a, d->rows, d->b, d->columns, d->overlaps, past); });
    streams::add(w, cpu, false, [=] { return streams::arrays<0>{{}, d->overlaps, d->rows * d->columns}; });
  }
}

}  // namespace

void add_boxes(registry& r) {
  add(r, "iou_loss", [](auto t) { return hone::iou_loss(t); }, iou_twin{});
  add(r, "giou_loss", [](auto t) { return hone::giou_loss(t); }, giou_twin{});
  add(r, "diou_loss", [](auto t) { return hone::diou_loss(t); }, diou_twin{});
  add(r, "ciou_loss", [](auto t) { return hone::ciou_loss(t); }, ciou_twin{});
  add(r, "eiou_loss", [](auto t) { return hone::eiou_loss(t); }, nullptr);
  add(r, "siou_loss", [](auto t) { return hone::siou_loss(t); }, nullptr);
  add_pairwise(r);
}

}  // namespace bench::boxes
