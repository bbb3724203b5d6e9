// SPDX-License-Identifier: MIT
// Losses whose classes are cut over devices, over the simulation of NCCL in nccl_of_threads.hpp, against hone::cpu on
// whole rows.
#include <hone/adapt/nccl.cuh>
#include <hone/cuda/distributed/class_parallel.cuh>

#include <doctest/doctest.h>
#include <cuda/device.cuh>
#include <cuda/distributed/class_parallel_cases.hpp>
#include <cuda/distributed/nccl_of_threads.hpp>
#include <distributed/class_parallel_values.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace {

namespace values = class_parallel_values;
using class_parallel::objective;
using support::error_of;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The classes of a rank.
struct piece {
  hone::index first, columns;
};
/// Cuts K classes over ranks: unevenly, so that later ranks have more and the first ones may have none, or evenly.
piece cut(bool evenly, hone::index K, int ranks, int rank) {
  const auto at = [&](hone::index r) { return evenly ? K * r / ranks : K * r * r / (hone::index(ranks) * ranks); };
  return {at(rank), at(rank + 1) - at(rank)};
}

template <class T>
double as_double(T x) {
  return static_cast<double>(static_cast<hone::accumulator_t<T>>(x));
}
template <class T>
std::vector<T> rounded(std::vector<double> const& x) {
  std::vector<T> to;
  for (const double v : x) to.push_back(static_cast<T>(static_cast<hone::accumulator_t<T>>(v)));
  return to;
}
template <class T>
std::vector<double> as_doubles(std::vector<T> const& x) {
  std::vector<double> to;
  for (const T v : x) to.push_back(as_double(v));
  return to;
}

/// The columns of a rank: in place, between those of other ranks, or packed.
template <class T>
std::vector<T> columns_of(std::vector<T> const& whole, hone::index K, piece p) {
  std::vector<T> to;
  for (std::size_t i = 0; i < whole.size(); i += std::size_t(K))
    to.insert(to.end(), whole.begin() + hone::index(i) + p.first, whole.begin() + hone::index(i) + p.first + p.columns);
  return to;
}
template <class T>
hone::matrix_view<T> view_of(device::buffer<T> const& memory, hone::index rows, hone::index K, piece p, bool in_place) {
  if (in_place) return {memory.data() + p.first, rows, p.columns, K};
  return {memory.data(), rows, p.columns};
}

/// Numbers of a batch on the host.
struct batch {
  hone::index rows, K;
  std::vector<double> z, t, lambda, row_weights, class_weights, margins;
  std::vector<int> labels, second, some;

  batch(hone::index rows_, hone::index K_) : rows(rows_), K(K_), labels(support::labels(rows, K)) {
    const auto n = static_cast<std::size_t>(rows);
    for (hone::index i = 0; i < rows * K; ++i) z.push_back(support::noise(i)), t.push_back(0.7 * support::noise(i + 5));
    for (std::size_t i = 0; i < n; ++i) {
      second.push_back((labels[i] * 3 + 1) % int(K)), some.push_back(i % 3 == 0 ? -100 : labels[i]);
      lambda.push_back(double(i % 5) / 4), row_weights.push_back(double(i % 4));
    }
    for (int c = 0; c < int(K); ++c) class_weights.push_back(0.25 * (1 + c % 7)), margins.push_back(0.1 * (c % 5));
  }
  /// The numbers that a device has if its type is T.
  template <class T>
  void round() {
    z = as_doubles(rounded<T>(z)), t = as_doubles(rounded<T>(t));
  }
  class_parallel::inputs<double> inputs() const {
    return {labels, second, some, lambda, row_weights, class_weights, margins, {t.data(), rows, K}};
  }
};
/// The same on a device.
template <class T>
struct device_batch {
  device::buffer<int> labels, second, some;
  device::buffer<double> lambda, row_weights, class_weights, margins;
  device::buffer<T> z, t;

