// SPDX-License-Identifier: MIT
// wrong: over_ranks: the first argument must be a communicator, such as hone::self or hone::mpi
#include <hone/hone.hpp>

auto over_ranks_of_number() {
#ifdef WRONG
  return hone::over_ranks(4, hone::mean, hone::rank_gradients::averaged);
#else
  return hone::over_ranks(hone::self(), hone::mean, hone::rank_gradients::averaged);
#endif
}
