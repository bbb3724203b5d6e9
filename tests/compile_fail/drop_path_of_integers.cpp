// SPDX-License-Identifier: MIT
// wrong: drop_path: factors must be of float, double or a 16-bit type
#include <hone/hone.hpp>

#include <span>

#ifdef WRONG
using number = int;
#else
using number = float;
#endif

void drop_path_of_integers(hone::drop_path const& policy, std::span<number> factors) { policy.draw(1, 2, 3, factors); }