  device_batch(batch const& b, piece p, bool in_place)
      : labels(b.labels),
        second(b.second),
        some(b.some),
        lambda(b.lambda),
        row_weights(b.row_weights),
        class_weights(b.class_weights),
        margins(b.margins),
        z(in_place ? rounded<T>(b.z) : columns_of(rounded<T>(b.z), b.K, p)),
        t(in_place ? rounded<T>(b.t) : columns_of(rounded<T>(b.t), b.K, p)) {}

  class_parallel::inputs<T> inputs(hone::matrix_view<T> teacher) const {
    return {{labels.data(), labels.size()},
            {second.data(), second.size()},
            {some.data(), some.size()},
            {lambda.data(), lambda.size()},
            {row_weights.data(), row_weights.size()},
            {class_weights.data(), class_weights.size()},
            {margins.data(), margins.size()},
            teacher};
  }
};

/// What a rank got.
template <class A>
struct seen {
  A value;
  std::vector<A> losses;
};
template <class A>
bool same_bits(std::vector<A> const& a, std::vector<A> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(A)) == 0;
}

/// Evaluates on n ranks, and compares with `expected` where the rank has columns. Budgets: `ulp` units of the last
/// place of the arithmetic, at the size of the largest gradient, and of `scale` or the loss; one unit of a 16-bit
/// gradient more.
template <class T, objective Which>
void compare(int n, bool evenly, batch const& b, class_parallel::results const& expected,
             hone::reduction how = hone::mean, double ulp = 16, double scale = 1) {
  using A = hone::accumulator_t<T>;
  const double unit = static_cast<double>(std::numeric_limits<A>::epsilon());
  double largest = 0;
  for (const double g : expected.gradient) largest = std::isfinite(g) ? std::max(largest, std::abs(g)) : largest;
  const auto apart = [&](double x, double y, double size) {
    if (x == y || (std::isnan(x) && std::isnan(y))) return 0.0;
    return std::isfinite(x - y) ? std::abs(x - y) / (unit * size) : infinity;
  };
  const double narrow = sizeof(T) < sizeof(A) ? (std::is_same_v<T, __half> ? 0x1p-10 : 0x1p-7) : 0;
  std::vector<seen<A>> all(static_cast<std::size_t>(n));
  nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
    const hone::nccl ranks(communicator);
    const device::stream stream;
    hone::cuda gpu(stream);
    const piece p = cut(evenly, b.K, n, ranks.rank());
    const bool in_place = evenly;
    const device_batch<T> mine(b, p, in_place);
    const device::buffer<T> g(std::vector<T>(mine.z.size(), T(7.0f)));
    const device::buffer<A> losses(std::vector<A>(std::size_t(b.rows), A(7))), value(std::vector<A>{7});
    const auto view = [&](device::buffer<T> const& of) { return view_of(of, b.rows, b.K, p, in_place); };
    hone::evaluate(gpu, class_parallel::make<Which>(mine.inputs(view(mine.t))),
                   hone::class_shard{view(mine.z), p.first, b.K, ranks}, {view(g), losses.data(), value.data()}, how);
    ranks.wait(stream, std::chrono::seconds(60));
    all[std::size_t(ranks.rank())] = {value.host()[0], losses.host()};
    INFO("objective ", int(Which), ", classes ", b.K, ", ranks ", n, ", rank ", ranks.rank());
    const std::vector<T> gradient = g.host();
    double worst = 0, worst_loss = 0;
    bool outside = false;
    for (hone::index i = 0; i < b.rows; ++i) {
      const double l = all[std::size_t(ranks.rank())].losses[std::size_t(i)], e = expected.losses[std::size_t(i)];
      worst_loss = std::max(worst_loss, apart(l, e, std::max(scale, std::abs(e))));
      for (hone::index c = 0; c < (in_place ? b.K : p.columns); ++c) {
        const bool here = !in_place || (c >= p.first && c < p.first + p.columns);
        const double x = as_double(gradient[std::size_t(i * (in_place ? b.K : p.columns) + c)]);
        if (!here) {
          outside = outside || x != 7;
          continue;
        }
        const double y = expected.gradient[std::size_t(i * b.K + c + (in_place ? 0 : p.first))];
        if (std::abs(x - y) > narrow * std::abs(y) || narrow == 0) worst = std::max(worst, apart(x, y, largest));
      }
    }
    CHECK(worst_loss <= ulp);
    CHECK(worst <= ulp);
    CHECK(!outside);
    const double v = all[std::size_t(ranks.rank())].value;
    CHECK(apart(v, expected.value, std::max(scale, std::abs(expected.value))) <= ulp);
    CHECK(nccl_of_threads::collectives(communicator) >= 2);
  });
  for (seen<A> const& of_rank : all) {
    CHECK(same_bits<A>({of_rank.value}, {all[0].value}));
    CHECK(same_bits(of_rank.losses, all[0].losses));
  }
}

