// SPDX-License-Identifier: MIT
/// Objectives of box losses on the CPU: one box per lane.
#pragma once

#include <hone/core/evaluation.hpp>
#include <hone/cpu/memory/box_layout.hpp>
#include <hone/cpu/run/chunks.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/loss/box/term.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The inputs of one term in the sweep: its targets and the weights of the segment's boxes.
template <class A, class Formula, class Format, class Lines>
struct box_leaf {
  using format = Format;

  Formula formula;
  Lines targets;
  A const* weight = nullptr;  // factor · row weight per box; nullptr if all are equal
  A factor = 1;               // the weight of all boxes if weight is nullptr
  A scale = 1;                // the factor of the reduction
  A slope = 1;                // scale · factor
};

/// The loss, the loss times the scale, and the gradient of a pack of boxes, for one or more terms.
template <class V>
struct box_part {
  V loss, reduced, gradient[4];

  HONE_INLINE friend box_part operator+(box_part const& a, box_part const& b) noexcept {
    return {a.loss + b.loss,
            a.reduced + b.reduced,
            {a.gradient[0] + b.gradient[0], a.gradient[1] + b.gradient[1], a.gradient[2] + b.gradient[2],
             a.gradient[3] + b.gradient[3]}};
  }
};

/// Computes one term for the pack of boxes that starts at box i. Only packs with a box that is not valid pay for the
/// clamps of the format.
template <class A, class Leaf, class Lines>
HONE_INLINE box_part<pack<A>> part_of(Leaf const& l, Lines const& predicted, index i) noexcept {
  using V = pack<A>;
  using format = typename Leaf::format;
  V x[4], target[4], grad[4];
  predicted.load(i, x);
  l.targets.load(i, target);
  box<V> p{x[0], x[1], x[2], x[3]}, t{target[0], target[1], target[2], target[3]};
  const bool valid = all(format::are_valid(p, t));
  if (!valid) [[unlikely]]
    p = format::numbers_of(x), t = format::numbers_of(target);
  const box_grad<V> y = detail::apply_to_valid<format>(l.formula, p, t);
  grad[0] = y.grad.x1, grad[1] = y.grad.y1, grad[2] = y.grad.x2, grad[3] = y.grad.y2;
  if (!valid) [[unlikely]] {
    predicted.load(i, x);  // again, so that no register holds it meanwhile
    format::chain_numbers(x, y.grad, grad);
  }
  V value = y.value, w(l.factor), slope(l.slope);
  if (l.weight) {
    w = predicted.to_lanes(V::load(l.weight + i)), slope = V(l.scale) * w;
    const mask<A> out = w == V(0);  // 0 times infinity or NaN is 0 too
    value = zero_where(out, value);
    grad[0] = zero_where(out, grad[0]), grad[1] = zero_where(out, grad[1]);  // -O2 would not unroll a loop
    grad[2] = zero_where(out, grad[2]), grad[3] = zero_where(out, grad[3]);
  }
  return {w * value, slope * value, {slope * grad[0], slope * grad[1], slope * grad[2], slope * grad[3]}};
}

/// Computes all terms for that pack. It is no lambda, which clang would call.
template <class A, class Leaves, class Lines, std::size_t... I>
HONE_INLINE box_part<pack<A>> parts_of(Leaves const& leaves, Lines const& predicted, index i, std::index_sequence<I...>,
                                       bool ahead) noexcept {
  if (ahead) predicted.prefetch(i), (detail::at<I>(leaves).targets.prefetch(i), ...);
  return (part_of<A>(detail::at<I>(leaves), predicted, i) + ...);
}

/// Computes all terms in one loop over `boxes` boxes, a multiple of V::size. Returns Σ scale · weight · loss per lane.
template <class A, bool Rows, class... Leaf>
pack<A> box_sweep(detail::list<Leaf...> const& leaves, box_lines<A const, Rows> predicted, box_lines<A, Rows> gradient,
                  A* unreduced, index boxes) noexcept {
  using V = pack<A>;
  const auto state = leaves;
  V total(0);
  for (index i = 0; i < boxes; i += V::size) {
    const box_part<V> part = parts_of<A>(state, predicted, i, std::index_sequence_for<Leaf...>(), gradient.streaming);
    total += part.reduced;
    if (gradient.at[0]) gradient.store(i, part.gradient);
    if (unreduced) predicted.to_order(part.loss).store(unreduced + i);
  }
  return total;
}

/// Evaluates segments and adds up their sums, in double.
struct box_sums {
  double total = 0;

  template <class A, bool Rows, class Leaves>
  void sweep(Leaves const& leaves, box_lines<A const, Rows> predicted, box_lines<A, Rows> gradient, A* unreduced,
             index padded) noexcept {
    total += static_cast<double>(sum(box_sweep<A>(leaves, predicted, gradient, unreduced, padded)));
  }
  double end() const noexcept { return total; }
};

/// The data that all threads of a call share.
template <class View, class... Leaf>
struct box_job : detail::evaluation<View, Leaf...> {
  std::array<double, sizeof...(Leaf)> scales;  // factor of the reduction, per leaf
  bool streaming = false;                      // the gradient goes past the caches

  /// Returns what evaluates the segments of one thread.
  static box_sums sums() noexcept { return {}; }
};

/// Job is a box_job, or has its members and other sums() (cpu/distributed/box_values.hpp).
template <class Job>
class box_worker;
template <template <class, class...> class Job, class View, class... Leaf>
class box_worker<Job<View, Leaf...>> {
  using job_type = Job<View, Leaf...>;
  using A = typename job_type::A;
  using V = pack<A>;
  static constexpr std::size_t count = sizeof...(Leaf);

