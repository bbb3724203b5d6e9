// SPDX-License-Identifier: MIT
#include <hone/cpu/distributed/batch_norm.hpp>
#include <hone/cpu/distributed/replicas.hpp>
#include <hone/structure/running_statistics.hpp>

#include "../support/dual.hpp"
#include "../support/message.hpp"
#include "../support/ranks.hpp"
#include "../support/same_bytes.hpp"
#include "batch_norm_values.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using hone::index;
using support::error_of;
using statistics = std::vector<hone::channel_statistics>;

std::vector<double> numbers(int salt, index count) {
  std::vector<double> x;
  x.reserve(std::size_t(count));
  for (index i = 0; i < count; ++i) x.push_back(double((i * 37 + index(salt) * 11) % 61 - 30) / 8);
  return x;
}
template <class T>
std::vector<T> normals(unsigned seed, std::size_t count, double mean = 0) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(mean);
  std::vector<T> x(count);
  for (T& one : x) one = static_cast<T>(normal(random));
  return x;
}
template <class T>
std::vector<float> as_float(std::vector<T> const& x) {
  std::vector<float> y;
  for (const T one : x) y.push_back(static_cast<float>(one));
  return y;
}
// How a batch is cut over n ranks: rank r has the images [begin(r), begin(r + 1)). In cut 1 the first rank has none, in
// cut 2 they grow.
struct cut {
  index images, ranks, kind;

  index begin(index r) const {
    if (kind == 0) return images * r / ranks;
    if (kind == 1) return ranks == 1 || r > 1 ? images * r / ranks : 0;
    return images * r * r / (ranks * ranks);
  }
};

// One number type's layer on a rank's part of a batch of images: N x C x P, or of rows: N x C.
template <class T, template <class> class View>
struct layer {
  using A = hone::accumulator_t<T>;
  index channels, pixels;
  std::vector<T> x, dy;
  std::vector<A> scale, shift;

  static constexpr bool of_images = std::is_same_v<View<T>, hone::image_view<T>>;

  template <class U>
  View<U> view(U* data, index first, index n) const {
    if constexpr (of_images)
      return {data + first * channels * pixels, n, channels, pixels};
    else
      return {data + first * channels, n, channels};
  }
  index images() const { return index(x.size()) / (channels * pixels); }

  struct result {
    statistics of;
    std::vector<T> y, dx;
    std::vector<A> dscale, dshift;
  };
  // The result of a rank, in vectors of the size of the whole batch.
  template <class C>
  result run(C const& ranks, cut const& by, int threads) const {
    const hone::cpu cpu(threads);
    const index first = by.begin(ranks.rank()), n = by.begin(ranks.rank() + 1) - first;
    result r{statistics(std::size_t(channels)), std::vector<T>(x.size()), std::vector<T>(x.size()),
             std::vector<A>(std::size_t(channels)), std::vector<A>(std::size_t(channels))};
    const hone::batch_norm_parameters<A> parameters{scale, shift};
    hone::batch_norm(cpu, ranks, view(x.data(), first, n), parameters, r.of, view(r.y.data(), first, n));
    hone::batch_norm_backward(cpu, ranks, view(x.data(), first, n), parameters, r.of, view(dy.data(), first, n),
                              view(r.dx.data(), first, n), {r.dscale, r.dshift});
    return r;
  }
  std::size_t bytes_before(index image) const { return std::size_t(image * channels * pixels) * sizeof(T); }
};

template <class T>
bool same(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && support::same_bytes(a.data(), b.data(), a.size() * sizeof(T));
}

template <class T, template <class> class View>
void check_cuts(layer<T, View> const& whole) {
  const auto alone = whole.run(hone::self(), {whole.images(), 1, 0}, 1);
  for (const int n : numbers_of_ranks)
    for (const index kind : {0, 1, 2})
      on_ranks(n, [&](auto const& ranks) {
        const cut by{whole.images(), n, kind};
        const auto part = whole.run(ranks, by, 1 + ranks.rank() % 3);
        CHECK(same(part.of, alone.of));
        const std::size_t at = whole.bytes_before(by.begin(ranks.rank())),
                          size = whole.bytes_before(by.begin(ranks.rank() + 1)) - at;
        const auto same_part = [&](std::vector<T> const& a, std::vector<T> const& b) {
          return support::same_bytes(reinterpret_cast<char const*>(a.data()) + at,
                                     reinterpret_cast<char const*>(b.data()) + at, size);
        };
        CHECK(same_part(part.y, alone.y));
        CHECK(same_part(part.dx, alone.dx));
        for (std::size_t c = 0; c < std::size_t(whole.channels); ++c) {  // sums of the rank's own images
          double sums[] = {double(part.dscale[c]), double(part.dshift[c])};
          ranks.sum(std::span<double>(sums));
          const double tolerance = sizeof(typename layer<T, View>::A) == 4 ? 1e-4 : 1e-12;
          CHECK(sums[0] == doctest::Approx(double(alone.dscale[c])).epsilon(tolerance));
          CHECK(sums[1] == doctest::Approx(double(alone.dshift[c])).epsilon(tolerance));
        }
      });
}

