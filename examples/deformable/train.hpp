// SPDX-License-Identifier: MIT
/// One training, on one thread.
#pragma once

#include "network.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace deformable {

struct plan {
  int canvases = 8000, tests = 4000;  // canvases of an epoch, placed anew in every epoch; and to measure on
  int epochs = 10, batch = 50, seeds = 5;
  double plain_rate = 0.4,
         deformable_rate = 0.2;  // at their peaks: where each erred least on held-out items (README.md)
  double offset_rate = 0.1;      // of what predicts offsets and mask, beside the others': Zhu et al. 2019, section 3.2
  bool validation = false;       // measure on held-out training items; leave the test items alone
};

struct outcome {
  bool with_offsets = false;
  std::uint64_t seed = 0;
  std::vector<double> loss = {};  // of every epoch
  double error = 0;               // of the tests, after the last epoch
  double mean_offset = 0;         // there, in pixels of a 10 x 10 map
  double seconds = 0;             // of a core, for all epochs
};

/// Nothing where it was interrupted. It depends on the seed and the plan alone. told(epoch, loss) after every epoch.
std::optional<outcome> train(bool with_offsets, std::uint64_t seed, const plan& plan, const demo::dataset& items,
                             const std::function<void(int, double)>& told);

}  // namespace deformable
