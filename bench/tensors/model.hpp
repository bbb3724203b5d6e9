// SPDX-License-Identifier: MIT
/// The tensors of ResNet-50, as lists of arrays.
#pragma once

#include "../parallel.hpp"
#include "../random.hpp"
#include "../work.hpp"
#include "resnet50.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace bench {

/// The sizes of ResNet-50's tensors. A test makes them smaller.
inline std::vector<index> resnet50(registry const& r) {
  return sizes_of_resnet50([&](index n) { return r.columns(n); });
}

inline index total(std::vector<index> const& sizes) { return std::accumulate(sizes.begin(), sizes.end(), index(0)); }

/// Data that has lists of tensors, whose arrays are called parameters/0, parameters/1, and so on.
struct tensors : data {
  std::vector<index> sizes;

  explicit tensors(std::vector<index> s) : sizes(std::move(s)) {}

 protected:
  template <class T>
  hone::tensor_list<T> list(random_numbers& random, std::string const& name, bool output = false) {
    hone::tensor_list<T> made;
    for (std::size_t k = 0; k < sizes.size(); ++k) {
      const std::string own = name + "/" + std::to_string(k);
      T* const p = make<T>(own, {sizes[k]});
      random.normal(p, sizes[k], 0, 0.1f);
      if (output) writes(own);
      made.push_back({p, sizes[k]});
    }
    return made;
  }

  /// An array of zeros as long as all tensors together, for streams.
  float* zeros(std::string const& name) { return make<float>(name, {total(sizes)}); }
};

/// A part of one tensor.
struct stretch {
  std::size_t tensor;
  index begin, end;
};

/// All tensors in stretches of at most 32768 numbers.
inline std::vector<stretch> stretches(std::vector<index> const& sizes) {
  constexpr index most = 32768;
  std::vector<stretch> all;
  for (std::size_t k = 0; k < sizes.size(); ++k)
    for (index i = 0; i < sizes[k]; i += most) all.push_back({k, i, std::min(sizes[k], i + most)});
  return all;
}

/// Returns the sum of body(stretch) over all stretches, on all threads.
template <class Body>
double over_stretches(hone::cpu const& cpu, std::vector<stretch> const& all, Body const& body) {
  return split(cpu, static_cast<index>(all.size()), 1, 0, [&](index begin, index end, float*) {
    double sum = 0;
    for (index i = begin; i < end; ++i) sum += body(all[static_cast<std::size_t>(i)]);
    return sum;
  });
}

}  // namespace bench
