// SPDX-License-Identifier: MIT
// evaluate over ranks on CUDA, over the simulation of NCCL in nccl_of_threads.hpp: divisors, the faults of others,
// ranks without rows, errors, graphs, and exact sums.
#include <hone/adapt/nccl.cuh>
#include <hone/cuda/distributed/evaluate.cuh>

#include <doctest/doctest.h>
#include <cuda/device.cuh>
#include <cuda/distributed/nccl_of_threads.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace {

using support::error_of;
using enum hone::rank_gradients;

constexpr double infinity = std::numeric_limits<double>::infinity();

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// What each rank of a test has: its place, and a device.
struct rank_of_test {
  hone::nccl ranks;
  ncclComm_t communicator;
  device::stream stream;
  hone::cuda gpu;

  explicit rank_of_test(ncclComm_t c) : ranks(c), communicator(c), gpu(stream) {}
  int rank() const { return ranks.rank(); }
  void wait() const { ranks.wait(stream, std::chrono::seconds(60)); }
};
template <class Body>
void on_ranks(int n, Body const& body) {
  nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
    rank_of_test mine(communicator);
    body(mine);
  });
}

/// A model of one weight: row i has the logits (0, 0), which come from x[i] times the weight and nothing else. With
/// label 0 its loss is log 2 and its gradient -x/2, with label 1 x/2.
struct tokens {
  std::vector<double> x;
  device::buffer<double> z, gradient, value;
  device::buffer<int> labels;

  explicit tokens(std::vector<double> const& x_) : tokens(x_, std::vector<int>(x_.size(), 0)) {}
  tokens(std::vector<double> const& x_, std::vector<int> const& labels_)
      : x(x_),
        z(std::vector<double>(2 * x.size(), 0)),
        gradient(std::vector<double>(2 * x.size(), 123)),
        value(std::vector<double>{123}),
        labels(labels_) {}

  hone::index rows() const { return static_cast<hone::index>(x.size()); }
  hone::matrix_view<const double> logits() const { return {z.data(), rows(), 2}; }
  hone::outputs<double> out() const { return {.gradient = {gradient.data(), rows(), 2}, .value = value.data()}; }
  auto loss() const { return hone::cross_entropy(hone::classes(labels, {.ignore = -100})); }
  double of_weight() const {
    const std::vector<double> g = gradient.host();
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += g[2 * i] * x[i];
    return sum;
  }
};

/// What a trainer makes of the gradients of its ranks.
double trained(rank_of_test const& mine, double gradient, hone::rank_gradients how) {
  const device::buffer<double> sum(std::vector<double>{gradient});
  mine.ranks.sum(sum.data(), 1, mine.stream);
  mine.wait();
  return how == averaged ? sum.host()[0] / mine.ranks.size() : sum.host()[0];
}

__global__ void add_numbers_kernel(double const* numbers, hone::index n, double unit, std::int64_t* words) {
  hone::on_cuda::exact_value sum(words, unit);
  const hone::index thread = hone::index(blockIdx.x) * blockDim.x + threadIdx.x;
  sum.each<1>(thread, n, hone::index(gridDim.x) * blockDim.x, [&](hone::index i) { return numbers[i]; });
  sum.finish();
}
__global__ void add_pieces_kernel(float const* numbers, hone::index n, std::int64_t* words) {
  hone::on_cuda::exact_value sum(words);
  const hone::index thread = hone::index(blockIdx.x) * blockDim.x + threadIdx.x;
  sum.each<1>(thread, n / 8, hone::index(gridDim.x) * blockDim.x, [&](hone::index i) {
    hone::on_cuda::separate_values<float, 8> piece;
    for (int j = 0; j < 8; ++j) piece.add(j, numbers[8 * i + j]);
    return piece;
  });
  sum.finish();
}

}  // namespace

TEST_CASE("fault 19: token-normalised terms use the count of all ranks (gradient 4, not 14/3)") {
  for (const auto how : {averaged, summed})
    on_ranks(2, [how](rank_of_test& mine) {
      const tokens t(mine.rank() == 0 ? std::vector<double>{-12} : std::vector<double>{-4, -6, -10});
      hone::evaluate(mine.gpu, t.loss(), t.logits(), t.out(), hone::over_ranks(mine.ranks, hone::mean, how));
      mine.wait();
      CHECK(trained(mine, t.of_weight(), how) == 4);
      hone::evaluate(mine.gpu, t.loss(), t.logits(), t.out(), hone::mean);
      mine.wait();
      CHECK(trained(mine, t.of_weight(), averaged) == doctest::Approx(14.0 / 3));
    });
}

