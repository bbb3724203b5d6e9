// SPDX-License-Identifier: MIT
// evaluate over ranks on CUDA, over the simulation of NCCL in nccl_of_threads.hpp: the same bits for any number of
// ranks and any cut of the rows.
#include <hone/adapt/nccl.cuh>
#include <hone/cuda/distributed/evaluate.cuh>

#include <doctest/doctest.h>
#include <cuda/device.cuh>
#include <cuda/distributed/batches.hpp>
#include <cuda/distributed/nccl_of_threads.hpp>
#include <distributed/rows_of_ranks.hpp>

#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

namespace {

using batches::batch;
using batches::rows_at;
using hone::index;

std::size_t size(index n) { return static_cast<std::size_t>(n); }

template <class T>
std::vector<T> part(std::vector<T> const& of, index from, index count) {
  return {of.begin() + from, of.begin() + from + count};
}

/// Numbers on the device, behind `gap` others: they are then aligned to no more than their size.
template <class T>
class shifted {
 public:
  shifted(std::vector<T> numbers, index gap) : gap_(gap), all_(with_gap(std::move(numbers), gap)) {}

  T* data() const { return all_.data() + gap_; }
  std::vector<T> host() const {
    const std::vector<T> all = all_.host();
    return {all.begin() + gap_, all.end()};
  }

 private:
  static std::vector<T> with_gap(std::vector<T> numbers, index gap) {
    numbers.insert(numbers.begin(), size(gap), T());
    return numbers;
  }

  index gap_;
  device::buffer<T> all_;
};

/// Some rows of a batch on the device, and what evaluate writes.
template <class T>
struct rows_of_device {
  using A = hone::accumulator_t<T>;

  some_rows at;
  index columns;
  shifted<T> z, teacher, dense, gradient;
  device::buffer<int> labels;
  device::buffer<float> row_weights, class_weights;
  shifted<A> unreduced;
  device::buffer<A> value;

  rows_of_device(batch<T> const& b, some_rows r, index losses_of_row, index gap = 0)
      : at(r),
        columns(b.columns),
        z(part(b.z, r.from * b.columns, r.count * b.columns), gap),
        teacher(part(b.teacher, r.from * b.columns, r.count * b.columns), gap),
        dense(part(b.dense, r.from * b.columns, r.count * b.columns), gap),
        gradient(std::vector<T>(size(r.count * b.columns), static_cast<T>(7.0f)), gap),
        labels(part(b.labels, r.from, r.count)),
        row_weights(part(b.row_weights, r.from, r.count)),
        class_weights(b.class_weights),
        unreduced(std::vector<A>(size(r.count * losses_of_row), A(7)), gap),
        value(std::vector<A>{A(7)}) {}

  rows_at<T> rows() const {
    return {at.count,     columns,       z.data(),           teacher.data(),
            dense.data(), labels.data(), row_weights.data(), class_weights.data()};
  }
  hone::outputs<T> out() const {
    return {.gradient = {gradient.data(), at.count, columns}, .unreduced = unreduced.data(), .value = value.data()};
  }
};

template <class T>
bool same_bytes(std::vector<T> const& part, std::vector<T> const& whole, index from) {
  return std::memcmp(part.data(), whole.data() + from, part.size() * sizeof(T)) == 0;
}

/// Checks that ranks get the bits of a single device. Returns its value and gradient.
template <class T, class ObjectiveOf>
void check_bits(batch<T> const& b, ObjectiveOf const& objective_of, hone::reduction how, int first_way = 0,
                int ways = ways_to_cut) {
  using A = hone::accumulator_t<T>;
  const index of_row = ObjectiveOf::of_elements ? b.columns : 1;
  const auto evaluate = [&](auto const& ranks, rows_of_device<T> const& r, hone::rank_gradients gradients) {
    const device::stream stream;
    hone::cuda gpu(stream);
    hone::evaluate(gpu, objective_of(r.rows()), r.rows().view(r.z.data()), r.out(),
                   hone::over_ranks(ranks, how, gradients));
    stream.wait();
  };
  const rows_of_device<T> all(b, {0, b.rows}, of_row);
  evaluate(hone::device_self(), all, hone::rank_gradients::summed);
  const std::vector<T> gradient = all.gradient.host();
  const std::vector<A> unreduced = all.unreduced.host();
  const A value = all.value.host()[0];
  CHECK(std::isfinite(value));

  // The ordinary evaluate, whose sums are rounded.
  const rows_of_device<T> ordinary(b, {0, b.rows}, of_row);
  device::conformance::evaluate(objective_of(ordinary.rows()), ordinary.rows().view(ordinary.z.data()), ordinary.out(),
                                how);
  CHECK(value == doctest::Approx(ordinary.value.host()[0]).epsilon(std::is_same_v<A, double> ? 1e-13 : 1e-6));
  CHECK(same_bytes(unreduced, ordinary.unreduced.host(), 0));
  if (!ObjectiveOf::divides_by_weights) CHECK(same_bytes(gradient, ordinary.gradient.host(), 0));
  if constexpr (std::is_same_v<T, float>) {
    std::vector<float> of_cpu;
    CHECK(value == doctest::Approx(batches::on_cpu(objective_of, b, how, of_cpu)).epsilon(1e-5));
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < of_cpu.size(); ++i) {
      worst = std::max(worst, std::abs(double(of_cpu[i]) - double(gradient[i])));
      largest = std::max(largest, std::abs(double(of_cpu[i])));
    }
    CHECK(worst <= 1e-5 * largest);
  }

