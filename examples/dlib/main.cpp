// SPDX-License-Identifier: MIT
/// Trains LeNet on Fashion-MNIST in dlib, with its own loss and refined with hone.
#include "command_line.hpp"
#include "common_options.hpp"
#include "data.hpp"
#include "peak_memory.hpp"
#include "spread.hpp"
#include "training.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace example {

double each_step(plan const& plan, images const& train, training_step const& step) {
  std::vector<std::size_t> order(train.labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::mt19937 random(plan.seed);
  std::vector<image> pixels(plan.batch);
  std::vector<unsigned long> labels(plan.batch);
  std::size_t number = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int epoch = 0; epoch < plan.epochs; ++epoch) {
    std::shuffle(order.begin(), order.end(), random);
    for (std::size_t k = 0; k < plan.steps_per_epoch(train); ++k, ++number) {
      for (std::size_t i = 0; i < plan.batch; ++i) {
        const std::size_t from = order[k * plan.batch + i];
        pixels[i] = train.pixels[from], labels[i] = train.labels[from];
      }
      step(pixels, labels, number);
    }
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  return elapsed.count() / static_cast<double>(std::max<std::size_t>(number, 1));
}

namespace {

struct options {
  plan training;
  int seeds = 1;
  std::string data, recipe = "refined";
  bool quick = false, made_up = false, help = false;
};

std::vector<demo::option<options>> table() {
  const auto of_plan = [](auto member) { return [member](options& o) -> auto& { return o.training.*member; }; };
  return {{"--recipe", "NAME", "plain or refined (default)", demo::set_text(&options::recipe)},
          demo::seeds_option<options>(),
          {"--epochs", "N", "epochs (default: 4)", demo::set_number(of_plan(&plan::epochs), 1, 1000)},
          {"--rate", "R", "the learning rate, or its peak (default: 0.05)",
           demo::set_number(of_plan(&plan::rate), 1e-9, 1e3)},
          demo::data_option<options>(),
          {"--quick", "", "one epoch on 640 images", demo::set_true(&options::quick)},
          {"--made-up", "", "stripes instead of Fashion-MNIST", demo::set_true(&options::made_up)},
          demo::help_option<options>()};
}

images images_of(demo::image_set const& set, std::size_t most) {
  images all;
  const std::size_t count = std::min(most, set.size());
  const auto side = static_cast<long>(demo::image_side);
  all.pixels.reserve(count), all.labels.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    image x(side, side);
    std::copy_n(set.pixels.data() + i * demo::image_pixels, demo::image_pixels, x.begin());
    all.pixels.push_back(x);
    all.labels.push_back(static_cast<unsigned long>(set.labels[i]));
  }
  return all;
}

/// Stripes whose direction and width are their class.
images stripes(std::size_t count) {
  images all;
  all.pixels.reserve(count), all.labels.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = static_cast<long>(i % demo::class_count), width = label / 2 + 1;
    image x(28, 28);
    for (long r = 0; r < 28; ++r)
      for (long c = 0; c < 28; ++c)
        x(r, c) = ((label % 2 == 0 ? r : c) + static_cast<long>(i / 10)) / width % 2 == 0 ? 200 : 20;
    all.pixels.push_back(x);
    all.labels.push_back(static_cast<unsigned long>(label));
  }
  return all;
}

int run(options o) {
  if (o.recipe != "plain" && o.recipe != "refined")
    throw demo::usage_error("--recipe is '" + o.recipe + "', must be plain or refined");
  images train, test;
  if (o.made_up) {
    train = stripes(o.quick ? 640 : 6400), test = stripes(256);
  } else {
    const demo::dataset data = demo::read_dataset(o.data);
    const std::size_t all = data.train.size();
    train = images_of(data.train, o.quick ? 640 : all), test = images_of(data.test, o.quick ? 256 : all);
  }
  if (o.quick) o.training.epochs = 1;
  std::vector<double> right, milliseconds;
  for (int seed = 1; seed <= o.seeds; ++seed) {
    o.training.seed = static_cast<unsigned>(seed);
    std::srand(o.training.seed);  // dlib initialises its layers by std::rand
    const auto train_by = o.recipe == "plain" ? train_plain : train_refined;
    const result r = train_by(o.training, train, test);
    right.push_back(100 * r.accuracy), milliseconds.push_back(1000 * r.seconds_per_step);
    std::printf("%s, seed %d: %.2f %% of test images right, %.1f ms per step\n", o.recipe.c_str(), seed, right.back(),
                milliseconds.back());
    std::fflush(stdout);
  }
  const auto [mean, deviation] = demo::spread_of(right);
  std::printf("%s: %.2f +- %.2f %%, %.1f ms per step, peak memory %.0f MiB\n", o.recipe.c_str(), mean, deviation,
              demo::spread_of(milliseconds).mean, demo::peak_mebibytes());
  return demo::done;
}

}  // namespace
}  // namespace example

int main(int count, char** arguments) {
  using namespace example;
  return demo::program("example_dlib", count, arguments, [](auto given, std::string const&) {
    options o;
    for (const auto& option : demo::given_options(table(), given)) option.apply(o);
    if (!o.help) return run(o);
    std::printf("example_dlib: LeNet on Fashion-MNIST in dlib\n%s", demo::listed(table()).c_str());
    return int(demo::done);
  });
}
