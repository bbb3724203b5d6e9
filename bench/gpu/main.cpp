// SPDX-License-Identifier: MIT
// What hone does on CUDA, beside a copy of the bytes that it must move.
//
//   hone_gpu_bench [--seconds PER_WORK] [--filter TEXT] [--table FILE] [--quick] [--once] [--list]
//
// The table is of tabs, with what is known of the device in lines that begin with #. --once calls each work once,
// inside of what a profiler is told to look at; --list names the works, and needs no device.
#include <gpu/options.hpp>
#include <gpu/table.hpp>

#include <cuda_runtime_api.h>

#include <exception>
#include <iostream>

namespace {

int all(bench::options const& o) {
  bench::table works(o);
  bench::all(works);
  return works.all_right() ? 0 : 1;
}

int run(bench::options& o) {
  if (o.list) return all(o);
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error != cudaSuccess || devices == 0)
    return std::cerr << "no CUDA device: " << cudaGetErrorString(error) << "\n", 2;
  cudaDeviceProp device{};
  cudaGetDeviceProperties(&device, 0);
  o.l2_bytes = std::size_t(device.l2CacheSize);
  if (o.table)
    std::fprintf(
        o.table,
        "# device\t%s\n# multiprocessors\t%d\n# L2 bytes\t%d\n"
        "work\trows\tcolumns\ttype\tbytes\tsets\tcalls\trounds\tgraph_us\tstream_us\tmemcpy_us\tcopy_kernel_us\t"
        "GB_per_s\tof_copy\n",
        device.name, device.multiProcessorCount, device.l2CacheSize);
#if defined(CUDASIM)
  std::printf("SIMULATED: no time means anything\n");
#endif
  std::printf(
      "| work | shape | type | us in a graph | us on a stream | GB/s | of copy |\n|---|---|---|---|---|---|---|\n");
  return all(o);
}

}  // namespace

int main(int argc, char** argv) {
  bench::options o;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (bool* flag = name == "--quick" ? &o.quick : name == "--once" ? &o.once : name == "--list" ? &o.list : nullptr) {
      *flag = true;
      continue;
    }
    if (!value) return std::cerr << "hone_gpu_bench: " << name << " is not an option, or lacks a value\n", 2;
    if (name == "--seconds")
      o.seconds = std::stod(value);
    else if (name == "--filter")
      o.filter = value;
    else if (name == "--table")
      o.table = std::fopen(value, "w");
    else
      return std::cerr << "hone_gpu_bench: unknown option " << name << "\n", 2;
    if (name == "--table" && !o.table) return std::cerr << "hone_gpu_bench: cannot write " << value << "\n", 2;
    ++i;
  }
  try {
    return run(o);
  } catch (std::exception const& e) {
    return std::cerr << "hone_gpu_bench: " << e.what() << "\n", 1;
  }
}
