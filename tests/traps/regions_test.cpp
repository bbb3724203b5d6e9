// SPDX-License-Identifier: MIT
// Region losses of finite logits divide by no zero and do no invalid operation, also for absent classes, empty targets
// and lanes behind the last class.
#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cfenv>
#include <string>
#include <vector>

namespace {

template <class T>
struct batch {
  hone::index rows, columns;
  std::vector<T> z, soft, gradient;
  std::vector<int> labels;

  batch(hone::index rows_, hone::index columns_, double size)
      : rows(rows_), columns(columns_), gradient(std::size_t(rows * columns)) {
    for (hone::index i = 0; i < rows * columns; ++i) {
      z.push_back(static_cast<T>(size * support::noise(i)));
      soft.push_back(i % 3 == 0 ? T(0) : static_cast<T>(1.0 / double(columns)));
    }
    for (hone::index i = 0; i < rows; ++i) labels.push_back(i % 4 == 1 ? 255 : int(i * 7 % columns) / 2);
  }
};

template <class T, class Make>
void sweep(const char* name, Make const& make) {
  for (const hone::index columns : {1, 2, 3, 5, 8, 10, 16, 17, 31, 33, 37, 65, 70})
    for (const hone::index rows : {1, 3, 8, 33})
      for (const double size : {0.0, 1.0, 30.0, 3000.0})
        for (const bool image : {false, true}) {
          batch<T> b(rows, columns, size);
          const hone::cpu cpu(1);
          const auto objective = make(b);
          std::feclearexcept(FE_ALL_EXCEPT);
          if (image)
            hone::evaluate(cpu, objective, hone::image_view{b.z.data(), 1, columns, rows},
                           {.gradient = {b.gradient.data(), 1, columns, rows}});
          else
            hone::evaluate(cpu, objective, hone::matrix_view{b.z.data(), rows, columns},
                           {.gradient = {b.gradient.data(), rows, columns}});
          const int flags = std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
          std::feclearexcept(FE_ALL_EXCEPT);
          INFO(std::string(name), " of ", rows, " x ", columns, ", logits up to ", size,
               std::string(image ? ", an image" : ""));
          CHECK(flags == 0);
        }
}
template <class T>
void regions() {
  const auto target = [](auto const& b) { return hone::classes(b.labels, {.ignore = 255}); };
  for (const auto absent : {hone::absent_classes::skipped, hone::absent_classes::zero, hone::absent_classes::counted}) {
    sweep<T>("dice_loss", [&](auto& b) { return hone::dice_loss(target(b), {.absent = absent}); });
    sweep<T>("log jaccard_loss",
             [&](auto& b) { return hone::jaccard_loss(target(b), {.logarithm = true, .absent = absent}); });
    for (const double gamma : {0.25, 1.0, 3.0})
      sweep<T>("focal_tversky_loss",
               [&](auto& b) { return hone::focal_tversky_loss(target(b), {.gamma = gamma, .absent = absent}); });
    sweep<T>("lovasz_softmax_loss", [&](auto& b) { return hone::lovasz_softmax_loss(target(b), {.absent = absent}); });
    sweep<T>("a sum", [&](auto& b) {
      return hone::cross_entropy(target(b)) + hone::lovasz_softmax_loss(target(b), {.absent = absent}) +
             hone::dice_loss(hone::smooth(target(b), 0.1), {.squared = true});
    });
  }
}

}  // namespace

// clang takes no account of these exceptions, and may compute what the source does not.
#if defined(__GNUC__) && !defined(__clang__)
TEST_CASE("region losses of finite logits raise no floating-point exception: float") { regions<float>(); }
TEST_CASE("region losses of finite logits raise no floating-point exception: double") { regions<double>(); }
#endif