TEST_CASE("fault 11: the value over ranks is the sum of losses over the sum of counts, no mean of means") {
  on_ranks(2, [](rank_of_test& mine) {
    // Losses log 2 on rank 0, and three times 1000 on rank 1, of whose rows one is ignored.
    const bool first = mine.rank() == 0;
    const device::buffer<double> z(first ? std::vector<double>{0, 0}
                                         : std::vector<double>{0, 1000, 0, 1000, 0, 1000, 5, 5}),
        value(std::vector<double>{0});
    const device::buffer<int> labels(first ? std::vector<int>{1} : std::vector<int>{0, 0, 0, -100});
    hone::evaluate(mine.gpu, hone::cross_entropy(hone::classes(labels, {.ignore = -100})),
                   hone::matrix_view<const double>{z.data(), hone::index(labels.size()), 2}, {.value = value.data()},
                   hone::over_ranks(mine.ranks, hone::mean, averaged));
    mine.wait();
    CHECK(value.host()[0] == doctest::Approx((3000 + std::log(2.0)) / 4).epsilon(1e-15));
  });
}

TEST_CASE("fault 13: each term of a sum keeps its own divisor") {
  for (const auto how : {averaged, summed})
    on_ranks(2, [how](rank_of_test& mine) {
      const tokens t({1, 1});
      const device::buffer<int> others(mine.rank() == 0 ? std::vector<int>{0, -100} : std::vector<int>{1, 1});
      const auto objective = t.loss() + 0.5 * hone::cross_entropy(hone::classes(others, {.ignore = -100}));
      const double times = how == averaged ? 2 : 1;
      const double first = -0.5 * times / 4, other = 0.25 * times / 3;
      const auto check = [&](auto const& reduction) {
        hone::evaluate(mine.gpu, objective, t.logits(), t.out(), reduction);
        mine.wait();
        CHECK(t.value.host()[0] == doctest::Approx(1.5 * std::log(2.0)).epsilon(1e-15));
        const std::vector<double> g = t.gradient.host();
        CHECK(g[0] == doctest::Approx(mine.rank() == 0 ? first - other : first + other).epsilon(1e-15));
        CHECK(g[2] == doctest::Approx(mine.rank() == 0 ? first : first + other).epsilon(1e-15));
      };
      check(hone::over_ranks(mine.ranks, hone::mean, how));
      CHECK(nccl_of_threads::collectives(mine.communicator) == 2);
      check(hone::over_ranks(mine.ranks, hone::rank_divisors<2>{{4, 3}}, how));  // summed before
      CHECK(nccl_of_threads::collectives(mine.communicator) == 3);
    });
}

TEST_CASE("fault 16: positives: the sum of all ranks, at least 1 after it, and every rank takes part") {
  for (const int n : {1, 2, 3, 4})
    on_ranks(n, [n](rank_of_test& mine) {
      // A detector's confidence: two anchors a rank, with logit 0 and target 0: each has loss log 2 and gradient 1/2.
      const device::buffer<double> z(std::vector<double>(2, 0)), targets(z.host()), gradient(2), value(1);
      const device::buffer<float> on_device(1);
      const auto confidence = [&](int positives, hone::rank_gradients how, bool counted_by_device) {
        const auto call = [&](auto const& reduction) {
          hone::evaluate(mine.gpu, hone::binary_cross_entropy(hone::matrix_view<const double>{targets.data(), 2, 1}),
                         hone::matrix_view<const double>{z.data(), 2, 1},
                         {.gradient = {gradient.data(), 2, 1}, .value = value.data()}, reduction.at_least(1));
        };
        const float count = static_cast<float>(positives);
        device::bring(on_device.data(), &count, 1);
        if (counted_by_device)
          call(hone::over_ranks(mine.ranks, hone::mean_over(hone::device_scalar(on_device.data())), how));
        else
          call(hone::over_ranks(mine.ranks, hone::mean_over(positives), how));
        mine.wait();
        return std::array{gradient.host()[0], value.host()[0]};
      };
      const double all = 2 * n * std::log(2.0);
      for (const bool counted : {false, true}) {
        // The last rank has 3 positives, all others have none.
        auto r = confidence(mine.rank() == n - 1 ? 3 : 0, averaged, counted);
        CHECK(r[0] == doctest::Approx(0.5 * n / 3).epsilon(1e-15));
        CHECK(r[1] == doctest::Approx(all / 3).epsilon(1e-15));
        // One positive in all: the divisor is 1, and not max(1 / W, 1) after a division.
        r = confidence(mine.rank() == 0 ? 1 : 0, averaged, counted);
        CHECK(r[0] == 0.5 * n);
        CHECK(r[1] == doctest::Approx(all).epsilon(1e-15));
        CHECK(confidence(mine.rank() == 0 ? 1 : 0, summed, counted)[0] == 0.5);
        // None anywhere: the divisor is 1, and not 1 on every rank.
        r = confidence(0, summed, counted);
        CHECK(r[0] == 0.5);
        CHECK(r[1] == doctest::Approx(all).epsilon(1e-15));
      }
    });
}

