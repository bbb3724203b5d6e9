// SPDX-License-Identifier: MIT
/// What reports say of recipes: structs with a `name` and a `summary`.
#pragma once

#include "page.hpp"
#include "text.hpp"

namespace demo {

/// Their names beside the marks of their curves; the colours are counted from `first` on.
std::string legend(const auto& recipes, int first = 0) {
  std::string out = "<p class=\"legend\">";
  for (const auto& r : recipes) out += legend_entry(r.name, first++ % colours);
  return out + "</p>\n";
}

/// The first cell of a summary row: the recipe, what it does, and whether it was interrupted.
std::string recipe_cell(const auto& recipes, const auto& row) {
  std::string summary;
  for (const auto& r : recipes)
    if (r.name == row.recipe) summary = r.summary;
  if (!row.complete) summary += format("; interrupted after epoch %d", row.epochs);
  return "<td>" + escaped(row.recipe) + "<small>" + escaped(summary) + "</small></td>";
}

}  // namespace demo
