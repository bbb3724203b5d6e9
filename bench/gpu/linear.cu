// SPDX-License-Identifier: MIT
// Cross entropy on the logits of a linear layer, with products by cuBLAS. A program of its own, which alone needs it.
#include <hone/hone.cuh>

#include <hone/cuda/structure/cublas_product.cuh>

#include <gpu/arrays.cuh>

#include <algorithm>

namespace bench {
namespace {

using number = __nv_bfloat16;
#if defined(CUDASIM)
constexpr bool simulated = true;  // its stand-in for cuBLAS waits for the stream, which a capture forbids
#else
constexpr bool simulated = false;
#endif

__global__ void make_small(number* x, index n) {
  for (index i = blockIdx.x * index(blockDim.x) + threadIdx.x; i < n; i += index(gridDim.x) * blockDim.x)
    x[i] = number(0.01f * float(x[i]));
}
__global__ void label_rows(std::int64_t* labels, index rows, index classes) {
  for (index i = threadIdx.x; i < rows; i += blockDim.x)
    labels[i] = std::int64_t(scrambled(~std::uint64_t(i)) % std::uint64_t(classes));
}

struct layer {
  index rows, features, classes;
  device::stream stream;
  device::buffer<number> x, w, dx;
  device::buffer<float> dw, value{1};
  device::buffer<std::int64_t> labels;

  layer(index n, index f, index c)
      : rows(n),
        features(f),
        classes(c),
        x(std::size_t(n * f)),
        w(std::size_t(c * f)),
        dx(std::size_t(n * f)),
        dw(std::size_t(c * f)),
        labels(std::size_t(n)) {
    fill(x.data(), n * f, 1, stream);
    fill(w.data(), c * f, 2, stream);
    make_small<<<1024, 256, 0, stream>>>(w.data(), c * f);
    label_rows<<<1, 256, 0, stream>>>(labels.data(), n, c);
    check(cudaGetLastError(), "label_rows");
    stream.wait();
  }
};

std::vector<double> doubles(device::buffer<number> const& b, index n) {
  const auto from = on_host(b.data(), n);
  std::vector<double> to;
  to.reserve(from.size());
  for (const number v : from) to.push_back(double(float(v)));
  return to;
}

/// The loss and the gradient of the input of the first rows, in double.
std::string wrong(layer const& l) {
  l.stream.wait();
  const index some = std::min<index>(l.rows, 4);
  const auto features = std::size_t(l.features), classes = std::size_t(l.classes);
  const auto x = doubles(l.x, some * l.features), w = doubles(l.w, l.classes * l.features);
  const auto labels = on_host(l.labels.data(), some);
  std::vector<double> dx(x.size());
  double loss = 0, most = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::vector<double> z(classes);
    for (std::size_t c = 0; c < classes; ++c)
      for (std::size_t f = 0; f < features; ++f) z[c] += x[i * features + f] * w[c * features + f];
    double total = 0;
    for (const double v : z) total += std::exp(v);
    loss += std::log(total) - z[std::size_t(labels[i])];
    for (std::size_t c = 0; c < classes; ++c) {
      const double d = (std::exp(z[c]) / total - double(std::int64_t(c) == labels[i])) / double(l.rows);
      for (std::size_t f = 0; f < features; ++f) dx[i * features + f] += d * w[c * features + f];
    }
  }
  for (const double v : dx) most = std::max(most, std::abs(v));
  const auto seen = on_host(l.dx.data(), some * l.features);
  const std::string what = differs("input's gradient", seen, [&](std::size_t i) { return dx[i]; }, 0.02, 0.02 * most);
  if (!what.empty() || some < l.rows) return what;
  return differs("value", l.value.host(), [&](std::size_t) { return loss / double(l.rows); }, 0.01);
}

struct handle {
  cublasHandle_t of = nullptr;

  handle() { hone::on_cuda::check_cublas(cublasCreate(&of), "cublasCreate"); }
  ~handle() { cublasDestroy(of); }
  handle(handle const&) = delete;
  handle& operator=(handle const&) = delete;
};

}  // namespace

void all(table& works) {
  entry e{"linear + cross entropy, 1024 features", 4096, 32000, "bfloat16"};
  if (!works.wants(e)) return;
  index features = 1024;
  if (works.asked().quick) e.rows = 4, e.columns = 50, features = 8;
  const layer l(e.rows, features, e.columns);
  const handle blas;
  hone::cuda gpu(l.stream);
  hone::on_cuda::check_cublas(cublasSetStream(blas.of, l.stream), "cublasSetStream");
  const hone::matrix_view<const number> input{l.x.data(), l.rows, features}, weight{l.w.data(), l.classes, features};
  const auto loss = hone::cross_entropy(hone::classes(std::span<const std::int64_t>(l.labels.data(), l.labels.size())));
  const hone::linear_logits<number> logits{input, weight};
  gpu.reserve(hone::workspace_bytes(loss, logits));
  const auto call = [&](int) {
    hone::evaluate(gpu, loss, logits,
                   {.input_gradient = {l.dx.data(), l.rows, features},
                    .weight_gradient = {l.dw.data(), l.classes, features},
                    .value = l.value.data()},
                   hone::mean, hone::cublas_product(gpu, blas.of));
  };
  const index bytes = 2 * 2 * l.rows * features + (2 + 4) * l.classes * features;  // the logits are not counted
  works.measure(
      e, bytes, 1, l.stream, call,
      [&] {
        call(0);
        return wrong(l);
      },
      !simulated);
}

}  // namespace bench
