// SPDX-License-Identifier: MIT
#include <hone/average/ema.hpp>
#include <hone/average/ema_state.hpp>
#include <hone/average/swa.hpp>
#include <hone/cpu/tensors/update.hpp>

#include "support/message.hpp"
#include "support/numbers.hpp"
#include "support/state.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <sstream>
#include <streambuf>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using support::contents, support::saved;

using hone::index;
using support::message;

template <class T>
std::string load_error(hone::ema_state<T>& state, std::string const& bytes) {
  std::istringstream in(bytes);
  return message([&] { state.load(in); });
}

// A word as it stands in a file: the lowest byte first, whatever machine this is.
template <class Word>
std::string lowest_first(Word x) {
  using bits = std::conditional_t<sizeof x == 4, std::uint32_t, std::uint64_t>;
  const auto word = std::bit_cast<bits>(x);
  std::string bytes;
  for (std::size_t i = 0; i < sizeof x; ++i) bytes.push_back(static_cast<char>(word >> 8 * i & 0xff));
  return bytes;
}

// A state of the numbers 1.5, 2.5, 3.5, the second tensor copied, after `steps` updates.
struct example {
  std::vector<float> x{1.5f, 2.5f, 3.5f};
  hone::tensor_list<float> list{{x.data(), 2, 1}, {x.data() + 2, 1}, {x.data(), 0}};
  hone::ema_state<float> state;

  explicit example(int steps = 7) : state(list, {.steps = steps}) { state.copy_only(1); }
};

std::uint32_t crc_by_bits(std::string const& bytes) {
  std::uint32_t x = ~0u;
  for (const char c : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const bool odd = ((x ^ (static_cast<unsigned char>(c) >> bit)) & 1) != 0;
      x = (x >> 1) ^ (odd ? 0x82F63B78u : 0u);
    }
  return ~x;
}

TEST_CASE("the checksum is CRC-32C, however the bytes are split") {
  hone::detail::crc32c known;
  known.add("123456789", 9);
  CHECK(known.value() == 0xE3069283u);
  std::string text;
  for (int i = 0; i < 41; ++i) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      hone::detail::crc32c crc;
      crc.add(text.data(), cut);
      crc.add(text.data() + cut, text.size() - cut);
      CHECK(crc.value() == crc_by_bits(text));
    }
    text += static_cast<char>(i * 37 + 129);
  }
}

TEST_CASE("ema_state starts as an aligned copy of its parameters with their shapes") {
  std::vector<float> x(40);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(support::noise(static_cast<index>(i)));
  const hone::tensor_list<const float> list{{x.data(), 3, 5}, {x.data() + 15, 0}, {x.data() + 15, 25}};
  const hone::ema_state<double> wide(list);
  CHECK(contents(wide) == std::vector<double>(x.begin(), x.end()));
  CHECK(wide.tensors()[0].rows == 3);
  CHECK(wide.tensors()[0].columns == 5);
  for (auto const& t : wide.tensors()) CHECK(reinterpret_cast<std::uintptr_t>(t.data) % 64 == 0);
  CHECK(wide.steps() == 0);
  CHECK(wide.counted() == 1);

  const hone::ema_state<float> zero(list, {.from_zero = true});
  CHECK(contents(zero) == std::vector<float>(40));
  CHECK(zero.counted() == 0);
  CHECK(hone::ema_state<float>(hone::tensor_list<float>()).tensors().size() == 0);
}

TEST_CASE("ema_state deduces a type that holds its parameters") {
  std::vector<float> x(3, 1.5f);
  std::vector<double> y(3, 1.5);
  std::vector<Eigen::half> z(3, Eigen::half(1.5f));
  const hone::tensor_list<float> of_float{{x.data(), 3}};
  const hone::tensor_list<const double> of_double{{y.data(), 3}};
  const hone::tensor_list<Eigen::half> of_half{{z.data(), 3}};
  const hone::ema_state a(of_float);
  const hone::ema_state b(of_double, {.from_zero = true});
  const hone::ema_state c(of_half);
  static_assert(std::is_same_v<decltype(a), const hone::ema_state<float>>);
  static_assert(std::is_same_v<decltype(b), const hone::ema_state<double>>);
  static_assert(std::is_same_v<decltype(c), const hone::ema_state<float>>);
  CHECK(contents(c) == contents(a));
  static_assert(std::is_same_v<decltype(hone::ema_state(a)), hone::ema_state<float>>);
  CHECK(b.from_zero());
}

TEST_CASE("a copy of an ema_state has its own memory, and a move takes the memory along") {
  example a;
  hone::ema_state<float> b = a.state;
  b.tensors()[0].data[0] = 9;
  CHECK(a.state.tensors()[0].data[0] == 1.5f);
  CHECK(b.copies(1));
  CHECK(b.steps() == 7);
  float const* const where = b.tensors()[0].data;
  a.state = std::move(b);
  CHECK(a.state.tensors()[0].data == where);
  CHECK(contents(a.state) == std::vector<float>{9, 2.5f, 3.5f});
}