template <class T, objective Which>
void compare_all(hone::reduction how = hone::mean, double ulp = 16) {
  for (const hone::index K : {5, 40, 2600}) {
    batch b(K == 2600 ? 3 : 19, K);
    b.round<T>();
    const auto expected = class_parallel::whole(Which, b.z, K, b.inputs(), how);
    for (const int n : {1, 2, 3, 4})
      for (const bool evenly : {true, false}) compare<T, Which>(n, evenly, b, expected, how, ulp);
  }
}

/// What a call on this rank's packed columns gives.
struct outcome {
  float value = 7;
  std::vector<float> losses, gradient;
};
/// A rank with logits of a batch, of which it has the columns of a piece.
struct shard_of_batch {
  hone::nccl ranks;
  device::stream stream;
  hone::cuda gpu{stream};
  device::buffer<float> z, gradient, losses, value;
  hone::index rows, K;
  piece p;

  shard_of_batch(ncclComm_t communicator, std::vector<double> const& logits, hone::index K_, piece p_)
      : ranks(communicator),
        z(columns_of(rounded<float>(logits), K_, p_)),
        gradient(std::vector<float>(z.size(), 7)),
        losses(std::vector<float>(logits.size() / std::size_t(K_), 7)),
        value(std::vector<float>{7}),
        rows(hone::index(losses.size())),
        K(K_),
        p(p_) {}

  hone::matrix_view<float> view(device::buffer<float> const& of) const { return {of.data(), rows, p.columns}; }
  auto shard() const { return hone::class_shard{view(z), p.first, K, ranks}; }
  hone::outputs<float> outputs() const { return {view(gradient), losses.data(), value.data()}; }
  outcome see() const {
    ranks.wait(stream, std::chrono::seconds(60));
    return {value.host()[0], losses.host(), gradient.host()};
  }
};

bool all_are(std::vector<float> const& x, float what) {
  return std::all_of(x.begin(), x.end(), [=](float v) { return std::isnan(what) ? std::isnan(v) : v == what; });
}
/// That a rank was told not to trust this call.
void check_refused(shard_of_batch const& mine) {
  const outcome seen = mine.see();
  CHECK(std::isnan(seen.value));
  CHECK(all_are(seen.losses, std::nanf("")));
  CHECK(all_are(seen.gradient, 0));
}
void check_untouched(shard_of_batch const& mine) {
  const outcome seen = mine.see();
  CHECK(seen.value == 7);
  CHECK(all_are(seen.losses, 7));
  CHECK(all_are(seen.gradient, 7));
}

std::vector<double> vector_of(auto const& table) { return {std::begin(table), std::end(table)}; }

}  // namespace

