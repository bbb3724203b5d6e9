// SPDX-License-Identifier: MIT
/// What every backend must answer about teachers: their labels and their means.
#pragma once

#include <conformance/teachers.hpp>

#include <limits>

namespace conformance {

/// Ties, NaN, infinities, padding, narrow labels.
template <class Device, class T, class Label>
void labels_of_teachers(std::vector<shape> const& shapes) {
  for (const shape s : shapes) {
    CAPTURE(s.rows);
    CAPTURE(s.columns);
    const padded<Device, T> b(s);
    const float infinity = std::numeric_limits<float>::infinity();
    const auto number = [&](index i, index c) -> float {
      if (i % 7 == 1) return -infinity;                       // a row that says nothing
      if (i % 7 == 2) return c % 3 == 0 ? std::nanf("") : 1;  // NaN is passed over, and the first of equals wins
      if (i % 7 == 3) return std::nanf("");
      if (i % 7 == 4) return c == s.columns - 1 ? infinity : 5;
      if (i % 7 == 5) return float(c % 40);
      return float((c * 37 + i * 11) % 101) - 50;
    };
    const std::vector<T> logits = b.filled(number);
    const typename Device::template buffer<T> from(logits);
    const typename Device::template buffer<Label> to(std::vector<Label>(std::size_t(s.rows), Label(99)));
    Device::enqueue([&](auto& backend) { hone::hard_labels(backend, b.view(from), to); });
    const std::vector<Label> seen = to.host();
    for (index i = 0; i < s.rows; ++i) {
      index best = 0;
      double most = -HUGE_VAL;
      for (index c = 0; c < s.columns; ++c)
        if (b.at(logits, i, c) > most) most = b.at(logits, i, c), best = c;
      CAPTURE(i);
      CHECK(index(seen[std::size_t(i)]) == best);
    }
  }
}

/// Means of probabilities and of logits, weighed and not, apart and in place.
template <class Device, class T>
void means_of_teachers(std::vector<shape> const& shapes) {
  using A = hone::accumulator_t<T>;
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const auto teacher = [&](std::vector<T> const& v, index i, double T_) { return softmax(b.row(v, i), T_); };
    const auto answers = [&](auto const& to, double w, double w_other, double T_, bool of_logits) {
      const std::vector<T> seen = to.host();
      bool fits = true;
      for (index i = 0; i < b.size.rows; ++i) {
        const row_of_numbers p = teacher(b.z, i, T_), q = teacher(b.taught, i, T_), x = b.row(seen, i);
        for (index k = 0; k < b.size.columns; ++k) {
          const std::size_t c = std::size_t(k);
          const double expected = of_logits ? w * b.at(b.z, i, k) + w_other * b.at(b.taught, i, k)
                                            : T_ * std::log(w * p[c] + w_other * q[c]);
          fits &= close(x[c], expected, tolerance<T>);
        }
      }
      CHECK(fits);
      CHECK(b.padding_is_untouched(seen));
    };
    const typename Device::template buffer<T> out(b.z), in_place(b.taught), logits(b.z);
    const std::vector<A> weights{A(1), A(3)};
    Device::enqueue([&](auto& backend) {
      hone::average_teachers(backend, {b.view(b.device_z), b.view(b.device_taught)}, 4, b.view(out));
      hone::average_teachers(backend, {b.view(b.device_z), b.view(in_place)}, 1, b.view(in_place),
                             {.weights = weights});
      hone::average_teachers(backend, {b.view(b.device_z), b.view(b.device_taught)}, 1, b.view(logits),
                             {.weights = weights, .of = hone::mean_of::logits});
    });
    answers(out, 0.5, 0.5, 4, false);
    answers(in_place, 0.25, 0.75, 1, false);
    answers(logits, 0.25, 0.75, 1, true);
  });
}

/// A teacher without a part in it, classes that some or all rule out, and what lies far apart.
template <class Device>
void means_at_edges() {
  const float none = -std::numeric_limits<float>::infinity();
  for (const std::size_t K : {std::size_t(4), std::size_t(100)}) {
    std::vector<float> first(K, -50), other(K, none);
    first[0] = 1e4f, first[1] = none, other[0] = 3, other[1] = none, other[2] = -1e4f;
    const std::vector<double> alone{2, 0};
    const typename Device::template buffer<float> a(first), b(other), both(first), one(first);
    const auto view = [&](auto const& from) { return hone::matrix_view<float>{from.data(), 1, K}; };
    Device::enqueue([&](auto& backend) {
      hone::average_teachers(backend, {view(a), view(b)}, 1, view(both));
      hone::average_teachers(backend, {view(a), view(b)}, 1, view(one), {.weights = alone});
    });
    const std::vector<float> seen = both.host(), same = one.host();
    CHECK(seen[0] == 0);     // both are sure of it
    CHECK(seen[1] == none);  // both rule it out
    CHECK(seen[2] == doctest::Approx(-10003 - std::log(2)).epsilon(1e-6));
    CHECK(seen[3] == doctest::Approx(-10050 - std::log(2)).epsilon(1e-6));
    CHECK(same[0] == 0);
    CHECK(same[1] == none);
    CHECK(same[2] == -10050);
  }
}

template <class Device>
void teachers_in_all() {
  const std::vector<shape> shapes{{1, 1}, {40, 10, 2}, {17, 33}, {9, 127, 1}, {5, 1003}, {2, 5000, 4}};
  labels_of_teachers<Device, float, int>(shapes);
  labels_of_teachers<Device, double, hone::index>(shapes);
  labels_of_teachers<Device, typename Device::half, unsigned short>(shapes);
  labels_of_teachers<Device, typename Device::bfloat16, signed char>({{40, 10, 2}, {9, 128}});
  means_of_teachers<Device, float>(shapes);
  means_of_teachers<Device, double>(shapes);
  means_of_teachers<Device, typename Device::half>(shapes);
  means_at_edges<Device>();
}

}  // namespace conformance
