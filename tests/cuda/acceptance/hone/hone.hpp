// SPDX-License-Identifier: MIT
/// Stands in for <hone/hone.hpp>, so that programs written for hone::cpu ask hone::cuda: every call copies what it is
/// given to the device, all padding left out, and the answers back.
#pragma once

#include <hone/hone.cuh>

#include <cuda_runtime.h>
#include <Eigen/Core>

#include <cstring>
#include <stdexcept>
#include <vector>

namespace hone {

namespace acceptance {

/// Device memory of one call, to the byte: a simulator sees what is read or written beyond it.
class copies {
 public:
  copies() = default;
  ~copies() {
    for (void* p : all_) cudaFree(p);
  }
  copies(copies const&) = delete;
  copies& operator=(copies const&) = delete;

  template <class T>
  T* uninitialised(index count) {
    void* p = nullptr;
    on_cuda::check(cudaMalloc(&p, sizeof(T) * static_cast<std::size_t>(count > 0 ? count : 1)), "cudaMalloc");
    all_.push_back(p);
    return static_cast<T*>(p);
  }
  template <class T>
  T* of(T const* host, index count) {
    T* const device = uninitialised<T>(count);
    copy(device, host, count);
    return device;
  }
  template <class T>
  static void copy(T* to, T const* from, index count) {
    if (count > 0)
      on_cuda::check(cudaMemcpy(to, from, sizeof(T) * std::size_t(count), cudaMemcpyDefault), "cudaMemcpy");
  }
  /// The numbers of a matrix; what lies between its rows keeps what it held.
  template <class T>
  static void copy_rows(T* to, T const* from, matrix_view<const T> like) {
    const std::size_t pitch = sizeof(T) * std::size_t(like.row_stride), width = sizeof(T) * std::size_t(like.columns);
    if (like.rows > 0 && like.columns > 0)
      on_cuda::check(cudaMemcpy2D(to, pitch, from, pitch, width, std::size_t(like.rows), cudaMemcpyDefault),
                     "cudaMemcpy2D");
  }

 private:
  std::vector<void*> all_;
};

/// From the first number to the last.
template <class T>
index extent(matrix_view<T> v) {
  return v.rows > 0 && v.columns > 0 ? (v.rows - 1) * v.row_stride + v.columns : 0;
}

/// Has everything that an objective views point to copies on the device.
class mover {
 public:
  explicit mover(copies& memory) : memory_(memory) {}

  template <class T>
  void operator()(matrix_view<const T>& v) const {
    T* const device = memory_.uninitialised<T>(extent(v));
    copies::copy_rows(device, v.data, v);
    v.data = device;
  }
  void operator()(numbers& x) const {
    std::vector<double> all;
    for (index i = 0; i < x.size(); ++i) all.push_back(x[i]);
    x = numbers(memory_.of(all.data(), x.size()), x.size());
  }
  template <class Label>
  void operator()(classes_target<Label>& t) const {
    t.data = memory_.of(t.data, t.size);
  }
  template <class X>
  void operator()(X& x) const {
    if constexpr (requires { x.inner; }) (*this)(x.inner);
    if constexpr (requires { x.first, x.second; }) (*this)(x.first), (*this)(x.second);
    if constexpr (requires { x.target; }) (*this)(x.target);
    if constexpr (requires { x.targets; }) (*this)(x.targets);
    if constexpr (requires { x.labels.data; }) (*this)(x.labels);
    if constexpr (requires { x.view; }) (*this)(x.view);
    if constexpr (requires { x.boxes; }) (*this)(x.boxes);
    if constexpr (requires { x.teacher; }) (*this)(x.teacher);
    if constexpr (requires { x.weights; }) (*this)(x.weights);
    if constexpr (requires { x.lambdas; }) (*this)(x.lambdas);
  }