TEST_CASE("fault 17: smoothing over cut classes counts all 8 classes, and means all logits, on 1, 2, 3 and 4 devices") {
  const std::vector<double> z = vector_of(values::logits);
  const std::vector<int> y(std::begin(values::labels), std::end(values::labels));
  for (const int n : {1, 2, 3, 4})
    for (const bool evenly : {true, false})
      nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
        shard_of_batch mine(communicator, z, 8, cut(evenly, 8, n, hone::nccl(communicator).rank()));
        const device::buffer<int> labels(y);
        const device::buffer<double> weights(vector_of(values::class_weights));
        const auto target = hone::classes(std::span<const int>(labels.data(), 6), {.ignore = -100});
        const auto check = [&](auto const& objective, double mean, auto const& losses, auto const& gradient) {
          hone::evaluate(mine.gpu, objective, mine.shard(), mine.outputs());
          const outcome seen = mine.see();
          CHECK(seen.value == doctest::Approx(mean).epsilon(1e-6));
          for (std::size_t i = 0; i < 6; ++i) {
            CHECK(seen.losses[i] == doctest::Approx(losses[i]).epsilon(1e-6));
            for (std::size_t c = 0; c < std::size_t(mine.p.columns); ++c)
              CHECK(std::abs(seen.gradient[i * std::size_t(mine.p.columns) + c] -
                             gradient[8 * i + std::size_t(mine.p.first) + c]) <= 1e-7);
          }
        };
        check(hone::cross_entropy(target), values::plain_mean, values::plain_losses, values::plain_gradient);
        check(hone::cross_entropy(hone::smooth(target, 0.1)), values::smoothed_mean, values::smoothed_losses,
              values::smoothed_gradient);
        check(hone::cross_entropy(
                  hone::weigh_classes(hone::smooth(target, 0.1), std::span<const double>(weights.data(), 8))),
              values::weighed_mean, values::weighed_losses, values::weighed_gradient);
      });
}

TEST_CASE("fault 18: gathered logits give NaN and a gradient of 0 on every device, not loss + log(ranks)") {
  const batch b(5, 8);
  for (const int n : {2, 3, 4})
    for (const int how : {0, 1, 2})
      nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
        const int rank = hone::nccl(communicator).rank();
        piece p = cut(true, 8, n, rank);
        if (how == 0) p = {0, 8};
        if (how == 1 && rank == n - 1) --p.first, ++p.columns;  // the last two overlap
        if (how == 2 && rank == 0) --p.columns;                 // a class is on no rank
        shard_of_batch mine(communicator, b.z, 8, p);
        const device::buffer<int> labels(b.labels);
        const auto objective = hone::cross_entropy(hone::classes(std::span<const int>(labels.data(), 5)));
        hone::evaluate(mine.gpu, objective, mine.shard(), mine.outputs());
        check_refused(mine);
        if (how != 0) return;
        const piece right = cut(false, 8, n, rank);  // the next call is as good as ever
        shard_of_batch next(communicator, b.z, 8, right);
        hone::evaluate(next.gpu, objective, next.shard(), next.outputs());
        const outcome seen = next.see();
        CHECK(seen.value ==
              doctest::Approx(class_parallel::whole(objective::plain, b.z, 8, b.inputs(), hone::mean).value)
                  .epsilon(1e-6));
      });
}

TEST_CASE("fault 20: every device has p minus the label here, also where the label is elsewhere") {
  const batch b(6, 8);
  for (const int n : {1, 2, 3, 4})
    nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
      shard_of_batch mine(communicator, b.z, 8, cut(true, 8, n, hone::nccl(communicator).rank()));
      const device::buffer<int> labels(b.labels);
      hone::evaluate(mine.gpu, hone::cross_entropy(hone::classes(std::span<const int>(labels.data(), 6))), mine.shard(),
                     mine.outputs(), hone::sum);
      const outcome seen = mine.see();
      for (std::size_t i = 0; i < 6; ++i) {
        double sum = 0;
        for (std::size_t c = 0; c < 8; ++c) sum += std::exp(b.z[8 * i + c]);
        for (std::size_t c = 0; c < std::size_t(mine.p.columns); ++c) {
          const std::size_t k = c + std::size_t(mine.p.first);
          const double g = seen.gradient[i * std::size_t(mine.p.columns) + c];
          CHECK(g != 0);
          CHECK(g == doctest::Approx(std::exp(b.z[8 * i + k]) / sum - (b.labels[i] == int(k))).epsilon(1e-5));
        }
      }
    });
}

