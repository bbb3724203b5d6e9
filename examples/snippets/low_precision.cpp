// SPDX-License-Identifier: MIT
// The examples of docs/low_precision.md.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <cmath>
#include <vector>

int main() {
  const hone::cpu cpu;
  {
    // [lost]
    Eigen::bfloat16 bare(1.0f), stored(1.0f);
    const hone::tensor_list<Eigen::bfloat16> parameters{{&stored, 1}};
    const hone::master_weights<float> masters(parameters);
    for (int step = 0; step < 1000; ++step) {
      bare = Eigen::bfloat16(static_cast<float>(bare) + 1e-4f);  // 1, every time
      masters.tensors()[0].data[0] += 1e-4f;
    }
    hone::refresh(cpu, masters, parameters);  // 1.1015625, the bfloat16 next to 1.1
    // [/lost]
    expect(static_cast<float>(bare), 1, "an update without masters");
    expect(static_cast<float>(stored), 1.1015625, "updates of masters");
  }

  {
    std::vector<Eigen::half> gradient(12, Eigen::half(0x1p-10f));  // of 65536 · loss
    std::vector<float> master(12, 0.0f);
    const double scale = 65536;
    const float rate = 1;
    // [half]
    const hone::tensor_list<const Eigen::half> gradients{{gradient.data(), 12}};
    const auto measured =
        hone::measure(cpu, hone::chain(hone::unscale(scale), hone::clip_by_global_norm(1)), gradients);
    for (std::size_t i = 0; measured.finite && i < master.size(); ++i)
      master[i] -= rate * static_cast<float>(measured.factor) * static_cast<float>(gradient[i]);  // 2^-26, not 0
    // [/half]
    expect(master[11] == -0x1p-26f, "a gradient that half does not have");
  }

  {
    const auto chain = hone::unscale(1);
    const auto sgd = []<hone::operand V>(V const& g, V& p) { p -= V(0.001) * g; };
    std::vector<Eigen::bfloat16> weight(4096, Eigen::bfloat16(1.0f));
    const std::vector<float> slope(4096, -0.25f);
    const auto backward = [] {};
    // [stochastic]
    const hone::tensor_list<Eigen::bfloat16> parameters{{weight.data(), 64, 64}};
    const hone::tensor_list<const float> gradients{{slope.data(), 64, 64}};
    for (int step = 0; step < 1000; ++step) {
      backward();
      const hone::stochastic_rounding rounding{.seed = 1, .step = step};
      hone::step(cpu, chain, sgd, gradients, hone::rounded_by(rounding, parameters));  // no masters
    }
    // [/stochastic]
    double sum = 0;
    for (const auto w : weight) sum += static_cast<double>(static_cast<float>(w));
    expect(std::abs(sum / 4096 - 1.25) < 0.003, "stochastic rounding keeps updates of 2^-12 on average");
    const hone::master_weights<float> masters(parameters);
    const int step = 1000;
    // [refresh]
    hone::refresh(cpu, masters, parameters, hone::stochastic_rounding{.seed = 1, .step = step});
    // [/refresh]
    expect(weight[0] == Eigen::bfloat16(masters.tensors()[0].data[0]), "a bfloat16 stays as it is");
  }

  std::vector<Eigen::bfloat16> weight(12, Eigen::bfloat16(1.0f)), gradient(12);
  std::vector<float> velocity(12);
  const float rate = 0.001f;
  const auto forward_and_backward = [&](double scale) {
    for (auto& g : gradient) g = Eigen::bfloat16(static_cast<float>(0.5 * scale));
  };
  // [train]
  const hone::tensor_list<Eigen::bfloat16> parameters{{weight.data(), 3, 4}}, gradients{{gradient.data(), 3, 4}};
  const hone::master_weights<float> masters(parameters);
  hone::loss_scaler scaler{.initial = 1024};

  for (int step = 0; step < 10; ++step) {
    forward_and_backward(scaler.scale());  // of scaler.scale() · loss
    const auto report =
        hone::transform(cpu, hone::chain(hone::unscale(scaler), hone::clip_by_global_norm(1)), gradients);
    scaler.update(report.finite);
    if (!report.finite) continue;  // neither the masters nor the parameters move
    float* const w = masters.tensors()[0].data;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      velocity[i] = 0.9f * velocity[i] + static_cast<float>(gradient[i]);
      w[i] -= rate * velocity[i];
    }
    hone::refresh(cpu, masters, parameters);
  }
  // [/train]
  expect(static_cast<float>(weight[0]) < 1 && weight[0] == Eigen::bfloat16(masters.tensors()[0].data[0]),
         "parameters follow their masters");
  return failures;
}
