// SPDX-License-Identifier: MIT
/// Objectives of element-wise terms on the CPU. Consecutive rows without padding are processed as one long
/// line; a line is processed in segments that fit in the first-level cache.
#pragma once

#include <hone/core/evaluation.hpp>
#include <hone/cpu/elements/strips.hpp>
#include <hone/cpu/elements/target_range.hpp>
#include <hone/cpu/memory/streaming_store.hpp>
#include <hone/cpu/regions/region_sums.hpp>

#include <array>
#include <tuple>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The loss, the loss times the scale, and the gradient of a pack, for one or more terms.
template <class V>
struct element_part {
  V loss, reduced, gradient;

  HONE_INLINE friend element_part operator+(element_part a, element_part b) noexcept {
    return {a.loss + b.loss, a.reduced + b.reduced, a.gradient + b.gradient};
  }
};

/// Computes one term for the pack of logits at element i, and all terms. Neither is a lambda, which clang would call.
template <class A, class Leaf>
HONE_INLINE element_part<pack<A>> element_part_of(Leaf const& l, pack<A> logit, index i) noexcept {
  using V = pack<A>;
  auto [value, slope] = l.evaluate(logit, i);
  V w(l.factor), scaled(l.scaled_factor);
  if (l.weight) {
    w = V::load(l.weight + i), scaled = V(l.scale) * w;
    const mask<A> out = w == V(0);  // 0 times infinity or NaN is 0 too
    value = zero_where(out, value), slope = zero_where(out, slope);
  }
  return {w * value, scaled * value, scaled * slope};
}
template <class A, class Leaves, std::size_t... I>
HONE_INLINE element_part<pack<A>> element_parts_of(Leaves const& leaves, pack<A> logit, index i,
                                                   std::index_sequence<I...>) noexcept {
  return (element_part_of<A>(detail::at<I>(leaves), logit, i) + ...);
}

/// Computes all terms in one loop over `size` elements. Returns Σ scale · weight · loss per lane. The gradient goes
/// past the caches if `streaming` is true; its address is then aligned for packs.
template <class A, class... Leaf>
pack<A> element_sweep(detail::list<Leaf...> const& leaves, A const* x, A* gradient, bool streaming, A* unreduced,
                      index size) noexcept {
  using V = pack<A>;
  const auto state = leaves;
  V total(0);
  for (index i = 0; i < size; i += V::size) {
    const element_part<V> part = element_parts_of<A>(state, V::load(x + i), i, std::index_sequence_for<Leaf...>());
    total += part.reduced;
    if (streaming)
      stream_pack(part.gradient, gradient + i);
    else if (gradient)
      part.gradient.store(gradient + i);
    if (unreduced) part.loss.store(unreduced + i);
  }
  return total;
}

/// Evaluates segments and adds up their sums, in double.
struct element_sums {
  double total = 0;

  template <class A, class Leaves>
  void sweep(Leaves const& leaves, segment, A const* x, A* gradient, bool streaming, A* unreduced,
             index padded) noexcept {
    total += static_cast<double>(sum(element_sweep(leaves, x, gradient, streaming, unreduced, padded)));
  }
  double end() const noexcept { return total; }
};

/// The data that all threads of a call share.
template <class View, class... Leaf>
struct element_job : detail::evaluation<View, Leaf...> {
  std::array<double, sizeof...(Leaf)> scales;  // factor of the reduction, per leaf
  index columns;
  bool streaming = false;  // the gradient goes past the caches where packs are aligned

  /// Returns what evaluates the segments of one thread.
  static element_sums sums() noexcept { return {}; }
};

/// Job is an element_job, or has its members and other sums() (cpu/distributed/element_values.hpp).
template <class Job>
class element_worker;
template <template <class, class...> class Job, class View, class... Leaf>
class element_worker<Job<View, Leaf...>> {
  using job_type = Job<View, Leaf...>;
  using A = typename job_type::A;
  using V = pack<A>;

 public:
  static std::size_t bytes(index columns) {
    return arena::room_for<A>(segment_elements) * 4 + (element_strips<A, Leaf>::bytes(columns) + ...);
  }

  element_worker(job_type const& job, std::byte* memory) : job_(job) {
    arena pieces(memory);
    for (A** p : {&x_, &gradient_, &unreduced_, &part_}) *p = pieces.take<A>(segment_elements);
    for_each_leaf([&](auto const& leaf, std::size_t k, auto& strips) {
      strips.begin(leaf, job.columns, static_cast<A>(job.scales[k]), pieces);
    });
  }

