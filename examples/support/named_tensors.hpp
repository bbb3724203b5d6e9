// SPDX-License-Identifier: MIT
/// What lies where in a network's vector of parameters.
#pragma once

#include <Eigen/Core>

#include <string>
#include <utility>
#include <vector>

namespace demo {

/// A tensor as a framework would list it: "layer1.0.conv1.weight", of four dimensions, here a matrix.
struct named_tensor {
  std::string name;
  Eigen::Index at, rows, columns;
  int dimensions;

  Eigen::Index size() const { return rows * columns; }
};

/// One behind the other.
class named_tensors {
 public:
  /// Where it begins.
  Eigen::Index add(std::string name, Eigen::Index rows, Eigen::Index columns, int dimensions) {
    const Eigen::Index at = size_;
    all_.push_back({std::move(name), at, rows, columns, dimensions});
    size_ += rows * columns;
    return at;
  }
  Eigen::Index size() const { return size_; }  // numbers
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

 private:
  std::vector<named_tensor> all_;
  Eigen::Index size_ = 0;
};

}  // namespace demo