TEST_CASE("fault 21: no cut of a batch by images changes a bit of synchronised batch norm") {
  const auto check = [](auto one, double mean) {
    using T = decltype(one);
    using A = hone::accumulator_t<T>;
    const layer<T, hone::image_view> images{
        5, 77, normals<T>(1, 11 * 5 * 77, mean), normals<T>(2, 11 * 5 * 77), normals<A>(3, 5), normals<A>(4, 5)};
    check_cuts(images);
    const layer<T, hone::matrix_view> rows{
        37, 1, normals<T>(5, 23 * 37, mean), normals<T>(6, 23 * 37), normals<A>(7, 37), normals<A>(8, 37)};
    check_cuts(rows);
  };
  check(float(), 0.3), check(double(), 100), check(Eigen::half(), 2), check(Eigen::bfloat16(), -1);
}

TEST_CASE("fault 21: 0 + 2 = 1 + 1 = 2 rows on one rank") {
  const layer<float, hone::matrix_view> two{3, 1, {1, 2, 3, 4, 8, -5}, {1, 0, 2, -3, 1, 1}, {1, 2, 0.5f}, {0, 1, -1}};
  const auto alone = two.run(hone::self(), {2, 1, 0}, 1);
  CHECK(alone.of[0].count == 2);
  CHECK(alone.of[0].mean == 2.5);
  CHECK(alone.of[0].m2 == 4.5);
  CHECK(alone.of[1].m2 == 18);
  for (const index kind : {0, 1})  // one row each; no row and two
    on_ranks(2, [&](auto const& ranks) {
      const cut by{2, 2, kind};
      const index rows = by.begin(ranks.rank() + 1) - by.begin(ranks.rank());
      CHECK(rows == (kind == 0 ? 1 : 2 * ranks.rank()));
      const auto part = two.run(ranks, by, 1);
      CHECK(same(part.of, alone.of));
      const auto at = std::size_t(3 * by.begin(ranks.rank()));
      CHECK(support::same_bytes(part.dx.data() + at, alone.dx.data() + at, std::size_t(12 * rows)));
      CHECK(support::same_bytes(part.y.data() + at, alone.y.data() + at, std::size_t(12 * rows)));
    });
}

template <std::size_t n>
double distance(std::vector<double> const& seen, double const (&table)[n]) {
  if (seen.size() != n) return 1e300;
  double worst = 0;
  for (std::size_t i = 0; i < n; ++i) worst = std::max(worst, std::abs(seen[i] - table[i]) / (1 + std::abs(table[i])));
  return worst;
}

TEST_CASE("batch_norm computes what torch.nn.BatchNorm does, with its running statistics") {
  namespace values = batch_norm_values;
  const layer<double, hone::image_view> images{3, 6, numbers(1, 72), numbers(4, 72), numbers(2, 3), numbers(3, 3)};
  const auto of_images = images.run(hone::self(), {4, 1, 0}, 2);
  CHECK(distance(of_images.y, values::images_y) < 1e-13);
  CHECK(distance(of_images.dx, values::images_dx) < 1e-13);
  CHECK(distance(of_images.dscale, values::images_dscale) < 1e-13);
  CHECK(distance(of_images.dshift, values::images_dshift) < 1e-13);
  const layer<double, hone::matrix_view> rows{5, 1, numbers(1, 30), numbers(4, 30), numbers(2, 5), numbers(3, 5)};
  const auto of_rows = rows.run(hone::self(), {6, 1, 0}, 2);
  CHECK(distance(of_rows.y, values::rows_y) < 1e-13);
  CHECK(distance(of_rows.dx, values::rows_dx) < 1e-13);
  CHECK(distance(of_rows.dscale, values::rows_dscale) < 1e-13);
  CHECK(distance(of_rows.dshift, values::rows_dshift) < 1e-13);
  std::vector<double> mean(3, 0), variance(3, 1);
  hone::update_running<double>(of_images.of, mean, variance);
  CHECK(distance(mean, values::images_mean) < 1e-13);
  CHECK(distance(variance, values::images_variance) < 1e-13);
}