TEST_CASE("losses over cut classes equal those of whole rows") {
  compare_all<double, objective::plain>();
  compare_all<float, objective::plain>();
  compare_all<float, objective::smoothed_with_z>();
  compare_all<double, objective::weighed>(hone::sum);
  compare_all<float, objective::class_weights>();
  compare_all<float, objective::mixed>(hone::element_mean);
  compare_all<float, objective::probabilities>(hone::sum);
  compare_all<double, objective::knowledge>(hone::mean_over(12), 32);  // T² multiplies what is rounded
  compare_all<float, objective::distilled>(hone::mean, 32);
  compare_all<double, objective::reverse>(hone::mean, 32);
}

TEST_CASE("losses with later sweeps over cut classes equal those of whole rows") {
  compare_all<double, objective::focal>();
  compare_all<double, objective::poly1>();
  compare_all<float, objective::ldam>();
  compare_all<double, objective::jensen_shannon>(hone::mean, 32);
  compare_all<double, objective::decoupled>(hone::mean, 64);
  compare_all<double, objective::of_many>(hone::sum, 64);
}

TEST_CASE("cut logits of 16 bits") {
  compare_all<__half, objective::smoothed_with_z>();
  compare_all<__nv_bfloat16, objective::smoothed_with_z>();
  compare_all<__nv_bfloat16, objective::knowledge>();
}

TEST_CASE("a teacher close to the student is compared without cancellation on cut classes too") {
  batch b(7, 33);
  for (std::size_t i = 0; i < b.z.size(); ++i) b.t[i] = b.z[i] + 1e-6 * support::noise(hone::index(i) + 77);
  const auto expected = class_parallel::whole(objective::distilled, b.z, 33, b.inputs(), hone::mean);
  for (const int n : {1, 2, 3, 4}) compare<double, objective::distilled>(n, false, b, expected, hone::mean, 16, 1e-10);
}

TEST_CASE("masked, infinite and missing numbers on cut classes are those of whole rows") {
  batch b(6, 24);
  std::fill(b.labels.begin(), b.labels.end(), 13);
  std::vector<double>& z = b.z;
  for (std::size_t c = 0; c < 12; ++c) z[c] = -infinity;                       // the first shards of row 0
  for (std::size_t c = 14; c < 24; ++c) z[24 + c] = -infinity;                 // the last ones of row 1
  for (std::size_t c = 0; c < 24; ++c) z[48 + c] = c == 13 ? 2.0 : -infinity;  // all but the label's class
  z[72 + 3] = std::nan(""), z[96 + 20] = infinity;                             // rows 3 and 4
  for (std::size_t c = 0; c < 24; ++c) z[120 + c] = -infinity;                 // all of row 5
  for (const int n : {1, 2, 3, 4}) {
    compare<double, objective::plain>(n, false, b,
                                      class_parallel::whole(objective::plain, z, 24, b.inputs(), hone::mean));
    compare<double, objective::focal>(n, false, b,
                                      class_parallel::whole(objective::focal, z, 24, b.inputs(), hone::mean));
  }
}