TEST_CASE("a saved ema_state has the documented bytes on every machine, and loads from them") {
  std::string should = "hone.ema";
  const auto put = [&](auto x) { should += lowest_first(x); };
  for (const std::uint32_t x : {0x01020304u, 1u, 4u, 0u}) put(x);
  put(std::uint64_t(3)), put(std::int64_t(7)), put(0.0);
  for (const std::int64_t x : {2, 1, 0, 1, 1, 1, 1, 0, 0}) put(x);
  for (const float x : {1.5f, 2.5f, 3.5f}) put(x);
  put(crc_by_bits(should));
  CHECK(saved(example().state) == should);
  example other(0);
  for (int i = 0; i < 2; ++i) other.state.tensors()[0].data[i] = 0;
  CHECK(load_error(other.state, should).empty());
  CHECK(contents(other.state) == std::vector<float>{1.5f, 2.5f, 3.5f});
  CHECK(other.state.steps() == 7);
}

TEST_CASE("load restores the saved state in place and reads no further") {
  example a, b(0);
  a.state.tensors()[0].data[1] = -0.0f;
  float const* const where = b.state.tensors()[0].data;
  const std::string bytes = saved(a.state);
  std::istringstream in(bytes + "more");
  b.state.load(in);
  CHECK(in.tellg() == static_cast<std::streamoff>(bytes.size()));  // what follows in the stream is the caller's
  CHECK(saved(b.state) == bytes);
  CHECK(b.state.steps() == 7);
  CHECK(b.state.tensors()[0].data == where);
}

TEST_CASE("load of a truncated state throws and changes nothing") {
  const std::string bytes = saved(example().state);
  example b(3);
  b.x = {7, 8, 9};
  hone::ema_state<float> own(b.list, {.steps = 3});
  own.copy_only(1);
  const std::string before = saved(own);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CAPTURE(n);
    CHECK(
        load_error(own, bytes.substr(0, n)).starts_with("load: the state ends after " + std::to_string(n) + " bytes"));
    CHECK(saved(own) == before);
  }
  CHECK(load_error(own, bytes).empty());
}

TEST_CASE("load of a state with any bit flipped throws and changes nothing") {
  const std::string bytes = saved(example().state);
  example b(3);
  const std::string before = saved(b.state);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    CAPTURE(bit);
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    CHECK(load_error(b.state, flipped).starts_with("load: "));
    CHECK(saved(b.state) == before);
  }
}

TEST_CASE("load of a state with other tensors throws with names and numbers") {
  example a;
  const std::string bytes = saved(a.state);
  const auto error = [&](hone::tensor_list<float> const& list, hone::ema_start start = {}) {
    hone::ema_state<float> other(list, start);
    return load_error(other, bytes);
  };
  float* const x = a.x.data();
  CHECK(error({{x, 2}, {x, 1}}) == "load: 3 tensors were saved, the state has 2");
  CHECK(error({{x, 2}, {x, 3}, {x, 0}}) == "load: tensor 1 was saved with 1 numbers, that of the state has 3");
  CHECK(error({{x, 2}, {x, 1}, {x, 0}}) == "load: tensor 1 was saved as copied, that of the state is averaged");
  CHECK(error({{x, 1, 2}, {x, 1}, {x, 0}}) == "load: tensor 1 was saved as copied, that of the state is averaged");
  CHECK(error(a.list, {.from_zero = true}) == "load: what was saved began at a copy, the state at zero");
  hone::ema_state<double> wide(a.list);
  CHECK(load_error(wide, bytes) == "load: the numbers saved have 4 bytes, those of the state 8");
  CHECK(load_error(a.state, std::string(64, 'x')) == "load: the bytes are no state of an average");
  std::string later = bytes;
  later[12] = 9;
  CHECK(load_error(a.state, later) == "load: the state has version 9, must be 1");
  std::string other_order = bytes;
  std::swap(other_order[8], other_order[11]), std::swap(other_order[9], other_order[10]);
  CHECK(load_error(a.state, other_order).starts_with("load: the state has byte order "));
}

// A saved state with other bytes from `at` on, and the right checksum.
template <class Value>
std::string with(std::string bytes, std::size_t at, Value value) {
  bytes.replace(at, sizeof value, lowest_first(value));
  bytes.resize(bytes.size() - 4);
  const std::uint32_t crc = crc_by_bits(bytes);
  return bytes += lowest_first(crc);
}

