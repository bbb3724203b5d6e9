// SPDX-License-Identifier: MIT
/// Evaluates one row of an objective by a team of threads, from logits to gradient. `Numbers` provides the numbers of
/// the row, which are in registers, in shared memory or partly in global memory:
///   resident         whether one turn holds the complete row
///   begin(row)       reads the row, if resident
///   sweep(body)      calls body() for every turn
///   count()          if not resident, how many elements of this turn are this thread's
///   each(body)       calls body(element) for every element of this turn and this thread: element.column,
///                    element.number<View>() (View 0 is the prediction), element.is_in_row()
///   largest()        may be given: the largest number of View 0 of this turn and this thread, ignoring NaN
///   logit_at(c)      returns the logit of any column, until write() begins
///   write(body), clear()  write body(element) as the gradient of every element, or 0
///   owns(c), put(c, x)    whether this thread has written column c, and so may write x there;
///                         if there is a Numbers::compares_labels, every column is compared with the labels instead
#pragma once

#include <hone/cuda/rows/label_elements.cuh>
#include <hone/cuda/rows/row_sums.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Reads the labels of row i, so that they are in a cache for later. Returns a number made of them.
template <class Leaf>
__device__ unsigned labels_of([[maybe_unused]] Leaf const& leaf, [[maybe_unused]] index i,
                              [[maybe_unused]] index columns) {
  unsigned some = 0;
  if constexpr (row::has_target<typename Leaf::term_type>) {
    const detail::row_labels<detail::target_of_term<typename Leaf::term_type>> labels(leaf.term.target, i, columns);
#pragma unroll
    for (int j = 0; j < decltype(leaf.term.target)::labels; ++j) some ^= static_cast<unsigned>(labels.at[j]);
  }
  return some;
}

template <class Job, class Numbers, class Team, bool Complete = true>
class row_worker;
template <template <class, class...> class Job, class View, class... Leaf, class Numbers, class Team, bool Complete>
class row_worker<Job<View, Leaf...>, Numbers, Team, Complete>
    : protected row_sums<Job<View, Leaf...>, Numbers, Team, Complete> {
  using base_type = row_sums<Job<View, Leaf...>, Numbers, Team, Complete>;
  using typename base_type::A, typename base_type::number;
  static constexpr bool later = ((row::later_size<typename Leaf::term_type> > 0) || ...);
  static constexpr bool close = ((row::close_size<typename Leaf::term_type> > 0) || ...);
  static constexpr bool compares = requires { Numbers::compares_labels; };
  static constexpr bool labels_later =
      !compares && ((view_count<typename Leaf::term_type> == 0) && ...) && (term_row<A, Leaf, 0>::sparse || ...);

 public:
  using base_type::base_type;

  /// Writes the row's outputs. Returns Σ scale · factor · weight · loss in the team's first thread, 0 in the others. If
  /// Ahead, asks for the labels of row `next`, which the team evaluates after this one, while it evaluates this one.
  template <bool Ahead = false>
  __device__ double evaluate(index row, [[maybe_unused]] index next = 0) {
    if constexpr (Ahead) asm volatile("" ::"r"(labels_ahead_));  // which would be read for nothing otherwise
    bool counts = false, live = false;
    each([&](auto& l, auto const& leaf, A reduction) {
      l.begin(leaf, job_.leaves, reduction, row, columns_, team_, job_.invalid_labels);
      counts |= l.weight != A(0);
      live |= l.scale != A(0);
    });
    counts = team_.any(counts);
    if (counts) numbers_.begin(row);
    if constexpr (Ahead)
      if (team_.rank() == 0)
        each([&](auto&, auto const& leaf, A) { labels_ahead_ ^= labels_of(leaf, next, columns_); });
    if (counts) {
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

 protected:
  using base_type::base_of, base_type::columns_, base_type::each, base_type::gather, base_type::job_,
      base_type::leaves_, base_type::max_, base_type::minus_infinity, base_type::now_, base_type::numbers_,
      base_type::set_maximum, base_type::softmax, base_type::sum_labels, base_type::team_, base_type::total_,
      base_type::weights_;

  __device__ void first_sweep() {
    gather();
    const bool nothing = softmax ? total_ == A(0) : now_ == minus_infinity;  // the highest logit adds 1, unless -inf
    const A logs = weights_.logs(total_, max_);
    if (nothing) set_maximum(minus_infinity);  // the loss is NaN
    const row::normaliser<A> base{max_, total_, logs, reciprocal(total_)};
    each([&]<class L>(L& l, auto const& leaf, A) {
      if (nothing) l.set_maxima(max_);
      l.known.base = base;
      sum_labels(l);
      l.known.start = row::start_of(leaf.term, l.known.s, base);
    });
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
      if (team_.any(wanted)) sum_close();
    }
  }
  /// Computes the sums of the terms whose row is close.
  __device__ void sum_close() {
    if constexpr (close) {
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

  template <class Element>
  __device__ A gradient_at(Element const& element) {
    const A base = base_of(element);
    A gradient = 0;
    each([&]<class L>(L& l, auto const& leaf, A) {
      const A g = l.gradient_of(leaf.term, l.at_last(element, leaf.term, base));
      gradient = sizeof...(Leaf) == 1 ? g : gradient + (l.scale != A(0) ? g : A(0));
    });
    return job_.of_gradient(gradient);
  }

  /// If the terms read the prediction alone, all classes are written as if none were a label, and the labels once more,
  /// by their logits of the first sweep: a comparison with every label would cost every class.
  template <bool LabelsLater = labels_later>
  __device__ void write_gradient() {
    each([](auto& l, auto const& leaf, A) { l.scale_gradient(leaf.term); });
    if constexpr (LabelsLater) {
      numbers_.write([&]<class E>(E const& element) { return gradient_at(without_labels<E>{element}); });
      each([&]<class L>(L& l, auto const&, A) {
#pragma unroll
        for (int j = 0; j < L::Target::labels; ++j) {
          const int label = l.parts.label_at[j];
          if (l.weight == A(0) || !numbers_.owns(label)) continue;  // else maybe not a class
          numbers_.put(label, static_cast<number>(gradient_at(lone_element<A>{l.logit_at[j], label})));
        }
      });
    } else {
      numbers_.write([&](auto const& element) { return gradient_at(element); });
    }
  }

  __device__ double write_loss(index row) {
    double total = 0;
    A loss = 0;
    each([&](auto const& l, auto const&, A reduction) {
      if (l.weight == A(0)) return;
      loss += l.weight * l.result.loss;
      if (reduction != A(0)) total += static_cast<double>(l.scale * l.result.loss);
    });
    if (job_.out.unreduced) job_.out.unreduced[row] = detail::narrowed<number>(loss);
    if (job_.out.log_sum_exp)  // of rows that count for nothing: row_facts.cuh replaces it
      job_.out.log_sum_exp[row] = static_cast<number>(max_ + detail::at<0>(leaves_).known.base.log_sum);
    return total;
  }

 private:
  unsigned labels_ahead_ = 0;
};

/// Whether a target of a job weighs classes that it smooths: then every class has a weight in memory.
template <class Job>
inline constexpr bool weighs_every_class = false;
template <template <class, class...> class Job, class View, class... Leaf>
inline constexpr bool weighs_every_class<Job<View, Leaf...>> =
    ((weighed_target<detail::target_of_term<typename Leaf::term_type>> &&
      !detail::is_sparse<detail::target_of_term<typename Leaf::term_type>>) ||
     ...);

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
