// SPDX-License-Identifier: MIT
#include "networks.hpp"

#include "convolutional_network.hpp"
#include "residual_network.hpp"

#include <stdexcept>

namespace ladder {
namespace {

class demo_network final : public network {
 public:
  explicit demo_network(std::uint64_t seed) : net_(seed, 1) {}

  const matrix<float>& forward(const matrix<float>& images, const pass&) override { return net_.forward(images); }
  void backward(const matrix<float>& logit_gradient) override { net_.backward(logit_gradient); }
  Eigen::VectorXf& parameters() override { return net_.parameters; }
  Eigen::VectorXf& gradient() override { return net_.gradient; }
  Eigen::VectorXf& statistics() override { return none_; }
  const demo::named_tensors& tensors() const override { return tensors_; }

 private:
  demo::network net_;
  demo::named_tensors tensors_ = demo::network::tensors();
  Eigen::VectorXf none_;
};

class small_resnet final : public network {
 public:
  small_resnet(std::uint64_t seed, const network_kind& kind) : net_(seed, kind.width, kind.blocks, kind.structure) {}

  const matrix<float>& forward(const matrix<float>& images, const pass& pass) override {
    return net_.forward(images, pass);
  }
  void backward(const matrix<float>& logit_gradient) override { net_.backward(logit_gradient); }
  Eigen::VectorXf& parameters() override { return net_.parameters; }
  Eigen::VectorXf& gradient() override { return net_.gradient; }
  Eigen::VectorXf& statistics() override { return net_.statistics; }
  const demo::named_tensors& tensors() const override { return net_.tensors(); }

 private:
  residual_network<float> net_;
};

/// The places that decay, by hone's rule.
hone::decay_groups groups_of(const network& net) {
  std::vector<hone::named_parameter> parameters;
  for (const demo::named_tensor& t : net.tensors()) parameters.push_back({t.name, t.dimensions});
  return hone::group_by_decay(parameters);  // hone
}

}  // namespace

const std::vector<network_kind>& all_networks() {
  static const std::vector<network_kind> all = {
      {"demo", "that of examples/fashion_mnist, without norms", 0, 0, 0.01, 0.04, 1},
      {"residual", "ResNet-like, 16 channels", 16, 1, 0.03, 0.2, 1},
      {"wide", "ResNet-like, 32 channels: the teacher", 32, 1, 0.03, 0.2, 3.4},
      {"narrow", "ResNet-like, 8 channels: the student of the experiments", 8, 1, 0.03, 0.2, 0.6},
  };
  return all;
}

network_kind network_named(const std::string& name) {
  const std::size_t end = name.find('+');
  for (network_kind kind : all_networks()) {
    if (kind.name != name.substr(0, end)) continue;
    if (end == std::string::npos) return kind;
    for (int bits = 0; bits < 8 && kind.residual(); ++bits) {
      kind.structure = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
      if (name != kind.name + suffix_of(kind.structure)) continue;
      kind.name = name;
      return kind;
    }
  }
  throw std::invalid_argument("no network '" + name + "'");
}

std::unique_ptr<network> make_network(const network_kind& kind, std::uint64_t seed) {
  if (kind.residual()) return std::make_unique<small_resnet>(seed, kind);
  return std::make_unique<demo_network>(seed);
}

hone::tensor_list<float> state_of(network& net) {
  hone::tensor_list<float> state{{net.parameters().data(), net.parameters().size()}};
  if (net.statistics().size() > 0) state.push_back({net.statistics().data(), net.statistics().size()});
  return state;
}

Eigen::VectorXf decay_of(const network& net, float decay, bool sparing) {
  Eigen::VectorXf pull = Eigen::VectorXf::Constant(net.tensors().size(), decay);
  if (!sparing) return pull;
  for (const hone::index i : groups_of(net).no_decay) {
    const demo::named_tensor& t = net.tensors().begin()[i];
    pull.segment(t.at, t.size()).setZero();
  }
  return pull;
}

void zero_gammas(network& net) {
  hone::tensor_list<float> tensors;
  std::vector<std::string> names;
  for (const demo::named_tensor& t : net.tensors()) {
    tensors.push_back({net.parameters().data() + t.at, t.rows, t.columns});
    names.push_back(t.name);
  }
  hone::zero_fill(tensors, names, {"layer?.*.bn2.weight"});  // hone
}

}  // namespace ladder