TEST_CASE("batch_norm_backward is the derivative, by dual numbers") {
  using support::dual;
  const index images = 3, pixels = 5, n = images * pixels;
  const layer<double, hone::image_view> one{
      1, pixels, normals<double>(1, std::size_t(n), 3), normals<double>(2, std::size_t(n)), {1.7}, {-0.4}};
  const auto seen = one.run(hone::self(), {images, 1, 0}, 1);
  const auto loss = [&](index of, double by_scale,
                        double by_shift) {  // its derivative by x of one place, or a parameter
    std::vector<dual> x;
    x.reserve(std::size_t(n));
    for (index i = 0; i < n; ++i) x.emplace_back(one.x[std::size_t(i)], i == of ? 1.0 : 0.0);
    dual mean(0), variance(0), total(0);
    for (const dual& v : x) mean = mean + v;
    mean = mean / dual(double(n));
    for (const dual& v : x) variance = variance + (v - mean) * (v - mean);
    variance = variance / dual(double(n));
    for (index i = 0; i < n; ++i)
      total = total + dual(one.dy[std::size_t(i)]) *
                          ((x[std::size_t(i)] - mean) / sqrt(variance + dual(1e-5)) * dual(1.7, by_scale) +
                           dual(-0.4, by_shift));
    return total.d;
  };
  for (index i = 0; i < n; ++i) CHECK(seen.dx[std::size_t(i)] == doctest::Approx(loss(i, 0, 0)).epsilon(1e-12));
  CHECK(seen.dscale[0] == doctest::Approx(loss(-1, 1, 0)).epsilon(1e-12));
  CHECK(seen.dshift[0] == doctest::Approx(loss(-1, 0, 1)).epsilon(1e-12));
}

TEST_CASE("statistics keep their digits where the mean is far above the deviation") {
  const std::vector<double> x{1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 6};  // the sum of the squares about 1e9 + 3 is 14
  on_ranks(2, [&](auto const& ranks) {
    statistics all(1);
    hone::measure_channels(hone::cpu(1), ranks, hone::matrix_view{x.data() + 2 * ranks.rank(), 2, 1}, all);
    CHECK(all[0].count == 4);
    CHECK(all[0].mean == 1e9 + 3);
    CHECK(all[0].m2 == 14);
    hone::measure_channels(hone::cpu(1), ranks, hone::matrix_view{x.data() + 2 * ranks.rank(), 2, 1}, all);
    CHECK(all[0].count == 8);  // merged into what was there
    CHECK(all[0].m2 == 28);
  });
}

TEST_CASE("merge_channels: the same bits for every order of ranks; ranks without numbers take part") {
  statistics parts(8);
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (std::size_t k = 0; k < 8; ++k)
    if (k != 2 && k != 5) parts[k] = {double(1 + random() % 100), normal(random), std::abs(normal(random))};
  hone::channel_statistics chain;
  for (auto const& p : parts) chain.merge(p);
  on_ranks(8, [&](auto const& ranks) {
    const auto r = std::size_t(ranks.rank());
    statistics one{parts[r]}, other{parts[(r + 3) % 8]}, nothing(1);
    hone::merge_channels(ranks, one), hone::merge_channels(ranks, other), hone::merge_channels(ranks, nothing);
    CHECK(same(one, other));
    CHECK(one[0].count == chain.count);
    CHECK(one[0].mean == doctest::Approx(chain.mean).epsilon(1e-14));
    CHECK(one[0].m2 == doctest::Approx(chain.m2).epsilon(1e-14));
    CHECK(nothing[0].count == 0);
    CHECK(nothing[0].m2 == 0);
  });
}

TEST_CASE("a number that is not finite is NaN in its channel on all ranks, and in no other") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    on_ranks(2, [&](auto const& ranks) {
      const layer<float, hone::image_view> whole{
          2, 3, {1, bad, 2, 1, 2, 3, 4, 5, 6, 4, 5, 7}, std::vector<float>(12, 1), {1, 1}, {0, 0}};
      const auto part = whole.run(ranks, {2, 2, 0}, 1);
      const std::size_t at = ranks.rank() == 0 ? 0 : 6;
      CHECK(std::isnan(part.of[0].m2));
      CHECK(std::isnan(part.y[at]));
      CHECK(std::isnan(part.dx[at]));
      CHECK(std::isfinite(part.y[at + 3]));
      CHECK(std::isfinite(part.dx[at + 3]));
    });
}

