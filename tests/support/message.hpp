// SPDX-License-Identifier: MIT
/// What a refused call says.
#pragma once

#include <hone/core/error.hpp>

#include <exception>
#include <string>

namespace support {

/// The message of the hone::invalid_argument that body throws; empty where it throws nothing.
template <class Body>
std::string message(Body&& body) {
  try {
    body();
  } catch (const hone::invalid_argument& error) {
    return error.what();
  }
  return {};
}

/// The message of the exception that body throws, whatever its type; empty where it throws nothing.
template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (std::exception const& error) {
    return error.what();
  }
  return {};
}

}  // namespace support
