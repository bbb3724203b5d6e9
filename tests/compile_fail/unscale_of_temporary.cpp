// SPDX-License-Identifier: MIT
// wrong: unscale: the loss_scaler is viewed, not copied: give it a name first
#include <hone/hone.hpp>

auto unscale_of_temporary() {
  static const hone::loss_scaler scaler{.initial = 1024};
#ifdef WRONG
  return hone::unscale(hone::loss_scaler{.initial = 1024});
#else
  return hone::unscale(scaler);
#endif
}
