// SPDX-License-Identifier: MIT
/// A small U-Net (Ronneberger et al. 2015, arXiv 1505.04597), on Eigen; every arrow is a normed convolution:
///
///   64 x 64   1 -> 8 -> 8 -------------------------------------- beside 32 upsampled -> 24, 1x1: 11 logits
///                 max-pool                                            |
///   32 x 32           8 -> 16 -> 16 ------ beside 48 upsampled -> 32 -
///                            max-pool             |
///   16 x 16                      16 -> 48 -> 48 -
///
/// Padding keeps the size, and upsampling repeats pixels: no part of the image is cut off.
#pragma once

#include "canvases.hpp"
#include "normed_convolution.hpp"
#include "planes.hpp"
#include "random.hpp"
#include "slices.hpp"

namespace segmentation {

using demo::map_of;
using demo::matrix;

/// T is float; the gradient check of the tests takes double.
template <class T>
class basic_network {
 public:
  using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

  vector parameters, gradient;  // every weight of the network, and the gradient that backward() left

  basic_network(std::uint64_t seed, int threads) : parameters(size), gradient(size), threads_(threads) {
    parameters.setZero();
    std::mt19937_64 random(seed);
    for (std::size_t k = 0; k < convolutions; ++k) {
      const Eigen::Index out = layers[k].out, taps = layers[k].taps();
      demo::fill_uniform(random, map_of(parameters.data() + at[k], out, taps), taps);
      map_of(parameters.data() + at[k] + out * taps, 1, out).setOnes();  // γ
    }
    demo::fill_uniform(random, map_of(parameters.data() + head_at, Eigen::Index(classes), features), features);
  }

  /// images is n x 64². The logits, n x (classes x 64²), stay valid until the next call.
  const matrix<T>& forward(const matrix<T>& images) {
    images_ = &images;
    logits_.resize(images.rows(), classes * canvas_pixels);
    demo::for_each_slice(threads_, [&](int s) {
      slice& to = slices_[static_cast<std::size_t>(s)];
      to.kept.resize(static_cast<std::size_t>(end(s) - begin(s)));
      for (Eigen::Index i = begin(s); i < end(s); ++i)
        forward(images.row(i).data(), to.kept[static_cast<std::size_t>(i - begin(s))], logits_.row(i).data(), to.work);
    });
    return logits_;
  }

  const matrix<T>& logits() const { return logits_; }  // of the last forward()

  /// From the gradient of the logits of the last forward(), whose images must still be there.
  void backward(const matrix<T>& logit_gradient) {
    demo::for_each_slice(threads_, [&](int s) {
      slice& from = slices_[static_cast<std::size_t>(s)];
      from.gradient.setZero(size);
      for (Eigen::Index i = begin(s); i < end(s); ++i)
        backward(images_->row(i).data(), from.kept[static_cast<std::size_t>(i - begin(s))],
                 logit_gradient.row(i).data(), from);
    });
    gradient = slices_[0].gradient;
    for (std::size_t s = 1; s < slices_.size(); ++s) gradient += slices_[s].gradient;
  }

 private:
  static constexpr int convolutions = 8;
  static constexpr Eigen::Index side = canvas_side, w = 8, w2 = 16, w4 = 48;  // channels of the three sizes
  static constexpr Eigen::Index up2 = 32, up1 = 24;                           // and of the two on the way back
  static constexpr normed_convolution<T> layers[convolutions] = {
      {1, w, side},       {w, w, side},       {w, w2, side / 2},        {w2, w2, side / 2},
      {w2, w4, side / 4}, {w4, w4, side / 4}, {w2 + w4, up2, side / 2}, {w + up2, up1, side},
  };
  static constexpr max_pool<T> pools[2] = {{w, side}, {w2, side / 2}};
  static constexpr nearest_upsampling<T> upsamplings[2] = {{up2, side / 2}, {w4, side / 4}};
  static constexpr Eigen::Index features = layers[7].out;
  // Where each layer begins in the vector of parameters: its weights, then γ and β, or biases.
  static constexpr auto at = [] {
    std::array<Eigen::Index, convolutions + 1> begins{};
    for (std::size_t k = 0; k < convolutions; ++k) begins[k + 1] = begins[k] + layers[k].size();
    return begins;
  }();
  static constexpr Eigen::Index head_at = at[convolutions], size = head_at + classes * (features + 1);

  struct image_state {  // what forward() keeps of an image for backward()
    vector first[3];    // of each size: after its first convolution
    vector joined[2];   // after the second, and behind it the planes that are upsampled to this size
    vector pooled[2], bottom, up[2];
    typename normed_convolution<T>::kept norms[convolutions];
  };
  struct slice {
    std::vector<image_state> kept;
    vector gradient;
    image_state by;  // gradients by what is kept of one image
    demo::workspace<T> work;
  };

