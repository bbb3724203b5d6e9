// SPDX-License-Identifier: MIT
// A step of training on the ranks of MPI with hone's sums and without: mpirun -n 2 hone_mpi_bench.
// pairs.hpp says what the counters are. Rank 0 prints.
#include "step.hpp"

#include <hone/adapt/mpi.hpp>

#include <memory>
#include <string>

namespace {

struct silent : benchmark::BenchmarkReporter {
  bool ReportContext(Context const&) override { return true; }
  void ReportRuns(std::vector<Run> const&) override {}
};

}  // namespace

int main(int argc, char** argv) {
  int threads = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &threads);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  {
    const hone::mpi ranks{MPI_COMM_WORLD};
    const std::string name = "mpi_" + std::to_string(ranks.size()) + "_ranks/step/256x1000/";
    for (const hone::index numbers : {1000000, 25000000})
      bench::add_pairs(name + std::to_string(numbers), 15, [=, &ranks] {
        const auto of = std::make_shared<bench::step_of_rank>(256, numbers / ranks.size(), ranks.rank(), ranks.size());
        return [of, &ranks] {
          const bench::pair_of_times t = bench::time_step(*of, ranks, 5);
          double slowest[] = {t.ordinary, t.over_ranks};
          ranks.max(std::span<double>(slowest));
          return bench::pair_of_times{slowest[0], slowest[1]};
        };
      });
    benchmark::Initialize(&argc, argv);
    silent none;
    if (ranks.rank() == 0)
      benchmark::RunSpecifiedBenchmarks();
    else
      benchmark::RunSpecifiedBenchmarks(&none);
  }
  MPI_Finalize();
}
