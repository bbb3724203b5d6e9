// SPDX-License-Identifier: MIT
/// The error of streams and files.
#pragma once

#include <hone/core/error.hpp>

#include <stdexcept>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A stream or a file failed to read or write. Without exceptions, the handler gets the message.
class io_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
