// SPDX-License-Identifier: MIT
/// The works: checked, timed beside a copy of as many bytes, and put into a table.
#pragma once

#include <gpu/options.hpp>

#include <hone/core/number.hpp>

#include <cuda_runtime_api.h>

#include <functional>
#include <set>
#include <string>

namespace bench {

using hone::index;

/// A line of the table.
struct entry {
  std::string name;
  index rows, columns;
  const char* type;
};

class table {
 public:
  explicit table(options const& o) : o_(o) {}

  options const& asked() const { return o_; }
  bool all_right() const { return right_; }

  /// Returns whether a work is to be done; with --list, names it instead.
  bool wants(entry const& e);
  /// Returns how many sets of buffers of `bytes` it takes to pass through L2 before one is met again.
  int sets_for(index bytes) const;
  /// call(set) enqueues one call, which must move `bytes`; wrong() makes one on the first set, and returns how its
  /// result differs from the reference, or an empty text. Then calls are timed, in a graph unless that cannot be.
  void measure(entry const& e, index bytes, int sets, cudaStream_t stream, std::function<void(int)> const& call,
               std::function<std::string()> const& wrong, bool in_graph = true);

 private:
  options const& o_;
  bool right_ = true;
  std::set<std::string> called_;  // with --once
};

/// The works of a program, and two of their families, which take long to compile.
void all(table&);
void losses_float(table&);
void losses_bfloat16(table&);

}  // namespace bench
