// SPDX-License-Identifier: MIT
// Sigmoid losses with dense targets: the anchors of RetinaNet, the cells of YOLOX, and those of YOLOv5 with objectness.
#include "../random.hpp"
#include "../streams.hpp"
#include "twin_elements.hpp"
#include "works.hpp"

#include <hone/hone.hpp>

namespace bench::elements {
namespace {

struct sigmoids : data {
  index rows, columns;
  float *x = nullptr, *targets = nullptr, *gradient = nullptr;

  sigmoids(index n, index k) : rows(n), columns(k) {}
  index size() const { return rows * columns; }
  hone::matrix_view<float> view(float* p) const { return {p, rows, columns}; }

 private:
  void fill() override {
    random_numbers random;
    random.normal(x = make<float>("logits", {rows, columns}), size(), -2, 2);
    targets = make<float>("targets", {rows, columns});
    for (index i = 0; i < size(); i += 7 * columns + 3) targets[i] = 1;  // few rows are objects
    gradient = make<float>("gradient", {rows, columns});
    writes("gradient");
  }
};

template <class Loss, class Twin>
void add(registry& r, std::string const& name, index rows, index columns, Loss const& loss, Twin twin) {
  const auto d = std::make_shared<sigmoids>(r.rows(rows), r.columns(columns));
  const double bytes = 12.0 * static_cast<double>(d->size());
  const bool past = r.past_caches(bytes / 3);
  for (const int threads : r.settings.threads) {
    const hone::cpu cpu(threads);
    work& w =
        r.add("elements/" + name + "/" + std::to_string(d->rows) + "x" + std::to_string(d->columns), threads, bytes, d);
    w.add("hone", [=] {
      return hone::evaluate(cpu, loss(d->view(d->targets)), d->view(d->x), {.gradient = d->view(d->gradient)});
    });
    w.add("twin", [=] { return twin_elements(cpu, twin, d->x, d->targets, d->gradient, d->size(), past); });
    streams::add(w, cpu, false, [=] { return streams::arrays<2>{{d->x, d->targets}, d->gradient, d->size()}; });
  }
}

}  // namespace

void add_elements(registry& r) {
  for (const index anchors : {100000, 8400})
    add(r, "sigmoid_focal_loss", anchors, 80, [](auto t) { return hone::sigmoid_focal_loss(t); }, focal_twin{0.25f});
  add(r, "binary_cross_entropy", 25200, 85, [](auto t) { return hone::binary_cross_entropy(t); }, binary_twin{});
}

}  // namespace bench::elements
