// SPDX-License-Identifier: MIT
/// What --validation measures on in place of the test images: the last sixth of the training images.
#pragma once

#include "data.hpp"

namespace demo {

/// How many of `all` training images are left to train on.
constexpr std::size_t kept_of(std::size_t all) { return all - all / 6; }

inline dataset with_held_out(const dataset& data) {
  const std::size_t all = data.train.size(), kept = kept_of(all);
  return {data.train.part(0, kept), data.train.part(kept, all)};
}

}  // namespace demo
