// SPDX-License-Identifier: MIT
// Rows too long for the registers of a block, against the formulas in double, on both sides of what shared memory
// holds; and, on the simulator, how often they are read.
#include <hone/hone.cuh>

#include <conformance/rows.hpp>
#include <cuda/device.cuh>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

namespace {

using conformance::expect_rows;
using conformance::row_of_numbers;
using conformance::shape;
using hone::index;
template <class T>
using batch = conformance::row_batch<device::conformance, T>;

row_of_numbers smoothed(row_of_numbers q, double epsilon) {
  const double each = epsilon / double(q.size());
  for (double& x : q) x = (1 - epsilon) * x + each;
  return q;
}

/// Labels of which one is ignored, smoothed: all outputs together and alone, and in place.
template <class T>
void labels_of(std::vector<shape> const& shapes) {
  conformance::each_batch<batch<T>>(shapes, [](auto const& b) {
    const auto objective = 0.5 * hone::cross_entropy(hone::smooth(hone::classes(b.device_labels, {.ignore = -7}), 0.1));
    const std::vector<conformance::expected_term> terms{
        {[&](index i) {
           return conformance::cross_entropy_of(b.row(b.z, i), smoothed(b.one_hot(b.labels[std::size_t(i)]), 0.1));
         },
         [&](index i) { return b.ignored(i) ? 0 : 0.5; }, b.kept()}};
    expect_rows(b, objective, terms, hone::mean);
    expect_rows(b, objective, terms, hone::mean, true);
  });
}

/// A teacher of the logits' type, and a second sum: two views.
template <class T>
void teachers_of(std::vector<shape> const& shapes) {
  conformance::each_batch<batch<T>>(shapes, [](auto const& b) {
    const auto second = [&b](index i) { return b.one_hot(b.others[std::size_t(i)]); };
    const auto factor = [](double x) { return [x](index) { return x; }; };
    expect_rows(
        b,
        0.7 * hone::softmax_focal_loss(hone::classes(b.device_others)) +
            0.3 * hone::distillation(b.view(b.device_taught), 2),
        {{[&](index i) { return conformance::focal_of(b.row(b.z, i), second(i)); }, factor(0.7), double(b.size.rows)},
         {[&](index i) { return conformance::distillation_of(b.row(b.z, i), b.row(b.taught, i), 2); }, factor(0.3),
          double(b.size.rows)}},
        hone::mean);
  });
}

}  // namespace

// The limits of an H100, and numbers of classes that leave a trip with few vectors, one thread of a trip, or ends.
TEST_CASE("long rows of float") {
  labels_of<float>(
      {{5, 8193}, {2, 10241, 3}, {2, 14336}, {3, 28401, 1}, {2, 29000}, {2, 50257}, {1, 57800, 2}, {1, 58112}});
}
TEST_CASE("long rows of bfloat16") {
  labels_of<__nv_bfloat16>({{5, 8200}, {2, 32000}, {3, 50257}, {2, 57000, 1}, {1, 115000, 5}, {1, 116500}});
}
TEST_CASE("long rows of half") { labels_of<__half>({{3, 33003, 1}, {1, 128256}}); }
TEST_CASE("long rows of double") { labels_of<double>({{3, 14001}, {2, 20000, 1}, {1, 28777}, {1, 29100}}); }
TEST_CASE("long rows with a teacher") {
  teachers_of<float>({{2, 8200}, {2, 12295, 3}, {2, 20001}, {1, 28900}, {1, 29200}});
}
TEST_CASE("long rows with a teacher of another type") {
  constexpr hone::index K = 30001;
  const batch<__nv_bfloat16> b({2, K});
  const batch<float> other({2, K});
  std::vector<float> taught;
  for (const __nv_bfloat16 x : b.taught) taught.push_back(static_cast<float>(x));
  const device::buffer<float> wide(taught);
  const device::buffer<__nv_bfloat16> gradient(b.z), expected(b.z);
  const device::stream stream;
  hone::cuda gpu(stream);
  const auto evaluate = [&](auto const& teacher, device::buffer<__nv_bfloat16> const& to) {
    hone::evaluate(gpu, hone::distillation(teacher, 2), b.view(b.device_z), {.gradient = b.view(to)});
  };
  evaluate(b.view(b.device_taught), expected);
  evaluate(other.view(wide), gradient);
  stream.wait();
  const auto seen = gradient.host(), right = expected.host();
  bool alike = true;
  for (std::size_t i = 0; i < seen.size(); ++i) alike &= static_cast<float>(seen[i]) == static_cast<float>(right[i]);
  CHECK(alike);
}

#if defined(CUDASIM)
namespace {

/// The counters of a call, and whether its rows were held.
template <class T, class Objective>
cudasim_counters counts_of(batch<T> const& b, Objective const& objective, bool held) {
  const device::buffer<T> gradient(b.z);
  const device::buffer<float> value(1);
  const device::stream stream;
  hone::cuda gpu(stream);
  gpu.reserve(hone::workspace_bytes(objective));
  cudasim_counters_reset();
  hone::evaluate(gpu, objective, b.view(b.device_z), {.gradient = b.view(gradient), .value = value.data()}, hone::sum);
  stream.wait();
  cudasim_counters c{}, of_held{};
  REQUIRE(cudasim_counters_get("", &c) == 1);
  CHECK((cudasim_counters_get("held_row_kernel", &of_held) == 1) == held);
  return c;
}

template <class T>
void moves_once(shape s, bool held = true, int reads = 1) {
  CAPTURE(s.columns);
  const batch<T> b(s);
  const auto c = counts_of(b, hone::cross_entropy(hone::smooth(hone::classes(b.device_others), 0.1)), held);
  const double numbers = double(s.rows * s.columns), bytes = numbers * sizeof(T);
  MESSAGE("loads ", double(c.global_load_bytes) / bytes, ", stores ", double(c.global_store_bytes) / bytes,
          ", 16 bytes ", cudasim_wide_fraction(c), ", coalescing ", cudasim_load_coalescing(c), " and ",
          cudasim_store_coalescing(c), ", instructions per element ", double(c.instructions) / numbers,
          ", barriers per row ", double(c.block_barriers) / double(s.rows), ", worst bank ", c.shared_max_ways);
  CHECK(double(c.global_load_bytes) <= 1.02 * reads * bytes);
  CHECK(double(c.global_store_bytes) <= 1.01 * bytes + 64);
  CHECK(cudasim_wide_fraction(c) >= 0.95);
  CHECK(cudasim_load_coalescing(c) >= 0.9);
  CHECK(cudasim_store_coalescing(c) >= 0.9);
  CHECK(c.shared_max_ways <= 1);
  CHECK(c.local_load_bytes + c.local_store_bytes == 0);
  CHECK(double(c.instructions) <= (sizeof(T) == 2 ? 28 : 20) * numbers + 512 * 512 * double(s.rows));
  CHECK(double(c.block_barriers) <= 2 * double(s.rows) + 8 * double(c.blocks));
}

}  // namespace

TEST_CASE("long rows are read once if shared memory holds them") {
  moves_once<float>({2, 32000}, false);  // in registers
  moves_once<float>({2, 16384});
  moves_once<float>({2, 32772});
  moves_once<float>({2, 50257});
  moves_once<float>({1, 57700});
  moves_once<float>({1, 58116}, false, 2);  // streamed
  moves_once<__nv_bfloat16>({2, 32000});
  moves_once<__nv_bfloat16>({2, 50257});
  moves_once<__nv_bfloat16>({1, 115400});
  moves_once<__nv_bfloat16>({1, 116224}, false, 2);
}
#endif
