// SPDX-License-Identifier: MIT
#include "summary.hpp"

#include "text.hpp"

#include <algorithm>

namespace regression {
namespace {

using demo::format;

std::vector<const outcome*> of_kind(const results& r, bool exact, const std::vector<std::string>& names) {
  std::vector<const outcome*> found;
  for (const std::string& name : names)
    for (const outcome& o : r.outcomes)
      if (o.exact == exact && o.name == name) found.push_back(&o);
  return found;
}

bool larger(const outcome* a, const outcome* b) { return a->final_error() > b->final_error(); }

/// Zheng et al. 2020, section 3.3: IoU, GIoU, DIoU, CIoU from the largest final error to the smallest.
std::string judge_zheng(const results& r, bool exact) {
  std::vector<const outcome*> losses = of_kind(r, exact, {"IoU", "GIoU", "DIoU", "CIoU"});
  const bool holds =
      std::adjacent_find(losses.begin(), losses.end(), [](auto a, auto b) { return !larger(a, b); }) == losses.end();
  std::stable_sort(losses.begin(), losses.end(), larger);
  return format("Published ordering IoU > GIoU > DIoU > CIoU %s here with %s gradients: final error ",
                holds ? "holds" : "does not hold", exact ? "exact" : "darknet's") +
         order_text(losses) + ".";
}

/// Zhang et al. 2022, arXiv 2101.08158: EIoU ends below the others.
std::string judge_zhang(const results& r) {
  std::vector<const outcome*> losses = of_kind(r, true, {"IoU", "GIoU", "DIoU", "CIoU", "EIoU"});
  std::stable_sort(losses.begin(), losses.end(), larger);
  const auto n = losses.size();
  const bool holds = losses.back()->name == "EIoU" && larger(losses[n - 2], losses[n - 1]);
  return format("EIoU ends lowest, as published: %s here with exact gradients, %s.", holds ? "holds" : "does not hold",
                order_text({losses[n - 2], losses[n - 1]}).c_str());
}

std::string compare_gradients(const results& r) {
  std::string lower, higher;
  for (const outcome* exact : of_kind(r, true, {"IoU", "GIoU", "DIoU", "CIoU"})) {
    const outcome* darknet = of_kind(r, false, {exact->name}).front();
    std::string& where = larger(exact, darknet) ? lower : higher;
    where += (where.empty() ? "" : ", ") + exact->name;
    where += format(" (%.3g, exact %.3g)", darknet->final_error(), exact->final_error());
  }
  return "darknet's gradients against exact ones: they end lower with " + (lower.empty() ? "none" : lower) +
         "; not lower with " + (higher.empty() ? "none" : higher) + ".";
}

}  // namespace

std::string order_text(const std::vector<const outcome*>& sorted) {
  std::string text;
  for (const outcome* o : sorted) text += (text.empty() ? "" : " > ") + o->name + format(" %.3g", o->final_error());
  return text;
}

std::vector<std::string> verdicts(const results& r) {
  if (r.points.empty()) return {};
  return {judge_zheng(r, true), judge_zheng(r, false), judge_zhang(r), compare_gradients(r)};
}

std::string table_text(const results& r) {
  std::string text =
      format("%-14s %11s %11s %11s %11s %9s\n", "", "step 50", "step 100", "step 160", "step 200", "arrived");
  for (const outcome& o : r.outcomes)
    text += format("%-14s %11.4g %11.4g %11.4g %11.4g %7.2f %%\n", o.label().c_str(), o.error[50], o.error[100],
                   o.error[160], o.error[200], 100 * static_cast<double>(o.arrived) / static_cast<double>(r.cases()));
  return text;
}

}  // namespace regression