TEST_CASE("load of invalid values with a valid checksum throws") {
  constexpr std::size_t steps_at = 32, start_at = 40, first_record = 48;
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const example a;
  for (const bool zero : {false, true}) {
    hone::ema_state<float> state(a.list, {.from_zero = zero});
    hone::update(hone::cpu(1), hone::ema{.decay = 0.5}, state, a.list);
    const std::string bytes = saved(state);
    const auto refused = [&](std::string const& changed, std::string const& text) {
      const std::string said = load_error(state, changed);
      CHECK_MESSAGE(said.starts_with("load: ") == !text.empty(), said);
      CHECK_MESSAGE(said.find(text) != std::string::npos, said);
      if (!text.empty()) CHECK(saved(state) == bytes);
    };
    for (const std::int64_t steps : {std::int64_t(-1), std::int64_t(-5), std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max(),
                                     std::numeric_limits<std::int64_t>::max() - 1, (std::int64_t(1) << 62) + 1})
      refused(with(bytes, steps_at, steps), "made " + std::to_string(steps) + " updates, must be in [0, 2^62]");
    for (const double start : {nan, -nan, inf, -inf, 7.0, -1.0, 1.0000001, -1e-300, 1e300})
      refused(with(bytes, start_at, start), "which cannot be");
    if (!zero) {
      for (const double start : {1.0, 0.5, 1e-300}) refused(with(bytes, start_at, start), "which cannot be");
    } else {
      refused(with(with(bytes, steps_at, std::int64_t(0)), start_at, 0.5), "which cannot be");
    }
    for (const std::uint64_t tensors : {std::uint64_t(0), std::uint64_t(1) << 60, ~std::uint64_t(0)})
      refused(with(bytes, 24, tensors), std::to_string(tensors) + " tensors were saved, the state has 3");
    constexpr std::int64_t large = std::int64_t(1) << 32;
    using shape = std::pair<std::int64_t, std::int64_t>;
    for (const auto& [rows, columns] : {shape{-2, -1}, {-1, 2}, {2 * large, large / 2}, {large, large}})
      for (const std::size_t i : {0u, 2u})
        refused(with(with(bytes, first_record + 24 * i, rows), first_record + 24 * i + 8, columns),
                "tensor " + std::to_string(i) + " was saved as " + std::to_string(rows) + " x " +
                    std::to_string(columns) + ", which cannot be");
    refused(with(bytes, first_record + 16, std::int64_t(2)), "was saved as copied");
    refused(bytes, "");
  }
  hone::ema_state<float> late(a.list, {.steps = std::int64_t(1) << 62});
  CHECK(load_error(late, saved(late)).empty());
  CHECK(message([&] { hone::ema_state<float> s(a.list, {.steps = std::numeric_limits<std::int64_t>::max()}); }) ==
        "ema_state: steps is 9223372036854775807, must be at most 2^62");
}

TEST_CASE("load rejects another shape of the same size, except for a tensor without a shape") {
  std::vector<float> x{1, 2, 3, 4, 5, 6}, y(6);
  const auto state = [](std::vector<float>& v, index rows, index columns) {
    return hone::ema_state<float>(hone::tensor_list<float>{{v.data(), rows, columns}});
  };
  const std::string bytes = saved(state(x, 2, 3));
  hone::ema_state<float> turned = state(y, 3, 2);
  const std::string before = saved(turned);
  CHECK(load_error(turned, bytes) == "load: tensor 0 was saved as 2 x 3, that of the state is 3 x 2");
  CHECK(saved(turned) == before);
  for (hone::ema_state<float> other : {state(y, 2, 3), state(y, 1, 6)}) {
    CHECK(load_error(other, bytes).empty());
    CHECK(contents(other) == x);
  }
  CHECK(load_error(turned, saved(state(x, 1, 6))).empty());
}

TEST_CASE("save to a stream that fails throws io_error") {
  struct full : std::streambuf {
    int left = 50;
    int overflow(int c) override { return left-- > 0 ? c : traits_type::eof(); }
  } buffer;
  std::ostream out(&buffer);
  CHECK_THROWS_AS(example().state.save(out), hone::io_error);
}

TEST_CASE("ema_state: invalid arguments throw with the parameter's name") {
  float x = 0;
  CHECK(message([] { hone::ema_state<float> s(hone::tensor_list<float>{{static_cast<float*>(nullptr), 6}}); }) ==
        "ema_state: tensor 0 of parameters has 6 numbers but no data");
  const hone::tensor_list<float> list{{&x, 1}};
  CHECK(message([&] { hone::ema_state<float> s(list, {.steps = -1}); }) ==
        "ema_state: steps is -1, must be at least 0");
  CHECK(message([&] { hone::ema_state<float> s(list, {.from_zero = true, .steps = 1}); }) ==
        "ema_state: steps is 1, must be 0 where the state begins at zero");
  hone::ema_state<float> state(list);
  for (const int bad : {-1, 1})
    CHECK(message([&] { state.copy_only(bad); }) ==
          "copy_only: tensor is " + std::to_string(bad) + ", the state has 1 tensors");
  state.exchanged();
  std::ostringstream out;
  CHECK(message([&] { state.save(out); }) == "save: the state holds the parameters, swap them back first");
  CHECK(out.str().empty());
}

}  // namespace