  for (const int n : {1, 2, 3, 4})
    for (int way = first_way; way < first_way + ways; ++way)
      nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
        const hone::nccl ranks(communicator);
        // Where a thread has whole rows, elements or boxes, it does not matter how they are aligned.
        const index gap = ObjectiveOf::of_elements || b.columns < 12 ? ranks.rank() % 2 : 0;
        const rows_of_device<T> mine(b, rows_of_rank(way, ranks.rank(), n, b.rows), of_row, gap);
        const auto check = [&] {
          const A its = mine.value.host()[0];
          CHECK(std::memcmp(&its, &value, sizeof(A)) == 0);
          CHECK(same_bytes(mine.unreduced.host(), unreduced, mine.at.from * of_row));
        };
        evaluate(ranks, mine, hone::rank_gradients::summed);
        check();
        CHECK(same_bytes(mine.gradient.host(), gradient, mine.at.from * b.columns));
        CHECK(nccl_of_threads::collectives(communicator) == 2);
        evaluate(ranks, mine, hone::rank_gradients::averaged);
        check();
        const std::vector<T> averaged = mine.gradient.host();
        double worst = 0;  // W times the gradient
        for (std::size_t i = 0; i < averaged.size(); ++i) {
          const double one = static_cast<double>(static_cast<A>(gradient[size(mine.at.from * b.columns) + i]));
          worst = std::max(
              worst, std::abs(static_cast<double>(static_cast<A>(averaged[i])) - n * one) / (n + n * std::abs(one)));
        }
        CHECK(worst <= (sizeof(T) == 2 ? 0.005 : n == 3 ? 3e-7 : 0));
      });
}

/// The pixels of images, which are cut between images.
void check_images(index images, index channels, index pixels) {
  const batch<float> b(images * pixels, channels);
  float whole = 0;
  std::vector<float> whole_gradient;
  for (const int n : {1, 2, 3})
    nccl_of_threads::on_ranks(n, [&](ncclComm_t communicator) {
      const hone::nccl ranks(communicator);
      const device::stream stream;
      hone::cuda gpu(stream);
      const some_rows r = rows_of_rank(2, ranks.rank(), n, images);
      const index numbers = pixels * channels;
      const device::buffer<float> z(part(b.z, r.from * numbers, r.count * numbers)), gradient(z.size()), value(1);
      const device::buffer<int> labels(part(b.labels, r.from * pixels, r.count * pixels));
      hone::evaluate(gpu, hone::cross_entropy(hone::classes(labels, {.ignore = -100})),
                     hone::image_view<const float>{z.data(), r.count, channels, pixels},
                     {.gradient = {gradient.data(), r.count, channels, pixels}, .value = value.data()},
                     hone::over_ranks(ranks, hone::mean, hone::rank_gradients::summed));
      ranks.wait(stream, std::chrono::seconds(60));
      if (n == 1) whole = value.host()[0], whole_gradient = gradient.host();
      CHECK(std::memcmp(value.host().data(), &whole, sizeof whole) == 0);
      CHECK(same_bytes(gradient.host(), whole_gradient, r.from * numbers));
    });
}

}  // namespace

