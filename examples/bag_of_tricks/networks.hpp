// SPDX-License-Identifier: MIT
/// The networks that are trained, behind one face.
#pragma once

#include "junction.hpp"

#include <hone/hone.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ladder {

/// A network by name, with the rates that were chosen for it on held-out images (README.md).
struct network_kind {
  std::string name, meaning;
  int width, blocks;  // 0: the network of examples/fashion_mnist
  double constant_rate, peak_rate;
  double cost;  // of training on an image, roughly and beside the others; looking at one takes a third
  struct structure structure = {};

  bool residual() const { return width > 0; }
};

const std::vector<network_kind>& all_networks();
/// By a name of all_networks(), and, of a residual one, by its name and the suffix of a structure: "residual+d+se".
/// Throws std::invalid_argument.
network_kind network_named(const std::string& name);

/// On one thread.
class network {
 public:
  virtual ~network() = default;

  /// images is n x 784. The logits, n x 10, stay valid until the next call.
  virtual const matrix<float>& forward(const matrix<float>& images, const pass& pass) = 0;
  /// From the gradient of the logits of the last forward(), which was one in training and whose images are still there.
  virtual void backward(const matrix<float>& logit_gradient) = 0;

  virtual Eigen::VectorXf& parameters() = 0;
  virtual Eigen::VectorXf& gradient() = 0;
  /// The running ones of batch norms; may be empty.
  virtual Eigen::VectorXf& statistics() = 0;
  virtual const demo::named_tensors& tensors() const = 0;
};

std::unique_ptr<network> make_network(const network_kind& kind, std::uint64_t seed);

/// What an average is of and what a file holds: the parameters, and the running statistics as well.
hone::tensor_list<float> state_of(network& net);

/// For every parameter what it is pulled to 0 by: `decay`, or 0 for biases and norms if `sparing`.
Eigen::VectorXf decay_of(const network& net, float decay, bool sparing);

/// The last γ of every residual block becomes 0.
void zero_gammas(network& net);

}  // namespace ladder