 public:
  static std::size_t bytes() {
    return arena::room_for<A>(4 * segment_boxes) * (2 + count) + arena::room_for<A>(segment_boxes) * (1 + count);
  }

  box_worker(job_type const& job, std::byte* memory) : job_(job) {
    arena pieces(memory);
    for (A** p : {&x_, &gradient_}) *p = pieces.take<A>(4 * segment_boxes);
    for (A*& t : targets_) t = pieces.take<A>(4 * segment_boxes);
    for (A*& w : weights_) w = pieces.take<A>(segment_boxes);
    unreduced_ = pieces.take<A>(segment_boxes);
  }

  double run(index begin, index end) noexcept {
    const index max_boxes = needs_scratch() ? segment_boxes : long_segment_boxes;
    auto sums = job_.sums();
    for (index i = begin; i < end;) {
      box_segment s = segment_at(job_.prediction, i, end, max_boxes);
      if (s.boxes > V::size) s.boxes -= s.boxes % V::size;  // the last pack alone is copied
      evaluate(s, sums);
      i += s.boxes;
    }
    return sums.end();
  }

 private:
  bool needs_scratch() const noexcept {
    bool needed = !is_in_place<A>(job_.prediction) || (job_.out.gradient.data && !gradient_in_place(job_.out.gradient));
    job_.leaves.each([&]<class L>(L const& leaf) {
      needed = needed || !is_in_place<A>(leaf.term.boxes) || L::weight_count > 0 || leaf.factor == 0;
    });
    return needed;
  }
  /// Streamed stores need packs at aligned addresses; the lines of images are then copied.
  template <class T>
  bool gradient_in_place(matrix_view<T> v) const noexcept {
    return is_in_place<A>(v) &&
           !(job_.streaming && reinterpret_cast<std::uintptr_t>(v.data) % sizeof(typename V::packet) != 0);
  }
  template <class T>
  bool gradient_in_place(image_view<T> v) const noexcept {
    return is_in_place<A>(v) && !job_.streaming;
  }

  template <class Sums>
  void evaluate(box_segment s, Sums& sums) noexcept {
    const index padded = (s.boxes + V::size - 1) / V::size * V::size;
    const bool full = padded == s.boxes;
    A* const unreduced = job_.out.unreduced ? job_.out.unreduced + s.first : nullptr;
    A* const losses = unreduced && !full ? unreduced_ : unreduced;
    using lines = lines_of<A, decltype(job_.out.gradient)>;
    lines direct;
    if (job_.out.gradient.data && gradient_in_place(job_.out.gradient)) {
      direct = lines_in_place<A>(job_.out.gradient, s);
      direct.streaming = job_.streaming;
    }
    const lines gradient = !job_.out.gradient.data ? lines{}
                           : direct.at[0]          ? direct
                                                   : lines_of_scratch(job_.out.gradient, gradient_);
    const auto leaves = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return detail::list(leaf_at(detail::at<I>(job_.leaves), s, padded, I)...);
    }(std::index_sequence_for<Leaf...>());
    sums.sweep(leaves, view_or_copy(job_.prediction, s, x_), gradient, losses, padded);
    if (gradient.at[0] && !direct.at[0]) put(gradient, job_.out.gradient, s, job_.streaming);
    if (losses != unreduced) convert(static_cast<A const*>(losses), unreduced, s.boxes);
  }

  template <class L>
  auto leaf_at(L const& leaf, box_segment s, index padded, std::size_t k) noexcept {
    using term = std::remove_cvref_t<decltype(leaf.term)>;
    const auto targets = view_or_copy(leaf.term.boxes, s, targets_[k]);
    box_leaf<A, std::remove_cvref_t<decltype(leaf.term.formula)>, typename term::format,
             std::remove_const_t<decltype(targets)>>
        l{leaf.term.formula, targets};
    l.scale = static_cast<A>(job_.scales[k]);
    l.factor = static_cast<A>(leaf.factor);
    l.slope = l.scale * l.factor;
    if (L::weight_count > 0 || leaf.factor == 0 || padded != s.boxes) {  // boxes after the end do not count
      for (index j = 0; j < s.boxes; ++j) weights_[k][j] = static_cast<A>(leaf.factor_of_row(s.first + j));
      std::fill(weights_[k] + s.boxes, weights_[k] + padded, A(0));
      l.weight = weights_[k];
    }
    return l;
  }

  job_type const& job_;
  A *x_, *gradient_, *unreduced_;
  A *targets_[count], *weights_[count];
};

template <class View, boxwise Term, int Weights>
void check_leaf(View prediction, detail::leaf<Term, Weights> const& leaf) {
  leaf.term.check_shape(prediction);
  check_row_weights(leaf, detail::rows_of(prediction));
}

/// Returns the divisor of a leaf under a mean: the number of rows.
template <boxwise Term, int Weights, class... All>
double divisor_of(detail::leaf<Term, Weights> const&, detail::list<All...> const&, index rows, index) {
  return static_cast<double>(rows);
}

/// Fills the outputs of box losses and returns Σ scale · factor · weight · loss.
template <template <class, class...> class Job, class View, class... Leaf>
double sum_boxes(cpu const& backend, Job<View, Leaf...> job) {
  using worker = box_worker<Job<View, Leaf...>>;
  using A = typename Job<View, Leaf...>::A;
  job.streaming = worth_streaming(job.prediction, job.out.gradient);
  chunk_plan_t plan = chunk_plan<A>(job.prediction);
  if (job.streaming) plan.rows_per_chunk *= 4;  // a chunk ends by waiting for its streamed stores
  return sum_over_chunks(backend, plan, worker::bytes(),
                         [&](index begin, index end, std::byte* m) { return worker(job, m).run(begin, end); });
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
