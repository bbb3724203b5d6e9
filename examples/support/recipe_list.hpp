// SPDX-License-Identifier: MIT
/// Recipes by name: structs with a `name` and a `summary`.
#pragma once

#include "command_line.hpp"
#include "interrupt.hpp"

#include <cstdint>

namespace demo {

/// "a, b, c".
std::string names_text(const auto& named) {
  std::string text;
  for (const auto& n : named) text += (text.empty() ? "" : ", ") + n.name;
  return text;
}

/// In the order of the names. Throws usage_error at one that there is not.
template <class Recipe>
std::vector<Recipe> recipes_of(const std::vector<Recipe>& all, const std::vector<std::string>& names) {
  std::vector<Recipe> chosen;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(all, name, &Recipe::name);
    if (found == all.end()) throw usage_error("no recipe '" + name + "'; there are " + names_text(all));
    chosen.push_back(*found);
  }
  return chosen;
}

/// A line for each; the summaries stand below one another behind names of at most `width` characters.
void print_recipes(const auto& recipes, int width) {
  for (const auto& r : recipes) std::printf("  %-*s %s\n", width, r.name.c_str(), r.summary.c_str());
}

/// train(recipe, seed) for every recipe with seed 1, then with seed 2, and so on, until interrupted().
void each_training(const auto& recipes, int seeds, const auto& train) {
  for (int seed = 1; seed <= seeds; ++seed)
    for (const auto& r : recipes)
      if (!interrupted()) train(r, static_cast<std::uint64_t>(seed));
}

}  // namespace demo