TEST_CASE("fault 23: statistics weigh ranks by their counts, and buffers are the same on all ranks") {
  // Rank 0 has three rows of mean 2, rank 1 one row of 6: the mean is 3, not 4; the variance 18 / 4, unbiased 18 / 3.
  on_ranks(2, [](auto const& ranks) {
    const std::vector<float> x = ranks.rank() == 0 ? std::vector<float>{0, 3, 3} : std::vector<float>{6};
    statistics all(1);
    hone::measure_channels(hone::cpu(1), ranks, hone::matrix_view{x.data(), index(x.size()), 1}, all);
    CHECK(all[0].mean == 3);
    CHECK(all[0].m2 == 18);
    std::vector<float> mean{0}, variance{0}, own_mean{0}, own_variance{0};
    hone::update_running<float>(all, mean, variance, 0.5);
    CHECK(mean[0] == 1.5f);
    CHECK(variance[0] == 3);
    const hone::tensor_list<float> buffers{{mean.data(), 1}, {variance.data(), 1}};
    hone::ema_state<float> shadow(buffers);
    shadow.copy_only(0), shadow.copy_only(1);
    hone::require_equal_replicas(hone::cpu(1), ranks, shadow);
    // The statistics of each rank alone make the buffers of averages differ, and the check tells.
    statistics own(1);
    hone::measure_channels(hone::cpu(1), hone::self(), hone::matrix_view{x.data(), index(x.size()), 1}, own);
    hone::update_running<float>(own, own_mean, own_variance, 0.5);
    const hone::ema_state<float> other(hone::tensor_list<float>{{own_mean.data(), 1}});
    CHECK(error_of([&] { hone::require_equal_replicas(hone::cpu(1), ranks, other); }) ==
          "require_equal_replicas: tensor 0 on rank 1 of 2 differs from that on rank 0");
  });
}

TEST_CASE("batch_norm: an argument that is not valid on one rank is an error of all, and nothing is written") {
  on_ranks(2, [](auto const& ranks) {
    const hone::cpu cpu(1);
    const bool wrong = ranks.rank() == 1;
    std::vector<float> x(12, 1), y(12, 7), scale(2, 1), few(1, 1);
    statistics all(2), none;
    const hone::image_view<const float> images{x.data(), 2, 2, 3};
    const hone::image_view<float> to{y.data(), 2, 2, 3};
    const auto call = [&](auto const& f) {
      const std::string error = error_of(f);
      INFO(error);
      CHECK((wrong ? error.starts_with("batch_norm") && !error.ends_with("failed")
                   : error.ends_with(": rank 1 of 2 failed")));
      CHECK(y[0] == 7);
      CHECK(all[0].count == 0);
    };
    call([&] { hone::batch_norm(cpu, ranks, images, {wrong ? few : scale, scale}, all, to); });
    call([&] { hone::batch_norm(cpu, ranks, images, {scale, scale, wrong ? -1.0 : 1e-5}, all, to); });
    call([&] { hone::batch_norm(cpu, ranks, images, {scale, scale}, wrong ? none : all, to); });
    call([&] {
      hone::batch_norm_backward(cpu, ranks, images, {scale, scale}, all, images,
                                wrong ? hone::image_view<float>{y.data(), 1, 2, 3} : to);
    });
    std::vector<float> more(18);
    statistics three(3);
    const std::string error = error_of([&] {
      if (wrong)
        hone::measure_channels(cpu, ranks, hone::image_view<const float>{more.data(), 2, 3, 3}, three);
      else
        hone::measure_channels(cpu, ranks, images, all);
    });
    CHECK(error == "measure_channels: the ranks have different numbers of channels, x has " +
                       std::string(wrong ? "3" : "2") + " here");
    statistics half{{0.5, 0, 0}};
    if (wrong) half[0].count = 1;
    CHECK(error_of([&] { hone::merge_channels(ranks, half); }) ==
          (wrong ? "merge_channels: rank 0 of 2 failed"
                 : "merge_channels: count is 0.5, must be a whole number in [0, 2^53]"));
  });
}

TEST_CASE("update_running: sizes, momentum, and channels without numbers") {
  statistics of{{0, 0, 0}, {1, 4, 0}};
  std::vector<double> mean{1, 2}, variance{3, 4}, one(1);
  hone::update_running<double>(of, mean, variance, 0.25);
  CHECK(mean == std::vector<double>{1, 2.5});
  CHECK(variance == std::vector<double>{3, 3});
  CHECK(error_of([&] { hone::update_running<double>(of, one, variance); }) ==
        "update_running: means has 1 numbers for 2 channels");
  CHECK(error_of([&] { hone::update_running<double>(of, mean, variance, 1.5); }) ==
        "update_running: momentum is 1.5, must be in [0, 1]");
}

}  // namespace