TEST_CASE("nothing to divide by: the value and the gradient are 0 for any logits") {
  on_ranks(2, [](rank_of_test& mine) {
    const device::buffer<double> z(std::vector<double>{infinity, 1, 2, 3}), gradient(4), value(1), unreduced(2);
    const device::buffer<int> ignored(std::vector<int>{-100, -100}), labels(std::vector<int>{0, 1});
    const auto check = [&](auto const& objective, hone::reduction how) {
      const double seven[] = {7, 7, 7, 7};
      device::bring(gradient.data(), seven, 4), device::bring(value.data(), seven, 1);
      hone::evaluate(mine.gpu, objective, hone::matrix_view<const double>{z.data(), 2, 2},
                     {.gradient = {gradient.data(), 2, 2}, .unreduced = unreduced.data(), .value = value.data()},
                     hone::over_ranks(mine.ranks, how, averaged));
      mine.wait();
      CHECK(gradient.host() == std::vector<double>(4, 0));
      CHECK(value.host()[0] == 0);
    };
    check(hone::cross_entropy(hone::classes(ignored, {.ignore = -100})), hone::mean);
    CHECK(unreduced.host() == std::vector<double>{0, 0});
    check(hone::cross_entropy(hone::classes(labels)), hone::mean_over(0));
    CHECK(unreduced.host()[1] == doctest::Approx(std::log1p(std::exp(-1.0))));
  });
}

TEST_CASE("a rank without rows, and without a column, takes part") {
  on_ranks(3, [](rank_of_test& mine) {
    const tokens t(mine.rank() == 1 ? std::vector<double>{1, 1} : std::vector<double>());
    const auto logits = mine.rank() == 0 ? hone::matrix_view<const double>{nullptr, 0, 0} : t.logits();
    const device::buffer<int> none(std::vector<int>{});
    for (const auto how : {hone::mean, hone::sum}) {
      hone::evaluate(mine.gpu, t.loss(), logits, {.value = t.value.data()},
                     hone::over_ranks(mine.ranks, how, averaged));
      mine.wait();
      CHECK(t.value.host()[0] == (how.how == hone::sum.how ? 2 : 1) * std::log(2.0));
    }
    CHECK(nccl_of_threads::collectives(mine.communicator) == 4);
  });
}

TEST_CASE("images: ranks may have images of different sizes") {
  double whole = 0;
  for (const int n : {1, 2, 3})
    on_ranks(n, [&](rank_of_test& mine) {
      // Rank r has r + 1 images of 5 classes; the pixels are those of the whole in any case: all have the same logits.
      const hone::index pixels = n == 1 ? 36 : n == 2 ? 12 : 6, images = mine.rank() + 1, rows = images * pixels;
      std::vector<float> z;
      for (hone::index i = 0; i < images; ++i)
        for (hone::index c = 0; c < 5; ++c) z.insert(z.end(), std::size_t(pixels), static_cast<float>(c) / 3);
      const device::buffer<float> logits(z), gradient(z.size()), value(1);
      const device::buffer<int> labels(std::vector<int>(std::size_t(rows), 2));
      hone::evaluate(mine.gpu, hone::cross_entropy(hone::classes(labels)),
                     hone::image_view<const float>{logits.data(), images, 5, pixels},
                     {.gradient = {gradient.data(), images, 5, pixels}, .value = value.data()},
                     hone::over_ranks(mine.ranks, hone::sum, summed));
      mine.wait();
      if (n == 1) whole = value.host()[0];
      CHECK(same_bits(value.host()[0], whole));
    });
}