  double run(index begin, index end) noexcept {
    auto sums = job_.sums();
    const bool one_line = is_one_line();
    for (index row = begin; row < end; row += one_line ? end - begin : 1) {
      const index length = (one_line ? end - begin : 1) * job_.columns;
      for (index at = 0; at < length; at += segment_elements)
        evaluate({row + at / job_.columns, at % job_.columns, std::min(segment_elements, length - at)}, sums);
    }
    return sums.end();
  }

 private:
  bool is_one_line() const noexcept {
    bool full = contiguous(job_.prediction) && (!job_.out.gradient.data || contiguous(job_.out.gradient));
    job_.leaves.each([&](auto const& l) { l.term.views().each([&](auto const& v) { full = full && contiguous(v); }); });
    return full;
  }

  template <class Sums>
  void evaluate(segment s, Sums& sums) noexcept {
    A const* x = view_or_copy(job_.prediction, s, x_);
    const bool full = s.size % V::size == 0;
    auto* unreduced = job_.out.unreduced ? job_.out.unreduced + s.row * job_.columns + s.column : nullptr;
    A* losses = unreduced && !full ? unreduced_ : unreduced;
    A* direct = full ? in_place(job_.out.gradient, s) : nullptr;
    A* gradient = job_.out.gradient.data ? (direct ? direct : gradient_) : nullptr;
    const auto leaves = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return detail::list(detail::at<I>(strips_).at(detail::at<I>(job_.leaves), s, part_)...);
    }(std::index_sequence_for<Leaf...>());
    const bool streaming = direct && job_.streaming && before_aligned_pack(direct) == 0;
    sums.sweep(leaves, s, x, gradient, streaming, losses, padded_size<A>(s));
    if (gradient && !direct) scatter(job_.out.gradient, s, static_cast<A const*>(gradient_));
    if (losses && losses != unreduced) convert(static_cast<A const*>(losses), unreduced, s.size);
  }

  template <class Body>
  void for_each_leaf(Body const& body) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (body(detail::at<I>(job_.leaves), I, detail::at<I>(strips_)), ...);
    }(std::index_sequence_for<Leaf...>());
  }

  template <class T>
  static A* in_place(matrix_view<T> v, segment s) noexcept {
    if constexpr (std::is_same_v<T, A>)
      if (v.data) return v.row(s.row) + s.column;
    return nullptr;
  }
  template <class T>
  static A* in_place(image_view<T>, segment) noexcept {
    return nullptr;
  }

  job_type const& job_;
  A *x_, *gradient_, *unreduced_, *part_;
  detail::list<element_strips<A, Leaf>...> strips_;
};

template <class View, elementwise Term, int Weights>
void check_leaf(View prediction, detail::leaf<Term, Weights> const& leaf) {
  check_row_weights(leaf, detail::rows_of(prediction));
  leaf.term.check_shape(prediction);
  leaf.term.check_values(detail::rows_of(prediction), detail::columns_of(prediction));
  check_target_range(prediction, leaf);
  if constexpr (Term::is_region_loss) check_weights_of_region(leaf);
}

/// Returns the divisor of a leaf under a mean: its rows that are not ignored, times `each`, the count of one row.
template <elementwise Term, int Weights, class... All>
double divisor_of(detail::leaf<Term, Weights> const& leaf, detail::list<All...> const&, index rows, index each) {
  if constexpr (Term::is_region_loss) return rows > 0 ? 1 : 0;  // it is a mean already
  auto const& targets = leaf.term.targets;
  return count_rows(rows, targets.ignoring(), [&](index i) { return targets.ignores(i); }) * static_cast<double>(each);
}

/// Fills the outputs of element-wise terms and returns Σ scale · factor · weight · loss.
template <template <class, class...> class Job, class View, class... Leaf>
double sum_elements(cpu const& backend, Job<View, Leaf...> job) {
  job.streaming = worth_streaming(job.prediction, job.out.gradient);
  using worker = element_worker<Job<View, Leaf...>>;
  using A = typename Job<View, Leaf...>::A;
  chunk_plan_t plan = chunk_plan<A>(job.prediction);
  if (job.streaming) plan.rows_per_chunk *= 4;  // a chunk ends by waiting for its streamed stores
  return sum_over_chunks(backend, plan, worker::bytes(job.columns),
                         [&](index begin, index end, std::byte* m) { return worker(job, m).run(begin, end); });
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
