// SPDX-License-Identifier: MIT
#include "trainer.hpp"

#include "command_line.hpp"
#include "data.hpp"
#include "peak_memory.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace trainer {

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double cpu_time() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

images tensors_of(demo::image_set const& set) {
  const auto n = static_cast<std::int64_t>(set.size());
  auto y = torch::empty({n}, torch::kLong);
  std::copy(set.labels.begin(), set.labels.end(), y.data_ptr<std::int64_t>());
  auto bytes = set.pixels;
  const auto pixels = torch::from_blob(bytes.data(), {n, 1, 28, 28}, torch::kByte);
  return {pixels.to(torch::kFloat).div_(255).sub_(0.2860).div_(0.3530), y};  // mean, deviation of the training images
}

std::vector<demo::option<options>> table() {
  return {{"--quick", "", "20 steps", demo::set_true(&options::quick)},
          {"--validation", "", "test on the last sixth of the training images", demo::set_true(&options::validation)},
          {"--seed", "N", "of the weights, the order and the draws",
           demo::set_number<std::int64_t>(&options::seed, 0, 1 << 30)},
          {"--epochs", "N", "3", demo::set_number<std::int64_t>(&options::epochs, 1, 1000)},
          {"--batch", "N", "64", demo::set_number<std::int64_t>(&options::batch, 2, 10000)},
          {"--threads", "N", "1", demo::set_number<std::int64_t>(&options::threads, 1, 1024)},
          {"--rate", "X", "the largest learning rate", demo::set_number<double>(&options::rate, 0, 100)},
          {"--data", "FOLDER", "of Fashion-MNIST", demo::set_text(&options::data)}};
}

}  // namespace

network_impl::network_impl() {
  using namespace torch::nn;
  conv1 = register_module("conv1", Conv2d(Conv2dOptions(1, 16, 3).padding(1).bias(false)));
  bn1 = register_module("bn1", BatchNorm2d(16));
  conv2 = register_module("conv2", Conv2d(Conv2dOptions(16, 32, 3).padding(1).bias(false)));
  bn2 = register_module("bn2", BatchNorm2d(32));
  head = register_module("head", Linear(32 * 7 * 7, 10));
}
torch::Tensor network_impl::forward(torch::Tensor x) {
  x = torch::max_pool2d(torch::relu(bn1(conv1(x))), 2);
  x = torch::max_pool2d(torch::relu(bn2(conv2(x))), 2);
  return head(x.flatten(1));
}

std::vector<torch::Tensor> batches(options const& o, images const& all) {
  const auto order = torch::randperm(all.size(), torch::kLong);
  std::vector<torch::Tensor> list;
  for (std::int64_t i = 0; i + o.batch <= all.size() && !(o.quick && list.size() == 20); i += o.batch)
    list.push_back(order.slice(0, i, i + o.batch));
  return list;
}

double accuracy(network& net, images const& all) {
  const torch::NoGradGuard no_gradients;
  net->eval();
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < all.size(); i += 1000) {
    const auto guess = net->forward(all.x.slice(0, i, i + 1000)).argmax(1);
    right += guess.eq(all.y.slice(0, i, i + 1000)).sum().item<std::int64_t>();
  }
  net->train();
  return static_cast<double>(right) / static_cast<double>(all.size());
}

void stopwatch::start() { begin_ = now(), cpu_begin_ = cpu_time(); }
void stopwatch::stop() { seconds_ += now() - begin_, cpu_seconds_ += cpu_time() - cpu_begin_, ++steps_; }
void stopwatch::report(options const& o, double accuracy) const {
  const double milliseconds = 1e3 / static_cast<double>(std::max<std::int64_t>(steps_, 1));
  std::printf("seed %d: accuracy %.2f %%, %d steps of %.2f ms (%.2f ms of CPU time), peak memory %.0f MiB\n",
              static_cast<int>(o.seed), 100 * accuracy, static_cast<int>(steps_), seconds_ * milliseconds,
              cpu_seconds_ * milliseconds, demo::peak_mebibytes());
}

int program(const char* name, int count, const char* const* arguments, double rate,
            void (*train)(options const&, dataset const&)) {
  return demo::program(name, count, arguments, [&](std::span<const char* const> given, std::string const&) {
    if (std::ranges::find(given, std::string_view("--help")) != given.end()) {
      std::printf("%s: trains a network on Fashion-MNIST\n%s", name, demo::listed(table()).c_str());
      return demo::done;
    }
    options o;
    const auto known = table();
    for (auto const& option : demo::given_options(known, given)) option.apply(o);
    if (o.quick) o.epochs = 1;
    if (!(o.rate > 0)) o.rate = rate;
    torch::set_num_threads(static_cast<int>(o.threads));
    torch::manual_seed(static_cast<std::uint64_t>(o.seed));
    demo::dataset data = demo::read_dataset(o.data);
    if (o.validation) {
      const std::size_t kept = data.train.size() / 6 * 5;
      data.test = data.train.part(kept, data.train.size());
      data.train = data.train.part(0, kept);
    }
    if (o.quick) data.test = data.test.part(0, 1000);
    train(o, {tensors_of(data.train), tensors_of(data.test)});
    return demo::done;
  });
}

}  // namespace trainer
