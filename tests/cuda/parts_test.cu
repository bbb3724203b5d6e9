// SPDX-License-Identifier: MIT
// Building blocks of the kernels, tested in kernels of their own: sums over blocks and grids, thread teams, vectors.
// Numbers are small integers, so that every order of summation gives the same sum.
#include <cuda/device.cuh>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

using namespace hone::on_cuda;

namespace {

void finish_kernel() {
  check(cudaGetLastError(), "a kernel of a test");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
}

/// Sum of (i + 1) mod 61 of i < n.
double sum_to(int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += (i + 1) % 61;
  return sum;
}

__global__ void sum_block(double* sums) {
  const double x = (static_cast<int>(threadIdx.x) + 1) % 61;
  const double first = block_sum(x), second = block_sum(-2 * x);
  if (threadIdx.x == 0) sums[0] = first, sums[1] = second;
}

/// The sum of rate · (i + 1) mod 61 over a grid, twice, as two kernels in one workspace.
__global__ void sum_grid(grid_scratch scratch, double rate, double* sum, int* finishes) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  grid_sum(rate * ((i + 1) % 61), scratch, [&](double x) {
    *sum = x;
    atomicAdd(finishes, 1);
  });
}

double grid_sum_of(int blocks, int threads, double rate) {
  const device::buffer<char> workspace(std::vector<char>(grid_scratch::bytes));
  const device::buffer<double> sums(2);
  const device::buffer<int> finishes(std::vector<int>{0});
  for (int turn = 0; turn < 2; ++turn) {
    sum_grid<<<blocks, threads, 0, cudaStreamPerThread>>>(grid_scratch(workspace.data()), rate, sums.data() + turn,
                                                          finishes.data());
    finish_kernel();
  }
  CHECK(finishes.host()[0] == 2);  // one thread of each
  CHECK(sums.host()[0] == sums.host()[1]);
  return sums.host()[0];
}

/// Four reductions in a row of a team, of two numbers each, and what its reader shares; every thread leaves all of it.
constexpr int numbers_of_team = 9;
template <class Team>
__device__ void use_team(Team team, float* out) {
  if constexpr (requires { team.take(true); }) team.take(true);
  const int rank = team.rank();
  float* const mine = out + static_cast<int>(threadIdx.x) * numbers_of_team;
  for (int turn = 0; turn < 4; ++turn) {
    float a = static_cast<float>((rank + turn) % 61), b = -a;
    const auto both = [&](auto const& f) { f(a), f(b); };
    if (turn % 2 == 0) {
      team.reduce(added(), both);
    } else {
      team.reduce(larger(), both);
    }
    mine[2 * turn] = a, mine[2 * turn + 1] = b;
  }
  int shared = team.reads() ? 7 : 0;
  team.share(shared);
  mine[8] = static_cast<float>(shared);
}
template <int Threads, bool Together>
__global__ void use_teams(float* out) {
  if constexpr (Together) {
    using block = one_block<Threads, float, 2>;
    __shared__ typename block::memory memory;
    use_team(block(memory), out);
  } else if constexpr (Threads == 1) {
    use_team(lone_thread(), out);
  } else if constexpr (Threads < 32) {
    use_team(small_team<Threads>(), out);
  } else {
    use_team(one_warp(), out);
  }
}

/// Teams of `size` threads in a block of `threads`, against a loop.
template <int Threads, bool Together>
void test_teams(int size, int threads) {
  CAPTURE(size);
  CAPTURE(Together);
  const device::buffer<float> out(std::size_t(threads) * numbers_of_team);
  use_teams<Threads, Together><<<1, threads, 0, cudaStreamPerThread>>>(out.data());
  finish_kernel();
  std::vector<float> expected;
  for (int turn = 0; turn < 4; ++turn) {
    float sum = 0, most = 0, least = 60;
    for (int rank = 0; rank < size; ++rank) {
      const auto x = static_cast<float>((rank + turn) % 61);
      sum += x, most = std::max(most, x), least = std::min(least, x);
    }
    expected.insert(expected.end(), {turn % 2 == 0 ? sum : most, turn % 2 == 0 ? -sum : -least});
  }
  expected.push_back(7);
  const auto all = out.host();
  for (std::size_t thread = 0; thread < std::size_t(threads); ++thread)
    REQUIRE(std::vector<float>(all.begin() + thread * numbers_of_team, all.begin() + (thread + 1) * numbers_of_team) ==
            expected);
}

