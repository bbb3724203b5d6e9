// SPDX-License-Identifier: MIT
/// Averages the logits of several teachers on the CPU.
#pragma once

#include <hone/cpu/run/chunks.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/distil/average_teachers.hpp>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cpu {

/// Averages the teachers over groups of rows, on one thread.
template <class T>
class teachers_mean {
  using A = accumulator_t<T>;
  using V = pack<A>;

 public:
  teachers_mean(std::span<const matrix_view<const T>> teachers, detail::teacher_shares const& shares,
                double temperature, mean_of of, matrix_view<T> out)
      : teachers_(teachers),
        shares_(shares),
        temperature_(static_cast<A>(temperature)),
        of_(of),
        out_(out),
        size_(packs_of<A>(is_tall(out), out.columns) * V::size),
        extent_(is_tall(out), out.columns) {}

  std::size_t bytes() const { return (teachers_.size() + 1) * arena::room_for<A>(std::size_t(size_)); }

  void run(index begin, index end, std::byte* memory) const noexcept {
    arena strips(memory);
    A* strip[detail::max_teachers];
    for (std::size_t m = 0; m < teachers_.size(); ++m) strip[m] = strips.template take<A>(std::size_t(size_));
    A* const to = strips.template take<A>(std::size_t(size_));
    for (index row = begin; row < end;) {
      const group g = group_at(out_, row, end);
      group_numbers<A> t[detail::max_teachers];
      for (std::size_t m = 0; m < teachers_.size(); ++m)
        t[m] = read<A>(teachers_[m], g, strip[m], -std::numeric_limits<A>::infinity());
      if (of_ == mean_of::logits) {
        mean_of_logits(t, to);
      } else {
        mean_of_probabilities(t, g.tall, to);
      }
      store(out_, g, group_output<A>{to, to});
      row += g.rows;
    }
  }

 private:
  void mean_of_logits(group_numbers<A> const* t, A* to) const noexcept {
    for (row_stretch<A> s(extent_); s.next();)
      for (index i = s.begin; i < s.end; i += V::size) {
        V sum(0);
        for (std::size_t m = 0; m < teachers_.size(); ++m)
          if (shares_.at[m] > 0) sum += V(static_cast<A>(shares_.at[m])) * V::load(t[m].of(s.last()) + i);
        sum.store(to + i);
      }
  }
  void mean_of_probabilities(group_numbers<A> const* t, bool tall, A* to) const noexcept {
    const V lowest(std::numeric_limits<A>::lowest()), rate(1 / temperature_);
    normaliser less[detail::max_teachers];
    for (std::size_t m = 0; m < teachers_.size(); ++m) less[m] = normaliser_of(t[m], tall, shares_.at[m]);
    for (row_stretch<A> s(extent_); s.next();)
      for (index i = s.begin; i < s.end; i += V::size) {
        const auto log_of = [&](std::size_t m) {
          return (V::load(t[m].of(s.last()) + i) - less[m].maximum) * rate - less[m].log;
        };
        V maximum = lowest, sum(0);
        for (std::size_t m = 0; m < teachers_.size(); ++m) maximum = max(maximum, log_of(m));
        for (std::size_t m = 0; m < teachers_.size(); ++m) sum += exp_of_nonpositive(log_of(m) - maximum);
        ((maximum + log(sum)) * V(temperature_)).store(to + i);
      }
  }
  /// Converts a teacher's logits to log(share · softmax), per lane: the maximum, and log Σ exp((t - maximum)/T) less
  /// log(share). They are separate, because their sum would lose digits of the second.
  struct normaliser {
    V maximum, log;
  };
  normaliser normaliser_of(group_numbers<A> t, bool tall, double share) const noexcept {
    V maximum(std::numeric_limits<A>::lowest()), total(0);
    for (row_stretch<A> s(extent_); s.next();)
      for (index i = s.begin; i < s.end; i += V::size) maximum = max(maximum, V::load(t.of(s.last()) + i));
    if (!tall) maximum = V(largest(maximum));
    const V rate(1 / temperature_);
    for (row_stretch<A> s(extent_); s.next();) {
      V part(0);
      for (index i = s.begin; i < s.end; i += V::size)
        part += exp_of_nonpositive((V::load(t.of(s.last()) + i) - maximum) * rate);
      total += part;
    }
    if (!tall) total = V(sum(total));
    return {maximum, log(total) - V(static_cast<A>(std::log(share)))};
  }

  std::span<const matrix_view<const T>> teachers_;
  detail::teacher_shares const& shares_;
  A temperature_;
  mean_of of_;
  matrix_view<T> out_;
  index size_;
  group_extent<A> extent_;
};

}  // namespace on_cpu

/// Writes to out the logits of the teachers' mean, for use by every term that takes a teacher:
///
///     hone::average_teachers(cpu, {first, second}, 4, out, {.weights = weights})
///
/// softmax(out/T) = Σ w_m softmax(t_m/T), by out = T log Σ w_m softmax(t_m/T), computed in logarithms; or, with
/// .of = hone::mean_of::logits, out = Σ w_m t_m. Weights are divided by their sum. At most 32 teachers, of the type and
/// the shape of out; out may be one of them. A class to which no teacher gives probability gets -inf. Throws
/// hone::invalid_argument, and writes nothing, if an argument is not valid.
template <class T>
void average_teachers(cpu const& backend, std::type_identity_t<std::span<const matrix_view<const T>>> teachers,
                      real temperature, matrix_view<T> out, average_teachers_options const& options = {}) {
  const detail::teacher_shares shares = detail::require_teachers<T>(teachers, temperature.value, out, options);
  if (out.columns == 0) return;
  const on_cpu::teachers_mean<T> work(teachers, shares, temperature.value, options.of, out);
  const on_cpu::chunk_plan_t plan = on_cpu::chunk_plan<accumulator_t<T>>(out);
  on_cpu::for_chunks(backend, plan.chunks(), work.bytes(), [&](index chunk, std::byte* memory) {
    const index begin = chunk * plan.rows_per_chunk;
    work.run(begin, std::min(begin + plan.rows_per_chunk, plan.rows), memory);
  });
}
template <class T>
void average_teachers(cpu const& backend, std::type_identity_t<std::initializer_list<matrix_view<const T>>> teachers,
                      real temperature, matrix_view<T> out, average_teachers_options const& options = {}) {
  average_teachers(backend, std::span<const matrix_view<const T>>(teachers.begin(), teachers.size()), temperature, out,
                   options);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
