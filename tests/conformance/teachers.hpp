// SPDX-License-Identifier: MIT
/// What every backend must answer for the divergences from a teacher: one list of cases, against the formulas in
/// double.
#pragma once

#include <conformance/rows.hpp>

#include <type_traits>

namespace conformance {

inline row_of_numbers log_softmax(row_of_numbers z, double T) {
  for (double& x : z) x /= T;
  const double lse = logsumexp(z);
  for (double& x : z) x -= lse;
  return z;
}
inline row_answer reverse_distillation_of(row_of_numbers const& z, row_of_numbers const& teacher, double T) {
  const row_of_numbers s = log_softmax(z, T), t = log_softmax(teacher, T);
  row_answer a{0, row_of_numbers(z.size())};
  double divergence = 0;
  for (std::size_t c = 0; c < z.size(); ++c) divergence += std::exp(s[c]) * (s[c] - t[c]);
  for (std::size_t c = 0; c < z.size(); ++c) a.gradient[c] = T * std::exp(s[c]) * (s[c] - t[c] - divergence);
  a.loss = T * T * divergence;
  return a;
}
inline row_answer jensen_shannon_of(row_of_numbers const& z, row_of_numbers const& teacher, double T, double beta) {
  const row_of_numbers s = log_softmax(z, T), t = log_softmax(teacher, T);
  row_answer a{0, row_of_numbers(z.size())};
  double of_teacher = 0, of_student = 0;
  row_of_numbers m;
  for (std::size_t c = 0; c < z.size(); ++c) {
    m.push_back(std::log(beta * std::exp(t[c]) + (1 - beta) * std::exp(s[c])));
    of_teacher += std::exp(t[c]) * (t[c] - m[c]);
    of_student += std::exp(s[c]) * (s[c] - m[c]);
  }
  for (std::size_t c = 0; c < z.size(); ++c)
    a.gradient[c] = T * (1 - beta) * std::exp(s[c]) * (s[c] - m[c] - of_student);
  a.loss = T * T * (beta * of_teacher + (1 - beta) * of_student);
  return a;
}

inline row_answer decoupled_distillation_of(row_of_numbers z, row_of_numbers teacher, index label, double T,
                                            double alpha, double beta) {
  const auto odds_of = [&](row_of_numbers const& x) {
    row_of_numbers rest;
    for (index c = 0; c < index(x.size()); ++c)
      if (c != label) rest.push_back(x[std::size_t(c)] / T);
    return rest.empty() ? 1e300 : x[std::size_t(label)] / T - logsumexp(rest);
  };
  const double a = odds_of(z), b = odds_of(teacher);
  const auto log_sigmoid = [](double x) { return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x)); };
  const double sure = std::exp(log_sigmoid(a)), taught = std::exp(log_sigmoid(b)),
               not_taught = std::exp(log_sigmoid(-b));
  row_answer answer{0, row_of_numbers(z.size())};
  if (not_taught > 0) answer.loss = not_taught * (log_sigmoid(-b) - log_sigmoid(-a));
  answer.loss = alpha * (answer.loss + taught * (log_sigmoid(b) - log_sigmoid(a)));
  z[std::size_t(label)] = teacher[std::size_t(label)] = -1e300;
  const row_of_numbers u = log_softmax(z, T), v = log_softmax(teacher, T);
  for (index i = 0; i < index(z.size()); ++i) {
    const std::size_t c = std::size_t(i);
    if (i == label) {
      answer.gradient[c] = T * alpha * (sure - taught);
    } else {
      answer.loss += beta * std::exp(v[c]) * (v[c] - u[c]);
      answer.gradient[c] = T * (std::exp(u[c]) * (beta - alpha * (sure - taught)) - beta * std::exp(v[c]));
    }
  }
  answer.loss *= T * T;
  return answer;
}

/// Divergences beside labels, some of them ignored, and alone.
template <class Device, class T>
void rows_of_divergences(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const double kept = b.kept();
    const auto times = [&b](double factor) { return [&b, factor](index i) { return b.ignored(i) ? 0 : factor; }; };
    const auto reversed = [&](index i) { return reverse_distillation_of(b.row(b.z, i), b.row(b.taught, i), 3); };
    const auto between = [&](index i) { return jensen_shannon_of(b.row(b.z, i), b.row(b.taught, i), 2, 0.25); };
    const auto labelled = [&](index i) { return cross_entropy_of(b.row(b.z, i), b.one_hot(b.labels[std::size_t(i)])); };
    const auto teacher = b.view(b.device_taught);
    expect_rows(b,
                0.25 * hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7})) +
                    0.5 * hone::reverse_distillation(teacher, 3) +
                    hone::jensen_shannon_distillation(teacher, 2, {.beta = 0.25}),
                {{labelled, times(0.25), kept}, {reversed, times(0.5), kept}, {between, times(1), kept}}, hone::mean);
    if constexpr (std::is_same_v<T, float>) {  // every objective of every type is so many kernels
      const auto weight = [&](index i) { return double(b.weights[std::size_t(i)]); };
      expect_rows(b, hone::weigh_rows(hone::jensen_shannon_distillation(teacher, 2, {.beta = 0.25}), b.device_weights),
                  {{between, weight, 3}}, hone::mean_over(3), true);
      expect_rows(b, hone::reverse_distillation(teacher, 3), {{reversed, [](index) { return 1.0; }, 1}}, hone::sum);
    }
  });
}