__global__ void larger_of(float* out) {
  const float nan = __int_as_float(0x7fffffff);
  out[0] = larger()(nan, 2.0f), out[1] = larger()(2.0f, nan), out[2] = larger()(-3.0f, -2.0f);
}

/// Loads `count` numbers, tells what it has then, and stores twice as much.
template <int N, class T>
__global__ void move(T const* from, float* loaded, T* to, int count) {
  float x[N];
  for (int j = 0; j < N; ++j) x[j] = -1;
  load(from, x, count);
  for (int j = 0; j < N; ++j) loaded[j] = x[j], x[j] *= 2;
  store(x, to, count);
}
/// Numbers set in a vector from the last to the first, then the j-th again: all of them.
template <int N, class T>
__global__ void set_one(float* out) {
  for (int again = 0; again < N; ++again) {
    vector<T, N> v{};
    for (int j = N - 1; j >= 0; --j) v.set(j, static_cast<T>(static_cast<float>(-j - 1)));
    v.set(again, static_cast<T>(0.5f));
    for (int j = 0; j < N; ++j) out[again * N + j] = static_cast<float>(v.get(j));
  }
}

template <class T, int N>
void test_vectors() {
  CAPTURE(sizeof(T));
  CAPTURE(N);
  static_assert(sizeof(vector<T, N>) == sizeof(T) * N);
  std::vector<T> numbers(N), untouched(N, static_cast<T>(99.0f));
  for (int j = 0; j < N; ++j) numbers[std::size_t(j)] = static_cast<T>(static_cast<float>(j - 3));
  for (int count = 0; count <= N; ++count) {
    CAPTURE(count);
    const device::buffer<T> from(numbers), to(untouched);
    const device::buffer<float> loaded(N);
    move<N><<<1, 1, 0, cudaStreamPerThread>>>(from.data(), loaded.data(), to.data(), count);
    finish_kernel();
    const auto x = loaded.host();
    const auto y = to.host();
    for (int j = 0; j < N; ++j) {
      CHECK(x[std::size_t(j)] == (j < count ? float(j - 3) : -1));
      CHECK(static_cast<float>(y[std::size_t(j)]) == (j < count ? float(2 * (j - 3)) : 99));
    }
  }
  const device::buffer<float> out(N * N);
  set_one<N, T><<<1, 1, 0, cudaStreamPerThread>>>(out.data());
  finish_kernel();
  const auto set = out.host();
  for (int again = 0; again < N; ++again)
    for (int j = 0; j < N; ++j) CHECK(set[std::size_t(again * N + j)] == (j == again ? 0.5f : float(-j - 1)));
}

}  // namespace

TEST_CASE("block_sum adds up every warp, one sum after another") {
  for (int threads = 32; threads <= 1024; threads += 32) {
    CAPTURE(threads);
    const device::buffer<double> sums(2);
    sum_block<<<1, threads, 0, cudaStreamPerThread>>>(sums.data());
    finish_kernel();
    CHECK(sums.host() == std::vector<double>{sum_to(threads), -2 * sum_to(threads)});
  }
}

TEST_CASE("grid_sum adds up every block once, and is ready for the next kernel") {
  for (const int blocks : {1, 2, 33, 300, max_blocks}) {
    CAPTURE(blocks);
    CHECK(grid_sum_of(blocks, 64, 1) == sum_to(blocks * 64));
  }
  CHECK(grid_sum_of(5, 1024, 1) == sum_to(5 * 1024));
}

#if defined(CUDASIM)
TEST_CASE("grid_sum is bit-identical in any order of blocks") {
  const double sum = grid_sum_of(300, 64, 0.1);
  for (const int order : {0, 1, 2}) {
    cudasim_set_order(order, 7);
    CHECK(grid_sum_of(300, 64, 0.1) == sum);
  }
}
#endif

