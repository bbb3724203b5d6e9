// SPDX-License-Identifier: MIT
/// Groups of parameters with and without weight decay.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/name_pattern.hpp>
#include <hone/core/number.hpp>

#include <concepts>
#include <span>
#include <string_view>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A parameter as a framework lists it: {"layer1.0.bn1.weight", 1}.
struct named_parameter {
  std::string_view name;
  integer dimensions = 0;  ///< 0 a number, 1 a bias or the γ of a norm, 2 a matrix, 4 a convolution's weights
};

/// Decides the decay of all parameters whose names match a pattern, whatever their shape. See matches.
struct decay_rule {
  std::string_view pattern;
  bool decays = false;
};

namespace detail {

/// "a.b.c" -> "b" and "c"
constexpr std::string_view last_part(std::string_view name) noexcept { return name.substr(name.rfind('.') + 1); }
constexpr std::string_view module_part(std::string_view name) noexcept {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : last_part(name.substr(0, dot));
}

/// Returns whether a module has the name of a norm: bn1, ln, ln_f, gn2, norm, layer_norm, LayerNorm, batchnorm_3.
constexpr bool names_a_norm(std::string_view module) noexcept {
  if (matches("*norm*", module) || matches("*Norm*", module)) return true;
  if (!module.starts_with("bn") && !module.starts_with("ln") && !module.starts_with("gn")) return false;
  return module.size() == 2 || module[2] == '_' || module.find_first_not_of("0123456789", 2) == module.npos;
}

}  // namespace detail

/// Returns whether weight decay applies to a parameter: the first rule whose pattern matches decides; without one, it
/// applies if the parameter has at least two dimensions, is no bias ("bias", "….bias") and does not belong to a norm.
///
///     const hone::decay_rule rules[] = {{"*.pos_embed", false}, {"head.*", true}};
///     hone::decays({"blocks.0.attn.qkv.weight", 2}, rules)  // true
///
/// Source: Goyal et al., 2017, arXiv 1706.02677, section 5.1 (norms); He et al., Bag of Tricks, 2018, arXiv 1812.01187,
/// section 3.1 (biases too). timm's rule is the same, except that norms of two dimensions and more decay.
constexpr bool decays(named_parameter const& p, std::span<const decay_rule> rules = {}) noexcept {
  for (decay_rule const& rule : rules)
    if (matches(rule.pattern, p.name)) return rule.decays;
  return p.dimensions >= 2 && detail::last_part(p.name) != "bias" && !detail::names_a_norm(detail::module_part(p.name));
}

/// Indices in the caller's list of parameters, ascending.
struct decay_groups {
  std::vector<index> decay, no_decay;
};

/// Groups parameters by a user-defined predicate, bool(hone::named_parameter const&).
///
/// Throws hone::invalid_argument if a parameter has no name or a negative number of dimensions.
template <std::predicate<named_parameter const&> Decays>
decay_groups group_by_decay(std::span<const named_parameter> parameters, Decays const& question) {
  decay_groups groups;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    named_parameter const& p = parameters[i];
    if (p.name.empty()) detail::fail("group_by_decay: parameter %zu has no name", i);
    if (p.dimensions < 0)
      detail::fail("group_by_decay: parameter %zu has %jd dimensions, must be at least 0", i,
                   std::intmax_t(p.dimensions));
    (question(p) ? groups.decay : groups.no_decay).push_back(static_cast<index>(i));
  }
  return groups;
}

/// Groups parameters by hone::decays. Also throws hone::invalid_argument if a rule matches none of the parameters,
/// because that is a mistake.
///
///     const hone::decay_groups groups = hone::group_by_decay(parameters, rules);
///     for (hone::index i : groups.no_decay) optimiser.weight_decay[i] = 0;
HONE_IF_CALLED
decay_groups group_by_decay(std::span<const named_parameter> parameters, std::span<const decay_rule> rules = {}) {
  for (std::size_t r = 0; r < rules.size(); ++r) {
    bool used = false;
    for (named_parameter const& p : parameters) used = used || matches(rules[r].pattern, p.name);
    if (!used)
      detail::fail("group_by_decay: rule %zu, \"%.*s\", matches no parameter", r,
                   static_cast<int>(rules[r].pattern.size()), rules[r].pattern.data());
  }
  return group_by_decay(parameters, [rules](named_parameter const& p) { return decays(p, rules); });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