TEST_CASE("two blocks of rows, whose messages have a stream of their own, in a graph too") {
  const batch b(2051, 6);
  const auto expected = class_parallel::whole(objective::smoothed_with_z, b.z, 6, b.inputs(), hone::mean);
  const auto with_focal = class_parallel::whole(objective::focal, b.z, 6, b.inputs(), hone::mean);
  for (const int n : {1, 3}) {
    compare<float, objective::smoothed_with_z>(n, false, b, expected);
    compare<double, objective::focal>(n, false, b, with_focal);
    nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
      shard_of_batch mine(communicator, b.z, 6, cut(false, 6, n, hone::nccl(communicator).rank()));
      const device::buffer<int> some(b.some);
      const auto objective = hone::cross_entropy(hone::smooth(
                                 hone::classes(std::span<const int>(some.data(), 2051), {.ignore = -100}), 0.1)) +
                             hone::z_loss(1e-3);
      hone::cuda& gpu = mine.gpu;
      device::stream const& stream = mine.stream;
      hone::nccl const& ranks = mine.ranks;
      const hone::matrix_view<float> logits = mine.view(mine.z), gradient = mine.view(mine.gradient);
      const hone::index first_class = mine.p.first, classes = 6;
      float *const losses = mine.losses.data(), *const value = mine.value.data();
      // [evaluate]
      const hone::class_shard shard{logits, first_class, classes, ranks};
      gpu.reserve(hone::workspace_bytes(objective, shard));
      const device::graph step(stream, [&] {
        hone::evaluate(gpu, objective, shard, {.gradient = gradient, .unreduced = losses, .value = value});
      });
      // [/evaluate]
      CHECK(nccl_of_threads::collectives(communicator) == 0);
      check_untouched(mine);
      step.launch();
      const outcome once = mine.see();
      CHECK(once.value == doctest::Approx(expected.value).epsilon(1e-6));
      step.launch();
      const outcome twice = mine.see();
      CHECK(same_bits<float>({once.value}, {twice.value}));
      CHECK(same_bits(once.losses, twice.losses));
      CHECK(same_bits(once.gradient, twice.gradient));
      CHECK(nccl_of_threads::collectives(communicator) == 8);
    });
  }
}

TEST_CASE("each output may be asked for alone, and has the same bits; the gradient may be the logits") {
  const batch b(21, 50);
  nccl_of_threads::on_ranks(3, [&](ncclComm_t communicator) {
    shard_of_batch mine(communicator, b.z, 50, cut(false, 50, 3, hone::nccl(communicator).rank()));
    const device::buffer<int> labels(b.labels);
    const auto objective =
        hone::cross_entropy(hone::smooth(hone::classes(std::span<const int>(labels.data(), 21)), 0.1));
    hone::evaluate(mine.gpu, objective, mine.shard(), mine.outputs());
    const outcome all = mine.see();
    const auto again = [&](hone::outputs<float> const& out) {
      device::bring(mine.value.data(), std::vector<float>{7}.data(), 1);
      device::bring(mine.losses.data(), std::vector<float>(21, 7).data(), 21);
      device::bring(mine.gradient.data(), std::vector<float>(mine.z.size(), 7).data(), mine.z.size());
      hone::evaluate(mine.gpu, objective, mine.shard(), out);
      return mine.see();
    };
    const outcome value = again({.value = mine.value.data()});
    CHECK(same_bits<float>({value.value}, {all.value}));
    CHECK(all_are(value.losses, 7));
    CHECK(all_are(value.gradient, 7));
    const outcome losses = again({.unreduced = mine.losses.data()});
    CHECK(losses.value == 7);
    CHECK(same_bits(losses.losses, all.losses));
    CHECK(all_are(losses.gradient, 7));
    const outcome gradient = again({.gradient = mine.view(mine.gradient)});
    CHECK(gradient.value == 7);
    CHECK(all_are(gradient.losses, 7));
    CHECK(same_bits(gradient.gradient, all.gradient));
    CHECK(all_are(again({}).gradient, 7));
    again({.gradient = mine.view(mine.z), .value = mine.value.data()});
    CHECK(same_bits(mine.z.host(), all.gradient));
  });
}