TEST_CASE("a team's reduction returns the result to all of its threads, several times in a row") {
  test_teams<1, false>(1, 64);
  test_teams<2, false>(2, 64);
  test_teams<4, false>(4, 64);
  test_teams<32, false>(32, 96);
  test_teams<32, true>(32, 32);
  test_teams<96, true>(96, 96);
  test_teams<256, true>(256, 256);
  test_teams<512, true>(512, 512);
  const device::buffer<float> out(3);
  larger_of<<<1, 1, 0, cudaStreamPerThread>>>(out.data());
  finish_kernel();
  CHECK(out.host() == std::vector<float>{2, 2, -2});
}

TEST_CASE("vector loads and stores move exactly the requested numbers, and is_aligned checks the address") {
  static_assert(wide_of<float> == 4 && wide_of<double> == 2 && wide_of<__half> == 8);
  test_vectors<float, 1>();
  test_vectors<float, 4>();
  test_vectors<double, 2>();
  test_vectors<__half, 1>();
  test_vectors<__half, 2>();
  test_vectors<__half, 8>();
  test_vectors<__nv_bfloat16, 8>();
  alignas(16) const float numbers[8] = {};
  CHECK(is_aligned<4>(numbers));
  CHECK(is_aligned<2>(numbers + 2));
  CHECK(!is_aligned<4>(numbers + 2));
  CHECK(is_aligned<1>(numbers + 1));
  CHECK(is_aligned<4>(static_cast<float const*>(nullptr)));
}

TEST_CASE("rows, tiles, lines and cursors compute their offsets beyond 2^31 elements") {
  using hone::index;
  float const* const base = reinterpret_cast<float const*>(std::uintptr_t(1) << 40);  // nobody reads it
  const hone::matrix_view<const float> matrix{base, index(1) << 20, 5000, 5001};
  const hone::image_view<const float> images{base, 3000, 1000, 1030};
  const index row = matrix.rows - 1, image = 2999, pixel = 1025, pixel_row = image * 1030 + pixel;
  CHECK(row_at(matrix, place_of(matrix, divider(), row)) - base == row * 5001);
  CHECK(row_at(images, place_of(images, divider(1030), pixel_row)) - base == image * 1000 * 1030 + pixel);

  tile_plan plan{};
  plan.rows = 128, plan.columns = 5000, plan.all_rows = matrix.rows - 28;
  const tile last = tile_at(matrix, plan, (index(1) << 13) - 1);
  CHECK(last.first_row == matrix.rows - 128);
  CHECK(last.rows == 100);
  CHECK(line_at(matrix, last, 99) - base == (matrix.rows - 29) * 5001);
  plan.one_line = true, plan.stride = 5001;
  CHECK(tile_at(matrix, plan, (index(1) << 13) - 1).length == 100 * 5000);

  plan.columns = 1000, plan.tiles_per_image = divider(9);  // of 128 pixels, the last one of 6
  const tile of_image = tile_at(images, plan, 3000 * 9 - 1);
  CHECK(of_image.rows == 6);
  CHECK(of_image.first_row == image * 1030 + 1024);
  CHECK(line_at(images, of_image, 999) - base == (image * 1000 + 999) * 1030 + 1024);

  const index first = (index(1) << 33) + 4995;  // and on over a row's end, or a plane's or an image's
  cursor<hone::matrix_view<const float>> in_matrix(order_of(matrix), first);
  for (index i = first; i < first + 5010; ++i, in_matrix.advance()) {
    if (in_matrix.row != i / 5000 || in_matrix.column != i % 5000 || in_matrix.begins_row() != (i % 5000 == 0))
      FAIL("element ", i, " of a matrix");
  }
  for (const index begin : {2999 * index(1000) * 1030 - 5, (2999 * index(1000) + 7) * 1030 - 5}) {
    cursor<hone::image_view<const float>> in_image(order_of(images), begin);
    for (index i = begin; i < begin + 10; ++i, in_image.advance())
      if (in_image.row != i / (1000 * 1030) * 1030 + i % 1030 || in_image.column != i / 1030 % 1000)
        FAIL("element ", i, " of images");
  }
}
