// SPDX-License-Identifier: MIT
// Streams of another device than the current one, and allocators of the caller. The simulator reports several devices
// but has one, so the linker redirects the calls below to this file, which records the current device and the device of
// each stream.
#include <hone/hone.cuh>

#include <cuda/device.cuh>

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#if defined(CUDASIM)
#include <cudasim.h>

namespace {

int current = 0;
std::map<cudaStream_t, int> device_of;
int launched = 0, allocated = 0;
std::string astray;   // calls in a stream of another device than the current one
std::string refused;  // a call that fails

cudaStream_t note(const char* call, cudaStream_t stream) {
  const auto found = device_of.find(stream);
  if (found == device_of.end() || found->second != current) astray += std::string(call) + "; ";
  return stream;
}

}  // namespace

extern "C" {

cudaError_t __real_cudaStreamCreateWithFlags(cudaStream_t*, unsigned);
cudaError_t __real_cudaMallocAsync(void**, std::size_t, cudaStream_t);
cudaError_t __real_cudaFreeAsync(void*, cudaStream_t);
cudaError_t __real_cudaMemcpyAsync(void*, void const*, std::size_t, cudaMemcpyKind, cudaStream_t);
cudaError_t __real_cudaMemsetAsync(void*, int, std::size_t, cudaStream_t);
cudaError_t __real_cudaLaunchKernel(void const*, dim3, dim3, void**, std::size_t, cudaStream_t);
cudaError_t __real_cudaLaunchKernelExC(cudaLaunchConfig_t const*, void const*, void**);

cudaError_t __wrap_cudaGetDevice(int* device) {
  *device = current;
  return cudaSuccess;
}
cudaError_t __wrap_cudaSetDevice(int device) {
  current = device;
  return cudaSuccess;
}
cudaError_t __wrap_cudaStreamGetDevice(cudaStream_t stream, int* device) {
  if (refused == "cudaStreamGetDevice") {
    *device = -1;
    return cudaErrorCallRequiresNewerDriver;
  }
  *device = device_of.at(stream);
  return cudaSuccess;
}
cudaError_t __wrap_cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const cudaError_t code = __real_cudaStreamCreateWithFlags(stream, flags);
  device_of[*stream] = current;
  return code;
}
cudaError_t __wrap_cudaMallocAsync(void** to, std::size_t bytes, cudaStream_t stream) {
  ++allocated;
  return __real_cudaMallocAsync(to, bytes, note("cudaMallocAsync", stream));
}
cudaError_t __wrap_cudaFreeAsync(void* memory, cudaStream_t stream) {
  return __real_cudaFreeAsync(memory, note("cudaFreeAsync", stream));
}
cudaError_t __wrap_cudaMemsetAsync(void* to, int byte, std::size_t bytes, cudaStream_t stream) {
  if (refused == "cudaMemsetAsync") return cudaErrorInvalidValue;
  return __real_cudaMemsetAsync(to, byte, bytes, note("cudaMemsetAsync", stream));
}
cudaError_t __wrap_cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind,
                                   cudaStream_t stream) {
  if (refused == "cudaMemcpyAsync") return cudaErrorInvalidValue;
  return __real_cudaMemcpyAsync(to, from, bytes, kind, note("cudaMemcpyAsync", stream));
}
cudaError_t __wrap_cudaLaunchKernel(void const* kernel, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                                    cudaStream_t stream) {
  ++launched;
  return __real_cudaLaunchKernel(kernel, grid, block, arguments, shared, note("a kernel", stream));
}
cudaError_t __wrap_cudaLaunchKernelExC(cudaLaunchConfig_t const* config, void const* kernel, void** arguments) {
  ++launched;
  note("a kernel", config->stream);
  return __real_cudaLaunchKernelExC(config, kernel, arguments);
}
}
#endif

namespace {

/// A batch on the device that is current when it is made.
struct batch {
  static constexpr int rows = 40, columns = 24;

  device::stream stream;
  device::buffer<float> x, gradient, value;
  device::buffer<int> labels;

  batch()
      : x(std::vector<float>(rows * columns, 0.5f)),
        gradient(rows * columns),
        value(1),
        labels(std::vector<int>(rows, 3)) {}

