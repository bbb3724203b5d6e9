// SPDX-License-Identifier: MIT
/// Where the branch of a residual block meets the way around it.
#pragma once

#include "excitation.hpp"
#include "structure.hpp"

#include <optional>
#include <vector>

namespace ladder {

using demo::planes_of;
using demo::samples_of;

/// What a forward pass is for.
struct pass {
  bool training = false;
  hone::index step = 0;  // of the training: what is drawn depends on it
};

/// A block among the blocks of a network.
struct block_place {
  std::uint64_t seed = 0;  // of its draws
  Index block = 0, blocks = 1;
};

/// y = ReLU(f s branch + around): s of squeeze-and-excitation, one number per plane, and f of drop path, one number per
/// image, each where the structure has it.
template <class T>
class junction {
 public:
  junction(const std::string& name, Index channels, Index pixels, const structure& with, const block_place& place,
           demo::named_tensors& parameters)
      : channels_(channels), pixels_(pixels), place_(place) {
    if (with.drop_path) drop_.rate = hone::drop_path_rate(drop_rate, place.block, place.blocks);  // hone
    if (with.se) excitation_.emplace(name + ".se", channels, parameters);
  }

  /// y is the branch, and becomes the result.
  void forward(const T* p, matrix<T>& y, const matrix<T>& around, const pass& pass) {
    draw(y.rows() / pixels_, pass);
    if (excitation_) {
      const bool fused = factors_.empty();
      demo::to_planes(y, pixels_, branch_);
      if (fused) demo::to_planes(around, pixels_, around_);
      out_.resizeLike(branch_);
      excitation_->forward(p, planes_of(branch_, channels_), planes_of(out_, channels_), options(fused));
      demo::to_pixels(out_, channels_, y);
      if (fused) return;
    }
    if (factors_.empty()) {
      y += around;
      y = y.cwiseMax(T(0));
      return;
    }
    const Index n = y.rows() / pixels_;
    hone::scale_planes(cpu_, hone::identity_gate, samples_of(y, n), factors(), samples_of(y, n),  // hone
                       {.residual = samples_of(around, n), .activation = hone::relu});
  }

  /// y is what forward() made of it. g, the gradient of y, becomes that of the branch. Writes to d.
  void backward(const T* p, const matrix<T>& y, matrix<T>& g, matrix<T>& around_gradient, T* d) {
    const bool fused = excitation_ && factors_.empty();
    if (!fused) {
      g = (y.array() > T(0)).select(g, T(0));
      around_gradient = g;
    }
    if (!factors_.empty()) {
      const auto all = samples_of(g, g.rows() / pixels_);
      hone::scale_planes_backward(cpu_, hone::identity_gate, all, factors(), all, all, {});  // hone
    }
    if (!excitation_) return;
    demo::to_planes(g, pixels_, out_);
    hone::plane_scale_backward_options<T> back{};
    if (fused) {
      around_out_.resizeLike(around_);
      back = {.residual = planes_of(around_, channels_),
              .activation = hone::relu,
              .dresidual = planes_of(around_out_, channels_)};
    }
    const auto dy = planes_of(out_, channels_);
    excitation_->backward(p, planes_of(branch_, channels_), dy, dy, d, back);
    demo::to_pixels(out_, channels_, g);
    if (fused) demo::to_pixels(around_out_, channels_, around_gradient);
  }

 private:
  void draw(Index images, const pass& pass) {
    factors_.clear();
    if (!pass.training || !(drop_.rate.value > 0)) return;
    factors_.resize(static_cast<std::size_t>(images));
    drop_.draw(static_cast<hone::index>(place_.seed), pass.step, place_.block, std::span(factors_));  // hone
  }
  hone::matrix_view<const T> factors() const { return {factors_.data(), 1, static_cast<Index>(factors_.size())}; }
  hone::plane_scale_options<T> options(bool fused) {
    if (!fused) return {};
    return {.residual = planes_of(around_, channels_), .activation = hone::relu};
  }

  const hone::cpu cpu_{1};
  Index channels_, pixels_;
  block_place place_;
  hone::drop_path drop_;
  std::optional<excitation<T>> excitation_;

  std::vector<T> factors_;  // empty: none is dropped
  matrix<T> branch_, around_, out_, around_out_;
};

}  // namespace ladder
