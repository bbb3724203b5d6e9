// SPDX-License-Identifier: MIT
/// What the command line says.
#pragma once

#include "command_line.hpp"

#include <cstdint>

namespace demo {

struct options {
  std::string data = {};  // empty: where the Debian package puts Fashion-MNIST
  std::string out = "distributed.out";
  std::int64_t epochs = 6, batch = 128, seed = 1, threads = 1;
  double rate = 0.04;
  bool allreduce = false;
  std::int64_t checkpoint_every = 0;  // steps; 0: never
  bool resume = false;
  std::int64_t time_limit = 60;  // seconds
  std::int64_t kill_rank = -1, kill_at = 0;
  bool quick = false;
  bool help = false;
};

inline std::vector<option<options>> option_table() {
  constexpr std::int64_t many = 1'000'000'000;
  return {
      {"--epochs", "N", "passes over the training images (6)", set_number<std::int64_t>(&options::epochs, 1, 1000)},
      {"--batch", "N", "images per step, of all ranks together (128)",
       set_number<std::int64_t>(&options::batch, 2, 60000)},
      {"--rate", "X", "the largest learning rate (0.04)", set_number<double>(&options::rate, 1e-9, 100)},
      {"--seed", "N", "of weights, order and mixtures (1)", set_number<std::int64_t>(&options::seed, 0, many)},
      {"--threads", "N", "of a rank (1)", set_number<std::int64_t>(&options::threads, 1, 1024)},
      {"--allreduce", "", "sum gradients by MPI_Allreduce, in an order that MPI chooses",
       set_true(&options::allreduce)},
      {"--out", "FOLDER", "where the files are written (distributed.out)", set_text(&options::out)},
      {"--checkpoint-every", "N", "write FOLDER/checkpoint after so many steps",
       set_number<std::int64_t>(&options::checkpoint_every, 1, many)},
      {"--resume", "", "go on from FOLDER/checkpoint; from the beginning where there is none",
       set_true(&options::resume)},
      {"--time-limit", "N", "seconds that a rank waits for others (60)",
       set_number<std::int64_t>(&options::time_limit, 1, 86400)},
      {"--kill-rank", "N", "for tests: this rank kills itself …",
       set_number<std::int64_t>(&options::kill_rank, 0, 1024)},
      {"--kill-at", "N", "… in this step, as kill -9 does", set_number<std::int64_t>(&options::kill_at, 0, many)},
      {"--quick", "", "2 epochs of 1024 images, to see that everything runs", set_true(&options::quick)},
      {"--data", "FOLDER", "of Fashion-MNIST (Debian's)", set_text(&options::data)},
      {"--help", "", "this text", set_true(&options::help)},
  };
}

}  // namespace demo
