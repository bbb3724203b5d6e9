// SPDX-License-Identifier: MIT
// No term divides by zero or does an invalid operation on finite input: a trainer that traps floating-point exceptions
// (feenableexcept) is not ended by lanes without a class, or by the arm of a select that is not taken.
#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace {

/// The exceptions that a call raises, in words.
template <class Call>
std::string raised(Call const& call) {
  std::feclearexcept(FE_ALL_EXCEPT);
  call();
  const int flags = std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
  std::feclearexcept(FE_ALL_EXCEPT);
  return std::string(flags & FE_INVALID ? "invalid " : "") + (flags & FE_DIVBYZERO ? "division " : "") +
         (flags & FE_OVERFLOW ? "overflow " : "");
}

const std::vector<hone::index> sizes{1,  2,  3,  4,  5,  7,  8,  9,  10, 15, 16, 17,
                                     20, 31, 32, 33, 34, 37, 40, 47, 63, 64, 65, 70};

/// Logits, teachers, labels and probabilities of some rows: of ordinary size, equal, and far apart.
template <class T>
struct batch {
  hone::index rows, columns;
  std::vector<T> z, teacher, probabilities, weights, gradient;
  std::vector<hone::accumulator_t<T>> losses;
  std::vector<int> labels, other;

  batch(hone::index rows_, hone::index columns_, double size, bool same)
      : rows(rows_), columns(columns_), weights(std::size_t(columns), T(1)), gradient(std::size_t(rows * columns)) {
    for (hone::index i = 0; i < rows * columns; ++i) {
      z.push_back(same ? T(1) : static_cast<T>(size * support::noise(i)));
      teacher.push_back(same ? T(1) : static_cast<T>(size * support::noise(i + 77)));
      probabilities.push_back(i % 3 == 0 ? T(0) : static_cast<T>(1.0 / double(columns)));
    }
    for (hone::index i = 0; i < rows; ++i) {
      labels.push_back(static_cast<int>(i * 7 % columns));
      other.push_back(static_cast<int>(i * 5 % columns));
    }
    weights[0] = 0;
    losses.resize(std::size_t(rows * columns));
  }
};

struct as_matrix {
  template <class T>
  hone::matrix_view<T> operator()(T* data, hone::index rows, hone::index columns) const {
    return {data, rows, columns};
  }
};
struct as_image {
  template <class T>
  hone::image_view<T> operator()(T* data, hone::index rows, hone::index columns) const {
    return {data, 1, columns, rows};
  }
};

/// A teacher's likeliest classes, every second one if there are enough; the others share `rest`, or nothing.
[[maybe_unused]] hone::top_k_batch list_of(hone::index rows, hone::index columns, hone::index k, double rest) {
  k = std::min(k, columns);
  hone::top_k_batch list;
  list.rows = rows, list.columns = columns, list.k = k, list.temperature = 2.5;
  for (hone::index i = 0; i < rows; ++i) {
    for (hone::index j = 0; j < k; ++j) {
      list.classes.push_back(static_cast<std::int32_t>(2 * k <= columns ? 2 * j : j));
      list.log_probabilities.push_back(static_cast<float>(std::log((1 - rest) / double(k))));
    }
    list.rest.push_back(rest > 0 ? static_cast<float>(std::log(rest)) : -std::numeric_limits<float>::infinity());
  }
  return list;
}

template <class T, class View, class Make>
void sweep(const char* name, View const& view, Make const& make) {
  for (const hone::index columns : sizes)
    for (const hone::index rows : {1, 3, 8, 33})
      for (const double size : {0.0, 1.0, 4.0, 30.0, 200.0, 3000.0}) {
        batch<T> b(rows, columns, size, size == 0);
        const std::string what = raised([&] {
          const T* z = b.z.data();
          hone::evaluate(hone::cpu(1), make(b, view), view(z, rows, columns),
                         {.gradient = view(b.gradient.data(), rows, columns), .unreduced = b.losses.data()});
        });
        INFO(std::string(name), " of ", rows, " x ", columns, ", logits up to ", size);
        CHECK(what == "");
      }
}

