// SPDX-License-Identifier: MIT
// What docs/averages.md shows.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

int main() {
  const hone::cpu cpu;
  std::vector<float> weight(12, 1.0f), bias(4, 1.0f), mean(4, 1.0f);
  const auto train = [&] { weight.assign(12, 3.0f), bias.assign(4, 3.0f), mean.assign(4, 3.0f); };
  const auto evaluate = [&] { return weight[0]; };
  {
    // [update]
    const hone::tensor_list<float> parameters{{weight.data(), 3, 4}, {bias.data(), 4}};
    const hone::ema average{.decay = 0.9999, .ramp = hone::exponential_ramp(2000)};
    hone::ema_state<float> shadow(parameters);  // a copy

    train();                                         // a step of the optimiser, then
    hone::update(cpu, average, shadow, parameters);  // once per step
    float first = shadow.tensors()[0].data[0];
    // [/update]
    expect(first, 1 + 2 * (1 - 0.9999 * (1 - std::exp(-1 / 2000.0))), "the average after one step of this ramp");
  }
  {
    const hone::tensor_list<float> parameters{{weight.data(), 12}};
    hone::ema_state<float> shadow(parameters);
    weight.assign(12, 5.0f);
    // [swap]
    hone::swap(cpu, shadow, parameters);  // the model has the averages
    float accuracy = evaluate();
    hone::swap(cpu, shadow, parameters);  // and its own numbers again, in every bit
    // [/swap]
    expect(accuracy, 3, "the average");
    expect(weight[0], 5, "the parameter");
  }
  {
    // [half]
    std::vector<Eigen::bfloat16> half(12, Eigen::bfloat16(1.0f));  // what the network computes with
    std::vector<float> master(12, 1.0f);                           // what the optimiser keeps
    const hone::tensor_list<Eigen::bfloat16> network{{half.data(), 12}};
    const hone::tensor_list<float> masters{{master.data(), 12}};
    hone::ema_state<float> shadow(masters);

    hone::update(cpu, hone::ema{}, shadow, masters);
    hone::copy(cpu, shadow, network);  // the averages, rounded once
    float accuracy = evaluate();
    hone::copy(cpu, masters, network);  // and back
    // [/half]
    expect(accuracy, 5, "the example");
    expect(static_cast<float>(half[3]), 1, "the average");
  }
  {
    const hone::tensor_list<float> parameters{{weight.data(), 12}};
    std::vector<float> averages(12);
    // [from_zero]
    hone::ema_state<float> shadow(parameters, {.from_zero = true});
    hone::update(cpu, hone::ema{.decay = 0.99}, shadow, parameters);
    hone::copy(cpu, shadow, hone::tensor_list<float>{{averages.data(), 12}});  // divided by shadow.counted()
    // [/from_zero]
    expect(averages[5], weight[5], "the average of one");
    expect(shadow.counted(), 0.01, "its weight");
  }
  {
    // [buffers]
    std::vector<std::int64_t> batches{7}, averaged_batches{0};
    const hone::tensor_list<float> all{{weight.data(), 12}, {mean.data(), 4}};
    const std::vector<std::string> names{"conv.weight", "bn.running_mean"};
    hone::ema_state<float> shadow(all);
    shadow.copy_only(names, {"*.running_*"});  // these follow the model instead of being averaged; or copy_only(1)

    hone::update(cpu, hone::ema{}, shadow, all);
    hone::copy(cpu, hone::tensor_list<std::int64_t>{{batches.data(), 1}},
               hone::tensor_list<std::int64_t>{{averaged_batches.data(), 1}});
    // [/buffers]
    expect(shadow.tensors()[1].data[0], mean[0], "the running mean");
    expect(static_cast<double>(averaged_batches[0]), 7, "the counter");
  }
  {
    const hone::tensor_list<float> parameters{{weight.data(), 12}};
    // [swa]
    hone::ema_state<float> shadow(parameters);
    hone::update(cpu, hone::swa{}, shadow, parameters);  // once an epoch, near the end
    // [/swa]
    expect(shadow.tensors()[0].data[0], weight[0], "the mean of one");
    std::vector<float> running_mean(4), running_variance(4);
    const std::vector<float> samples{1, 2, 3, 4, 3, 4, 5, 6};  // 2 images of 4 channels of a pixel
    const std::vector<hone::image_view<const float>> batches{{samples.data(), 1, 4, 1}, {samples.data() + 4, 1, 4, 1}};
    const auto input_of_norm = [](hone::image_view<const float> batch) { return batch; };
    constexpr int channels = 4;
    // [batch_norm]
    hone::swap(cpu, shadow, parameters);                       // the network computes with the averages
    std::vector<hone::channel_statistics> measured(channels);  // for each layer of batch normalisation
    for (const auto& batch : batches) hone::measure_channels(cpu, input_of_norm(batch), measured);
    hone::store_statistics<float>(measured, running_mean, running_variance);
    // [/batch_norm]
    hone::swap(cpu, shadow, parameters);
    expect(running_mean[1], 3, "the mean of two batches");
    expect(running_variance[1], 1, "their variance");
    const bool step_was_finite = false;
    // [skip]
    hone::update(cpu, hone::ema{}, shadow, parameters, step_was_finite);  // false: nothing is written, n stays
    // [/skip]
    expect(static_cast<double>(shadow.steps()), 1, "steps");
  }
  {
    const hone::tensor_list<float> parameters{{weight.data(), 12}};
    hone::ema_state<float> shadow(parameters, {.steps = 30});
    std::string name = (std::filesystem::temp_directory_path() / "hone.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return 1;
    const std::string path = name + "/ema.state";
    // [file]
    hone::save_file(shadow, path);  // whole or not at all

    hone::ema_state<float> resumed(parameters);  // of a model of the same sizes
    hone::load_file(resumed, path);
    // [/file]
    expect(static_cast<double>(resumed.steps()), 30, "steps after load_file");
    std::filesystem::remove_all(name);

    // [stream]
    std::stringstream checkpoint(std::ios::in | std::ios::out | std::ios::binary);
    shadow.save(checkpoint);  // between other parts of a checkpoint of yours
    resumed.load(checkpoint);
    // [/stream]
    expect(static_cast<double>(resumed.steps()), 30, "steps after load");
  }
  return failures;
}
