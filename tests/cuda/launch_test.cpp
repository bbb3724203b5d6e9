// SPDX-License-Identifier: MIT
// Index arithmetic of kernel launches, also beyond 2^31 elements. Needs no CUDA.
#include <hone/cuda/rows/shape.hpp>
#include <hone/cuda/run/launch.hpp>
#include <hone/cuda/run/runtime_answers.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <vector>

using hone::index;
namespace on_cuda = hone::on_cuda;

static_assert(on_cuda::blocks_for(0) == 1);
static_assert(on_cuda::blocks_for(1) == 1);
static_assert(on_cuda::blocks_for(256) == 1);
static_assert(on_cuda::blocks_for(257) == 2);
static_assert(on_cuda::blocks_for(index(1) << 40) == on_cuda::max_blocks);
static_assert(on_cuda::line_cut(3, 10, 4).pieces() == 9);
static_assert(on_cuda::line_cut(1, (index(1) << 33) + 1, 8).pieces() == (index(1) << 30) + 1);
static_assert(on_cuda::line_cut(5, 0, 4).pieces() == 0);

TEST_CASE("divider computes exact quotients up to 2^52") {
  std::mt19937_64 random(1);
  for (const index by : {index(1), index(2), index(3), index(10), index(80), index(1000), index(50257), index(1) << 20,
                         (index(1) << 31) - 1, (index(1) << 33) + 7}) {
    const on_cuda::divider d(by);
    bool right = true;
    for (int k = 0; k < 20000; ++k) {
      const index i = static_cast<index>(random() >> (12 + k % 50)), first = i / by * by;  // below 2^52
      for (const index x : {i, first, first + by - 1, first > 0 ? first - 1 : 0}) right &= d.quotient(x) == x / by;
    }
    CAPTURE(by);
    CHECK(right);
  }
}

TEST_CASE("small_divider computes exact quotients below 2^16") {
  bool right = true;
  for (int by = 1; by < 65536; by += by < 300 ? 1 : 997)
    for (int i = 0; i < 65536; i += by < 300 ? 7 : 1) right &= on_cuda::small_divider(by).quotient(i) == i / by;
  CHECK(right);
}

TEST_CASE("runtime_answers asks once per kernel, until it is full") {
  static on_cuda::runtime_answers table;
  std::mt19937_64 random(2);
  std::vector<std::uint64_t> kernels(300);
  for (std::uint64_t& k : kernels) k = random();
  kernels[1] = kernels[0] ^ (std::uint64_t(1) << 20);  // their first entry is the same
  int asked = 0;
  const auto answer_of = [&](std::size_t k) {
    return table.find(kernels[k], [&] { return ++asked, static_cast<int>(k) + 1; });
  };
  bool right = true;
  for (int round = 0; round < 3; ++round)
    for (std::size_t k = 0; k < kernels.size(); ++k) right &= answer_of(k) == static_cast<int>(k) + 1;
  CHECK(right);
  CHECK(asked == 300);
  for (std::size_t k = 0; k < 4000; ++k) table.find(random(), [] { return 7; });
  for (std::size_t k = 0; k < kernels.size(); ++k) right &= answer_of(k) == static_cast<int>(k) + 1;
  CHECK(right);
  CHECK(table.find(0, [] { return 65535; }) == 65535);
}

