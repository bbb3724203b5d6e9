// SPDX-License-Identifier: MIT
#include "summary.hpp"

#include "text.hpp"

namespace ladder {
namespace {

constexpr double promised = 0.14;  // of the baseline's error

std::string change_text(const paired_test& c) {
  if (c.pairs < 2) return demo::format("%+.2f points with one seed, which tells little", 100 * c.mean);
  return demo::format("%+.2f points (p %.2g, lower in %d of %d)", 100 * c.mean, c.p, c.lower, c.pairs);
}

}  // namespace

std::string percent(std::span<const double> parts) {
  const demo::spread s = demo::spread_of(parts);
  if (parts.size() < 2) return demo::format("%.2f", 100 * s.mean);
  return demo::format("%.2f ± %.2f", 100 * s.mean, 100 * s.deviation);
}

std::string judgement(const paired_test& change) {
  if (!(change.p < 0.05)) return "has no clear effect";
  return change.mean < 0 ? "helps" : "hurts";
}

std::string sentence_of(const std::string& network, const step_result& s, const std::string& against) {
  const std::string error = "error " + percent(s.errors) + " %";
  if (s.against.pairs == 0) return network + ", " + s.what.name + ": " + error + ".";
  return network + ", " + s.what.name + " " + judgement(s.against) + ": " + error + ", " + change_text(s.against) +
         " against " + against + ".";
}

std::string sentence_of_omission(const std::string& network, const step_result& s) {
  paired_test of_trick = s.against;
  of_trick.mean = -of_trick.mean;
  const std::string trick = s.what.name.substr(2), found = judgement(of_trick);
  const std::string meaning = found == "helps"   ? "the others do not make up for it"
                              : found == "hurts" ? "the others do better without it"
                                                 : "beside the others it has no clear effect";
  return network + ", all but " + trick + ": " + meaning + ": error " + percent(s.errors) + " %, " +
         change_text(s.against) + " against all.";
}

std::string overall(const plan& plan, const std::string& network, const std::vector<step_result>& ladder) {
  const double cut = relative_cut(ladder);
  const paired_test all = compare(ladder.front().errors, ladder.back().errors);
  return network + (cut >= promised ? " keeps" : " does not keep") + " the promise of 14 %: " +
         demo::format("all tricks together cut the baseline's error by %.1f %%, from ", 100 * cut) +
         percent(ladder.front().errors) + " to " + percent(ladder.back().errors) +
         demo::format(" %%, on the mean of %d seeds at equal epochs (%d): ", plan.seeds, plan.epochs) +
         change_text(all) + ".";
}

}  // namespace ladder
