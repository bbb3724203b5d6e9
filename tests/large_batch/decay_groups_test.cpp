// SPDX-License-Identifier: MIT
#include <hone/large_batch/decay_groups.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

namespace {

TEST_CASE("matches follows the rules of * and ?") {
  static_assert(hone::matches("*.bn?.weight", "layer1.0.bn2.weight"));
  CHECK(hone::matches("head.weight", "head.weight"));
  CHECK(!hone::matches("head.weight", "head.weights"));
  CHECK(!hone::matches("head.weight", "a.head.weight"));
  CHECK(hone::matches("*", ""));
  CHECK(hone::matches("", ""));
  CHECK(!hone::matches("", "a"));
  CHECK(!hone::matches("?", ""));
  CHECK(hone::matches("***", "abc"));
  CHECK(hone::matches("*ab*ab", "aabaab"));  // the first ab is not the last
  CHECK(!hone::matches("*ab*ab", "aab"));
  CHECK(hone::matches("a*b*c", "a.b.b.c"));
  CHECK(!hone::matches("a*b*c", "a.b.b.d"));
  CHECK(!hone::matches("*.bn?.weight", "layer1.0.bn12.weight"));
  CHECK(hone::matches("a*", "a"));
}

TEST_CASE("decays excludes biases, norms and parameters of one dimension") {
  static_assert(!hone::decays({"layer1.0.bn1.weight", 1}));
  static_assert(hone::decays({"layer1.0.conv1.weight", 4}));
  for (const hone::named_parameter p : {hone::named_parameter{"fc.weight", 2},
                                        {"conv1.weight", 4},
                                        {"weight", 2},
                                        {"blocks.0.norm1.linear.weight", 2},
                                        {"tok_embed.weight", 2},
                                        {"lnear.weight", 2},
                                        {"bnx.weight", 2},
                                        {"bias.weight", 2},
                                        {"unbias", 2}}) {
    CAPTURE(p.name);
    CHECK(hone::decays(p));
  }
  for (const hone::named_parameter p : {hone::named_parameter{"fc.bias", 1},
                                        {"fc.bias", 2},
                                        {"bias", 2},
                                        {"downsample.1.weight", 1},
                                        {"logit_scale", 0},
                                        {"a.bn1.weight", 4},
                                        {"bn.weight", 4},
                                        {"h.ln_f.weight", 2},
                                        {"h.ln.weight", 2},
                                        {"gn12.weight", 2},
                                        {"blocks.0.norm1.weight", 2},
                                        {"layer_norm.weight", 3},
                                        {"encoder.LayerNorm.weight", 2}}) {
    CAPTURE(p.name);
    CHECK(!hone::decays(p));
  }
}

TEST_CASE("decays follows the first rule that matches") {
  const hone::decay_rule rules[] = {{"head.bias", true}, {"head.*", false}, {"*.bias", true}, {"pos_embed", false}};
  CHECK(hone::decays({"head.bias", 1}, rules));
  CHECK(!hone::decays({"head.weight", 2}, rules));
  CHECK(hone::decays({"fc.bias", 1}, rules));
  CHECK(!hone::decays({"pos_embed", 3}, rules));
  CHECK(hone::decays({"fc.weight", 2}, rules));
}

const std::vector<hone::named_parameter> resnet = {{"conv1.weight", 4}, {"bn1.weight", 1}, {"bn1.bias", 1},
                                                   {"pos_embed", 3},    {"fc.weight", 2},  {"fc.bias", 1}};

TEST_CASE("group_by_decay returns the indices of both groups") {
  const hone::decay_groups plain = hone::group_by_decay(resnet);
  CHECK(plain.decay == std::vector<hone::index>{0, 3, 4});
  CHECK(plain.no_decay == std::vector<hone::index>{1, 2, 5});
  const hone::decay_rule rules[] = {{"pos_embed", false}, {"fc.*", true}};
  const hone::decay_groups ruled = hone::group_by_decay(resnet, rules);
  CHECK(ruled.decay == std::vector<hone::index>{0, 4, 5});
  CHECK(ruled.no_decay == std::vector<hone::index>{1, 2, 3});
  const hone::decay_groups own =
      hone::group_by_decay(resnet, [](hone::named_parameter const& p) { return p.name.starts_with("bn"); });
  CHECK(own.decay == std::vector<hone::index>{1, 2});
  CHECK(hone::group_by_decay({}).decay.empty());
}

TEST_CASE("group_by_decay: unmatched rules and invalid parameters throw") {
  using support::message;
  const hone::decay_rule typo[] = {{"fc.*", true}, {"*.posembed", false}};
  CHECK(message([&] { hone::group_by_decay(resnet, typo); }) ==
        "group_by_decay: rule 1, \"*.posembed\", matches no parameter");
  const std::vector<hone::named_parameter> nameless = {{"a", 1}, {"", 1}}, negative = {{"a", -1}};
  CHECK(message([&] { hone::group_by_decay(nameless); }) == "group_by_decay: parameter 1 has no name");
  CHECK(message([&] { hone::group_by_decay(negative); }) ==
        "group_by_decay: parameter 0 has -1 dimensions, must be at least 0");
}

}  // namespace
