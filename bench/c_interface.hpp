// SPDX-License-Identifier: MIT
/// What a program in another language needs to join the works of libhone_bench.so: bench/peer/library.py calls it.
#pragma once

#include <cstdint>

extern "C" {

struct hone_bench;

struct hone_bench_array {
  char const* name;
  char const* type;  ///< float32, bfloat16, int64
  void* data;
  std::int64_t dimensions;
  std::int64_t const* shape;
  std::int64_t const* strides;  ///< in elements
  std::int64_t output;          ///< 1 if contenders write it
};

/// All works, each for every number of threads in a list such as "1,2".
hone_bench* hone_bench_make(char const* threads);
void hone_bench_free(hone_bench*);

std::int64_t hone_bench_works(hone_bench const*);
char const* hone_bench_name(hone_bench const*, std::int64_t work);
std::int64_t hone_bench_threads(hone_bench const*, std::int64_t work);

/// Allocates and fills the arrays of a work, once; returns their number.
std::int64_t hone_bench_open(hone_bench*, std::int64_t work);
hone_bench_array hone_bench_array_of(hone_bench const*, std::int64_t work, std::int64_t array);

/// Runs a contender of this program once, for its value; NaN if there is none of this name.
double hone_bench_call(hone_bench*, std::int64_t work, char const* who);

/// Adds a contender. `run` does the work once and returns its value.
void hone_bench_add(hone_bench*, std::int64_t work, char const* who, double (*run)());

/// Adds a line to the context of the results.
void hone_bench_note(hone_bench*, char const* key, char const* value);

/// Runs Google Benchmark with its options.
int hone_bench_run(hone_bench*, int argc, char** argv);

}  // extern "C"
