// SPDX-License-Identifier: MIT
/// Evaluates one row of an objective by a team of threads, from logits to gradient. `Numbers` provides the numbers of
/// the row, which are in registers, in shared memory or partly in global memory:
///   resident         whether one turn holds the complete row
///   begin(row)       reads the row, if resident
///   sweep(body)      calls body() for every turn
///   each(body)       calls body(element) for every element of this turn and this thread: element.column,
///                    element.number<View>() (View 0 is the prediction), element.is_in_row()
///   logit_at(c)      returns the logit of any column, until write() begins
///   write(body), clear()  write body(element) as the gradient of every element, or 0
#pragma once

#include <hone/cuda/memory/job.cuh>
#include <hone/cuda/rows/team.cuh>
#include <hone/cuda/rows/term_state.cuh>
#include <hone/cuda/simd/device_float.cuh>

#include <cmath>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

template <class Job, class Numbers, class Team>
class row_worker;
template <class View, class... Leaf, class Numbers, class Team>
class row_worker<job<View, Leaf...>, Numbers, Team> {
  using A = operand_of<typename job<View, Leaf...>::A>;
  using factors = typename job<View, Leaf...>::factors;
  static constexpr bool softmax = (row::reads_softmax<typename Leaf::term_type> || ...);
  static constexpr bool later = ((row::later_size<typename Leaf::term_type> > 0) || ...);
  static constexpr bool close = ((row::close_size<typename Leaf::term_type> > 0) || ...);
  static constexpr bool sums_logits = (term_row<A, Leaf, 0>::wants_logits || ...);
  static constexpr bool counts_allowed = (term_row<A, Leaf, 0>::over_allowed || ...);
  using limits = std::numeric_limits<typename job<View, Leaf...>::A>;
  static constexpr A lowest{limits::lowest()}, minus_infinity{-limits::infinity()};

 public:
  __device__ row_worker(job<View, Leaf...> const& work, factors const& reduction, Numbers& numbers, Team& team,
                        int columns)
      : job_(work), reduction_(reduction), numbers_(numbers), team_(team), columns_(columns) {
    each([](auto& l, auto const& leaf, A) { l.rate = A(1 / row::temperature_of(leaf.term)); });
  }

  /// Writes the row's outputs. Returns Σ scale · factor · weight · loss in the team's first thread, 0 in the others.
  __device__ double evaluate(index row) {
    bool counts = false, live = false;
    each([&](auto& l, auto const& leaf, A reduction) {
      l.begin(leaf, job_.leaves, reduction, row, columns_, team_, job_.invalid_labels);
      counts |= l.weight != A(0);
      live |= l.scale != A(0);
    });
    if (counts) {
      numbers_.begin(row);
      first_sweep();
      later_sweep();
      close_sweep();
      each([&](auto& l, auto const& leaf, A) { l.result = row::finish_of(leaf.term, l.known); });
    }
    if (job_.out.gradient.data) {
      if (live) {
        write_gradient();
      } else {
        numbers_.clear(row);
      }
    }
    return team_.rank() == 0 ? write_loss(row) : 0;
  }

 private:
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

