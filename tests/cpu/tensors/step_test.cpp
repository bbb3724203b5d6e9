// SPDX-License-Identifier: MIT
// A whole step of training: the bits of its verbs one by one, averages of every kind, and invalid arguments.
#include <hone/hone.hpp>

#include <conformance/step.hpp>
#include <cpu/this_machine.hpp>
#include <support/message.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace {

using conformance::sgd_rule;
using list = hone::tensor_list<float>;

/// Three tensors of 70,017 numbers.
struct network {
  std::vector<float> numbers[3];
  list gradients, parameters, momenta;

  network() {
    list* const lists[] = {&gradients, &parameters, &momenta};
    for (int k = 0; k < 3; ++k) {
      for (const double x : support::noise(k << 20, 70017)) numbers[k].push_back(static_cast<float>(x));
      float* const at = numbers[k].data();
      for (auto const& [from, n] : {std::pair<hone::index, hone::index>{0, 17}, {17, 40000}, {40017, 30000}})
        lists[k]->push_back({at + from, n});
    }
  }
};

/// The rule with its factor, in the order of for_each_number.
struct sgd_rule_with_factor {
  sgd_rule rule;
  double factor;

  template <hone::operand V>
  void operator()(V const& g, V& p, V& m) const {
    rule(V(factor) * g, p, m);
  }
};

template <class Average>
void has_the_bits_of_single_verbs(Average const& average, hone::ema_start start) {
  const sgd_rule rule{0.125, 0.9};
  const auto clip = hone::clip_by_global_norm(1);
  network alone;
  hone::ema_state<float> of_alone(alone.parameters, start);
  of_alone.copy_only(0);
  network one;
  hone::ema_state<float> of_one(one.parameters, start);
  of_one.copy_only(0);
  network three;
  hone::ema_state<float> of_three(three.parameters, start);
  of_three.copy_only(0);
  for (int i = 0; i < 4; ++i) {
    const auto report = hone::measure(hone::cpu(1), clip, alone.gradients);
    hone::for_each_number(hone::cpu(1), sgd_rule_with_factor{rule, report.factor},
                          hone::tensor_list<const float>(alone.gradients), alone.parameters, alone.momenta);
    hone::update(hone::cpu(1), average, of_alone, alone.parameters);
    CHECK(hone::step(hone::cpu(1), clip, rule, one.gradients, one.parameters, one.momenta,
                     hone::averaged_in(average, of_one))
              .norm == report.norm);
    CHECK(hone::step(hone::cpu(3), clip, rule, three.gradients, three.parameters, three.momenta,
                     hone::averaged_in(average, of_three))
              .factor == report.factor);
  }
  for (network const* other : {&one, &three})
    for (int k = 0; k < 3; ++k) CHECK(other->numbers[k] == alone.numbers[k]);
  for (hone::ema_state<float> const* other : {&of_one, &of_three}) {
    CHECK(other->steps() == 4);
    CHECK(other->counted() == of_alone.counted());
    for (std::size_t i = 0; i < 3; ++i) {
      auto const& a = other->tensors()[i];
      CHECK(std::equal(a.data, a.data + a.size, of_alone.tensors()[i].data));
    }
  }
}

template <class... More>
std::string refused(list const& gradients, list const& parameters, More const&... more) {
  return support::message(
      [&] { hone::step(hone::cpu(2), hone::clip_by_global_norm(1), sgd_rule{}, gradients, parameters, more...); });
}

}  // namespace

TEST_CASE("the CPU passes the conformance cases of steps of training") {
  conformance::steps_of_training<on_this_machine>();
}

TEST_CASE("a step has the bits of measure, for_each_number and update, on any number of threads") {
  has_the_bits_of_single_verbs(hone::ema{.decay = 0.75}, {});
  has_the_bits_of_single_verbs(hone::ema{.decay = 0.75, .ramp = hone::inverse_power_ramp(1, 0.75)}, {});
  has_the_bits_of_single_verbs(hone::ema{.decay = 0.75}, {.from_zero = true});
  has_the_bits_of_single_verbs(hone::ema{.decay = 0.75, .cycle = 2}, {.from_zero = true});
  has_the_bits_of_single_verbs(hone::ema{.decay = 0.75, .cycle = 3}, {});
  has_the_bits_of_single_verbs(hone::ema{.decay = 1}, {});
  has_the_bits_of_single_verbs(hone::swa(), {});
}

TEST_CASE("a step does not write the gradients, and takes none, one or no state") {
  network a;
  const std::vector<float> before = a.numbers[0];
  hone::step(hone::cpu(2), hone::unscale(1), [](auto const& g, auto& p) { p -= g; }, a.gradients, a.parameters);
  CHECK(a.numbers[0] == before);
  const network b;
  for (std::size_t i = 0; i < before.size(); ++i) REQUIRE(a.numbers[1][i] == b.numbers[1][i] - before[i]);
  CHECK(hone::step(hone::cpu(2), hone::unscale(1), sgd_rule{}, list{}, list{}, list{}).finite);
}

TEST_CASE("step: lists of different shapes or with shared memory, and averages that cannot be updated, throw") {
  std::vector<float> x(100, 3);
  float* const at = x.data();
  const list p{{at + 10, 3}}, m{{at + 20, 3}};
  hone::ema_state<float> shadow(p), other(list{{at, 4}});
  const auto in = [](auto const& average, auto& state) { return hone::averaged_in(average, state); };
  CHECK(refused({{at, 4}}, p, m) == "step: tensor 0 of parameters has 3 numbers, that of gradients has 4");
  CHECK(refused({{at, 3}}, p, list{{at + 20, 4}}) ==
        "step: tensor 0 of state 1 has 4 numbers, that of gradients has 3");
  CHECK(refused({{at, 3}}, p, m, in(hone::ema(), other)) ==
        "step: tensor 0 of the average has 4 numbers, that of gradients has 3");
  CHECK(refused({{at + 8, 3}}, p, m) == "step: tensor 0 of parameters shares memory with tensor 0 of gradients");
  CHECK(refused({{at, 3}}, p, list{{at + 12, 3}}) ==
        "step: tensor 0 of parameters shares memory with tensor 0 of state 1");
  CHECK(refused({{at, 3}}, p, shadow.tensors(), in(hone::ema(), shadow)) ==
        "step: tensor 0 of state 1 shares memory with tensor 0 of the average");
  CHECK(refused({{nullptr, 3}}, p, m) == "step: tensor 0 of gradients has 3 numbers but no data");
  CHECK(refused({{at, 3}}, p, m, in(hone::ema{.decay = 2}, shadow)) == "ema: decay is 2, must be in [0, 1]");
  hone::swap(hone::cpu(1), shadow, p);
  CHECK(refused({{at, 3}}, p, m, in(hone::ema(), shadow)) ==
        "update: the state holds the parameters, swap them back first");
  CHECK(x == std::vector<float>(100, 3));
  CHECK(shadow.steps() == 0);
}