/// Decoupled distillation beside cross entropy, and alone in place.
template <class Device, class T>
void rows_of_decoupled(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const double kept = b.kept();
    const auto times = [&b](double factor) { return [&b, factor](index i) { return b.ignored(i) ? 0 : factor; }; };
    const auto labelled = [&](index i) { return cross_entropy_of(b.row(b.z, i), b.one_hot(b.labels[std::size_t(i)])); };
    const auto decoupled = [&](index i) {
      return decoupled_distillation_of(b.row(b.z, i), b.row(b.taught, i), b.labels[std::size_t(i)], 2, 1, 0.5);
    };
    const auto labels = hone::classes(b.device_labels, {.ignore = -7});
    const auto term = hone::decoupled_distillation(labels, b.view(b.device_taught), 2, {.alpha = 1, .beta = 0.5});
    expect_rows(b, 0.25 * hone::cross_entropy(labels) + 0.5 * term,
                {{labelled, times(0.25), kept}, {decoupled, times(0.5), kept}}, hone::mean);
    if constexpr (std::is_same_v<T, float>) expect_rows(b, term, {{decoupled, times(1), kept}}, hone::mean, true);
  });
}

/// The k likeliest classes of softmax(teacher/T), the others as one; the bins' probabilities are those that are stored.
struct listed_classes {
  std::vector<std::int32_t> classes;
  std::vector<float> logs, rest;
  index k;
  double T;

  listed_classes(std::vector<row_of_numbers> const& teacher, index k_, double T_) : k(k_), T(T_) {
    for (row_of_numbers const& t : teacher) {
      const row_of_numbers p = softmax(t, T);
      std::vector<std::int32_t> order(p.size());
      for (std::size_t c = 0; c < p.size(); ++c) order[c] = std::int32_t(c);
      std::sort(order.begin(), order.end(), [&](auto a, auto b) {
        const double x = p[std::size_t(a)], y = p[std::size_t(b)];
        return x > y || (x == y && a < b);
      });
      double others = 0;
      for (std::size_t j = std::size_t(k); j < p.size(); ++j) others += p[std::size_t(order[j])];
      order.resize(std::size_t(k));
      std::sort(order.begin(), order.end());
      for (const std::int32_t c : order) classes.push_back(c), logs.push_back(float(std::log(p[std::size_t(c)])));
      rest.push_back(float(std::log(others)));
    }
  }
  row_answer of(row_of_numbers const& z, index row) const {
    const row_of_numbers s = softmax(z, T);
    row_answer a{0, row_of_numbers(z.size())};
    std::vector<bool> is_listed(z.size());
    double total = std::exp(double(rest[std::size_t(row)])), of_rest = 0;
    for (index j = row * k; j < (row + 1) * k; ++j) total += std::exp(double(logs[std::size_t(j)]));
    for (index j = row * k; j < (row + 1) * k; ++j) {
      const std::size_t c = std::size_t(classes[std::size_t(j)]);
      const double t = std::exp(double(logs[std::size_t(j)])) / total;
      is_listed[c] = true;
      a.loss += T * T * t * std::log(t / s[c]);
      a.gradient[c] = T * (s[c] - t);
    }
    for (std::size_t c = 0; c < z.size(); ++c)
      if (!is_listed[c]) of_rest += s[c];
    const double t = std::exp(double(rest[std::size_t(row)])) / total;
    if (t > 0) a.loss += T * T * t * std::log(t / of_rest);
    for (std::size_t c = 0; c < z.size(); ++c)
      if (!is_listed[c]) a.gradient[c] = T * s[c] * (1 - t / of_rest);
    return a;
  }
};

/// Them in a backend's memory.
template <class Device>
struct listed_on {
  typename Device::template buffer<std::int32_t> classes;
  typename Device::template buffer<float> logs, rest;
  index k;
  double T;

  explicit listed_on(listed_classes const& from)
      : classes(from.classes), logs(from.logs), rest(from.rest), k(from.k), T(from.T) {}
  hone::top_k_view view(index rows, index columns) const {
    return {classes.data(), logs.data(), rest.data(), rows, columns, k, T};
  }
};

