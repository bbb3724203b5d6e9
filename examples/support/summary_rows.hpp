// SPDX-License-Identifier: MIT
/// The rows of a table of trainings: structs with a `recipe`, the `epochs` that were completed, and `complete`.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace demo {

/// In the order of first appearance.
template <class History>
std::vector<std::string> recipes_in(const std::vector<History>& histories) {
  std::vector<std::string> names;
  for (const History& h : histories)
    if (std::ranges::find(names, h.recipe) == names.end()) names.push_back(h.recipe);
  return names;
}

/// row_of(trainings) for the complete trainings of each recipe, then for each interrupted one that had an epoch.
template <class History, class RowOf>
auto summary_rows(const std::vector<History>& histories, const RowOf& row_of) {
  using trainings = std::vector<const History*>;
  std::vector<decltype(row_of(trainings()))> rows;
  for (const std::string& name : recipes_in(histories)) {
    trainings complete;
    for (const History& h : histories)
      if (h.recipe == name && h.complete) complete.push_back(&h);
    if (!complete.empty()) rows.push_back(row_of(complete));
  }
  for (const History& h : histories)
    if (!h.complete && h.epochs > 0) rows.push_back(row_of(trainings{&h}));
  return rows;
}

}  // namespace demo