TEST_CASE("NaN on one rank is NaN on all, an infinite loss is infinite on all") {
  on_ranks(4, [](rank_of_test& mine) {
    std::vector<double> z{0, 1, 2, 3};
    const device::buffer<double> logits(z), value(1);
    const device::buffer<int> labels(std::vector<int>{0, 1});
    const auto value_of = [&] {
      device::bring(logits.data(), z.data(), 4);
      hone::evaluate(mine.gpu, hone::cross_entropy(hone::classes(labels)),
                     hone::matrix_view<const double>{logits.data(), 2, 2}, {.value = value.data()},
                     hone::over_ranks(mine.ranks, hone::mean, averaged));
      mine.wait();
      return value.host()[0];
    };
    if (mine.rank() == 2) z[0] = -infinity;
    CHECK(value_of() == infinity);
    if (mine.rank() == 3) z[0] = std::numeric_limits<double>::quiet_NaN();
    CHECK(std::isnan(value_of()));
  });
}

TEST_CASE("a bad argument on one rank: it throws, and on the others the value is NaN and the gradient 0") {
  for (const int n : {1, 2, 4})
    on_ranks(n, [n](rank_of_test& mine) {
      const tokens t({1, 1});
      const bool wrong = mine.rank() == n - 1;
      const auto call = [&](hone::index rows_of_gradient, auto const& reduction, double* value) {
        return error_of([&] {
          hone::evaluate(mine.gpu, t.loss(), t.logits(),
                         {.gradient = {t.gradient.data(), rows_of_gradient, 2}, .value = value}, reduction);
        });
      };
      const auto how = hone::over_ranks(mine.ranks, hone::mean, averaged);
      const std::string error = call(wrong ? 1 : 2, how, t.value.data());
      CHECK(error == (wrong ? "evaluate: gradient is 1 x 2, prediction is 2 x 2" : ""));
      mine.wait();
      if (wrong) {
        CHECK(t.value.host()[0] == 123);
        CHECK(t.gradient.host() == std::vector<double>(4, 123));
      } else {
        CHECK(std::isnan(t.value.host()[0]));
        CHECK(t.gradient.host() == std::vector<double>(4, 0));
      }
      CHECK(call(2, how, t.value.data()) == "");  // the group is as it was
      mine.wait();
      CHECK(t.value.host()[0] == doctest::Approx(std::log(2.0)));
      CHECK(nccl_of_threads::collectives(mine.communicator) == 4);
      // Without a value there is one message.
      CHECK((call(wrong ? 1 : 2, how, nullptr) == "") == !wrong);
      mine.wait();
      CHECK(nccl_of_threads::collectives(mine.communicator) == 5);
      hone::exact_sum later;
      CHECK(call(2, how.into(later), nullptr) ==
            "evaluate: into is for hone::cpu; on hone::cuda leave outputs.value out");
      mine.wait();
    });
}

TEST_CASE("a captured call sums again at each replay, in the workspace that was reserved") {
  on_ranks(3, [](rank_of_test& mine) {
    const tokens t(std::vector<double>(std::size_t(mine.rank() + 1), 1));
    // [graph]
    const auto how = hone::over_ranks(mine.ranks, hone::mean, hone::rank_gradients::averaged);
    mine.gpu.reserve(hone::workspace_bytes(t.loss(), mine.ranks));
    const device::graph step(mine.stream, [&] { hone::evaluate(mine.gpu, t.loss(), t.logits(), t.out(), how); });
    // [/graph]
    CHECK(nccl_of_threads::collectives(mine.communicator) == 0);
    for (int turn = 0; turn < 3; ++turn) {
      std::vector<int> labels(t.x.size(), 0);
      if (turn > 0) labels[0] = -100;  // 6 rows count, then 3
      device::bring(t.labels.data(), labels.data(), labels.size());
      step.launch();
      mine.wait();
      CHECK(t.value.host()[0] == doctest::Approx(std::log(2.0)).epsilon(1e-15));
      CHECK(t.gradient.host()[0] == (turn == 0 ? -0.5 * (3 * (1.0 / 6)) : 0));
    }
    CHECK(nccl_of_threads::collectives(mine.communicator) == 6);
  });
}

