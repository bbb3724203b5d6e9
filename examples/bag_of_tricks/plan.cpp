// SPDX-License-Identifier: MIT
#include "plan.hpp"

#include "text.hpp"

namespace ladder {

std::string plan::text() const {
  std::string line = demo::format("images %d watched %d measured %d %s batch %d smoothing %.17g alpha %.17g", images,
                                  watched, measured, validation ? "held-out" : "test", batch, smoothing, alpha);
  line += demo::format(" temperature %.17g average %.17g decay %.17g momentum %.17g", temperature, average_decay,
                       weight_decay, momentum);
  for (const network_kind& n : all_networks())
    line += demo::format(" %s %d %d %.17g %.17g", n.name.c_str(), n.width, n.blocks, rate.value_or(n.constant_rate),
                         rate.value_or(n.peak_rate));
  return line;
}

std::string training::id() const {
  std::string text = network + "-" + name_of(with) + demo::format("-e%d", epochs);
  if (missing) text += demo::format("-without%d", *missing);
  if (!teacher.empty()) text += demo::format("-soft%g-by-", soft_weight) + teacher;
  return text + demo::format("-seed%d", static_cast<int>(seed));
}

}  // namespace ladder
