// SPDX-License-Identifier: MIT
// Outputs that share memory with an input or with one another throw, and nothing is written; every other placement in
// one buffer is valid and gives the results of separate buffers. Arguments are placed at random in an arena, and a
// reference marks their bytes one by one.
#include <hone/hone.hpp>

#include <support/message.hpp>
#include <support/same_bytes.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace {

using hone::index;

constexpr index arena_bytes = 2048;

/// Bytes of an argument in the arena.
struct place {
  index begin = 0, rows = 0, width = 0, stride = 0;

  std::vector<bool> bytes() const {
    std::vector<bool> marked(arena_bytes);
    for (index i = 0; i < rows; ++i)
      for (index k = 0; k < width; ++k) marked[std::size_t(begin + i * stride + k)] = true;
    return marked;
  }
  bool shares(place const& other) const {
    const std::vector<bool> a = bytes(), b = other.bytes();
    for (std::size_t k = 0; k < a.size(); ++k)
      if (a[k] && b[k]) return true;
    return false;
  }
};

class arena {
 public:
  explicit arena(unsigned seed) : random_(seed), bytes_(arena_bytes / sizeof(double)) {}

  /// A place for so many rows of so many numbers of a type.
  template <class T>
  place draw(index rows, index columns, index stride) {
    constexpr index size = sizeof(T);
    const index room = arena_bytes / size - (rows - 1) * stride - columns;
    return {size * std::uniform_int_distribution<index>(0, room)(random_), rows, columns * size, stride * size};
  }
  template <class T>
  T* at(place const& p) {
    return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(bytes_.data()) + p.begin);
  }
  template <class T>
  hone::matrix_view<T> view(place const& p) {
    return {at<T>(p), p.rows, p.width / index(sizeof(T)), p.stride / index(sizeof(T))};
  }
  index number(index from, index to) { return std::uniform_int_distribution<index>(from, to)(random_); }

  /// Puts numbers in (0, 1) into every float, or labels below `classes` into one place.
  void fill() {
    for (index k = 0; k < arena_bytes / 4; ++k)
      at<float>({4 * k, 1, 4, 4})[0] = std::uniform_real_distribution<float>(0.05f, 0.95f)(random_);
  }
  void label(place const& p, index classes) {
    for (index i = 0; i < p.width / 4; ++i) at<int>(p)[i] = int(number(0, classes - 1));
  }
  std::vector<double> copy() const { return bytes_; }
  void restore(std::vector<double> const& from) { bytes_ = from; }

 private:
  std::mt19937 random_;
  std::vector<double> bytes_;
};

/// The numbers at a place, on their own.
template <class T>
struct owned {
  owned(arena& a, place const& p)
      : rows(p.rows), columns(p.width / index(sizeof(T))), numbers(std::size_t(rows * columns)) {
    const hone::matrix_view<T> from = a.view<T>(p);
    for (index i = 0; i < rows; ++i)
      for (index c = 0; c < columns; ++c) numbers[std::size_t(i * columns + c)] = from.row(i)[c];
  }
  hone::matrix_view<T> view() { return {numbers.data(), rows, columns}; }
  bool equals(hone::matrix_view<T> other) {
    for (index i = 0; i < rows; ++i)
      for (index c = 0; c < columns; ++c)
        if (!support::same_bytes(&other.row(i)[c], &numbers[std::size_t(i * columns + c)], sizeof(T))) return false;
    return true;
  }

  index rows, columns;
  std::vector<T> numbers;
};

struct counts {
  int refused = 0, legal = 0, in_place = 0;
};