TEST_CASE("the workspace of the caller is enough if it has workspace_bytes, and no less") {
  const device::stream stream;
  const tokens t({1, 2});
  const std::size_t bytes = hone::workspace_bytes(t.loss(), hone::device_self());
  const device::buffer<char> memory(bytes + 256);
  char* const aligned = memory.data() + (256 - reinterpret_cast<std::uintptr_t>(memory.data()) % 256) % 256;
  const auto how = hone::over_ranks(hone::device_self(), hone::mean, summed);
  hone::cuda enough(stream, aligned, bytes);
  hone::evaluate(enough, t.loss(), t.logits(), t.out(), how);
  stream.wait();
  CHECK(t.value.host()[0] == doctest::Approx(std::log(2.0)));
  hone::cuda less(stream, aligned, bytes - 1);
  CHECK_THROWS_AS(hone::evaluate(less, t.loss(), t.logits(), t.out(), how), hone::cuda_error);
}

TEST_CASE("labels that are no class are counted by the rank that has them, and count as ignored on all") {
  on_ranks(2, [](rank_of_test& mine) {
    const tokens t({1, 1}, mine.rank() == 0 ? std::vector<int>{0, 5} : std::vector<int>{0, 1});
    const device::buffer<unsigned long long> counter(std::vector<unsigned long long>{0});
    mine.gpu.count_invalid_labels(counter.data());
    hone::evaluate(mine.gpu, t.loss(), t.logits(), t.out(), hone::over_ranks(mine.ranks, hone::sum, summed));
    hone::evaluate(mine.gpu, t.loss(), t.logits(), t.out(), hone::over_ranks(mine.ranks, hone::mean, summed));
    mine.wait();
    CHECK(counter.host()[0] == (mine.rank() == 0 ? 2 : 0));
    CHECK(t.gradient.host()[0] == -0.5 * (1.0 / 3));
  });
}

TEST_CASE("the sum of a grid is exact: every magnitude, any number of blocks and of threads") {
  std::vector<double> numbers;
  const auto more = [&](int n, int lowest, int highest) {
    for (int i = 0; i < n; ++i)
      numbers.push_back(std::ldexp(support::noise(i), lowest + int(i * 37LL % (highest - lowest + 1))));
  };
  const auto check = [&] {
    const device::buffer<double> on_device(numbers);
    hone::exact_sum exact;
    for (const double x : numbers) exact.add(x);
    for (const auto [blocks, threads] : {std::array{1, 32}, {1, 512}, {3, 128}, {40, 256}})
      for (const double unit : {1.0, 1e-8, 0.0}) {
        const device::buffer<std::int64_t> words(std::vector<std::int64_t>(hone::detail::exact_words::count, 0));
        add_numbers_kernel<<<blocks, threads, 0, cudaStreamPerThread>>>(on_device.data(), hone::index(numbers.size()),
                                                                        unit, words.data());
        hone::on_cuda::check(cudaStreamSynchronize(cudaStreamPerThread), "cudaStreamSynchronize");
        CHECK(same_bits(hone::detail::exact_words::value(words.host().data()), exact.value()));
      }
  };
  check();  // no number
  more(150000, -20, 4);
  for (double& x : numbers) x = static_cast<double>(static_cast<float>(x));
  check();  // losses of float, many per thread
  numbers.clear();
  more(5000, -30, 10), check();      // losses of double
  more(3000, -500, 500), check();    // many rounds
  more(100, -1074, -1000), check();  // subnormal
  more(40, 1000, 1020), check();     // huge
  numbers.push_back(0x1p1023), numbers.push_back(0x1p1023), check();
  numbers.push_back(-infinity), check();
  numbers.push_back(infinity), check();
}

TEST_CASE("the sum of a grid is exact: pieces of 8 floats") {
  for (const int range : {1, 20, 250}) {
    std::vector<float> numbers;
    hone::exact_sum exact;
    for (int i = 0; i < 8 * 1003; ++i) {
      numbers.push_back(static_cast<float>(std::ldexp(support::noise(i), int(i * 37LL % range) - range / 2)));
      exact.add(static_cast<double>(numbers.back()));
    }
    const device::buffer<float> on_device(numbers);
    const device::buffer<std::int64_t> words(std::vector<std::int64_t>(hone::detail::exact_words::count, 0));
    add_pieces_kernel<<<2, 96, 0, cudaStreamPerThread>>>(on_device.data(), hone::index(numbers.size()), words.data());
    hone::on_cuda::check(cudaStreamSynchronize(cudaStreamPerThread), "cudaStreamSynchronize");
    CHECK(same_bits(hone::detail::exact_words::value(words.host().data()), exact.value()));
  }
}
