// SPDX-License-Identifier: MIT
// lost_rank late|dead|before|after: what a rank sees of another one that is late or has died, or of an MPI that is not
// ready. Every rank prints one line and ends the process; a rank that waits for ever fails the test by its time limit.
#include <hone/adapt/mpi.hpp>

#include <array>
#include <cstdlib>
#include <exception>
#include <string>

namespace {

[[noreturn]] void end(int status) {
  std::fflush(nullptr);
  std::_Exit(status);
}

/// Two verbs work. Then the rank before the last is lost.
void lose_one(std::string const& how) {
  const hone::mpi ranks{MPI_COMM_WORLD, {.time_limit = std::chrono::milliseconds(1500)}};
  std::array<double, 3> numbers{1, 2, 3};
  ranks.sum(numbers);
  ranks.barrier();
  if (ranks.rank() == ranks.size() - 2) {
    if (how == "late") std::this_thread::sleep_for(std::chrono::seconds(4));
    end(1);
  }
  int errors = 0;
  for (int i = 0; i < 2; ++i) try {
      i == 0 ? ranks.sum(numbers) : ranks.barrier();
    } catch (hone::communicator_error const& e) {
      std::printf("%s\n", e.what());
      ++errors;
    }
  if (errors != 2) std::printf("WRONG: %d errors\n", errors);
  if (numbers[0] != ranks.size()) std::printf("WRONG: a sum that failed was written\n");
  end(2);
}

void use_at_wrong_time(const char* when) {
  try {
    const hone::mpi ranks{MPI_COMM_WORLD};
    std::printf("%s: nothing thrown\n", when);
  } catch (hone::invalid_argument const& e) {
    std::printf("%s: %s\n", when, e.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  if (how == "before") use_at_wrong_time("before");
  MPI_Init(&argc, &argv);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  if (how == "late" || how == "dead") lose_one(how);
  const hone::mpi ranks{MPI_COMM_WORLD};
  ranks.barrier();
  MPI_Finalize();
  if (how == "after") {
    use_at_wrong_time("after");
    try {
      ranks.barrier();
    } catch (hone::invalid_argument const& e) {
      std::printf("after: %s\n", e.what());
    }
  }
}
