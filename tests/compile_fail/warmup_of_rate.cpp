// SPDX-License-Identifier: MIT
// wrong: warmup: the first argument must be a schedule, with a double rate\(hone::integer\) const
#include <hone/schedule/warmup.hpp>

#ifdef WRONG
auto schedule() { return hone::warmup(0.1, {.steps = 100}); }
#else
auto schedule() { return hone::warmup(hone::constant{.value = 0.1}, {.steps = 100}); }
#endif
