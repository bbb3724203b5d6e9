// SPDX-License-Identifier: MIT
/// What an average's state holds, for tests.
#pragma once

#include <hone/average/ema_state.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace support {

template <class T>
std::vector<T> contents(hone::ema_state<T> const& state) {
  std::vector<T> all;
  for (auto const& t : state.tensors()) all.insert(all.end(), t.data, t.data + t.size);
  return all;
}

/// As it is saved: equal bytes are equal states.
template <class T>
std::string saved(hone::ema_state<T> const& state) {
  std::ostringstream out;
  state.save(out);
  return out.str();
}

}  // namespace support
