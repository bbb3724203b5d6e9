// SPDX-License-Identifier: MIT
/// How the lists of tests/conformance/ reach the CPU.
#pragma once

#include <hone/hone.hpp>

#include <conformance/nms.hpp>

#include <type_traits>
#include <vector>

struct on_this_machine {
  using half = Eigen::half;
  using bfloat16 = Eigen::bfloat16;

  template <class T>
  class buffer {
   public:
    explicit buffer(std::size_t size) : numbers_(size) {}
    explicit buffer(std::vector<T> const& from) : numbers_(from) {}

    T* data() const { return const_cast<T*>(numbers_.data()); }  // as a device pointer is
    T* begin() const { return data(); }
    T* end() const { return data() + numbers_.size(); }
    std::vector<T> host() const { return numbers_; }

   private:
    std::vector<T> numbers_;
  };

  template <class Call>
  static void enqueue(Call const& call) {
    const hone::cpu cpu(2);
    call(cpu);
  }

  template <class Objective, class View, class Outputs>
  static void evaluate(Objective const& objective, View prediction, Outputs const& out, hone::reduction how) {
    hone::evaluate(hone::cpu(2), objective, prediction, out, how);
  }
  static void pairwise_iou(auto a, auto b, auto out) { hone::pairwise_iou(hone::cpu(2), a, b, out); }
  static void pairwise_giou(auto a, auto b, auto out) { hone::pairwise_giou(hone::cpu(2), a, b, out); }
  static void pairwise_diou(auto a, auto b, auto out) { hone::pairwise_diou(hone::cpu(2), a, b, out); }
  static void pairwise_ciou(auto a, auto b, auto out) { hone::pairwise_ciou(hone::cpu(2), a, b, out); }
  static void pairwise_ioa(auto a, auto b, auto out) { hone::pairwise_ioa(hone::cpu(2), a, b, out); }
  /// verb(backend) calls one of hone's verbs.
  static void call(auto verb) { verb(hone::cpu(2)); }

  template <class T>
  static void fused_confidence(hone::matrix_view<T> objectness, std::type_identity_t<hone::matrix_view<const T>> iou,
                               std::type_identity_t<hone::matrix_view<T>> out, hone::fused_confidence_options options) {
    hone::fused_confidence(hone::cpu(2), objectness, iou, out, options);
  }

  static std::vector<hone::index> suppress(conformance::suppression how, auto boxes, auto scores, auto classes,
                                           hone::nms_options options, auto format) {
    const hone::cpu cpu(2);
    switch (how) {
      case conformance::suppression::nms:
        return hone::nms(cpu, boxes, scores, options, format);
      case conformance::suppression::batched_nms:
        return hone::batched_nms(cpu, boxes, scores, classes, options, format);
      case conformance::suppression::diou_nms:
        return hone::diou_nms(cpu, boxes, scores, options, format);
      default:
        return hone::batched_diou_nms(cpu, boxes, scores, classes, options, format);
    }
  }
  static std::vector<hone::index> suppress(conformance::suppression how, auto boxes, auto scores, auto classes,
                                           hone::nms_options options) {
    return suppress(how, boxes, scores, classes, options, hone::corners);
  }
  static std::vector<hone::index> suppress_images(conformance::suppression how, auto boxes, auto scores, auto classes,
                                                  auto images, hone::nms_options options) {
    if (how == conformance::suppression::batched_nms)
      return hone::batched_nms(hone::cpu(2), boxes, scores, classes, images, options);
    return hone::batched_diou_nms(hone::cpu(2), boxes, scores, classes, images, options);
  }

  static void decode_boxes(auto const& decoding, auto const& level, auto raw, auto boxes) {
    hone::decode_boxes(hone::cpu(2), decoding, level, raw, boxes);
  }
  static void chain_boxes(auto const& decoding, auto const& level, auto raw, auto gradient, auto to) {
    hone::chain_boxes(hone::cpu(2), decoding, level, raw, gradient, to);
  }
  static void convert_boxes(auto from, auto format, auto to, auto other) {
    hone::convert_boxes(hone::cpu(2), from, format, to, other);
  }

  static void blend(auto const& draw, auto images, auto mixed) { hone::blend(hone::cpu(2), draw, images, mixed); }

  template <class Step, class T>
  static hone::gradient_report transform(Step const& step, hone::tensor_list<T> const& gradients) {
    return hone::transform(hone::cpu(2), step, gradients);
  }

  template <class F, class... T>
  static void for_each_number(F const& f, hone::tensor_list<T> const&... lists) {
    hone::for_each_number(hone::cpu(2), f, lists...);
  }

  template <class Chain, class F, class... L>
  static hone::gradient_report step(Chain const& chain, F const& f, hone::tensor_list<L> const&... lists) {
    return hone::step(hone::cpu(2), chain, f, lists...);
  }

  template <class T>
  struct averages {
    hone::cpu cpu{2};
    hone::ema_state<T> state;

    template <class P>
    averages(hone::tensor_list<P> const& parameters, hone::ema_start start) : state(parameters, start) {}

    template <class P>
    void update(hone::ema const& average, hone::tensor_list<P> const& parameters, bool finite) {
      hone::update(cpu, average, state, parameters, finite);
    }
    template <class Chain, class F, class... L>
    hone::gradient_report step(Chain const& chain, F const& f, auto const& average,
                               hone::tensor_list<L> const&... lists) {
      return hone::step(cpu, chain, f, lists..., hone::averaged_in(average, state));
    }
    void copy(hone::tensor_list<T> const& to) { hone::copy(cpu, state, to); }
    void swap(hone::tensor_list<T> const& parameters) { hone::swap(cpu, state, parameters); }
  };
};