/// One call: outputs first among the places, then the prediction, then other inputs. objective(at) makes the objective
/// of a function that gives the view of an input.
template <class Objective>
void try_call(arena& a, place const& gradient, place const& unreduced, place const& value, place const& z,
              std::vector<place> const& inputs, bool in_place, Objective const& objective, counts& n) {
  bool shared = (!in_place && gradient.shares(z)) || unreduced.shares(z) || value.shares(z) ||
                gradient.shares(unreduced) || gradient.shares(value) || unreduced.shares(value);
  for (place const& in : inputs) shared = shared || in.shares(gradient) || in.shares(unreduced) || in.shares(value);

  const hone::cpu cpu{1};
  const std::vector<double> before = a.copy();
  owned<float> logits(a, z), slopes(a, gradient), losses(a, unreduced);
  std::vector<owned<float>> own;
  own.reserve(inputs.size());
  for (place const& in : inputs) own.emplace_back(a, in);
  const std::string said = support::message([&] {
    hone::evaluate(
        cpu, objective([&](std::size_t k) { return a.view<float>(inputs[k]); }), a.view<float>(z),
        {.gradient = a.view<float>(gradient), .unreduced = a.at<float>(unreduced), .value = a.at<float>(value)});
  });
  CAPTURE(said);
  CHECK(said.empty() != shared);
  if (shared) {
    ++n.refused;
    CHECK(said.find("overlap") != std::string::npos);
    const std::vector<double> after = a.copy();
    CHECK(support::same_bytes(before.data(), after.data(), arena_bytes));
    return;
  }
  n.legal += !in_place, n.in_place += in_place;
  float of_value = 0;
  hone::evaluate(cpu, objective([&](std::size_t k) { return own[k].view(); }), logits.view(),
                 {.gradient = slopes.view(), .unreduced = losses.numbers.data(), .value = &of_value});
  CHECK(slopes.equals(a.view<float>(gradient)));
  CHECK(losses.equals(a.view<float>(unreduced)));
  CHECK(*a.at<float>(value) == doctest::Approx(of_value));  // rows without padding are summed in another order
}

/// Calls with three outputs and `inputs` matrices beside the prediction.
template <class Objective>
void sweep(index columns, bool per_element, std::size_t inputs, Objective const& objective) {
  counts n;
  for (unsigned seed = 0; seed < 6000; ++seed) {
    arena a(seed);
    a.fill();
    const index rows = a.number(1, 5), K = columns > 0 ? columns : a.number(1, 5);
    const index common = K + a.number(0, 40);
    const auto matrix = [&] { return a.draw<float>(rows, K, a.number(0, 2) ? common : K + a.number(0, 20)); };
    const place z = matrix();
    const place gradient = a.number(0, 3) == 0 ? z : matrix();
    const bool in_place = gradient.begin == z.begin && (rows == 1 || gradient.stride == z.stride);
    const place unreduced = a.draw<float>(1, per_element ? rows * K : rows, per_element ? rows * K : rows);
    const place value = a.draw<float>(1, 1, 1);
    std::vector<place> others;
    others.reserve(inputs);
    for (std::size_t k = 0; k < inputs; ++k) others.push_back(matrix());
    try_call(a, gradient, unreduced, value, z, others, in_place, objective, n);
  }
  MESSAGE(n.refused << " refused, " << n.legal << " legal, " << n.in_place << " in place");
  CHECK(n.refused > 100);
  CHECK(n.legal > 100);
  CHECK(n.in_place > 100);
}

}  // namespace

TEST_CASE("element-wise losses: outputs that share memory throw, all other placements are right") {
  sweep(0, true, 1, [](auto const& at) { return hone::binary_cross_entropy(at(0)); });
}
TEST_CASE("box losses: outputs that share memory throw, all other placements are right") {
  sweep(4, false, 1, [](auto const& at) { return hone::giou_loss(at(0)); });
}
TEST_CASE("row losses: outputs that share memory with teachers or probabilities throw") {
  sweep(0, false, 1, [](auto const& at) { return hone::distillation(at(0), 2); });
  sweep(0, false, 1, [](auto const& at) { return hone::cross_entropy(hone::smooth(hone::probabilities(at(0)), 0.1)); });
  sweep(3, false, 2, [](auto const& at) {
    return 0.5 * hone::cross_entropy(hone::mix(hone::probabilities(at(0)), hone::probabilities(at(1)), 0.3));
  });
}