  /// A training step without its optimiser, and what else is enqueued on a stream.
  void step(hone::cuda& gpu) const {
    const hone::tensor_list<float> gradients{{gradient.data(), rows * columns}}, parameters{{x.data(), rows * columns}};
    hone::device_report report(gpu);
    hone::device_loss_scaler scaler(gpu, {});
    hone::device_schedule rate(gpu, hone::constant{0.1});
    hone::device_ema_state<float> shadow(gpu, parameters);
    hone::device_master_weights<double> masters(gpu, parameters);
    shadow.copy_only(0);
    hone::transform(gpu, hone::chain(hone::unscale(scaler.scale()), hone::adaptive_clip(parameters)), gradients,
                    &report);
    scaler.update(gpu, report);
    rate.advance(gpu, report.finite());
    hone::update(gpu, hone::ema{}, shadow, parameters, report.finite());
    hone::copy(gpu, shadow, gradients);
    hone::swap(gpu, shadow, parameters), hone::swap(gpu, shadow, parameters);
    hone::refresh(gpu, masters, parameters);
    std::stringstream saved;
    shadow.save(saved), shadow.load(saved);
    if (scaler.host().scale() <= 0 || rate.host().step != 1) FAIL_CHECK("the step was not done");
  }
  void evaluate(hone::cuda& gpu) const {
    const hone::matrix_view<const float> logits{x.data(), rows, columns};
    const auto target = hone::classes(labels, {.ignore = -100});  // so that the device has to count
    hone::evaluate(gpu, hone::cross_entropy(target), logits, {.gradient = {gradient.data(), rows, columns}});
    hone::evaluate(gpu, hone::binary_cross_entropy(target), logits, {.value = value.data()});
    hone::evaluate(gpu, hone::z_loss(1), hone::matrix_view<const float>{x.data(), 0, columns}, {.value = value.data()});
  }
  std::vector<float> answer() const {
    stream.wait();
    return gradient.host();
  }
};

int current_device() {
  int device = -1;
  hone::on_cuda::check(cudaGetDevice(&device), "cudaGetDevice");
  return device;
}
void make_current(int device) { hone::on_cuda::check(cudaSetDevice(device), "cudaSetDevice"); }

}  // namespace

TEST_CASE("a backend works on the device of its stream and leaves the current device unchanged") {
  int devices = 0;
  REQUIRE(cudaGetDeviceCount(&devices) == cudaSuccess);
  if (devices < 2 || CUDART_VERSION < 12080) {
    MESSAGE("skipped: it takes two devices, and CUDA 12.8 to know a stream's");
    return;
  }
  make_current(0);
  const batch here;
  make_current(1);
  const batch there;
  const device::buffer<char> memory(1 << 16);
  make_current(0);

  hone::cuda first(here.stream), second(there.stream);
  here.evaluate(first);
  there.evaluate(second);
  CHECK(current_device() == 0);
  hone::cuda lent(there.stream, memory.data(), memory.size());
  there.evaluate(lent);
  CHECK(current_device() == 0);
  CHECK(there.answer() == here.answer());
  there.step(second);
  CHECK(current_device() == 0);
#if defined(CUDASIM)
  CHECK(launched >= 3 * 4 + 10);
  CHECK(astray == "");
  {
    make_current(1);
    hone::cuda of_default(cudaStreamPerThread);  // of the device that is current now
    device_of[cudaStreamPerThread] = 1;
    make_current(0);
    there.evaluate(of_default);
    there.step(of_default);
    CHECK(current_device() == 0);
  }
  CHECK(current_device() == 0);
  CHECK(astray == "");
#else
  cudaPointerAttributes attributes{};
  REQUIRE(cudaPointerGetAttributes(&attributes, second.workspace()) == cudaSuccess);
  CHECK(attributes.device == 1);
#endif
}

namespace {

/// A trainer's allocator: it counts.
struct counting_allocator {
  int given = 0, taken = 0, left = 1000;

  void* allocate(std::size_t bytes) {
    void* memory = nullptr;
    if (left-- <= 0 || cudaMalloc(&memory, bytes) != cudaSuccess) return nullptr;
    ++given;
    return memory;
  }
  void release(void* memory, cudaStream_t stream) {
    ++taken;
    cudaStreamSynchronize(stream);
    cudaFree(memory);
  }
};

}  // namespace