  Eigen::Index begin(int which) const { return logits_.rows() * which / demo::slices; }
  Eigen::Index end(int which) const { return begin(which + 1); }

  static void make_room(image_state& s) {
    for (int k = 0; k < 3; ++k) s.first[k].resize(layers[2 * k].outputs());
    for (int k = 0; k < 2; ++k) {
      s.joined[k].resize(layers[2 * k + 1].outputs() + upsamplings[k].outputs());
      s.pooled[k].resize(pools[k].outputs());
      s.up[k].resize(layers[7 - k].outputs());
    }
    s.bottom.resize(layers[5].outputs());
  }

  void forward(const T* image, image_state& s, T* logits, demo::workspace<T>& work) const {
    make_room(s);
    const auto convolve = [&](int k, const T* from, T* to) {
      layers[k].forward(parameters.data() + at[static_cast<std::size_t>(k)], from, to, s.norms[k], work);
    };
    for (int k = 0; k < 2; ++k) {
      convolve(2 * k, k == 0 ? image : s.pooled[0].data(), s.first[k].data());
      convolve(2 * k + 1, s.first[k].data(), s.joined[k].data());
      pools[k].forward(s.joined[k].data(), s.pooled[k].data());
    }
    convolve(4, s.pooled[1].data(), s.first[2].data());
    convolve(5, s.first[2].data(), s.bottom.data());
    for (int k = 1; k >= 0; --k) {
      upsamplings[k].forward(k == 1 ? s.bottom.data() : s.up[1].data(),
                             s.joined[k].data() + layers[2 * k + 1].outputs());
      convolve(7 - k, s.joined[k].data(), s.up[k].data());
    }
    auto planes = map_of(logits, Eigen::Index(classes), Eigen::Index(canvas_pixels));
    const T* head = parameters.data() + head_at;
    planes.noalias() =
        map_of(head, Eigen::Index(classes), features) * map_of(s.up[0].data(), features, Eigen::Index(canvas_pixels));
    planes.colwise() += map_of(head + classes * features, Eigen::Index(classes), 1).col(0);
  }

  void backward(const T* image, image_state& s, const T* logit_gradient, slice& to) const {
    image_state& by = to.by;
    make_room(by);
    const auto convolve = [&](int k, const vector& from, const vector& active, const vector& by_active,
                              T* from_gradient) {
      back(k, from.data(), active.data(), s.norms[k], by_active.data(), from_gradient, to);
    };
    const auto planes = map_of(logit_gradient, Eigen::Index(classes), Eigen::Index(canvas_pixels));
    const auto top = map_of(s.up[0].data(), features, Eigen::Index(canvas_pixels));
    T* head_gradient = to.gradient.data() + head_at;
    map_of(head_gradient, Eigen::Index(classes), features).noalias() += planes * top.transpose();
    map_of(head_gradient + classes * features, Eigen::Index(classes), 1) += planes.rowwise().sum();
    map_of(by.up[0].data(), features, Eigen::Index(canvas_pixels)).noalias() =
        map_of(parameters.data() + head_at, Eigen::Index(classes), features).transpose() * planes;
    for (int k = 0; k < 2; ++k) {
      convolve(7 - k, s.joined[k], s.up[k], by.up[k], by.joined[k].data());
      upsamplings[k].backward(by.joined[k].data() + layers[2 * k + 1].outputs(),
                              k == 0 ? by.up[1].data() : by.bottom.data());
    }
    convolve(5, s.first[2], s.bottom, by.bottom, by.first[2].data());
    convolve(4, s.pooled[1], s.first[2], by.first[2], by.pooled[1].data());
    for (int k = 1; k >= 0; --k) {
      pools[k].backward(s.joined[k].data(), by.pooled[k].data(), by.joined[k].data());
      convolve(2 * k + 1, s.first[k], s.joined[k], by.joined[k], by.first[k].data());
      if (k == 1) convolve(2, s.pooled[0], s.first[1], by.first[1], by.pooled[0].data());
    }
    back(0, image, s.first[0].data(), s.norms[0], by.first[0].data(), nullptr, to);
  }
  void back(int k, const T* from, const T* active, const typename normed_convolution<T>::kept& norm, const T* by_active,
            T* from_gradient, slice& to) const {
    const Eigen::Index begins = at[static_cast<std::size_t>(k)];
    layers[k].backward(parameters.data() + begins, from, active, norm, by_active, to.gradient.data() + begins,
                       from_gradient, to.work);
  }

  int threads_;
  const matrix<T>* images_ = nullptr;
  matrix<T> logits_;
  std::vector<slice> slices_ = std::vector<slice>(demo::slices);
};

using network = basic_network<float>;

}  // namespace segmentation