TEST_CASE("losses of rows have the same bits for any number of ranks and any cut, in every kernel") {
  check_bits(batch<float>(53, 5), batches::smoothed(), hone::mean);
  check_bits(batch<float>(53, 5), batches::smoothed(), hone::element_mean, 2, 1);
  check_bits(batch<float>(300, 3), batches::smoothed(), hone::sum, 2, 1);  // several blocks
  check_bits(batch<float>(70, 100), batches::smoothed(), hone::mean, 1, 2);
  check_bits(batch<float>(6, 1100), batches::smoothed(), hone::mean, 2, 1);
  check_bits(batch<float>(5, 9000), batches::smoothed(), hone::mean, 2, 1);
  check_bits(batch<float>(3, 33000), batches::smoothed(), hone::mean, 0, 1);
  check_bits(batch<double>(45, 7), batches::smoothed(), hone::mean, 2, 1);
  check_bits(batch<__half>(45, 7), batches::smoothed(), hone::mean, 2, 1);
}

TEST_CASE("losses of rows: weights, several terms, each with its divisor") {
  check_bits(batch<float>(53, 10), batches::three_terms(), hone::mean);
  check_bits(batch<float>(20, 100), batches::three_terms(), hone::batch_mean, 2, 1);
}

TEST_CASE("losses of elements have the same bits") {
  check_bits(batch<float>(53, 8), batches::focal(), hone::mean);         // read 4 at a time
  check_bits(batch<float>(53, 7), batches::focal(), hone::mean, 2, 2);   // in one line, or number by number
  check_bits(batch<float>(9, 1500), batches::focal(), hone::sum, 2, 1);  // many blocks
  check_bits(batch<double>(20, 9), batches::focal(), hone::mean, 2, 1);
  check_bits(batch<__half>(40, 45), batches::focal(), hone::mean, 2, 1);
  check_bits(batch<float>(50, 20), batches::two_of_elements(), hone::mean, 2, 2);
  check_bits(batch<float>(50, 20), batches::two_of_elements(), hone::batch_mean, 2, 1);
}

TEST_CASE("losses of boxes have the same bits, also beside boxes that are not valid") {
  batch<float> b(401, 4);
  b.make_boxes();
  check_bits(b, batches::boxes(), hone::mean);
  check_bits(b, batches::boxes(), hone::element_mean, 2, 1);
  batch<__half> h(151, 4);
  h.make_boxes();
  check_bits(h, batches::boxes(), hone::mean, 2, 1);
}

TEST_CASE("pixels of images have the same bits") {
  check_images(7, 5, 37);    // tiles
  check_images(3, 600, 40);  // a thread per pixel
}

#if defined(CUDASIM)
TEST_CASE("over ranks the numbers are read and written as often as without them") {
  const auto bytes_of = [](auto const& b, auto const& objective_of, auto const&... how) {
    const rows_of_device<float> r(b, {0, b.rows}, objective_of.of_elements ? b.columns : 1);
    const device::stream stream;
    hone::cuda gpu(stream);
    gpu.reserve(std::size_t(1) << 16);
    stream.wait();
    cudasim_counters_reset();
    hone::evaluate(gpu, objective_of(r.rows()), r.rows().view(r.z.data()), r.out(), how...);
    stream.wait();
    cudasim_counters all{};
    cudasim_counters_get("", &all);
    MESSAGE("launches ", all.launches, ", bytes ", all.global_load_bytes + all.global_store_bytes, ", instructions ",
            all.instructions, ", atomics ", all.global_atomics);
    return double(all.global_load_bytes + all.global_store_bytes);
  };
  const auto how = hone::over_ranks(hone::device_self(), hone::mean, hone::rank_gradients::summed);
  const auto check = [&](auto const& b, auto const& objective_of) {
    CHECK(bytes_of(b, objective_of, how) <= 1.02 * bytes_of(b, objective_of) + 4096);
  };
  check(batch<float>(20000, 10), batches::smoothed());
  check(batch<float>(2000, 200), batches::smoothed());
  check(batch<float>(2000, 80), batches::focal());
}
#endif
