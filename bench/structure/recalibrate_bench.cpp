// SPDX-License-Identifier: MIT
// Squeeze-and-excitation at the end of a residual block, y = relu(x s + shortcut), forward alone and with its backward
// pass. The images are those of the first and of the last stage of ResNet-50.
//
// Floats per pixel: the least is 3 forward (x and the shortcut are read, y is written) and 5 backward (x, the shortcut
// and dy are read, dx and the gradient of the shortcut are written).
#include "../random.hpp"
#include "../streams.hpp"
#include "works.hpp"

#include <hone/hone.hpp>

#include <span>

namespace bench::structure {
namespace {

struct block : data {
  index n, c, side, width;
  float *x = nullptr, *shortcut = nullptr, *dy = nullptr, *y = nullptr, *dx = nullptr, *dshortcut = nullptr;
  float *w1 = nullptr, *b1 = nullptr, *w2 = nullptr, *b2 = nullptr;
  float *d1 = nullptr, *e1 = nullptr, *d2 = nullptr, *e2 = nullptr, *kept = nullptr, *scratch = nullptr;

  block(index images, index channels, index side_)
      : n(images), c(channels), side(side_), width(hone::squeeze_excite_width(channels)) {}

  index size() const { return n * c * side * side; }
  hone::image_view<float> view(float* p) const { return {p, n, c, side * side}; }
  hone::squeeze_excite<float> branch(float* reduce, float* of_reduce, float* expand, float* of_expand) const {
    return {.reduce = {reduce, width, c},
            .reduce_bias = {of_reduce, std::size_t(width)},
            .expand = {expand, c, width},
            .expand_bias = {of_expand, std::size_t(c)}};
  }
  hone::squeeze_excite<float> parameters() const { return branch(w1, b1, w2, b2); }
  hone::recalibration_numbers<float> numbers(float* p) const {
    return {.squeezed = {p, n, c},
            .excited = {p + n * c, n, c},
            .hidden = {p + 2 * n * c, n, width},
            .activated = {p + 2 * n * c + n * width, n, width}};
  }

  void forward(hone::cpu const& cpu) const {
    hone::recalibrate(cpu, parameters(), view(x), view(y), numbers(kept),
                      {.residual = view(shortcut), .activation = hone::relu});
  }
  void backward(hone::cpu const& cpu) const {
    hone::recalibrate_backward(cpu, parameters(), view(x), view(dy), numbers(kept), view(dx), branch(d1, e1, d2, e2),
                               numbers(scratch),
                               {.residual = view(shortcut), .activation = hone::relu, .dresidual = view(dshortcut)});
  }

 private:
  float* images(random_numbers& random, char const* name, float deviation) {
    float* const p = make<float>(name, {n, c, side, side});
    random.normal(p, size(), 0, deviation);
    return p;
  }
  float* matrix(random_numbers& random, char const* name, index rows, index columns) {
    float* const p = make<float>(name, {rows, columns});
    random.normal(p, rows * columns, 0, 0.1f);
    return p;
  }

  void fill() override {
    random_numbers random;
    x = images(random, "x", 1), shortcut = images(random, "shortcut", 1), dy = images(random, "dy", 0.01f);
    y = make<float>("y", {n, c, side, side});
    dx = make<float>("gradient", {n, c, side, side}), dshortcut = make<float>("dshortcut", {n, c, side, side});
    for (char const* name : {"y", "gradient", "dshortcut"}) writes(name);
    w1 = matrix(random, "reduce", width, c), b1 = matrix(random, "reduce_bias", 1, width);
    w2 = matrix(random, "expand", c, width), b2 = matrix(random, "expand_bias", 1, c);
    d1 = make<float>("dreduce", {width, c}), e1 = make<float>("dreduce_bias", {width});
    d2 = make<float>("dexpand", {c, width}), e2 = make<float>("dexpand_bias", {c});
    kept = make<float>("kept", {2 * n * (c + width)}), scratch = make<float>("scratch", {2 * n * (c + width)});
  }
};

void add(registry& r, index n, index channels, index side) {
  const auto d = std::make_shared<block>(images(r, n), r.columns(channels), side);
  const std::string shape =
      std::to_string(d->n) + "x" + std::to_string(d->c) + "x" + std::to_string(side) + "x" + std::to_string(side);
  const double bytes = 4.0 * static_cast<double>(d->size());
  const bool past = r.past_caches(bytes);
  for (const int threads : r.settings.threads) {
    const hone::cpu cpu(threads);
    const auto copied = [=](auto from, float* to) { return streams::copy(cpu, from, to, d->size(), past); };
    const auto forward_limit = [=] { return copied(std::array<float const*, 2>{d->x, d->shortcut}, d->y); };
    work& forward = r.add("structure/squeeze_excite/forward/" + shape, threads, 3 * bytes, d);
    forward.add("hone", [=] { return d->forward(cpu), 0.0; });
    forward.add("limit", forward_limit);
    work& both = r.add("structure/squeeze_excite/" + shape, threads, 8 * bytes, d);
    both.add("hone", [=] { return d->forward(cpu), d->backward(cpu), 0.0; });
    both.add("limit", [=] {
      return forward_limit() + copied(std::array<float const*, 2>{d->x, d->dy}, d->dx) +
             copied(std::array<float const*, 1>{d->shortcut}, d->dshortcut);
    });
  }
}

}  // namespace

void add_recalibrate(registry& r) {
  add(r, 64, 256, 56);
  add(r, 32, 2048, 7);
}

}  // namespace bench::structure
