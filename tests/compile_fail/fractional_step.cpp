// SPDX-License-Identifier: MIT
// wrong: (hone::(v[0-9_]+::)?|')integer'?
#include <hone/schedule/cosine.hpp>

double rate(double epoch) {
  const hone::cosine schedule{.peak = 0.1, .total = 100};
#ifdef WRONG
  return schedule.rate(epoch);
#else
  return schedule.rate(static_cast<int>(epoch));
#endif
}
