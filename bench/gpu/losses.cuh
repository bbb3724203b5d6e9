// SPDX-License-Identifier: MIT
/// The works: checked against a reference in double, then timed beside a copy of the same bytes.
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

inline constexpr const char* cross_entropy_name = "cross entropy, smoothing 0.1";

/// The largest error of a gradient, relative and absolute, before it is divided by what a mean is over.
template <class T>
inline constexpr double relative_error = sizeof(T) == 2 ? 4e-3 : 1e-5;  // bfloat16 keeps eight bits
inline constexpr double absolute_error = 4e-6;

template <class T>
class works {
 public:
  works(options const& o, const char* type) : o_(o), type_(type) {}

  bool all_right() const { return right_; }

  /// objective(data, set) makes what evaluate is asked for; `each`: whether a mean is over elements, not rows.
  template <class Objective, class Reference>
  void measure(const char* name, data<T> const& d, Objective const& objective, Reference const& reference, bool each,
               bool in_place = false) {
    hone::cuda gpu(d.stream);
    const auto call = [&](int set) {
      hone::evaluate(gpu, objective(d, set), d.logits(set),
                     {.gradient = in_place ? d.logits(set) : d.gradient(set), .value = d.value()});
    };
    const std::string what = wrong(d, call, reference, each, in_place);
    if (!what.empty()) {
      right_ = false;
      std::printf("WRONG: %s, %jd x %jd, %s: %s\n", name, std::intmax_t(d.size.rows), std::intmax_t(d.size.columns),
                  type_, what.c_str());
      return;
    }
    report(name, d,
           rotate(d.stream,
                  {{call, true},
                   {call, false},
                   {[&](int set) { d.copy_by_runtime(set); }, true},
                   {[&](int set) { d.copy_by_kernel(set); }, true}},
                  d.sets, o_));
  }

  /// A shape in which a work is wanted; fewer rows where it is only to be seen to run.
  template <class Body>
  void on(shape s, std::string const& name, beside what, bool labels, Body const& body) {
    if ((name + ", " + std::to_string(s.rows) + "x" + std::to_string(s.columns) + ", " + type_).find(o_.filter) ==
        std::string::npos)
      return;
    if (o_.quick) s.rows = std::max<index>(2, std::min<index>(s.rows, 32768 / s.columns));
    body(data<T>(s, what, labels, o_));
  }

 private:
  /// How the first set's answer differs from the reference: every row's gradient, and the value.
  template <class Call, class Reference>
  static std::string wrong(data<T> const& d, Call const& call, Reference const& reference, bool each, bool in_place) {
    const auto z = d.host(d.logits(0)), others = d.host(d.others(0));
    const auto labels = d.host_labels();
    const index rows = d.size.rows, columns = d.size.columns;
    if (!in_place) check(cudaMemsetAsync(d.gradient(0).data, 0xff, z.size() * sizeof(T), d.stream), "cudaMemsetAsync");
    call(0);
    d.stream.wait();
    const auto gradient = d.host(in_place ? d.logits(0) : d.gradient(0));

    const double divisor = double(rows) * (each ? double(columns) : 1);
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

  void report(const char* name, data<T> const& d, timing const& t) const {
    const double graph = t.microseconds[0], stream = t.microseconds[1], runtime = t.microseconds[2],
                 kernel = t.microseconds[3], speed = double(d.bytes) / graph * 1e-3,
                 part = std::min(runtime, kernel) / graph;
    std::printf("| %-38s | %6jd x %6jd | %-8s | %8.1f | %8.1f | %6.0f | %5.2f |\n", name, std::intmax_t(d.size.rows),
                std::intmax_t(d.size.columns), type_, graph, stream, speed, part);
    std::fflush(stdout);
    if (!o_.table) return;
    std::fprintf(o_.table, "%s\t%jd\t%jd\t%s\t%jd\t%d\t%d\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\t%.3f\n", name,
                 std::intmax_t(d.size.rows), std::intmax_t(d.size.columns), type_, std::intmax_t(d.bytes), d.sets,
                 t.calls, t.rounds, graph, stream, runtime, kernel, speed, part);
    std::fflush(o_.table);
  }

  options const& o_;
  const char* type_;
  bool right_ = true;
};

/// Each work in each shape of one type.
template <class T>
bool losses(options const& o, const char* type) {
  works<T> all(o, type);
  const auto ce = [](data<T> const& d, int set) {
    return hone::cross_entropy(hone::smooth(hone::classes(d.labels(set)), 0.1));
  };
  const auto ce_reference = [](reference::row const& r) { return reference::cross_entropy(r, 0.1); };
  for (const shape s : {shape{8192, 1000}, {1024, 32000}, {65536, 10}, {100000, 80}, {1024, 100000}})
    all.on(s, cross_entropy_name, beside::nothing, true, [&](data<T> const& d) {
      all.measure(cross_entropy_name, d, ce, ce_reference, false);
      if (s.rows == 8192) all.measure("cross entropy, smoothing 0.1, in place", d, ce, ce_reference, false, true);
    });
  for (const shape s : {shape{8192, 1000}, {65536, 10}}) {
    const char* name = "distillation T=4 + cross entropy";
    all.on(s, name, beside::teacher, true, [&](data<T> const& d) {
      all.measure(
          name, d,
          [](data<T> const& from, int set) {
            return 0.7 * hone::cross_entropy(hone::classes(from.labels(set))) +
                   0.3 * hone::distillation(from.others(set), 4);
          },
          [](reference::row const& r) { return reference::distillation(r, 4); }, false);
    });
  }
  all.on({100000, 80}, "sigmoid focal, dense targets", beside::targets, false, [&](data<T> const& d) {
    all.measure(
        "sigmoid focal, dense targets", d,
        [](data<T> const& from, int set) { return hone::sigmoid_focal_loss(from.others(set)); },
        [](reference::row const& r) { return reference::sigmoid_focal(r); }, true);
  });
  all.on({100000, 80}, "binary cross entropy, dense targets", beside::targets, false, [&](data<T> const& d) {
    all.measure(
        "binary cross entropy, dense targets", d,
        [](data<T> const& from, int set) { return hone::binary_cross_entropy(from.others(set)); },
        [](reference::row const& r) { return reference::binary_cross_entropy(r); }, true);
  });
  return all.all_right();
}

}  // namespace bench
