// SPDX-License-Identifier: MIT
// What the kernels of rows move, counted by the simulator: the shapes that performance is judged by, with fewer rows.
// Without the simulator there is nothing to count.
#include <hone/hone.cuh>

#include <cuda/device.cuh>

#include <doctest/doctest.h>

#include <cmath>
#include <type_traits>
#include <vector>

#if defined(CUDASIM)
#include <cudasim.h>

namespace {

template <class T>
struct rows_of_logits {
  hone::index rows, columns;
  device::buffer<T> z, taught, gradient;
  device::buffer<int> labels;
  device::buffer<float> value;
  device::stream stream;

  rows_of_logits(hone::index rows_, hone::index columns_)
      : rows(rows_),
        columns(columns_),
        z(numbers(1.3)),
        taught(numbers(0.7)),
        gradient(std::size_t(rows * columns)),
        labels(some_labels()),
        value(1) {}

  std::vector<T> numbers(double rate) const {
    std::vector<T> v;
    for (hone::index i = 0; i < rows * columns; ++i)
      v.push_back(static_cast<T>(4 * static_cast<float>(std::sin(rate * double(i)))));
    return v;
  }
  std::vector<int> some_labels() const {
    std::vector<int> v;
    for (hone::index i = 0; i < rows; ++i) v.push_back(static_cast<int>(i * 7 % columns));
    return v;
  }
  hone::matrix_view<const T> view(device::buffer<T> const& b) const { return {b.data(), rows, columns}; }

  /// The counters of the kernel that did the rows.
  template <class Objective>
  cudasim_counters count(const char* kernel, Objective const& objective) const {
    hone::cuda gpu(stream);
    gpu.reserve(hone::workspace_bytes(objective));
    stream.wait();
    cudasim_counters_reset();
    hone::evaluate(gpu, objective, view(z), {.gradient = {gradient.data(), rows, columns}, .value = value.data()});
    stream.wait();
    cudasim_counters c{};
    REQUIRE(cudasim_counters_get(kernel, &c) == 1);
    return c;
  }
};

/// `reads`: how often every logit may be read; `views` are read, one is written.
template <class T>
void moves_once(cudasim_counters const& c, rows_of_logits<T> const& b, double views, double reads, double words,
                double barriers) {
  const double matrix = double(b.rows * b.columns) * sizeof(T), labels = double(b.rows) * sizeof(int);
  MESSAGE("loads ", double(c.global_load_bytes) / (views * matrix + labels), ", stores ",
          double(c.global_store_bytes) / matrix, ", coalescing ", cudasim_load_coalescing(c), " and ",
          cudasim_store_coalescing(c), ", 16 bytes ", cudasim_wide_fraction(c), ", instructions per element ",
          double(c.instructions) / double(b.rows * b.columns), ", barriers per row ",
          double(c.block_barriers) / double(b.rows), ", worst bank ", c.shared_max_ways);
  CHECK(double(c.global_load_bytes) <= 1.02 * reads * (views * matrix + labels));
  CHECK(double(c.global_store_bytes) <= 1.02 * matrix + 64);
  CHECK(cudasim_load_coalescing(c) >= 0.95);
  CHECK(cudasim_store_coalescing(c) >= 0.95);
  CHECK(cudasim_wide_fraction(c) >= words);
  CHECK(double(c.block_barriers) <= barriers * double(b.rows) + 8 * double(c.blocks));
  CHECK(c.local_load_bytes + c.local_store_bytes == 0);
}

/// The same of a kernel that reduces through shared memory, which must meet no bank twice.
template <class T, class Objective>
void reduces_without_conflicts(rows_of_logits<T> const& b, Objective const& objective, double views, double reads,
                               double barriers) {
  const cudasim_counters c = b.count("row_kernel", objective);
  moves_once(c, b, views, reads, 0.95, barriers);
  CHECK(c.shared_max_ways <= 1);
}

template <class T>
void shapes() {
  const auto loss = [](auto const& b) { return hone::cross_entropy(hone::classes(b.labels)); };
  const auto both = [&](auto const& b) { return 0.7 * loss(b) + 0.3 * hone::distillation(b.view(b.taught), 4); };
  SUBCASE("8192 x 1000") {
    const rows_of_logits<T> b(64, 1000);
    reduces_without_conflicts(b, loss(b), 1, 1, 0);
  }
  SUBCASE("8192 x 1000 with a teacher") {
    const rows_of_logits<T> b(32, 1000);
    reduces_without_conflicts(b, both(b), 2, 1, 2);
  }
  SUBCASE("1024 x 32000") {
    const rows_of_logits<T> b(4, 32000);
    reduces_without_conflicts(b, loss(b), 1, 1, 2);
  }
  SUBCASE("65536 x 10") {
    const rows_of_logits<T> b(4096, 10);
    moves_once(b.count("tile_kernel", loss(b)), b, 1, 1, sizeof(T) == 4 ? 0.94 : 0.9, 4.0 / 128);
  }
  SUBCASE("100000 x 80") {
    const rows_of_logits<T> b(512, 80);
    moves_once(b.count("tile_kernel", loss(b)), b, 1, 1, 0.95, 4.0 / 128);
  }
  SUBCASE("longer than what fits on chip: two reads") {
    const rows_of_logits<T> b(3, 100000);
    reduces_without_conflicts(b, loss(b), 1, 2, 2);
  }
}

}  // namespace

TEST_CASE("every byte of a row moves once: float") { shapes<float>(); }
TEST_CASE("every byte of a row moves once: bfloat16") { shapes<__nv_bfloat16>(); }
#endif
