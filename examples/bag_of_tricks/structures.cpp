// SPDX-License-Identifier: MIT
// Pieces of network structure, each alone and all together.
#include "experiment_parts.hpp"

namespace ladder {
namespace {

using demo::format;

/// A network with a structure, trained with the schedule alone: it needs no teacher, mixup does not hurt it in few
/// epochs, and He et al. measured their tweaks before the other refinements, too.
struct form {
  std::string name, claim;  // no claim: what the others are compared with
  structure with;
};

const std::vector<form>& forms() {
  static const std::vector<form> all = {
      {"none", "", {.d = false}},
      {"+ d", "the pooled shortcut of ResNet-D lowers the error (He et al. 2018, arXiv 1812.01187, table 5)", {}},
      {"+ se", "squeeze-and-excitation lowers the error (Hu et al. 2018, arXiv 1709.01507)", {.d = false, .se = true}},
      {"+ drop_path",
       "drop path lowers the error (Huang et al. 2016, arXiv 1603.09382)",
       {.d = false, .drop_path = true}},
      {"all three", "all three together lower the error", {.d = true, .se = true, .drop_path = true}},
  };
  return all;
}

std::string network_of(const form& f) { return "residual" + suffix_of(f.with); }

with_seed with_form(const plan& p, const form& f) {
  return [p, f](std::uint64_t seed) { return make_training(p, network_of(f), plain, seed); };
}

Eigen::Index parameters_of(const form& f) { return make_network(network_named(network_of(f)), 1)->parameters().size(); }

/// Of the seed that took least: others may have shared their core.
double seconds_per_epoch(const plan& p, const results& r, const form& f) {
  const std::vector<double> all = numbers_of(p, r, with_form(p, f), &record::seconds);
  return *std::ranges::min_element(all) / p.epochs;
}

finding judged(const plan& p, const results& r) {
  finding found{.unit = "error", .columns = {"Change", "p", "Lower in", "Parameters", "Seconds per epoch"}};
  std::vector<double> base;
  int holding = 0, claims = 0;
  for (const form& f : forms()) {
    finding_row row{f.name, numbers_of(p, r, with_form(p, f)), {}};
    if (f.claim.empty()) {
      base = row.numbers;
      row.cells = {"", "", ""};
    } else {
      const paired_test change = compare(base, row.numbers);
      const bool holds = change.mean < 0 && change.p < clear;
      holding += holds ? 1 : 0, ++claims;
      row.cells = {format("%+.2f", 100 * change.mean), format("%.2g", change.p),
                   format("%d of %d", change.lower, change.pairs)};
      found.parts.push_back((holds ? "Holds: " : "Does not hold: ") + f.claim + ": " + told(change));
    }
    row.cells.push_back(format("%d", static_cast<int>(parameters_of(f))));
    row.cells.push_back(format("%.2f", seconds_per_epoch(p, r, f)));
    found.rows.push_back(row);
  }
  found.holds = holding == claims;
  found.numbers = format("%d of %d claims hold", holding, claims);
  return found;
}

}  // namespace

experiment structures() {
  return {"structure",
          "Each piece of structure lowers the error, alone and with the others",
          "He et al. 2018, Hu et al. 2018, Huang et al. 2016",
          "the mean error is below that of the network with none of them and p < 0.05, for each of the four claims",
          [](const plan& p) {
            std::vector<with_seed> parts;
            for (const form& f : forms()) parts.push_back(with_form(p, f));
            return all_of(p, parts);
          },
          judged};
}

}  // namespace ladder
