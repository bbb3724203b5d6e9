// SPDX-License-Identifier: MIT
// All works without a peer:   hone_bench [--threads=1,2] [--benchmark_filter=REGEX] [other options of Google Benchmark]
// bench/run.py runs it, or bench/peer/torch.py in its place, once for each work.
#include "c_interface.hpp"

#include <cstring>
#include <memory>

int main(int argc, char** argv) {
  constexpr char option[] = "--threads=";
  char const* threads = "1,2";
  int kept = 0;
  for (int i = 0; i < argc; ++i)
    if (std::strncmp(argv[i], option, sizeof option - 1) == 0)
      threads = argv[i] + sizeof option - 1;
    else
      argv[kept++] = argv[i];
  const std::unique_ptr<hone_bench, void (*)(hone_bench*)> works(hone_bench_make(threads), hone_bench_free);
  return hone_bench_run(works.get(), kept, argv);
}