TEST_CASE("a backend with an allocator takes all memory from it, and gives all of it back") {
  make_current(0);
  const batch b;
  counting_allocator caching;
  {
    // [allocator]
    hone::cuda gpu(
        b.stream,
        hone::device_allocator{
            .allocate = [](void* mine, std::size_t bytes,
                           cudaStream_t) { return static_cast<counting_allocator*>(mine)->allocate(bytes); },
            .release = [](void* mine, void* memory,
                          cudaStream_t stream) { static_cast<counting_allocator*>(mine)->release(memory, stream); },
            .context = &caching});
    // [/allocator]
#if defined(CUDASIM)
    allocated = 0;
#endif
    b.evaluate(gpu);
    b.step(gpu);
    b.stream.wait();
#if defined(CUDASIM)
    CHECK(allocated == 0);
#endif
    CHECK(caching.given >= 8);  // the workspace, and each object of the step
    CHECK(caching.taken == caching.given - 1);

    caching.left = 0;
    CHECK_THROWS_WITH_AS(hone::device_report{gpu}, "device_report: the allocator has no 32 bytes of device memory",
                         hone::cuda_error);
    CHECK(caching.taken == caching.given - 1);
  }
  CHECK(caching.taken == caching.given);
  CHECK_THROWS_WITH_AS(hone::cuda(b.stream, hone::device_allocator{.release = [](void*, void*, cudaStream_t) {}}),
                       "cuda: allocator has release but no allocate, must have both or neither",
                       hone::invalid_argument);
}

TEST_CASE("pool_allocator takes memory from a pool of CUDA") {
  make_current(0);
  const batch b;
  cudaMemPool_t pool = nullptr;
  REQUIRE(cudaDeviceGetDefaultMemPool(&pool, 0) == cudaSuccess);
  hone::cuda gpu(b.stream, hone::pool_allocator(pool)), plain(b.stream);
  b.evaluate(plain);
  const std::vector<float> answer = b.answer();
  b.evaluate(gpu);
  CHECK(b.answer() == answer);
  b.step(gpu);
  b.stream.wait();
}

#if defined(CUDASIM)
TEST_CASE("a CUDA error half way through a call leaks no memory, and existing objects keep working") {
  make_current(0);
  const batch b;
  const hone::tensor_list<float> tensors{{b.x.data(), b.x.size()}};
  hone::cuda gpu(b.stream);
  b.evaluate(gpu);
  const std::vector<float> answer = b.answer();
  const auto allocations = cudasim_live_allocations();
  void* const workspace = gpu.workspace();
  refused = "cudaMemcpyAsync";
  CHECK_THROWS_AS(hone::device_list<float>(gpu, tensors), hone::cuda_error);
  CHECK_THROWS_AS(hone::device_report{gpu}, hone::cuda_error);
  CHECK_THROWS_AS(hone::device_ema_state<float>(gpu, tensors), hone::cuda_error);
  refused = "cudaMemsetAsync";
  CHECK_THROWS_AS(gpu.reserve(1 << 20), hone::cuda_error);
  refused = "";
  CHECK(cudasim_live_allocations() == allocations);
  CHECK(gpu.workspace() == workspace);
  b.evaluate(gpu);
  CHECK(b.answer() == answer);
}
#endif

#if defined(CUDASIM)
TEST_CASE("a backend uses the device current at its creation if the driver cannot report the stream's") {
  make_current(0);
  const batch here;
  make_current(1);
  const batch there;
  refused = "cudaStreamGetDevice";
  const auto make = [](batch const& of) {
    std::optional<hone::cuda> gpu;
    CHECK_NOTHROW(gpu.emplace(of.stream));
    return gpu;
  };
  std::optional<hone::cuda> second = make(there);
  make_current(0);
  std::optional<hone::cuda> first = make(here);
  REQUIRE((first && second));
  here.evaluate(*first);
  there.evaluate(*second);
  CHECK(there.answer() == here.answer());
  there.step(*second);
  CHECK(current_device() == 0);
  refused = "";
  CHECK(astray == "");
}
#endif

#if !defined(CUDASIM)  // whose calls are for one thread
TEST_CASE("several threads, each with its own backend, do not disturb one another") {
  make_current(0);
  const batch alone;
  hone::cuda gpu(alone.stream);
  alone.evaluate(gpu);
  const std::vector<float> answer = alone.answer();
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&] {
      const batch own;
      hone::cuda of_thread(own.stream);
      for (int i = 0; i < 100; ++i) own.evaluate(of_thread);
      right += own.answer() == answer;
    });
  for (std::thread& t : threads) t.join();
  CHECK(right == 4);
}
#endif