namespace {

using on_cuda::row_kernel;

// One view of float logits: vectors of 4, 4 bytes per element.
constexpr row_kernel for_floats(index columns, bool in_vectors = false) {
  return on_cuda::row_kernel_for(columns, 4, 4, 1, 4, in_vectors);
}
static_assert(for_floats(1) == row_kernel::tile && for_floats(95) == row_kernel::tile);
static_assert(for_floats(96) == row_kernel::warp && for_floats(1024) == row_kernel::warp);
static_assert(for_floats(1025) == row_kernel::block && for_floats(8192) == row_kernel::block);
static_assert(for_floats(8193) == row_kernel::wide_block && for_floats(32768) == row_kernel::wide_block);
static_assert(for_floats(32769) == row_kernel::streamed && for_floats(on_cuda::max_columns) == row_kernel::streamed);

// Rows of few classes, in vectors; with a teacher, 4 threads share the longer ones.
static_assert(for_floats(12, true) == row_kernel::tile && for_floats(16, true) == row_kernel::team_48);
static_assert(for_floats(48, true) == row_kernel::team_48 && for_floats(52, true) == row_kernel::team_96);
static_assert(for_floats(96, true) == row_kernel::team_96 && for_floats(100, true) == row_kernel::warp);
static_assert(on_cuda::team_shape_for(row_kernel::team_96, 4, 4).size == 2);
static_assert(on_cuda::team_shape_for(row_kernel::team_96, 4, 8).size == 4);
static_assert(on_cuda::team_shape_for(row_kernel::team_48, 8, 40).slots == 1);
static_assert(on_cuda::row_kernel_for(16, 8, 40, 20, 4, true) == row_kernel::team_48);
static_assert(on_cuda::row_kernel_for(96, 8, 2, 1, 4, true) == row_kernel::team_96);
static_assert(on_cuda::row_kernel_for(48, 2, 16, 1, 8, true) == row_kernel::team_96);  // arithmetic in double

// 16-bit logits hold as many elements; a teacher beside float logits takes its share of the registers.
static_assert(on_cuda::capacity_of(row_kernel::wide_block, 8, 2) == 32768);
static_assert(on_cuda::capacity_of(row_kernel::warp, 4, 8) == 1024);
static_assert(on_cuda::capacity_of(row_kernel::wide_block, 4, 8) == 12288);
static_assert(on_cuda::slots_for(row_kernel::warp, 8, 40) == 1);                           // always one vector
static_assert(on_cuda::row_kernel_for(2049, 2, 32, 2, 8, false) == row_kernel::streamed);  // a teacher in double

// Where every class has a weight in memory, threads with few registers hold three quarters as much.
static_assert(on_cuda::capacity_of(row_kernel::wide_block, 4, 4, true) == 24576);
static_assert(on_cuda::capacity_of(row_kernel::wide_block, 8, 2, true) == 24576);
static_assert(on_cuda::capacity_of(row_kernel::block, 4, 4, true) == 8192);
static_assert(on_cuda::row_kernel_for(24577, 4, 4, 1, 4, false, true) == row_kernel::streamed);
static_assert(on_cuda::team_shape_for(row_kernel::team_96, 8, 2, true).size == 4);
static_assert(on_cuda::row_kernel_for(96, 8, 2, 1, 4, true, true) == row_kernel::team_96);

// Long rows in shared memory, of an H100, an A100 and a T4, beside 1040 bytes of the kernel's own.
constexpr index KiB = 1024;
constexpr on_cuda::shared_room h100 = on_cuda::room_of_blocks(227 * KiB, 228 * KiB, 1024, 1040);
constexpr on_cuda::shared_room a100 = on_cuda::room_of_blocks(163 * KiB, 164 * KiB, 1024, 1040);
constexpr on_cuda::shared_room t4 = on_cuda::room_of_blocks(64 * KiB, 64 * KiB, 0, 1040);
static_assert(h100.alone == 231408 && h100.of_two == 114672);
static_assert(h100.of_two + 1040 + 1024 <= 228 * 1024 / 2);
static_assert(t4.alone == 64496 && t4.of_two == 31728);
constexpr row_kernel for_floats_in(on_cuda::shared_room room, index columns) {
  return on_cuda::row_kernel_for(columns, 4, 4, 1, 4, false, false, room);
}
static_assert(for_floats_in(h100, 8192) == row_kernel::block && for_floats_in(h100, 8193) == row_kernel::held);
static_assert(for_floats_in(h100, 28671) == row_kernel::held && for_floats_in(h100, 28672) == row_kernel::wide_block);
static_assert(for_floats_in(h100, 32768) == row_kernel::wide_block && for_floats_in(h100, 32769) == row_kernel::held);
static_assert(for_floats_in(h100, 57855) == row_kernel::held && for_floats_in(h100, 57856) == row_kernel::streamed);
static_assert(for_floats_in(a100, 41471) == row_kernel::held && for_floats_in(a100, 41472) == row_kernel::streamed);
static_assert(for_floats_in(t4, 8193) == row_kernel::wide_block && for_floats_in(t4, 32769) == row_kernel::streamed);
constexpr row_kernel for_halves_in(on_cuda::shared_room room, index columns) {
  return on_cuda::row_kernel_for(columns, 8, 2, 1, 4, false, false, room);
}
static_assert(for_halves_in(h100, 57343) == row_kernel::held && for_halves_in(h100, 115711) == row_kernel::held);
static_assert(for_halves_in(h100, 115712) == row_kernel::streamed);
static_assert(for_halves_in(t4, 15871) == row_kernel::held && for_halves_in(t4, 15872) == row_kernel::wide_block);
static_assert(on_cuda::held_bytes(28927, 2, 16, 1, 8) == index(28926) * 8);  // double
static_assert(on_cuda::held_bytes(10, 4, 8, 2, 4) == 8 * 8 + 16);            // with a teacher

// What a kernel holds never grows beyond registers, nor a tile beyond shared memory.
constexpr bool tiles_fit() {
  for (index columns = 1; columns < 2000; ++columns)
    for (const int views : {1, 2, 5})
      for (const int size : {4, 8}) {
        const index rows = on_cuda::tile_rows_of_images(columns, views, size);
        if (on_cuda::tile_bytes(rows, columns, views, size) > on_cuda::shared_bytes) return false;
        if (on_cuda::row_kernel_for(columns, 4, 4 * views, views, size, false) == row_kernel::tile &&
            on_cuda::tile_bytes(on_cuda::tile_rows_of_matrix, on_cuda::tile_stride(columns), views, size) >
                on_cuda::shared_bytes)
          return false;
      }
  return true;
}
static_assert(tiles_fit());
static_assert(on_cuda::tile_rows_of_images(21, 1, 4) == 128 && on_cuda::tile_rows_of_images(150, 1, 4) == 64);
static_assert(on_cuda::tile_rows_of_images(1000, 1, 4) == 0);
static_assert(on_cuda::grid_for((index(1) << 40) / 128) == on_cuda::max_blocks);

}  // namespace
