// SPDX-License-Identifier: MIT
/// A trainer's own kernels, as simple as they can be: fully connected layers, softmax cross entropy, SGD with momentum.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace raw {

inline void check(cudaError_t status, char const* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}

/// Device memory, filled with zeros.
template <class T>
class memory {
 public:
  explicit memory(std::size_t size) : size_(size) {
    check(cudaMalloc(&data_, size * sizeof(T)), "cudaMalloc");
    check(cudaMemset(data_, 0, size * sizeof(T)), "cudaMemset");
  }
  explicit memory(std::vector<T> const& from) : memory(from.size()) {
    check(cudaMemcpy(data_, from.data(), size_ * sizeof(T), cudaMemcpyHostToDevice), "cudaMemcpy");
  }
  ~memory() { cudaFree(data_); }
  memory(memory const&) = delete;
  memory& operator=(memory const&) = delete;

  T* data() const { return data_; }
  std::size_t size() const { return size_; }

  std::vector<T> host() const {
    std::vector<T> to(size_);
    check(cudaMemcpy(to.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost), "cudaMemcpy");
    return to;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

inline constexpr int threads = 128;
inline int blocks(long long numbers) { return static_cast<int>((numbers + threads - 1) / threads); }
static __device__ long long thread() { return static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; }

/// A layer's sizes: x is rows x inputs, y is rows x outputs, weight is outputs x inputs.
struct layer {
  int rows, inputs, outputs;
};

/// The images and labels of a batch: row i of step s is image (s · rows + i) mod `images`, as numbers in [0, 1].
static __global__ void take_batch(std::uint8_t const* pixels, int const* labels, long long images, int rows,
                                  int columns, std::int64_t const* step, float* x, int* y) {
  const long long i = thread(), row = i / columns;
  if (row >= rows) return;
  const long long from = (*step * rows + row) % images;
  x[i] = static_cast<float>(pixels[from * columns + i % columns]) / 255;
  if (i % columns == 0) y[row] = labels[from];
}

static __global__ void forward(layer l, bool relu, float const* x, float const* weight, float const* bias, float* y) {
  const long long i = thread(), row = i / l.outputs, j = i % l.outputs;
  if (row >= l.rows) return;
  float sum = bias[j];
  for (int k = 0; k < l.inputs; ++k) sum += x[row * l.inputs + k] * weight[j * l.inputs + k];
  y[i] = relu && sum < 0 ? 0 : sum;
}

/// One thread per weight; the thread of a row's first weight adds up the bias too.
static __global__ void backward_parameters(layer l, float const* x, float const* dy, float* dweight, float* dbias) {
  const long long i = thread(), j = i / l.inputs, k = i % l.inputs;
  if (j >= l.outputs) return;
  float sum = 0, bias = 0;
  for (int row = 0; row < l.rows; ++row) {
    sum += dy[row * l.outputs + j] * x[row * l.inputs + k];
    bias += dy[row * l.outputs + j];
  }
  dweight[i] = sum;
  if (k == 0) dbias[j] = bias;
}

/// The gradient of x, an output of ReLU: 0 where x is 0.
static __global__ void backward_input(layer l, float const* x, float const* weight, float const* dy, float* dx) {
  const long long i = thread(), row = i / l.inputs, k = i % l.inputs;
  if (row >= l.rows) return;
  float sum = 0;
  for (int j = 0; j < l.outputs; ++j) sum += dy[row * l.outputs + j] * weight[j * l.inputs + k];
  dx[i] = x[i] > 0 ? sum : 0;
}

/// The mean cross entropy of a softmax, and its gradient: what the plain trainer uses. One thread per row.
static __global__ void softmax_cross_entropy(layer l, float const* logits, int const* labels, float* gradient,
                                             float* loss) {
  const long long row = thread();
  if (row >= l.rows) return;
  float const* const z = logits + row * l.outputs;
  float most = z[0], sum = 0;
  for (int j = 1; j < l.outputs; ++j) most = fmaxf(most, z[j]);
  for (int j = 0; j < l.outputs; ++j) sum += expf(z[j] - most);
  for (int j = 0; j < l.outputs; ++j)
    gradient[row * l.outputs + j] =
        (expf(z[j] - most) / sum - (j == labels[row] ? 1.0f : 0.0f)) / static_cast<float>(l.rows);
  atomicAdd(loss, (logf(sum) + most - z[labels[row]]) / static_cast<float>(l.rows));
}

/// SGD with momentum. `factor` scales the gradients; a step whose gradients are not `finite` is skipped.
static __global__ void sgd(long long n, double const* rate, double const* factor, bool const* finite,
                           float const* gradient, float* momentum, float* parameters) {
  const long long i = thread();
  if (i >= n || (finite && !*finite)) return;
  momentum[i] = 0.9f * momentum[i] + (factor ? static_cast<float>(*factor) : 1.0f) * gradient[i];
  parameters[i] -= static_cast<float>(*rate) * momentum[i];
}

static __global__ void next_step(std::int64_t* step) { ++*step; }

/// Adds the rows whose largest logit is that of their label.
static __global__ void count_correct(layer l, float const* logits, int const* labels, unsigned* correct) {
  const long long row = thread();
  if (row >= l.rows) return;
  int best = 0;
  for (int j = 1; j < l.outputs; ++j)
    if (logits[row * l.outputs + j] > logits[row * l.outputs + best]) best = j;
  if (best == labels[row]) atomicAdd(correct, 1u);
}

}  // namespace raw
