// SPDX-License-Identifier: MIT
/// One row of an objective, by a team of threads, from logits to gradient. Where its numbers lie, in registers, in
/// shared memory or partly still in global memory, is for `Numbers` to know:
///   whole            whether one turn holds the row
///   begin(row)       reads it, if whole
///   sweep(body)      calls body() for every turn
///   each(body)       body(element) for every element of this turn that is this thread's: element.column,
///                    element.number<View>(), of the prediction where View is 0; element.is_in_row()
///   logit_at(c)      of any column, until write() begins
///   write(body), clear()  the gradient of every element, or 0
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
  static constexpr bool softmax = (Leaf::term_type::needs_softmax || ...), late = ((Leaf::term_type::late > 0) || ...),
                        refines = ((Leaf::term_type::fine > 0) || ...),
                        sums_logits = (leaf_row<A, Leaf, 0>::wants_logits || ...),
                        counts_allowed = (leaf_row<A, Leaf, 0>::over_allowed || ...);
  static constexpr bool all_rebase = (rebases<typename Leaf::term_type, A> && ...) && !counts_allowed;
  using limits = std::numeric_limits<typename job<View, Leaf...>::A>;
  static constexpr A lowest{limits::lowest()}, minus_infinity{-limits::infinity()};

 public:
  __device__ row_worker(job<View, Leaf...> const& work, factors const& reduction, Numbers& numbers, Team& team,
                        int columns)
      : job_(work), reduction_(reduction), numbers_(numbers), team_(team), columns_(columns) {}

  /// Fills the row's outputs. In the team's first thread, returns its Σ scale · factor · weight · loss.
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
      second_sweep();
      refine_sweep();
      each([&](auto& l, auto const& leaf, A) { l.row = leaf.term.finish(l.s); });
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

  /// Hands every live sum of the first sweep to f.
  template <class F>
  __device__ void each_sum(F const& f) {
    if constexpr (softmax) f(total_);
    if constexpr (sums_logits) f(logits_);
    if constexpr (counts_allowed) f(allowed_logits_);
    each([&]<class L>(L& l, auto const&, A) {
      if constexpr (L::full) f(l.s.mass), f(l.s.dot);
#pragma unroll
      for (int i = 0; i < L::Term::sums; ++i) f(l.s.sums[i]);
    });
  }

  __device__ void first_sweep() {
    max_ = lowest, now_ = minus_infinity, total_ = logits_ = seen_ = allowed_ = allowed_logits_ = A(0);
    each([&]<class L>(L& l, [[maybe_unused]] auto const& leaf, A) {
      l.s = {}, l.t_max = l.t_now = l.rest_max = l.rest_now = lowest;
      if constexpr (L::Term::has_list) l.s.of_list = A(leaf.term.given(l.row_index));
      if constexpr (L::sparse) l.read_label_logits(numbers_, team_);
    });
    if constexpr (Numbers::whole || all_rebase) {
      numbers_.sweep([&] {
        numbers_.each([&](auto const& element) { meet(element); });
        if constexpr (Numbers::whole) reduce_maxima();
        rebase();
        numbers_.each([&](auto const& element) { add(element); });
      });
      if constexpr (!Numbers::whole) {
        reduce_maxima();
        rebase();
      }
    } else {  // the maxima first, for sums that cannot be made relative to others: the row is read once more
      numbers_.sweep([&] { numbers_.each([&](auto const& element) { meet(element); }); });
      reduce_maxima();
      rebase();
      numbers_.sweep([&] { numbers_.each([&](auto const& element) { add(element); }); });
    }
    team_.reduce(added(), [&](auto const& f) { each_sum(f); });
    const bool nothing = softmax ? total_ == A(0) : now_ == minus_infinity;  // the highest logit counts 1, unless -inf
    if (nothing) max_ = minus_infinity;                                      // the row is worth NaN
    log_sum_ = log(total_), inverse_ = A(1) / total_;
    each([&]<class L>(L& l, auto const&, A) {
      l.s.max = max_, l.s.log_sum = log_sum_, l.s.rest_max = l.rest_max;
      if constexpr (L::sparse && L::over_allowed) {
        l.sum_labels(max_, allowed_logits_, allowed_);
      } else if constexpr (L::sparse) {
        l.sum_labels(max_, logits_, static_cast<A>(columns_));
      }
    });
  }

  template <class Element>
  __device__ void meet(Element const& element) {
    now_ = larger()(now_, A(element.template number<0>()));
    if constexpr (counts_allowed) allowed_ += is_allowed(A(element.template number<0>())) ? A(1) : A(0);
    each([&]<class L>(L& l, auto const& leaf, A) {
      if constexpr (L::Term::splits) {
        if (!leaf.term.rest(l.at(element, leaf.term, A(0), A(0)))) return;
        l.rest_now = larger()(l.rest_now, A(element.template number<0>()));
      }
      if constexpr (L::Term::has_teacher) l.t_now = larger()(l.t_now, A(element.template number<L::first_view>()));
    });
  }
  __device__ void reduce_maxima() {
    team_.reduce(larger(), [&](auto const& f) {
      f(now_);
      each([&]<class L>(L& l, auto const&, A) {
        if constexpr (L::Term::has_teacher) f(l.t_now);
        if constexpr (L::Term::splits) f(l.rest_now);
      });
    });
    if constexpr (counts_allowed) {
      team_.reduce(added(), [&](auto const& f) { f(allowed_); });
      each([&]<class L>(L& l, auto const&, A) {
        if constexpr (L::over_allowed) l.share_ground(allowed_);
      });
    }
  }

  /// Makes the sums relative to the maxima that have been met.
  __device__ void rebase() {
    const A met = larger()(now_, lowest), rise = met - max_;  // finite: to subtract -inf from itself gives NaN
    max_ = met;
    each([&]<class L>(L& l, auto const& leaf, A) {
      [[maybe_unused]] const A t_rise = l.t_now - l.t_max, rest_rise = l.rest_now - l.rest_max;
      l.t_max = l.t_now, l.rest_max = l.rest_now;
      if constexpr (!Numbers::whole) {
        if (seen_ == A(0)) return;
        if constexpr (L::full) l.s.dot -= l.s.mass == A(0) ? A(0) : l.s.mass * rise;
        if constexpr (L::Term::splits && all_rebase) {
          leaf.term.rebase(l.s.sums, rise, t_rise, rest_rise);
        } else if constexpr (L::Term::sums > 0 && all_rebase) {
          leaf.term.rebase(l.s.sums, rise, t_rise);
        }
      }
    });
    if constexpr (!Numbers::whole) {
      if (seen_ == A(0)) return;
      if constexpr (softmax) total_ *= exp_of_nonpositive(-rise);
      if constexpr (sums_logits) logits_ -= seen_ * rise;
    }
  }

  template <class Element>
  __device__ void add(Element const& element) {
    const A z = element.template number<0>() - max_;
    if constexpr (softmax) total_ += exp_of_nonpositive(z);
    if constexpr (sums_logits) logits_ += element.is_in_row() ? z : A(0);
    if constexpr (counts_allowed) allowed_logits_ += is_allowed(A(element.template number<0>())) ? z : A(0);
    if constexpr (!Numbers::whole) seen_ += element.is_in_row() ? A(1) : A(0);
    each([&]<class L>(L& l, auto const& leaf, A) {
      if constexpr (L::full || L::Term::kept > 0) {
        row_element<A> e = l.at(element, leaf.term, z, A(0));
        if constexpr (L::full) {
          if (!element.is_in_row()) e.q = A(0);
          l.s.mass += e.q;
          l.s.dot += e.q == A(0) ? A(0) : e.q * z;
        }
        if constexpr (L::Term::kept > 0) leaf.term.first(e, l.s.sums);
      }
    });
  }

  /// Sums that need the first ones; where a term has a target, classes without are passed over.
  __device__ void second_sweep() {
    each([&]<class L>(L& l, [[maybe_unused]] auto const& leaf, A) {
      if constexpr (requires { leaf.term.between(l.s); }) l.s.given = leaf.term.between(l.s);
    });
    if constexpr (late) {
      numbers_.sweep([&] {
        numbers_.each([&](auto const& element) {
          const A z = element.template number<0>() - max_, p = softmax ? exp_of_nonpositive(z) * inverse_ : A(0);
          each([&]<class L>(L& l, auto const& leaf, A) {
            if constexpr (L::Term::late > 0) {
              row_element<A> e = l.at(element, leaf.term, z, p);
              if (!element.is_in_row() || (L::Term::has_target && e.q == A(0))) return;
              l.keep(leaf.term, e);
              leaf.term.second(e, l.s, l.s.late);
            }
          });
        });
      });
      team_.reduce(added(), [&](auto const& f) {
        each([&]<class L>(L& l, auto const&, A) {
#pragma unroll
          for (int i = 0; i < L::Term::late; ++i) f(l.s.late[i]);
        });
      });
    }
  }

  /// Sums that would cancel, once more. The team agrees on who needs it: all of it has the same sums.
  __device__ void refine_sweep() {
    if constexpr (refines) {
      bool wanted = false;
      each([&]<class L>(L& l, [[maybe_unused]] auto const& leaf, A) {
        if constexpr (L::Term::fine > 0) l.s.fine[0] = l.s.fine[1] = A(0), wanted |= l.refined = leaf.term.refines(l.s);
      });
      if (!wanted) return;
      numbers_.sweep([&] {
        numbers_.each([&](auto const& element) {
          const A z = element.template number<0>() - max_;
          each([&]<class L>(L& l, auto const& leaf, A) {
            if constexpr (L::Term::fine > 0) {
              if (!l.refined || !element.is_in_row()) return;
              row_element<A> e = l.at(element, leaf.term, z, A(0));
              if constexpr (L::Term::has_list)
                if (leaf.term.rest(e)) return;
              A sums[3] = {};
              leaf.term.first(e, sums);
              leaf.term.refine(e, l.s, l.s.fine);
            }
          });
        });
      });
      team_.reduce(added(), [&](auto const& f) {
        each([&]<class L>(L& l, auto const&, A) {
#pragma unroll
          for (int i = 0; i < L::Term::fine; ++i) f(l.s.fine[i]);
        });
      });
    }
  }

  __device__ void write_gradient() {
    numbers_.write([&](auto const& element) {
      const A z = element.template number<0>() - max_, p = softmax ? exp_of_nonpositive(z) * inverse_ : A(0);
      A gradient = 0;
      each([&]<class L>(L& l, auto const& leaf, A) {
        row_element<A> e = l.at(element, leaf.term, z, p);
        l.keep(leaf.term, e);
        const A g = l.scale * leaf.term.gradient(l.row, e);
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
      loss += l.weight * l.row.loss;
      if (reduction != A(0)) total += static_cast<double>(l.scale * l.row.loss);
    });
    if (job_.out.unreduced) job_.out.unreduced[row] = detail::narrowed<typename job<View, Leaf...>::A>(loss);
    return total;
  }

  job<View, Leaf...> const& job_;
  factors const& reduction_;
  Numbers& numbers_;
  Team& team_;
  int columns_;
  typename leaf_rows<A, 1, Leaf...>::type leaves_;
  A max_, now_;                 // what the sums are relative to, and what has been met
  A total_, logits_, seen_;     // Σ exp(z - max), Σ (z - max), and of how many elements
  A allowed_, allowed_logits_;  // how many classes are allowed, and their Σ (z - max)
  A log_sum_, inverse_;
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
