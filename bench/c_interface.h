/* SPDX-License-Identifier: MIT */
/* What a program in another language needs to join the works of libhone_bench.so: bench/peer/torch.py is one. */
#ifndef HONE_BENCH_C_INTERFACE_H
#define HONE_BENCH_C_INTERFACE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hone_bench hone_bench;

typedef struct {
  char const* name;
  char const* type; /* float32, bfloat16, int64 */
  void* data;
  int64_t dimensions;
  int64_t const* shape;
  int64_t const* strides; /* in elements */
  int64_t output;         /* 1 if contenders write it */
} hone_bench_array;

/* All works, each for every number of threads in a list such as "1,2". */
hone_bench* hone_bench_make(char const* threads);
void hone_bench_free(hone_bench*);

int64_t hone_bench_works(hone_bench const*);
char const* hone_bench_name(hone_bench const*, int64_t work);
int64_t hone_bench_threads(hone_bench const*, int64_t work);

/* Allocates and fills the arrays of a work, once; returns their number. */
int64_t hone_bench_open(hone_bench*, int64_t work);
hone_bench_array hone_bench_array_of(hone_bench const*, int64_t work, int64_t array);

/* Runs a contender of this program once, for its value; NaN if there is none of this name. */
double hone_bench_call(hone_bench*, int64_t work, char const* who);

/* Adds a contender. `run` does the work once and returns its value. */
void hone_bench_add(hone_bench*, int64_t work, char const* who, double (*run)(void));

/* Adds a line to the context of the results. */
void hone_bench_note(hone_bench*, char const* key, char const* value);

/* Runs Google Benchmark with its options. */
int hone_bench_run(hone_bench*, int argc, char** argv);

#ifdef __cplusplus
}
#endif
#endif