TEST_CASE("labels that are no class count as ignored, on every device alike, and are counted") {
  batch b(9, 8);
  std::vector<int> wrong = b.labels;
  wrong[2] = 8, wrong[5] = -3, wrong[7] = -100;
  b.some = wrong;
  for (const std::size_t i : {2, 5, 7}) b.some[i] = -100;
  const auto expected = class_parallel::whole(objective::smoothed_with_z, b.z, 8, b.inputs(), hone::mean);
  for (const int n : {1, 2, 4})
    nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
      shard_of_batch mine(communicator, b.z, 8, cut(false, 8, n, hone::nccl(communicator).rank()));
      const device::buffer<int> labels(wrong);
      const device::buffer<unsigned long long> counter(std::vector<unsigned long long>{0});
      mine.gpu.count_invalid_labels(counter.data());
      const auto target = hone::classes(std::span<const int>(labels.data(), 9), {.ignore = -100});
      hone::evaluate(mine.gpu, hone::cross_entropy(hone::smooth(target, 0.1)) + hone::z_loss(1e-3), mine.shard(),
                     mine.outputs());
      const outcome seen = mine.see();
      CHECK(counter.host()[0] == 2);
      CHECK(seen.value == doctest::Approx(expected.value).epsilon(1e-6));
      for (const std::size_t i : {2, 5, 7}) {
        CHECK(seen.losses[i] == 0);
        for (std::size_t c = 0; c < std::size_t(mine.p.columns); ++c)
          CHECK(seen.gradient[i * std::size_t(mine.p.columns) + c] == 0);
      }
    });
}

TEST_CASE("rows of nothing cost nothing") {
  const batch b(4, 8);
  nccl_of_threads::on_ranks(2, [&](ncclComm_t communicator) {
    shard_of_batch mine(communicator, b.z, 8, cut(true, 8, 2, hone::nccl(communicator).rank()));
    const device::buffer<int> labels(std::vector<int>(4, -1));
    const auto target = hone::classes(std::span<const int>(labels.data(), 4), {.ignore = -1});
    hone::evaluate(mine.gpu, hone::cross_entropy(target), mine.shard(), mine.outputs());
    const outcome seen = mine.see();
    CHECK(seen.value == 0);
    CHECK(all_are(seen.losses, 0));
    CHECK(all_are(seen.gradient, 0));
    const std::span<const int> none;
    const hone::matrix_view<float> nothing{mine.z.data(), 0, 4};
    hone::evaluate(mine.gpu, hone::cross_entropy(hone::classes(none)),
                   hone::class_shard{nothing, 4 * mine.ranks.rank(), 8, mine.ranks}, {.value = mine.value.data()});
    CHECK(mine.see().value == 0);
    CHECK(nccl_of_threads::collectives(communicator) == 2);
  });
}

TEST_CASE("a rank with a bad argument throws and writes nothing; the others do not wait, and do not train") {
  const batch b(4, 8);
  nccl_of_threads::on_ranks(3, [&](ncclComm_t communicator) {
    shard_of_batch mine(communicator, b.z, 8, cut(true, 8, 3, hone::nccl(communicator).rank()));
    const bool odd = mine.ranks.rank() == 1;
    const device::buffer<int> labels(b.labels);
    const auto labels_of = [&](std::size_t n) { return hone::classes(std::span<const int>(labels.data(), n)); };
    CHECK(error_of([&] {
            hone::evaluate(mine.gpu, hone::cross_entropy(labels_of(odd ? 3 : 4)), mine.shard(), mine.outputs());
          }) == (odd ? "evaluate: 3 labels for 4 rows" : ""));
    if (odd)
      check_untouched(mine);
    else
      check_refused(mine);
    CHECK(error_of([&] {
            hone::evaluate(mine.gpu, hone::softmax_focal_loss(labels_of(4)),
                           hone::class_shard{mine.view(mine.z), odd ? 7 : mine.p.first, 8, mine.ranks}, mine.outputs());
          }) == (odd ? "evaluate: a shard has classes [7, 10), must be in [0, 8)" : ""));
    if (!odd) check_refused(mine);
    CHECK(error_of([&] {  // a wrong number of classes is an error of that rank, whose messages are those of all
            hone::evaluate(mine.gpu, hone::cross_entropy(labels_of(4)),
                           hone::class_shard{mine.view(mine.z), mine.p.first, odd ? 4 : 8, mine.ranks}, mine.outputs());
          }) == (odd ? "evaluate: a shard has classes [2, 5), must be in [0, 4)" : ""));
    if (!odd) check_refused(mine);
    hone::evaluate(mine.gpu, hone::cross_entropy(labels_of(4)), mine.shard(), mine.outputs());
    CHECK(std::isfinite(mine.see().value));
    CHECK(nccl_of_threads::collectives(communicator) == 2 + 3 + 2 + 2);
  });
}

