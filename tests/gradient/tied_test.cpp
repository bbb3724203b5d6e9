// SPDX-License-Identifier: MIT
// Tensors that are listed twice, as tied weights are, or that overlap: calls that write or sum them throw.
#include <hone/hone.hpp>

#include <support/message.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace {

using support::message;

constexpr const char* tied = "share memory: list tied weights once";

// Says so, and writes nothing.
template <class Call>
void refuses(std::vector<float>& memory, const char* what, Call const& call) {
  CAPTURE(what);
  const std::vector<float> before = memory;
  CHECK(message(call).find(what) != std::string::npos);
  CHECK(memory == before);
}

TEST_CASE("calls that write or sum a list throw if two of its tensors are equal or overlap") {
  const hone::cpu cpu(2);
  std::vector<float> x(100, 8.0f), y(200, 1.0f);
  const std::array<hone::tensor_list<float>, 4> lists{{{{x.data(), 50}, {x.data(), 50}},
                                                       {{x.data(), 50}, {x.data() + 49, 50}},
                                                       {{x.data() + 50, 50}, {x.data(), 51}},
                                                       {{x.data(), 100}, {x.data() + 10, 3}}}};
  for (hone::tensor_list<float> const& list : lists) {
    const hone::tensor_list<float> separate{{y.data(), list[0].size}, {y.data() + 100, list[1].size}};
    refuses(x, tied, [&] { hone::transform(cpu, hone::unscale(4), list); });
    refuses(x, tied, [&] { hone::transform(cpu, hone::clip_by_value(1), list); });
    refuses(x, tied, [&] { hone::transform(cpu, hone::clip_by_norm(1), list); });
    refuses(x, tied, [&] { hone::transform(cpu, hone::clip_by_global_norm(1), list); });
    refuses(x, tied, [&] { hone::transform(cpu, hone::adaptive_clip(list), list); });
    refuses(x, tied, [&] { hone::measure(cpu, hone::clip_by_global_norm(1), list); });
    refuses(x, tied, [&] { hone::copy(cpu, separate, list); });
    refuses(x, tied, [&] { hone::zero_fill(list, std::vector<std::string>{"a", "b"}, {"a"}); });
    hone::ema_state<float> state(separate), from_zero(separate, {.from_zero = true});
    hone::update(cpu, hone::ema{}, from_zero, separate);
    refuses(x, tied, [&] { hone::swap(cpu, state, list); });
    refuses(x, tied, [&] { hone::copy(cpu, state, list); });
    refuses(x, tied, [&] { hone::copy(cpu, from_zero, list); });
    CHECK(!state.swapped());
  }
}

TEST_CASE("refresh throws if two parameters share memory") {
  const hone::cpu cpu(1);
  std::vector<Eigen::half> x(8, Eigen::half(2.0f));
  const hone::tensor_list<Eigen::half> list{{x.data(), 8}, {x.data() + 7, 1}};
  const hone::master_weights<float> masters(list);
  CHECK(message([&] { hone::refresh(cpu, masters, list); }) ==
        "refresh: tensors 0 and 1 of parameters share memory: list tied weights once");
}

TEST_CASE("lists that are only read may contain a tensor twice") {
  const hone::cpu cpu(2);
  std::vector<float> x(6, 8.0f), g(12, 1.0f);
  const hone::tensor_list<float> list{{x.data(), 6}, {x.data(), 6}}, gradients{{g.data(), 6}, {g.data() + 6, 6}};
  hone::ema_state<float> state(list);
  x.assign(6, 16.0f);
  hone::update(cpu, hone::ema{.decay = 0.5}, state, list);
  for (auto const& t : state.tensors()) CHECK(t.data[0] == 12);
  hone::copy(cpu, list, gradients);
  CHECK(g == std::vector<float>(12, 16.0f));
  hone::transform(cpu, hone::adaptive_clip(list, {.clipping = 0.5}), gradients);
  CHECK(g == std::vector<float>(12, 8.0f));
  hone::transform(cpu, hone::adaptive_clip(gradients), gradients);  // a tensor and its own gradients
}

TEST_CASE("two lists of one call that overlap throw") {
  const hone::cpu cpu(2);
  std::vector<float> x(20, 8.0f);
  const hone::tensor_list<float> first{{x.data(), 5}, {x.data() + 5, 5}}, later{{x.data() + 2, 5}, {x.data() + 10, 5}};
  refuses(x, "transform: tensor 0 of gradients shares memory with tensor 0 of the list of adaptive_clip",
          [&] { hone::transform(cpu, hone::adaptive_clip(later), first); });
  refuses(x, "copy: tensor 0 of to shares memory with tensor 0 of from", [&] { hone::copy(cpu, later, first); });
  hone::copy(cpu, first, first);  // to itself: nothing happens
  CHECK(x == std::vector<float>(20, 8.0f));

  hone::ema_state<float> state(first);
  hone::tensor_list<float> const& own = state.tensors();
  const hone::tensor_list<float> shifted{{own[0].data + 1, 5}, {x.data(), 5}};
  CHECK(message([&] { hone::update(cpu, hone::ema{}, state, shifted); }) ==
        "update: tensor 0 of parameters shares memory with the state");
  CHECK(message([&] { hone::swap(cpu, state, own); }) == "swap: tensor 0 of parameters shares memory with the state");
  CHECK(state.steps() == 0);
  CHECK(!state.swapped());
}

}  // namespace