 private:
  copies& memory_;
};

template <class... Leaf>
constexpr bool of_rows(detail::list<Leaf...> const&) {
  return detail::kind_of_sum<Leaf...>() != detail::sum_of::elements;
}

}  // namespace acceptance

/// A device; it has no use for a number of threads.
class cpu {
 public:
  cpu() = default;
  explicit cpu(int) {}
};

template <class Objective, class T>
double evaluate(cpu const&, Objective objective, matrix_view<T> prediction,
                std::type_identity_t<outputs<std::remove_const_t<T>>> const& out = {}, reduction how = mean) {
  using number = std::remove_const_t<T>;
  using A = accumulator_t<number>;
  acceptance::copies memory;
  acceptance::mover{memory}(objective);

  const index size = acceptance::extent(prediction), written = acceptance::extent(out.gradient);
  const bool in_place = out.gradient.data && out.gradient.data == prediction.data;
  matrix_view<const number> logits = prediction;
  acceptance::mover{memory}(logits);
  auto* const device_logits = const_cast<number*>(logits.data);
  outputs<number> answers{.gradient = out.gradient, .value = memory.uninitialised<A>(1)};
  if (in_place) {
    answers.gradient.data = device_logits;
  } else if (out.gradient.data) {
    answers.gradient.data = memory.of(out.gradient.data, written);  // the padding as it was
  }
  const bool by_rows = acceptance::of_rows(detail::leaves(objective));
  const index losses = prediction.rows * (by_rows ? 1 : prediction.columns);
  if (out.unreduced) answers.unreduced = memory.uninitialised<A>(losses);

  {
    cuda gpu(nullptr);
    evaluate(gpu, objective, logits, answers, how);
  }
  on_cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");

  if (in_place) {
    acceptance::copies::copy_rows(out.gradient.data, device_logits, logits);
  } else {
    acceptance::copies::copy(out.gradient.data, answers.gradient.data, written);
    std::vector<number> read(prediction.data, prediction.data + size);
    acceptance::copies::copy_rows(read.data(), device_logits, logits);
    if (size > 0 && std::memcmp(read.data(), prediction.data, sizeof(number) * read.size()) != 0)
      throw std::logic_error("the prediction was written");
  }
  if (out.unreduced) acceptance::copies::copy(out.unreduced, answers.unreduced, losses);
  A value = 0;
  acceptance::copies::copy(&value, answers.value, 1);
  if (out.value) *out.value = value;
  return static_cast<double>(value);
}

/// out(i, j) on the device, and back.
template <class T, class Enqueue>
void pairwise(matrix_view<const T> a, matrix_view<const T> b, matrix_view<T> out, Enqueue const& enqueue) {
  acceptance::copies memory;
  acceptance::mover{memory}(a);
  acceptance::mover{memory}(b);
  const index written = acceptance::extent(out);
  T* const host = out.data;
  out.data = memory.of(host, written);
  enqueue(cuda(nullptr), a, b, out);
  on_cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  acceptance::copies::copy(host, out.data, written);
}
template <class T>
void pairwise_iou(cpu const&, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> out) {
  pairwise<std::remove_const_t<T>>(a, b, out, [](cuda const& gpu, auto... v) { pairwise_iou(gpu, v...); });
}
template <class T>
void pairwise_giou(cpu const&, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                   std::type_identity_t<matrix_view<std::remove_const_t<T>>> out) {
  pairwise<std::remove_const_t<T>>(a, b, out, [](cuda const& gpu, auto... v) { pairwise_giou(gpu, v...); });
}
template <class T>
void pairwise_diou(cpu const&, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                   std::type_identity_t<matrix_view<std::remove_const_t<T>>> out) {
  pairwise<std::remove_const_t<T>>(a, b, out, [](cuda const& gpu, auto... v) { pairwise_diou(gpu, v...); });
}
template <class T>
void pairwise_ciou(cpu const&, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                   std::type_identity_t<matrix_view<std::remove_const_t<T>>> out) {
  pairwise<std::remove_const_t<T>>(a, b, out, [](cuda const& gpu, auto... v) { pairwise_ciou(gpu, v...); });
}

/// Draws are the host's here; they come to the device with the images.
template <class Draw, class In, class T>
void blend(cpu const&, Draw const& draw, matrix_view<In> images, matrix_view<T> mixed) {
  acceptance::copies memory;
  matrix_view<const T> from = images;
  const index written = acceptance::extent(mixed);
  const bool in_place = from.data == mixed.data;
  detail::require_blend_views(from, mixed);  // before what they view is copied
  acceptance::mover{memory}(from);
  T* const host = mixed.data;
  mixed.data = in_place ? const_cast<T*>(from.data) : memory.of(host, written);
  cuda gpu(nullptr);
  blend(gpu, draw, from, mixed);
  on_cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  acceptance::copies::copy(host, mixed.data, written);
}

}  // namespace hone

#include "../steps.hpp"