template <class T, class View>
void rows(View const& view) {
  const auto teacher = [](auto& b, View const& v) {
    const T* data = b.teacher.data();
    return v(data, b.rows, b.columns);
  };
  const auto target = [](auto& b) { return hone::classes(b.labels); };
  sweep<T>("cross_entropy", view, [&](auto& b, auto&) { return hone::cross_entropy(target(b)); });
  sweep<T>("smoothed", view, [&](auto& b, auto&) {
    return hone::cross_entropy(hone::smooth(hone::mix(target(b), hone::classes(b.other), 0.3), 0.1));
  });
  sweep<T>("probabilities", view, [&](auto& b, View const& v) {
    const T* data = b.probabilities.data();
    return hone::cross_entropy(hone::weigh_classes(hone::probabilities(v(data, b.rows, b.columns)), b.weights));
  });
  sweep<T>("z_loss", view, [&](auto&, auto&) { return hone::z_loss(0.1); });
  sweep<T>("poly1_cross_entropy", view, [&](auto& b, auto&) { return hone::poly1_cross_entropy(target(b)); });
  for (const double gamma : {0.0, 0.5, 1.0, 2.0, 3.0})
    sweep<T>("softmax_focal_loss", view,
             [&](auto& b, auto&) { return hone::softmax_focal_loss(target(b), {.gamma = gamma}); });
  sweep<T>("softmax_focal_loss of probabilities", view, [&](auto& b, View const& v) {
    const T* data = b.probabilities.data();
    return hone::softmax_focal_loss(hone::probabilities(v(data, b.rows, b.columns)));
  });
  for (const double temperature : {1.0, 2.5, 20.0}) {
    sweep<T>("distillation", view, [&](auto& b, auto& v) { return hone::distillation(teacher(b, v), temperature); });
    sweep<T>("reverse_distillation", view,
             [&](auto& b, auto& v) { return hone::reverse_distillation(teacher(b, v), temperature); });
    sweep<T>("jensen_shannon_distillation", view,
             [&](auto& b, auto& v) { return hone::jensen_shannon_distillation(teacher(b, v), temperature); });
    sweep<T>("decoupled_distillation", view,
             [&](auto& b, auto& v) { return hone::decoupled_distillation(target(b), teacher(b, v), temperature); });
  }
  for (const hone::index k : {1, 2, 5, 70})
    for (const double rest : {0.25, 0.0}) {
      hone::top_k_batch listed;
      sweep<T>("top_k_distillation", view, [&](auto& b, auto&) {
        listed = list_of(b.rows, b.columns, k, rest);
        return hone::top_k_distillation(listed);
      });
    }
  sweep<T>("a sum", view, [&](auto& b, auto& v) {
    return hone::cross_entropy(hone::smooth(target(b), 0.1)) + 0.5 * hone::distillation(teacher(b, v), 4);
  });
}

template <class T, class View>
void elements(View const& view) {
  const auto dense = [](auto& b, View const& v) {
    const T* data = b.probabilities.data();
    return v(data, b.rows, b.columns);
  };
  const auto target = [](auto& b) { return hone::classes(b.labels); };
  sweep<T>("binary_cross_entropy", view, [&](auto& b, auto& v) { return hone::binary_cross_entropy(dense(b, v)); });
  sweep<T>("binary_cross_entropy", view, [&](auto& b, auto&) { return hone::binary_cross_entropy(target(b)); });
  sweep<T>("poly1_binary_cross_entropy", view,
           [&](auto& b, auto& v) { return hone::poly1_binary_cross_entropy(dense(b, v)); });
  for (const double gamma : {0.0, 0.5, 1.0, 2.0, 3.0, 4.0}) {
    sweep<T>("sigmoid_focal_loss", view,
             [&](auto& b, auto&) { return hone::sigmoid_focal_loss(target(b), {.gamma = gamma}); });
    sweep<T>("quality_focal_loss", view,
             [&](auto& b, auto& v) { return hone::quality_focal_loss(dense(b, v), {.beta = gamma}); });
    sweep<T>("varifocal_loss", view,
             [&](auto& b, auto& v) { return hone::varifocal_loss(dense(b, v), {.gamma = gamma}); });
    for (const double clip : {0.0, 0.05})
      sweep<T>("asymmetric_loss", view, [&](auto& b, auto&) {
        return hone::asymmetric_loss(target(b), {.gamma_positive = gamma, .gamma_negative = gamma, .clip = clip});
      });
  }
}

}  // namespace

// clang takes no account of these exceptions, and may compute what the source does not.
#if defined(__GNUC__) && !defined(__clang__)
TEST_CASE("row losses of finite logits raise no floating-point exception: float") { rows<float>(as_matrix()); }
TEST_CASE("row losses of finite logits raise no floating-point exception: double") { rows<double>(as_matrix()); }
TEST_CASE("row losses of finite images raise no floating-point exception: float") { rows<float>(as_image()); }
TEST_CASE("element-wise losses of finite logits raise no floating-point exception: float") {
  elements<float>(as_matrix());
}
TEST_CASE("element-wise losses of finite logits raise no floating-point exception: double") {
  elements<double>(as_matrix());
}
#endif
