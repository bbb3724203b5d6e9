// SPDX-License-Identifier: MIT
// What docs/cuda.md begins with.
// [program]
#include <hone/hone.cuh>

#include <cstdio>
#include <span>
#include <vector>

// Sample i is of class i % 10, and its input is 1 at that place and 0 elsewhere.
constexpr int samples = 80, classes = 10, weights = classes * classes;

__global__ void forward(const float* w, float* logits) {  // <<<samples, classes>>>
  logits[blockIdx.x * classes + threadIdx.x] = w[blockIdx.x % classes * classes + threadIdx.x];
}
__global__ void backward(const float* gradient, float* dw) {  // <<<classes, classes>>>
  float sum = 0;
  for (int i = blockIdx.x; i < samples; i += classes) sum += gradient[i * classes + threadIdx.x];
  dw[blockIdx.x * classes + threadIdx.x] = sum;
}
__global__ void descend(float rate, const float* dw, float* w) {  // <<<classes, classes>>>
  w[blockIdx.x * classes + threadIdx.x] -= rate * dw[blockIdx.x * classes + threadIdx.x];
}

template <class T>
T* on_device(int size) {
  T* memory = nullptr;
  cudaMalloc(&memory, size * sizeof(T));
  return memory;
}

int main() {
  std::vector<int> labels(samples);
  for (int i = 0; i < samples; ++i) labels[i] = i % classes;
  int* y = on_device<int>(samples);
  float *w = on_device<float>(weights), *dw = on_device<float>(weights), *value = on_device<float>(1);
  float *logits = on_device<float>(samples * classes), *gradient = on_device<float>(samples * classes);
  cudaMemcpy(y, labels.data(), samples * sizeof(int), cudaMemcpyHostToDevice);
  cudaMemset(w, 0, weights * sizeof(float));
  cudaStream_t stream = nullptr;
  cudaStreamCreate(&stream);

  hone::cuda gpu(stream);
  const auto target = hone::smooth(hone::classes(std::span<const int>(y, samples)), 0.1);
  const hone::device_list<float> gradients(gpu, {{dw, weights}});
  const hone::warmup_cosine rate{.peak = 10, .warmup = 5, .total = 50};
  for (int step = 0; step < 50; ++step) {  // nothing waits: a loop of launches
    forward<<<samples, classes, 0, stream>>>(w, logits);
    hone::evaluate(gpu, hone::cross_entropy(target), hone::matrix_view{logits, samples, classes},
                   {.gradient = {gradient, samples, classes}, .value = value});
    backward<<<classes, classes, 0, stream>>>(gradient, dw);
    hone::transform(gpu, hone::clip_by_global_norm(1), gradients);
    descend<<<classes, classes, 0, stream>>>(static_cast<float>(rate.rate(step)), dw, w);
  }
  float loss = 0;
  cudaMemcpyAsync(&loss, value, sizeof loss, cudaMemcpyDeviceToHost, stream);
  if (cudaError_t error = cudaStreamSynchronize(stream)) return std::puts(cudaGetErrorString(error)), 1;
  std::printf("loss after 50 steps: %.2f\n", loss);
}
// [/program]
