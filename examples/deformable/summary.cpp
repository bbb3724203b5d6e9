// SPDX-License-Identifier: MIT
#include "summary.hpp"

#include "paired_test.hpp"
#include "text.hpp"

#include <algorithm>

namespace deformable {
namespace {

using demo::format;

constexpr double clear = 0.05;  // of p

std::vector<const outcome*> of_kind(bool with_offsets, const std::vector<outcome>& all) {
  std::vector<const outcome*> kind;
  for (const outcome& o : all)
    if (o.with_offsets == with_offsets) kind.push_back(&o);
  return kind;
}

}  // namespace

std::string table_text(const plan& plan, const std::vector<outcome>& all) {
  std::string text = "             error, %        parameters  s per epoch  mean offset\n";
  for (const bool with_offsets : {false, true}) {
    const auto kind = of_kind(with_offsets, all);
    if (kind.empty()) continue;
    std::vector<double> errors, seconds;
    double offset = 0;
    for (const outcome* o : kind) {
      errors.push_back(100 * o->error), seconds.push_back(o->seconds / plan.epochs);
      offset += o->mean_offset / static_cast<double>(kind.size());
    }
    const demo::spread s = demo::spread_of(errors);
    const network<float> net(1, with_offsets ? std::nullopt : std::optional(equal_width()));
    text += format("%-11s  %5.2f ± %-5.2f   %10d  %11.2f  %11.2f\n", with_offsets ? "deformable" : "plain", s.mean,
                   s.deviation, static_cast<int>(net.parameters.size()), *std::ranges::min_element(seconds), offset);
  }
  return text;
}

std::string verdict(const std::vector<outcome>& all) {
  std::vector<double> plain, deformed;
  for (const outcome* o : of_kind(false, all))
    for (const outcome* other : of_kind(true, all))
      if (o->seed == other->seed) plain.push_back(o->error), deformed.push_back(other->error);
  const demo::paired_test t = demo::compare(plain, deformed);
  return std::string(
             "A deformable convolution errs less than a plain one of as many parameters (Dai et al. 2017, arXiv "
             "1703.06211) ") +
         (t.mean < 0 && t.p < clear ? "holds here: " : "does not hold here: ") +
         format("%+.2f points (p %.2g, lower in %d of %d).", 100 * t.mean, t.p, t.lower, t.pairs);
}

}  // namespace deformable
