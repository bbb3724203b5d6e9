// SPDX-License-Identifier: MIT
// Memory traffic of the row kernels, counted by the simulator, for the shapes of the benchmarks with fewer rows.
// Skipped without the simulator.
#include <hone/hone.cuh>

#include <cuda/device.cuh>

#include <doctest/doctest.h>

#include <cmath>
#include <type_traits>
#include <vector>

#if defined(CUDASIM)
#include <cudasim.h>

namespace {

/// What a kernel may do, per what it has to.
struct bounds {
  double views = 1;          // that are read; one is written
  double reads = 1;          // of every number
  double words = 0.95;       // share of bytes that move 16 at a time
  double coalescing = 0.95;  // share of the bytes of its sectors that a warp asks for
  double barriers = 0;       // per row; besides, a few per block for the value
  double instructions = 0;   // of threads per element, by PTX
  int ways = 1;              // of bank conflicts
  double reads_of_labels = 1;
  int terms = 1;  // whose mean the device counts
};

template <class T>
struct rows_of_logits {
  static constexpr int number_bytes = sizeof(T);

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

  /// A call with its gradient and value, as rows or as so many images; counts(kernel) are then those of a kernel.
  template <bool Images = false, class Objective>
  void call(Objective const& objective, hone::reduction how, hone::index images = 0) const {
    hone::cuda gpu(stream);
    gpu.reserve(hone::workspace_bytes(objective));
    stream.wait();
    cudasim_counters_reset();
    if constexpr (Images) {
      const hone::index pixels = rows / images;
      hone::evaluate(gpu, objective, hone::image_view<const T>{z.data(), images, columns, pixels},
                     {.gradient = {gradient.data(), images, columns, pixels}, .value = value.data()}, how);
    } else {
      hone::evaluate(gpu, objective, view(z), {.gradient = {gradient.data(), rows, columns}, .value = value.data()},
                     how);
    }
    stream.wait();
  }
};

cudasim_counters counts(const char* kernel) {
  cudasim_counters c{};
  REQUIRE(cudasim_counters_get(kernel, &c) >= 1);
  return c;
}

template <class T>
void stays_within(bounds most, cudasim_counters const& c, rows_of_logits<T> const& b) {
  const double n = double(b.rows * b.columns), matrix = n * sizeof(T), labels = double(b.rows) * sizeof(int);
  const double loads = most.reads * most.views * matrix + most.reads_of_labels * labels;
  MESSAGE("loads ", double(c.global_load_bytes) / loads, ", stores ", double(c.global_store_bytes) / matrix,
          ", coalescing ", cudasim_load_coalescing(c), " and ", cudasim_store_coalescing(c), ", 16 bytes ",
          cudasim_wide_fraction(c), ", instructions per element ", double(c.instructions) / n, ", barriers per row ",
          double(c.block_barriers) / double(b.rows), ", worst bank ", c.shared_max_ways);
  CHECK(double(c.global_load_bytes) <= 1.02 * loads);
  CHECK(double(c.global_store_bytes) <= 1.02 * matrix + 64);
  CHECK(cudasim_load_coalescing(c) >= most.coalescing);
  CHECK(cudasim_store_coalescing(c) >= most.coalescing);
  CHECK(cudasim_wide_fraction(c) >= most.words);
  CHECK(double(c.block_barriers) <= most.barriers * double(b.rows) + 8 * double(c.blocks));
  CHECK(double(c.instructions) <= most.instructions * n);
  CHECK(int(c.shared_max_ways) <= most.ways);
  CHECK(c.local_load_bytes + c.local_store_bytes == 0);
}

/// The whole call: under hone::sum it is one kernel, under hone::mean another one counts the rows, which reads the
/// labels once more.
template <bool Images = false, class T, class Objective>
void moves_once(const char* kernel, rows_of_logits<T> const& b, Objective const& objective, bounds most,
                hone::index images = 0) {
  b.template call<Images>(objective, hone::sum, images);
  CHECK(counts("").launches == 1);
  stays_within(most, counts(kernel), b);

  b.template call<Images>(objective, hone::mean, images);
  const cudasim_counters all = counts(""), counting = counts("count_kernel");
  CHECK(int(all.launches) == 1 + most.terms);
  const double labels = double(b.rows) * sizeof(int), matrix = double(b.rows * b.columns) * sizeof(T);
  const double least = most.reads * most.views * matrix + labels;
  MESSAGE("under mean, loads ", double(all.global_load_bytes) / least, " of the least, 16 bytes ",
          cudasim_wide_fraction(all), "; counting takes ", double(counting.instructions) / double(b.rows),
          " instructions per row");
  CHECK(double(all.global_load_bytes) <= 1.02 * least + (most.terms + most.reads_of_labels - 1) * labels);
  CHECK(double(counting.global_load_bytes) <= most.terms * (1.01 * labels + 64));
  CHECK(cudasim_load_coalescing(counting) >= 0.95);
  CHECK(double(counting.block_barriers) <= 8 * double(counting.blocks));
  CHECK(double(counting.instructions) <= 30 * double(b.rows) + 150 * double(counting.threads));
  CHECK(counting.shared_max_ways <= 1);
}

template <class T>
void shapes() {
  constexpr bool narrow = sizeof(T) == 2;
  const auto loss = [](auto const& b) { return hone::cross_entropy(hone::classes(b.labels)); };
  const auto both = [&](auto const& b) { return 0.7 * loss(b) + 0.3 * hone::distillation(b.view(b.taught), 4); };
  SUBCASE("8192 x 1000") {
    const rows_of_logits<T> b(64, 1000);
    moves_once("row_kernel", b, loss(b), {.instructions = narrow ? 31 : 23});
  }
  SUBCASE("8192 x 1001: rows begin anywhere") {  // the vectors of a warp may begin inside a sector of 32 bytes
    const rows_of_logits<T> b(64, 1001);
    moves_once("row_kernel", b, loss(b), {.coalescing = 0.9, .instructions = narrow ? 31 : 23});
  }
  SUBCASE("8192 x 1000 with a teacher") {
    const rows_of_logits<T> b(32, 1000);
    moves_once("row_kernel", b, both(b), {.views = 2, .barriers = 2, .instructions = narrow ? 91 : 72, .terms = 2});
  }
  SUBCASE("2048 x 4096") {
    const rows_of_logits<T> b(16, 4096);
    moves_once("row_kernel", b, loss(b), {.barriers = 2, .instructions = narrow ? 45 : 38});
  }
  SUBCASE("1024 x 32000") {
    const rows_of_logits<T> b(4, 32000);
    moves_once("row_kernel", b, loss(b), {.barriers = 2, .instructions = narrow ? 34 : 18});
  }
  SUBCASE("65536 x 10") {
    const rows_of_logits<T> b(4096, 10);
    moves_once("tile_kernel", b, loss(b),
               {.words = narrow ? 0.9 : 0.95, .barriers = 4.0 / 128, .instructions = 70, .ways = 2});
  }
  SUBCASE("65536 x 32") {
    const rows_of_logits<T> b(1024, 32);
    // The label's logit is loaded once more, by then from a cache.
    moves_once(
        "small_team_kernel", b, loss(b),
        {.coalescing = narrow ? 0.7 : 0.8, .instructions = narrow ? 46 : 37, .reads_of_labels = narrow ? 1.5 : 2});
  }
  SUBCASE("65536 x 21") {
    const rows_of_logits<T> b(1024, 21);
    moves_once("tile_kernel", b, loss(b), {.barriers = 4.0 / 128, .instructions = narrow ? 50 : 45, .ways = 3});
  }
  SUBCASE("100000 x 80") {
    const rows_of_logits<T> b(512, 80);
    moves_once("small_team_kernel", b, loss(b), {.coalescing = narrow ? 0.8 : 0.9, .instructions = narrow ? 35 : 24});
  }
  SUBCASE("rows too long for on-chip memory are read twice") {
    const rows_of_logits<T> b(3, narrow ? 200000 : 100000);
    moves_once("row_kernel", b, loss(b), {.reads = 2, .barriers = 2, .instructions = narrow ? 25 : 17});
  }
  SUBCASE("1024 x 21841: rows begin anywhere") {
    const rows_of_logits<T> b(8, 21841);
    moves_once("row_kernel", b, loss(b), {.coalescing = 0.9, .barriers = 2, .instructions = narrow ? 38 : 29});
  }
  SUBCASE("images of 19 classes use the tile kernel") {
    const rows_of_logits<T> b(2 * 1024, 19);
    moves_once<true>("tile_kernel", b, loss(b),
                     {.words = narrow ? 0.94 : 0.95, .barriers = 4.0 / 128, .instructions = 54, .ways = 2}, 2);
  }
  SUBCASE("images of 400 classes are read twice, one pixel at a time") {
    const rows_of_logits<T> b(2 * 512, 400);
    moves_once<true>("row_kernel", b, loss(b), {.reads = 2, .words = 0, .instructions = 60}, 2);
  }
}

}  // namespace

TEST_CASE("row losses move every byte once: float") { shapes<float>(); }
TEST_CASE("row losses move every byte once: bfloat16") { shapes<__nv_bfloat16>(); }

TEST_CASE("element-wise losses move every byte once") {
  const auto check = [](auto const& b, double soft, double hard) {
    b.call(hone::binary_cross_entropy(b.view(b.taught)), hone::mean);
    CHECK(counts("").launches == 1);
    stays_within({.views = 2, .instructions = soft, .reads_of_labels = 0}, counts("element_kernel"), b);
    // One-hot, a label is read for every 16 bytes of logits: a fourth of what is asked for, all of it from one line.
    b.call(hone::binary_cross_entropy(hone::classes(b.labels)), hone::mean);
    CHECK(counts("").launches == 1);
    stays_within({.words = 0.87, .instructions = hard, .reads_of_labels = double(b.columns * b.number_bytes) / 16},
                 counts("element_kernel"), b);
  };
  check(rows_of_logits<float>(512, 80), 120, 140);
  check(rows_of_logits<__nv_bfloat16>(512, 80), 110, 120);
}
#endif
