// SPDX-License-Identifier: MIT
// Deformable convolution v2, 3 x 3, forward alone and with all gradients. Its time is that of arithmetic: the bytes
// that must move, of which the limits of other works are made, say nothing here.
#include "../random.hpp"
#include "works.hpp"

#include <hone/hone.hpp>

namespace bench::structure {
namespace {

struct layer : data {
  static constexpr index taps = 9;
  index n, c, side;
  float *x = nullptr, *offset = nullptr, *mask = nullptr, *weight = nullptr, *bias = nullptr, *y = nullptr;
  float *dy = nullptr, *dx = nullptr, *doffset = nullptr, *dmask = nullptr, *dweight = nullptr, *dbias = nullptr;

  layer(index images, index channels, index side_) : n(images), c(channels), side(side_) {}

  hone::feature_view<float> view(float* p, index channels) const { return {p, n, channels, side, side}; }
  hone::feature_view<float> weights(float* p) const { return {p, c, c, index(3), index(3)}; }

  void forward(hone::cpu const& cpu) const {
    hone::deform_conv2d(cpu, view(x, c), view(offset, 2 * taps), view(mask, taps), weights(weight), {bias, index(1), c},
                        {.padding = 1}, view(y, c));
  }
  void backward(hone::cpu const& cpu) const {
    hone::deform_conv2d_backward(cpu, view(x, c), view(offset, 2 * taps), view(mask, taps), weights(weight),
                                 {.padding = 1}, view(dy, c),
                                 {.input = view(dx, c),
                                  .offsets = view(doffset, 2 * taps),
                                  .mask = view(dmask, taps),
                                  .weight = weights(dweight),
                                  .bias = {dbias, index(1), c}});
  }
  double bytes_forward() const { return 4.0 * static_cast<double>(n * side * side * (2 * c + 3 * taps)); }
  double bytes_backward() const { return 4.0 * static_cast<double>(n * side * side * (3 * c + 6 * taps)); }

 private:
  void fill() override {
    random_numbers random;
    const auto normal = [&](char const* name, std::vector<index> shape, float mean, float deviation) {
      index size = 1;
      for (const index k : shape) size *= k;
      float* const p = make<float>(name, std::move(shape));
      random.normal(p, size, mean, deviation);
      return p;
    };
    x = normal("x", {n, c, side, side}, 0, 1), dy = normal("dy", {n, c, side, side}, 0, 0.01f);
    offset = normal("offset", {n, 2 * taps, side, side}, 0, 1);
    mask = normal("mask", {n, taps, side, side}, 0.5f, 0.1f);
    weight = normal("weight", {c, c, 3, 3}, 0, 0.05f), bias = normal("bias", {c}, 0, 1);
    y = make<float>("y", {n, c, side, side}), dx = make<float>("gradient", {n, c, side, side});
    doffset = make<float>("doffset", {n, 2 * taps, side, side}), dmask = make<float>("dmask", {n, taps, side, side});
    dweight = make<float>("dweight", {c, c, 3, 3}), dbias = make<float>("dbias", {c});
    for (char const* name : {"y", "gradient", "doffset", "dmask", "dweight", "dbias"}) writes(name);
  }
};

}  // namespace

void add_deform_conv(registry& r) {
  const auto d = std::make_shared<layer>(images(r, 8), r.columns(64), 64);
  const std::string shape = std::to_string(d->n) + "x" + std::to_string(d->c) + "x64x64";
  for (const int threads : r.settings.threads) {
    const hone::cpu cpu(threads);
    r.add("structure/deform_conv/forward/" + shape, threads, d->bytes_forward(), d).add("hone", [=] {
      return d->forward(cpu), 0.0;
    });
    r.add("structure/deform_conv/" + shape, threads, d->bytes_forward() + d->bytes_backward(), d).add("hone", [=] {
      return d->forward(cpu), d->backward(cpu), 0.0;
    });
  }
}

}  // namespace bench::structure
