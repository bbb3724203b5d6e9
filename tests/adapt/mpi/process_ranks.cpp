// SPDX-License-Identifier: MIT
// The ranks of a world of MPI, and the main() of a test on them: a failure of one rank is one of all, and none waits
// for ever.
#include "process_ranks.hpp"

#include <hone/adapt/mpi.hpp>

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <exception>
#include <map>
#include <stdexcept>

namespace {

int calls = 0, calls_without_ranks = 0;

hone::mpi const& of(void const* ranks) { return *static_cast<hone::mpi const*>(ranks); }

/// All ranks of the world. Its time limit is longer than that of the groups: a rank of one may wait for that first.
hone::mpi const& world() {
  static const hone::mpi all{MPI_COMM_WORLD, {.time_limit = std::chrono::seconds(90)}};
  return all;
}

/// The communicator of the first ranks. Ranks outside get none. Made once for each number, in the same order
/// everywhere.
hone::mpi const* first_ranks(int ranks) {
  static std::map<int, MPI_Comm> groups;
  static std::map<int, hone::mpi> first;
  if (groups.find(ranks) == groups.end()) {
    MPI_Comm_split(MPI_COMM_WORLD, world().rank() < ranks ? 0 : MPI_UNDEFINED, world().rank(), &groups[ranks]);
    if (groups[ranks] != MPI_COMM_NULL) {
      MPI_Comm_set_errhandler(groups[ranks], MPI_ERRORS_RETURN);
      first.emplace(ranks, hone::mpi(groups[ranks], {.time_limit = std::chrono::seconds(30)}));
    }
  }
  const auto found = first.find(ranks);
  return found == first.end() ? nullptr : &found->second;
}

[[noreturn]] void end(const char* why) {
  std::fprintf(stderr, "rank %d: %s\n", world().rank(), why);
  std::fflush(nullptr);
  MPI_Abort(MPI_COMM_WORLD, 1);
  std::_Exit(1);
}

}  // namespace

int process_rank::rank() const noexcept { return of(ranks_).rank(); }
int process_rank::size() const noexcept { return of(ranks_).size(); }
void process_rank::sum(std::span<std::int64_t> integers) const { of(ranks_).sum(integers); }
void process_rank::sum(std::span<double> numbers) const { of(ranks_).sum(numbers); }
void process_rank::max(std::span<double> numbers) const { of(ranks_).max(numbers); }
void process_rank::broadcast(std::span<std::byte> bytes, int root) const { of(ranks_).broadcast(bytes, root); }
void process_rank::barrier() const { of(ranks_).barrier(); }

void on_process_ranks(int ranks, std::function<void(process_rank const&)> const& body) {
  ++calls;
  if (ranks > world().size()) {
    ++calls_without_ranks;
    return;
  }
  hone::mpi const* const mine = first_ranks(ranks);
  std::exception_ptr error;
  bool lost = false;
  try {
    if (mine) body(process_rank(mine));
  } catch (hone::communicator_error const&) {
    error = std::current_exception(), lost = true;
  } catch (...) {
    error = std::current_exception();
  }
  std::int64_t failed[] = {error ? 1 : 0, lost ? 1 : 0};
  try {
    world().sum(failed);
  } catch (hone::communicator_error const& gone) {
    end(gone.what());
  }
  // After an operation that was given up, the group cannot be used, nor MPI be finalised.
  if (failed[1] != 0) end("a rank has failed, and others waited for it until the time limit; its error is above");
  if (error) std::rethrow_exception(error);
  if (failed[0] != 0) throw std::runtime_error("another rank has failed");
}

int main(int argc, char** argv) {
  int threads = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &threads);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  doctest::Context tests(argc, argv);
  tests.setOption("no-colors", true);
  if (world().rank() != 0) tests.setOption("minimal", true);  // only what fails is printed
  std::int64_t failed = tests.run() != 0 ? 1 : 0;
  try {
    world().sum({&failed, 1});
  } catch (hone::communicator_error const& gone) {
    end(gone.what());
  }
  if (world().rank() == 0) {
    std::printf("%d ranks: on_ranks was called %d times, %d of them for more ranks than there are, which did not run\n",
                world().size(), calls, calls_without_ranks);
    if (failed != 0) std::printf("FAILED on %d ranks\n", int(failed));
  }
  MPI_Finalize();
  return failed != 0 ? 1 : 0;
}
