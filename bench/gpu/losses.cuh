// SPDX-License-Identifier: MIT
/// The losses of rows and elements, checked against a reference in double.
#pragma once

#include <hone/hone.cuh>

#include <gpu/data.cuh>
#include <gpu/reference.hpp>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

/// The largest error of a gradient, relative and absolute, before it is divided by what a mean is over.
template <class T>
inline constexpr double relative_error = sizeof(T) == 2 ? 4e-3 : 1e-5;  // bfloat16 keeps eight bits
inline constexpr double absolute_error = 4e-6;

/// What is asked of a loss.
struct how {
  hone::reduction reduce = hone::mean;
  bool gradient = true, in_place = false;
};

template <class T>
class losses_of {
 public:
  losses_of(table& works, const char* type) : works_(works), type_(type) {}

  /// objective(data, set) makes what evaluate is asked for; `each`: whether a mean is over elements, not rows.
  template <class Objective, class Reference>
  void measure(std::string const& name, shape s, beside what, bool labels, Objective const& objective,
               Reference const& reference, bool each, how const& asked = {}) {
    const entry e{name, s.rows, s.columns, type_};
    if (!works_.wants(e)) return;
    if (works_.asked().quick) s.rows = std::max<index>(2, std::min<index>(s.rows, 32768 / s.columns));
    const data<T> d(s, what, labels, works_);
    hone::cuda gpu(d.stream);
    const auto call = [&](int set) {
      hone::outputs<T> out{.value = d.value()};
      if (asked.gradient) out.gradient = asked.in_place ? d.logits(set) : d.gradient(set);
      hone::evaluate(gpu, objective(d, set), d.logits(set), out, asked.reduce);
    };
    const index bytes = d.bytes - (asked.gradient ? 0 : s.rows * s.columns * index(sizeof(T)));
    works_.measure({name, s.rows, s.columns, type_}, bytes, d.sets, d.stream, call,
                   [&] { return wrong(d, call, reference, each, asked); });
  }

 private:
  /// How the first set's answer differs from the reference: every row's gradient, and the value.
  template <class Call, class Reference>
  static std::string wrong(data<T> const& d, Call const& call, Reference const& reference, bool each,
                           how const& asked) {
    const auto z = d.host(d.logits(0)), others = d.host(d.others(0));
    const auto labels = d.host_labels();
    const index rows = d.size.rows, columns = d.size.columns;
    if (!asked.in_place)
      check(cudaMemsetAsync(d.gradient(0).data, 0xff, z.size() * sizeof(T), d.stream), "cudaMemsetAsync");
    call(0);
    d.stream.wait();
    const auto gradient = asked.gradient ? d.host(asked.in_place ? d.logits(0) : d.gradient(0)) : std::vector<T>();

    const double divisor = asked.reduce.how == hone::sum.how ? 1 : double(rows) * (each ? double(columns) : 1);
    std::vector<double> losses(static_cast<std::size_t>(rows));
    std::atomic<index> bad_row{-1}, next{0};
    const auto some_rows = [&] {
      for (index i = next++; i < rows; i = next++) {
        const auto row_of = [&](std::vector<T> const& v) {
          reference::numbers r;
          if (!v.empty())
            for (index c = 0; c < columns; ++c)
              r.push_back(double(static_cast<float>(v[std::size_t(i * columns + c)])));
          return r;
        };
        const auto expected = reference({row_of(z), row_of(others), std::size_t(labels[std::size_t(i)])});
        const auto seen = row_of(gradient);
        losses[std::size_t(i)] = expected.loss;
        for (std::size_t c = 0; c < seen.size(); ++c)
          if (const double x = expected.gradient[c];
              !(std::abs(seen[c] * divisor - x) <= relative_error<T> * std::abs(x) + absolute_error))
            bad_row = i;
      }
    };
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) threads.emplace_back(some_rows);
    }
    double value = 0;
    for (const double x : losses) value += x / divisor;
    if (bad_row >= 0) return "the gradient of row " + std::to_string(bad_row) + " is not the reference's";
    if (!(std::abs(d.host_value() - value) <= 1e-5 * (1 + std::abs(value))))
      return "the value is " + std::to_string(d.host_value()) + ", the reference's " + std::to_string(value);
    return {};
  }

  table& works_;
  const char* type_;
};

/// Each work in each shape of one type.
template <class T>
void losses(table& works, const char* type) {
  losses_of<T> all(works, type);
  const auto ce = [](data<T> const& d, int set) {
    return hone::cross_entropy(hone::smooth(hone::classes(d.labels(set)), 0.1));
  };
  const auto ce_reference = [](reference::row const& r) { return reference::cross_entropy(r, 0.1); };
  const std::string name = "cross entropy, smoothing 0.1";
  const auto cross_entropy = [&](std::string const& more, shape s, how const& asked = {}) {
    all.measure(name + more, s, beside::nothing, true, ce, ce_reference, false, asked);
  };
  for (const shape s : {shape{8192, 1000}, {65536, 10}, {100000, 80}, {1024, 32000}, {2048, 50257}, {1024, 128256}})
    cross_entropy("", s);
  for (const shape s : {shape{32768, 256},
                        {32768, 1024},
                        {32768, 4096},
                        {8192, 16384},
                        {2048, 65536},
                        {8192, 8192},
                        {4096, 32768}})  // powers of two, as others report
    if (sizeof(T) == 2 || s.columns == 1024 || s.columns == 8192 || s.columns == 32768) cross_entropy("", s);
  for (const shape s : {shape{8192, 1000}, {65536, 10}, {100000, 80}}) cross_entropy(", sum", s, {.reduce = hone::sum});
  for (const shape s : {shape{8192, 1000}, {1024, 32000}, {1024, 128256}})
    cross_entropy(", value alone", s, {.gradient = false});
  cross_entropy(", in place", {8192, 1000}, {.in_place = true});
  for (const shape s : {shape{8192, 1000}, {65536, 10}})
    all.measure(
        "distillation T=4 + cross entropy", s, beside::teacher, true,
        [](data<T> const& from, int set) {
          return 0.7 * hone::cross_entropy(hone::classes(from.labels(set))) +
                 0.3 * hone::distillation(from.others(set), 4);
        },
        [](reference::row const& r) { return reference::distillation(r, 4); }, false);
  all.measure(
      "sigmoid focal, dense targets", {100000, 80}, beside::targets, false,
      [](data<T> const& from, int set) { return hone::sigmoid_focal_loss(from.others(set)); },
      [](reference::row const& r) { return reference::sigmoid_focal(r); }, true);
  all.measure(
      "binary cross entropy, dense targets", {100000, 80}, beside::targets, false,
      [](data<T> const& from, int set) { return hone::binary_cross_entropy(from.others(set)); },
      [](reference::row const& r) { return reference::binary_cross_entropy(r); }, true);
}

}  // namespace bench