  __device__ void first_sweep() {
    max_ = lowest, now_ = minus_infinity, total_ = logits_ = seen_ = allowed_ = allowed_logits_ = A(0);
    each([&]<class L>(L& l, auto const& leaf, A) {
      l.reset(leaf.term);
      if constexpr (L::sparse) l.read_label_logits(numbers_, team_);
    });
    if constexpr (Numbers::resident || !counts_allowed) {
      numbers_.sweep([&] {
        numbers_.each([&](auto const& element) { meet(element); });
        if constexpr (Numbers::resident) reduce_maxima();
        rise();
        numbers_.each([&](auto const& element) { add(element); });
      });
      if constexpr (!Numbers::resident) {
        reduce_maxima();
        rise();
      }
    } else {  // the maxima first, and the number of allowed classes: reads the row once more
      numbers_.sweep([&] { numbers_.each([&](auto const& element) { meet(element); }); });
      reduce_maxima();
      rise();
      numbers_.sweep([&] { numbers_.each([&](auto const& element) { add(element); }); });
    }
    team_.reduce(added(), [&](auto const& f) { each_sum(f); });
    const bool nothing = softmax ? total_ == A(0) : now_ == minus_infinity;  // the highest logit adds 1, unless -inf
    if (nothing) max_ = minus_infinity;                                      // the loss is NaN
    const row::normaliser<A> base{max_, total_, log(total_), A(1) / total_};
    each([&]<class L>(L& l, auto const& leaf, A) {
      if (nothing) l.set_maxima(max_);
      l.known.base = base;
      if constexpr (L::sums_sparse && L::over_allowed) {
        l.sum_labels(max_, allowed_logits_, allowed_);
      } else if constexpr (L::sums_sparse) {
        l.sum_labels(max_, logits_, static_cast<A>(columns_));
      }
      l.known.start = row::start_of(leaf.term, l.known.s, base);
    });
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

  /// Makes the sums relative to the maxima so far.
  __device__ void rise() {
    const A met = larger()(now_, lowest), rise = met - max_;  // finite, because -inf - -inf is NaN
    const bool first = Numbers::resident || seen_ == A(0);
    max_ = met;
    each([&](auto& l, auto const&, A) {
      if (first)
        l.set_maxima(met);
      else
        l.rise(met, rise, total_);
    });
    if constexpr (!Numbers::resident) {
      if (first) return;
      if constexpr (softmax) total_ *= exp_of_nonpositive(-rise);
      if constexpr (sums_logits) logits_ -= seen_ * rise;
    }
  }

  template <class Element>
  __device__ void add(Element const& element) {
    const A z = element.template number<0>() - max_;
    A base = 0;
    if constexpr (softmax) total_ += base = exp_of_nonpositive(z);
    if constexpr (sums_logits) logits_ += element.is_in_row() ? z : A(0);
    if constexpr (counts_allowed) allowed_logits_ += is_allowed(A(element.template number<0>())) ? z : A(0);
    if constexpr (!Numbers::resident) seen_ += element.is_in_row() ? A(1) : A(0);
    each([&](auto& l, auto const& leaf, A) { l.add(element, leaf.term, z, base); });
  }

  /// Returns exp(z - max) of an element, for terms that read softmax<>.
  template <class Element>
  __device__ A base_of(Element const& element) const {
    return softmax ? exp_of_nonpositive(element.template number<0>() - max_) : A(0);
  }

  /// Computes the sums that depend on the first ones.
  __device__ void later_sweep() {
    if constexpr (later) {
      numbers_.sweep([&] {
        numbers_.each([&](auto const& element) {
          const A base = base_of(element);
          each([&]<class L>(L& l, auto const& leaf, A) {
            if constexpr (row::later_size<typename L::Term> > 0) {
              const typename L::element e = l.at(element, leaf.term, base);
              if (!element.is_in_row() || L::template is_excluded<typename L::Term::later_sweep::subset>(e)) return;
              add_to(l.known.later, leaf.term.later(l.known.start, e));
            }
          });
        });
      });
      team_.reduce(added(), [&](auto const& f) { each([&](auto& l, auto const&, A) { hand(l.known.later, f); }); });
    }
  }

  /// Computes the sums of close rows. The team agrees on which rows are close, because all threads have the same sums.
  __device__ void close_sweep() {
    if constexpr (close) {
      bool wanted = false;
      each([&]<class L>(L& l, [[maybe_unused]] auto const& leaf, A) {
        if constexpr (row::close_size<typename L::Term> > 0)
          wanted |= l.is_close = row::is_close_of(leaf.term, l.known);
      });
      if (!wanted) return;
      numbers_.sweep([&] {
        numbers_.each([&](auto const& element) {
          const A base = base_of(element);
          each([&]<class L>(L& l, auto const& leaf, A) {
            if constexpr (row::close_size<typename L::Term> > 0) {
              if (!l.is_close || !element.is_in_row()) return;
              typename L::element e = l.at(element, leaf.term, base);
              if (L::template is_excluded<typename L::Term::close_sweep::subset>(e)) return;
              add_to(l.known.close, row::close_of(leaf.term, l.known.start, e));
            }
          });
        });
      });
      team_.reduce(added(), [&](auto const& f) { each([&](auto& l, auto const&, A) { hand(l.known.close, f); }); });
    }
  }
  template <int N>
  __device__ static void add_to(bundle<A, N>& to, bundle<A, N> const& more) {
#pragma unroll
    for (int i = 0; i < N; ++i) to[i] += more[i];
  }
  template <int N, class F>
  __device__ static void hand(bundle<A, N>& sums, F const& f) {
#pragma unroll
    for (int i = 0; i < N; ++i) f(sums[i]);
  }

  __device__ void write_gradient() {
    numbers_.write([&](auto const& element) {
      const A base = base_of(element);
      A gradient = 0;
      each([&]<class L>(L& l, auto const& leaf, A) {
        const A g = l.scale * row::gradient_of(leaf.term, l.result, l.at_last(element, leaf.term, base));
        gradient += sizeof...(Leaf) == 1 || l.scale != A(0) ? g : A(0);
      });
      return gradient;
    });
  }

  __device__ double write_loss(index row) {
    double total = 0;
    A loss = 0;
    each([&](auto const& l, auto const&, A reduction) {
      if (l.weight == A(0)) return;
      loss += l.weight * l.result.loss;
      if (reduction != A(0)) total += static_cast<double>(l.scale * l.result.loss);
    });
    if (job_.out.unreduced) job_.out.unreduced[row] = detail::narrowed<typename job<View, Leaf...>::A>(loss);
    return total;
  }

  job<View, Leaf...> const& job_;
  factors const& reduction_;
  Numbers& numbers_;
  Team& team_;
  int columns_;
  typename term_rows<A, 1, Leaf...>::type leaves_;
  A max_, now_;                 // the base of the sums, and the maximum so far
  A total_, logits_, seen_;     // Σ exp(z - max), Σ (z - max), and the number of elements
  A allowed_, allowed_logits_;  // the number of allowed classes, and their Σ (z - max)
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
