// SPDX-License-Identifier: MIT
// wrong: sequence: schedules and their steps in turn, the last without steps
#include <hone/schedule/sequence.hpp>

#ifdef WRONG
auto schedule() { return hone::sequence(hone::constant{.value = 0.1}, 30, 60); }
#else
auto schedule() { return hone::sequence(hone::constant{.value = 0.1}, 30, hone::constant{.value = 0.01}); }
#endif
