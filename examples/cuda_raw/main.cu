// SPDX-License-Identifier: MIT
/// Trains on Fashion-MNIST with CUDA kernels of its own, plainly and with hone.
///
///     cuda_raw [--steps N] [--batch N] [--hidden N] [--seed N] [--test N] [--data FOLDER]
#include "data.hpp"
#include "trainer.cuh"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace {

struct arguments {
  raw::options training;
  int test = 10'000;
  std::string data;
};

arguments read(int argc, char** argv) {
  arguments all;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--data") {
      all.data = argv[i + 1];
      continue;
    }
    char* end = nullptr;
    const long number = std::strtol(argv[i + 1], &end, 10);
    if (*end != '\0' || number < 1 || number > 1'000'000)
      throw std::runtime_error(name + " needs a number from 1 to 1000000");
    const int n = static_cast<int>(number);
    if (name == "--steps")
      all.training.steps = n;
    else if (name == "--batch")
      all.training.batch = n;
    else if (name == "--hidden")
      all.training.hidden = n;
    else if (name == "--seed")
      all.training.seed = static_cast<unsigned>(n);
    else if (name == "--test")
      all.test = n;
    else
      throw std::runtime_error("no option " + name);
  }
  if (argc % 2 == 0) throw std::runtime_error(std::string("no value of ") + argv[argc - 1]);
  return all;
}

void train(arguments const& all, raw::options const& o, raw::images const& training, raw::images const& test) {
  cudaStream_t stream = nullptr;
  raw::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
  {
    raw::trainer trainer(o, training, stream);
    const auto begin = std::chrono::steady_clock::now();
    trainer.run(o.steps);
    const double loss = trainer.loss();
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begin;
    std::printf("%-8s loss %.4f, accuracy %.2f %%, %.1f us per step\n", o.refined ? "refined:" : "plain:", loss,
                100 * trainer.accuracy(test), time.count() / o.steps);
  }
  cudaStreamDestroy(stream);
}

}  // namespace

int main(int argc, char** argv) try {
  const arguments all = read(argc, argv);
  const demo::dataset data = demo::read_dataset(all.data);
  const demo::image_set part =
      data.test.part(0, std::min<std::size_t>(data.test.size(), static_cast<std::size_t>(all.test)));
  const raw::images training(data.train.pixels, data.train.labels), test(part.pixels, part.labels);
  for (const bool refined : {false, true}) {
    raw::options o = all.training;
    o.refined = refined;
    train(all, o, training, test);
  }
} catch (std::exception const& wrong) {
  std::fprintf(stderr, "cuda_raw: %s\n", wrong.what());
  return 1;
}
