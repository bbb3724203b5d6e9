// SPDX-License-Identifier: MIT
/// Trains a network on Fashion-MNIST on 1, 2, 4 or 8 ranks, with the same files for each number of ranks.
#include "train.hpp"

#include <cstdlib>

namespace {

using namespace demo;

int run(options options, hone::mpi const& ranks) {
  dataset data = read_dataset(options.data);
  if (options.quick) {
    data.train = data.train.part(0, std::min<std::size_t>(data.train.size(), 1024));
    data.test = data.test.part(0, std::min<std::size_t>(data.test.size(), 500));
    options.epochs = 2;
  }
  if (ranks.rank() == 0) {
    std::printf("%d ranks, %d images per step; gradients are summed %s\n", ranks.size(), int(options.batch),
                options.allreduce ? "by MPI_Allreduce: in an order that MPI chooses, so that files may differ between "
                                    "numbers of ranks, versions of MPI and machines"
                                  : "as a tree: files are the same for each number of ranks");
    std::fflush(stdout);
  }
  const double accuracy = train(options, data, ranks);
  if (ranks.rank() == 0 && accuracy >= 0) std::printf("accuracy %.2f %%\n", 100 * accuracy);
  if (ranks.rank() == 0) std::printf("files in %s\n", options.out.c_str());
  return done;
}

}  // namespace

int main(int count, char** arguments) {
  // [start]
  int threads = 0;
  MPI_Init_thread(&count, &arguments, MPI_THREAD_FUNNELED, &threads);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  // [/start]
  const int status = demo::program("distributed", count, arguments, [](auto given, const std::string&) -> int {
    options options;
    for (auto const table = option_table(); auto const& option : given_options(table, given)) option.apply(options);
    if (options.help) {
      std::printf("mpirun -n 1|2|4|8 distributed: trains a network on Fashion-MNIST\n%s",
                  listed(option_table()).c_str());
      return done;
    }
    // [communicator]
    const hone::mpi ranks{MPI_COMM_WORLD, {.time_limit = std::chrono::seconds(options.time_limit)}};
    // [/communicator]
    return run(options, ranks);
  });
  if (status != done) {  // the error of one rank ends all: others may wait for this one
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, status);
    std::_Exit(status);
  }
  MPI_Finalize();
  return status;
}