/// Listed classes beside labels, and alone in place.
template <class Device, class T>
void rows_of_lists(std::vector<shape> const& shapes) {
  each_batch<row_batch<Device, T>>(shapes, [](auto const& b) {
    const double kept = b.kept();
    std::vector<row_of_numbers> teacher;
    for (index i = 0; i < b.size.rows; ++i) teacher.push_back(b.row(b.taught, i));
    for (const index k : {index(1), index(5), index(64)}) {
      if (k > b.size.columns) continue;
      CAPTURE(k);
      const listed_classes lists(teacher, k, 2);
      const listed_on<Device> on_device(lists);
      const auto term = hone::top_k_distillation(on_device.view(b.size.rows, b.size.columns));
      const auto listed = [&](index i) { return lists.of(b.row(b.z, i), i); };
      const auto times = [&b](double factor) { return [&b, factor](index i) { return b.ignored(i) ? 0 : factor; }; };
      const auto labelled = [&](index i) {
        return cross_entropy_of(b.row(b.z, i), b.one_hot(b.labels[std::size_t(i)]));
      };
      expect_rows(b, 0.25 * hone::cross_entropy(hone::classes(b.device_labels, {.ignore = -7})) + 0.5 * term,
                  {{labelled, times(0.25), kept}, {listed, times(0.5), kept}}, hone::mean);
      if constexpr (std::is_same_v<T, float>)
        expect_rows(b, term, {{listed, [](index) { return 1.0; }, 1}}, hone::sum, true);
    }
  });
}

template <class Device>
void row_losses_of_divergences() {
  rows_of_divergences<Device, float>(row_shapes());
  rows_of_divergences<Device, double>(some_row_shapes());
  rows_of_divergences<Device, typename Device::half>(some_row_shapes());
}

template <class Device>
void row_losses_of_decoupled() {
  rows_of_decoupled<Device, float>(row_shapes());
  rows_of_decoupled<Device, typename Device::bfloat16>(some_row_shapes());
}

/// Images answer as the matrix of their pixels does.
template <class Device>
void images_of_teachers() {
  for (const image_shape s : image_shapes) {
    CAPTURE(s.channels);
    const index rows = s.images * s.pixels;
    const row_batch<Device, float> b({rows, s.channels});
    std::vector<row_of_numbers> teacher;
    for (index i = 0; i < rows; ++i) teacher.push_back(b.row(b.taught, i));
    const listed_classes lists(teacher, 3, 2);
    const listed_on<Device> listed(lists);
    const auto planes = [&](std::vector<float> const& v) { return planes_of(v, s.channels, s.pixels); };
    const typename Device::template buffer<float> z(planes(b.z)), taught(planes(b.taught)), image(b.z), matrix(b.z),
        losses{std::size_t(rows)}, same{std::size_t(rows)}, value(1);
    const auto view = [&](auto const& from) {
      return hone::image_view<const float>{from.data(), s.images, s.channels, s.pixels};
    };
    const auto objective = [&](auto from) {
      const auto labels = hone::classes(b.device_labels, {.ignore = -7});
      return hone::decoupled_distillation(labels, from, 2) + hone::reverse_distillation(from, 3) +
             hone::jensen_shannon_distillation(from, 2) + hone::top_k_distillation(listed.view(rows, s.channels));
    };
    Device::evaluate(objective(view(taught)), view(z),
                     hone::outputs<float, hone::image_view>{.gradient = {image.data(), s.images, s.channels, s.pixels},
                                                            .unreduced = losses.data(),
                                                            .value = value.data()},
                     hone::sum);
    Device::evaluate(objective(b.view(b.device_taught)), b.view(b.device_z),
                     hone::outputs<float>{.gradient = {matrix.data(), rows, s.channels}, .unreduced = same.data()},
                     hone::sum);
    answers_alone_are_those_of_all<Device, float>(
        objective(view(taught)), view(z), {image.host(), losses.host(), double(value.host()[0])}, b.z, hone::sum);
    const auto alike = [](std::vector<float> const& a, std::vector<float> const& other) {
      for (std::size_t i = 0; i < a.size(); ++i)
        if (!close(double(a[i]), double(other[i]), 2e-5)) return false;
      return true;
    };
    CHECK(alike(image.host(), planes(matrix.host())));
    CHECK(alike(losses.host(), same.host()));
  }
}

template <class Device>
void row_losses_of_lists() {
  rows_of_lists<Device, float>(row_shapes());
  rows_of_lists<Device, typename Device::half>(some_row_shapes());
  images_of_teachers<Device>();
}

}  // namespace conformance
