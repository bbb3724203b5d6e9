// SPDX-License-Identifier: MIT
#include <hone/core/owned_tensors.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

/// Host memory that counts its blocks and remembers how much it was asked for.
struct counted : hone::host_memory {
  static inline int blocks = 0, reads = 0;
  static inline std::size_t asked = 0;

  static std::byte* allocate(std::size_t bytes) {
    ++blocks, asked = bytes;
    std::byte* const p = hone::host_memory::allocate(bytes);
    std::memset(p, 0xff, bytes);  // NaN, so that numbers which nobody set are none
    return p;
  }
  static void release(std::byte* p) noexcept {
    --blocks;
    hone::host_memory::release(p);
  }
  static void read(void* to, void const* from, std::size_t bytes) noexcept {
    ++reads;
    hone::host_memory::read(to, from, bytes);
  }
};

template <class T>
using owned = hone::detail::owned_tensors<T, counted>;

/// Three tensors, one of them empty.
struct numbers {
  std::vector<float> a, b;
  hone::tensor_list<float> list;

  numbers() : a(35), b(17) {
    std::iota(a.begin(), a.end(), 1.0f);
    std::iota(b.begin(), b.end(), 100.0f);
    list = {{a.data(), 5, 7}, {static_cast<float*>(nullptr), 0}, {b.data(), 17}};
  }
};

template <class T>
bool holds(hone::tensor_list<T> const& list, numbers const& n) {
  return std::equal(n.a.begin(), n.a.end(), list[0].data) && std::equal(n.b.begin(), n.b.end(), list[2].data);
}

template <class Owned>
std::vector<std::byte> bytes_of(Owned const& own) {
  std::vector<std::byte> all;
  const auto sink = [&](std::byte const* p, std::size_t size) { all.insert(all.end(), p, p + size); };
  own.read(sink);
  return all;
}

}  // namespace

static_assert(std::is_nothrow_move_constructible_v<owned<float>>);

TEST_CASE("owned_tensors have the shapes of their list, in one block aligned to 64 bytes per tensor") {
  const numbers n;
  {
    const owned<double> own(n.list);
    CHECK(counted::blocks == 1);
    CHECK(counted::asked == 320 + 192);  // 35 and 17 doubles, up to 64 bytes
    REQUIRE(own.list().size() == 3);
    CHECK(own.list()[0].rows == 5);
    CHECK(own.list()[0].columns == 7);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(own.list()[i].size == n.list[i].size);
      CHECK(reinterpret_cast<std::uintptr_t>(own.list()[i].data) % 64 == 0);
    }
    CHECK(own.list()[2].data - own.list()[0].data == 40);
    CHECK(own.bytes() == 52 * sizeof(double));
  }
  CHECK(counted::blocks == 0);
}

TEST_CASE("owned_tensors keep the size of a tensor whose shape does not match it") {
  std::vector<float> x(6);
  hone::tensor<float> t(x.data(), 6);
  t.rows = 4, t.columns = 4;
  const owned<float> own(hone::tensor_list<float>{t});
  CHECK(own.list()[0].size == 6);
  CHECK(own.bytes() == 24);
}

TEST_CASE("owned_tensors: assign converts the type, and clear writes zeros") {
  const numbers n;
  owned<double> own(n.list);
  own.assign(n.list);
  CHECK(holds(own.list(), n));
  own.clear();
  for (auto const& t : own.list()) CHECK(std::all_of(t.data, t.data + t.size, [](double x) { return x == 0; }));
}

TEST_CASE("a copy of owned_tensors has its own block, a move takes the block, and none leaks") {
  const numbers n;
  {
    owned<float> first(n.list);
    first.assign(n.list);
    owned<float> second = first;
    CHECK(counted::blocks == 2);
    CHECK(second.list()[0].data != first.list()[0].data);
    first.list()[0].data[3] = -1;
    CHECK(holds(second.list(), n));
    float const* const at = second.list()[2].data;
    owned<float> third = std::move(second);
    CHECK(counted::blocks == 2);
    CHECK(third.list()[2].data == at);
    first = third;
    CHECK(counted::blocks == 2);
    CHECK(holds(first.list(), n));
    first = std::move(third);
    CHECK(first.list()[2].data == at);
    auto& same = first;
    first = same;
    CHECK(holds(first.list(), n));
    CHECK(counted::blocks == 1);
  }
  CHECK(counted::blocks == 0);
}

TEST_CASE("owned_tensors read and write their numbers as bytes without the padding") {
  const numbers n;
  owned<float> own(n.list), other(n.list);
  own.assign(n.list);
  const auto bytes = bytes_of(own);
  REQUIRE(bytes.size() == own.bytes());
  std::vector<float> back(52);
  std::memcpy(back.data(), bytes.data(), bytes.size());
  CHECK(std::equal(n.a.begin(), n.a.end(), back.begin()));
  CHECK(std::equal(n.b.begin(), n.b.end(), back.begin() + 35));
  other.write(bytes.data());
  CHECK(holds(other.list(), n));
}

TEST_CASE("owned_tensors::read passes on 64 KiB at a time, and less at the end") {
  std::vector<float> x(16384 * 2 + 5);  // 128 KiB and 20 bytes
  std::iota(x.begin(), x.end(), 0.0f);
  const hone::tensor_list<float> list{{x.data(), x.size()}};
  owned<float> own(list);
  own.assign(list);
  counted::reads = 0;
  std::vector<std::size_t> sizes;
  const auto sink = [&](std::byte const*, std::size_t size) { sizes.push_back(size); };
  own.read(sink);
  CHECK(sizes == std::vector<std::size_t>{65536, 65536, 20});
  CHECK(counted::reads == 3);
  const auto bytes = bytes_of(own);
  std::vector<float> back(x.size());
  REQUIRE(bytes.size() == own.bytes());
  std::memcpy(back.data(), bytes.data(), bytes.size());
  CHECK(back == x);
}

TEST_CASE("owned_tensors may be empty") {
  owned<float> none{hone::tensor_list<float>{}};
  CHECK(none.list().size() == 0);
  CHECK(none.bytes() == 0);
  none.clear();
  CHECK(bytes_of(none).empty());
}