TEST_CASE("where ranks differ in labels, weights, factors, classes or reduction, none trains") {
  const batch b(4, 8);
  std::vector<int> other = b.labels;
  other[0] = 5;
  nccl_of_threads::on_ranks(2, [&](ncclComm_t communicator) {
    shard_of_batch mine(communicator, b.z, 8, cut(true, 8, 2, hone::nccl(communicator).rank()));
    const bool odd = mine.ranks.rank() == 1;
    const device::buffer<int> labels(b.labels), different(other);
    const device::buffer<float> weights(std::vector<float>{1, odd ? 2.0f : 1.0f, 1, 1});
    const auto objective = hone::cross_entropy(hone::classes(std::span<const int>(labels.data(), 4)));
    const auto call = [&](auto const& objective, hone::device_reduction const& how = hone::mean, hone::index K = 8) {
      hone::evaluate(mine.gpu, objective, hone::class_shard{mine.view(mine.z), mine.p.first, K, mine.ranks},
                     mine.outputs(), how);
    };
    call(hone::cross_entropy(hone::classes(std::span<const int>(odd ? different.data() : labels.data(), 4))));
    check_refused(mine);
    call(hone::weigh_rows(objective, std::span<const float>(weights.data(), 4)));
    check_refused(mine);
    call((odd ? 2 : 1) * objective);
    check_refused(mine);
    call(objective, hone::mean_over(odd ? 3 : 4));
    check_refused(mine);
    call(objective, hone::mean, odd ? 9 : 8);
    check_refused(mine);
    call(objective);
    CHECK(std::isfinite(mine.see().value));
  });
}

TEST_CASE("where ranks differ in rows, NCCL's error ends the wait") {
  const batch b(4, 8), longer(5, 8);
  CHECK_THROWS_AS(nccl_of_threads::on_ranks(2,
                                            [&](ncclComm_t communicator) {
                                              const bool odd = hone::nccl(communicator).rank() == 1;
                                              batch const& of = odd ? longer : b;
                                              shard_of_batch mine(communicator, of.z, 8, cut(true, 8, 2, odd));
                                              const device::buffer<int> labels(of.labels);
                                              hone::evaluate(mine.gpu,
                                                             hone::cross_entropy(hone::classes(std::span<const int>(
                                                                 labels.data(), std::size_t(mine.rows)))),
                                                             mine.shard(), mine.outputs());
                                              mine.ranks.wait(mine.stream, std::chrono::seconds(60));
                                            }),
                  hone::communicator_error);
}

TEST_CASE("a single device has all classes") {
  const batch b(4, 8);
  const device::stream stream;
  hone::cuda gpu(stream);
  const device::buffer<float> z(rounded<float>(b.z)), value(1);
  const device::buffer<int> labels(b.labels);
  const auto objective = hone::cross_entropy(hone::classes(std::span<const int>(labels.data(), 4)));
  const auto call = [&](hone::index columns) {
    hone::evaluate(
        gpu, objective,
        hone::class_shard{hone::matrix_view<const float>{z.data(), 4, columns, 8}, 0, 8, hone::device_self()},
        {.value = value.data()});
  };
  call(8);
  CHECK(value.host()[0] ==
        doctest::Approx(class_parallel::whole(objective::plain, b.z, 8, b.inputs(), hone::mean).value).epsilon(1e-6));
  CHECK(error_of([&] { call(7); }) == "evaluate: class 7 of 8 is on no rank: the shards must have each class once");
}
