// SPDX-License-Identifier: MIT
/// What a team of threads knows of a row after its first sweep: the maxima and the sums of all terms. `Numbers`
/// provides the numbers of the row, as rows/worker.cuh says.
#pragma once

#include <hone/cuda/memory/job.cuh>
#include <hone/cuda/rows/base_weights.cuh>
#include <hone/cuda/rows/team.cuh>
#include <hone/cuda/rows/term_state.cuh>

#include <cmath>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Complete: the team has all classes of a row, so that its sums need not be relative to exactly the weights of others.
template <class Job, class Numbers, class Team, bool Complete>
class row_sums;
template <template <class, class...> class Job, class View, class... Leaf, class Numbers, class Team, bool Complete>
class row_sums<Job<View, Leaf...>, Numbers, Team, Complete> {
 protected:
  using number = typename job<View, Leaf...>::A;
  using A = operand_of<number>;
  using factors = typename job<View, Leaf...>::factors;
  static constexpr bool softmax = (row::reads_softmax<typename Leaf::term_type> || ...);
  static constexpr bool sums_logits = (term_row<A, Leaf, 0>::wants_logits || ...);
  static constexpr bool counts_allowed = (term_row<A, Leaf, 0>::over_allowed || ...);
  static constexpr bool one_maximum = !counts_allowed && !(term_row<A, Leaf, 0>::has_maxima || ...);
  /// Totals of parts of a row are relative to exp(x - max) itself.
  static constexpr bool totals_of_parts = !Numbers::resident && (row::totals_base<typename Leaf::term_type> || ...);
  using weights = base_weights<A, Complete && !totals_of_parts>;
  using limits = std::numeric_limits<number>;
  static constexpr A lowest{limits::lowest()}, minus_infinity{-limits::infinity()};

 public:
  __device__ row_sums(Job<View, Leaf...> const& work, factors const& reduction, Numbers& numbers, Team& team,
                      int columns)
      : job_(work), reduction_(reduction), numbers_(numbers), team_(team), columns_(columns) {
    each([](auto& l, auto const& leaf, A) { l.rate = A(1 / row::temperature_of(leaf.term)); });
  }

 protected:
  template <class Body>
  __device__ void each(Body const& body) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (body(detail::at<I>(leaves_), detail::at<I>(job_.leaves), reduction_[I]), ...);
    }(std::index_sequence_for<Leaf...>());
  }

  /// Calls f(sum) for every sum of the first sweep that is in use.
  template <class F>
  __device__ void each_sum(F const& f) {
    if constexpr (softmax) f(total_);
    if constexpr (sums_logits) f(logits_);
    if constexpr (counts_allowed) f(allowed_logits_);
    each([&](auto& l, auto const&, A) { l.each_sum(f); });
  }

  /// Reads the row: the maxima, and the sums relative to them.
  __device__ void gather() {
    max_ = lowest, now_ = minus_infinity, total_ = logits_ = seen_ = allowed_ = allowed_logits_ = A(0);
    each([&]<class L>(L& l, auto const& leaf, A) {
      l.reset(leaf.term);
      if constexpr (L::sparse) l.read_label_logits(numbers_, team_);
    });
    if constexpr (Numbers::resident || !counts_allowed) {
      numbers_.sweep([&] {
        meet_all();
        if constexpr (Numbers::resident) reduce_maxima();
        rise();
        add_all();
      });
      if constexpr (!Numbers::resident) {
        reduce_maxima();
        rise();
      }
    } else {  // the maxima first, and the number of allowed classes: reads the row once more
      numbers_.sweep([&] { meet_all(); });
      reduce_maxima();
      rise();
      numbers_.sweep([&] { add_all(); });
    }
    team_.reduce(added(), [&](auto const& f) { each_sum(f); });
    if constexpr (sums_logits) logits_ = weights_.coordinates(logits_, A(columns_), max_);
  }
  /// Computes the sums of a sparse target, from the sums over the row.
  template <class L>
  __device__ void sum_labels([[maybe_unused]] L& l) {
    if constexpr (L::sums_sparse && L::over_allowed) {
      l.sum_labels(max_, allowed_logits_, allowed_);
    } else if constexpr (L::sums_sparse) {
      l.sum_labels(max_, logits_, static_cast<A>(columns_));
    }
  }

  __device__ void meet_all() {
    if constexpr (one_maximum && requires { numbers_.largest(); }) {
      now_ = larger()(now_, A(numbers_.largest()));
    } else {
      numbers_.each([&](auto const& element) { meet(element); });
    }
  }
  __device__ void add_all() {
    numbers_.each([&](auto const& element) { add(element); });
    if constexpr (!Numbers::resident) seen_ += A(numbers_.count());
  }

  template <class Element>
  __device__ void meet(Element const& element) {
    now_ = larger()(now_, A(element.template number<0>()));
    if constexpr (counts_allowed) allowed_ += is_allowed(A(element.template number<0>())) ? A(1) : A(0);
    each([&](auto& l, auto const& leaf, A) { l.meet(element, leaf.term); });
  }
  __device__ void reduce_maxima() {
    team_.reduce(larger(), [&](auto const& f) {
      f(now_);
      each([&](auto& l, auto const&, A) { l.each_maximum(f); });
    });
    if constexpr (counts_allowed) {
      team_.reduce(added(), [&](auto const& f) { f(allowed_); });
      each([&]<class L>(L& l, auto const&, A) {
        if constexpr (L::over_allowed) l.share_ground(allowed_);
      });
    }
  }

  __device__ void set_maximum(A max) { max_ = max, weights_ = weights(max); }

  /// Makes the sums relative to the maxima so far.
  __device__ void rise() {
    const A met = larger()(now_, lowest), rise = met - max_;  // finite, because -inf - -inf is NaN
    const bool first = Numbers::resident || seen_ == A(0);
    const weights before = weights_;
    set_maximum(met);
    each([&](auto& l, auto const&, A) {
      if (first)
        l.set_maxima(met);
      else
        l.rise(met, rise, total_);
    });
    if constexpr (!Numbers::resident) {
      if (first) return;
      if constexpr (softmax) total_ *= before.factor_to(weights_);
      if constexpr (sums_logits) logits_ = before.moved(logits_, seen_, weights_);
    }
  }

  template <class Element>
  __device__ void add(Element const& element) {
    const A z = element.template number<0>() - max_, exponent = weights_.exponent(element.template number<0>());
    A base = 0;
    if constexpr (softmax) total_ += base = weights_.of(exponent);
    if constexpr (sums_logits) logits_ += element.is_in_row() ? exponent : A(0);
    if constexpr (counts_allowed) allowed_logits_ += is_allowed(A(element.template number<0>())) ? z : A(0);
    each([&](auto& l, auto const& leaf, A) { l.add(element, leaf.term, z, base); });
  }

  /// Returns the weight of an element, for terms that read softmax<>.
  template <class Element>
  __device__ A base_of(Element const& element) const {
    return softmax ? weights_.of(weights_.exponent(element.template number<0>())) : A(0);
  }

  Job<View, Leaf...> const& job_;
  factors const& reduction_;
  Numbers& numbers_;
  Team& team_;
  int columns_;
  typename term_rows<A, 1, Leaf...>::type leaves_;
  A max_, now_;                 // the base of the sums, and the maximum so far
  weights weights_;             // of max_
  A total_, logits_, seen_;     // Σ exp(z - max) and Σ (z - max) as weights_ has them, and the number of elements
  A allowed_, allowed_logits_;  // the number of allowed classes, and their Σ (z - max)
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
