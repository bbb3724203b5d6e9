// SPDX-License-Identifier: MIT
// Channel attention on CUDA: products of the caller's, graphs, errors, memory traffic.
#include <hone/hone.cuh>

#include <conformance/recalibration.hpp>
#include <cuda/device.cuh>
#include <support/message.hpp>

#include <stdexcept>

#if defined(CUDASIM)
#include <cudasim.h>
#endif

namespace {

template <class A>
__global__ void one_by_one(bool left_transposed, bool right_transposed, hone::index rows, hone::index columns,
                           hone::index depth, A const* left, hone::index left_stride, A const* right,
                           hone::index right_stride, A* to, hone::index stride) {
  for (hone::index k = threadIdx.x; k < rows * columns; k += blockDim.x) {
    const hone::index i = k / columns, j = k % columns;
    double sum = 0;
    for (hone::index l = 0; l < depth; ++l)
      sum += static_cast<double>(left_transposed ? left[l * left_stride + i] : left[i * left_stride + l]) *
             static_cast<double>(right_transposed ? right[j * right_stride + l] : right[l * right_stride + j]);
    to[i * stride + j] = static_cast<A>(sum);
  }
}

/// A product of row-major matrices such as a trainer has one.
template <class A, class... Arguments>
void trainers_gemm(cudaStream_t stream, Arguments... of) {
  hone::on_cuda::launch("trainers_gemm", one_by_one<A>, {1, 256}, stream, of...);
}

struct trainers_product {
  int* calls;

  template <class A>
  void operator()(cudaStream_t stream, hone::matrix_product<A> const& p) const {
    ++*calls;
    trainers_gemm<A>(stream, p.left_transposed, p.right_transposed, p.to.rows, p.to.columns, p.depth(), p.left.data,
                     p.left.row_stride, p.right.data, p.right.row_stride, p.to.data, p.to.row_stride);
  }
};

const conformance::recalibration_case block{
    {3, 37, 5, 5}, conformance::branch_kind::squeeze, 19, hone::relu, hone::relu, true, true};
using memory = conformance::recalibration_memory<device::conformance, float>;

}  // namespace

TEST_CASE("products of the caller's take the place of hone's") {
  int calls = 0;
  for (const conformance::planes_shape s :
       {conformance::planes_shape{1, 1, 1, 1}, {3, 5, 7, 7}, {5, 67, 1, 3}, {0, 3, 2, 2}})
    for (auto const& of : conformance::recalibration_cases(s))
      conformance::recalibrates<device::conformance, float>(of, trainers_product{&calls});
  CHECK(calls == 3 * (3 * (2 + 2 * 4) + 2 * (1 + 2 * 2)));  // none for images that are not there
}

TEST_CASE("a product of the caller's may be a lambda") {
  const memory m(block);
  m.forward(m.y);
  const device::stream stream;
  hone::cuda gpu(stream);
  const auto x = m.image(m.x), shortcut = m.image(m.rest), y = m.image(m.dx);
  const auto numbers = m.view(m.numbers);
  const auto scale_and_add = [&](auto const& branch) {
    // [product]
    const auto product = [](cudaStream_t on, hone::matrix_product<float> const& p) {
      trainers_gemm<float>(on, p.left_transposed, p.right_transposed, p.to.rows, p.to.columns, p.depth(), p.left.data,
                           p.left.row_stride, p.right.data, p.right.row_stride, p.to.data, p.to.row_stride);
    };
    hone::recalibrate(gpu, branch, x, y, numbers, {.residual = shortcut, .activation = hone::relu}, product);
    // [/product]
  };
  conformance::with_branch<>(block, m.w.data(), m.b.data(), scale_and_add);
  stream.wait();
  const auto seen = m.dx.host(), by_hone = m.y.host();
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK(std::abs(seen[i] - by_hone[i]) < 1e-5f);
}

TEST_CASE("a product that throws ends the call") {
  const memory m(block);
  const auto refuse = [](cudaStream_t, hone::matrix_product<float> const&) { throw std::runtime_error("refused"); };
  CHECK_THROWS_WITH_AS(m.forward(m.y, refuse), "refused", std::runtime_error);
}

TEST_CASE("channel attention is captured in a graph, and allocates nothing") {
  const memory m(block);
  m.forward(m.y), m.backward(m.dx, m.dr);
  const auto y = m.y.host(), dx = m.dx.host(), dr = m.dr.host();
  const auto dw = m.dw.host(), db = m.db.host();
  const auto again = [&](auto const& call) {
    for (auto const* to : {&m.y, &m.dx, &m.dr})
      device::bring(to->data(), std::vector<float>(to->size(), 5).data(), to->size());
    for (auto const* to : {&m.dw, &m.db})
      device::bring(to->data(), std::vector<float>(to->size(), 5).data(), to->size());
    call();
    CHECK((m.y.host() == y && m.dx.host() == dx && m.dr.host() == dr && m.dw.host() == dw && m.db.host() == db));
  };
  const device::stream stream;
  hone::cuda gpu(stream);
#if defined(CUDASIM)
  const auto allocations = cudasim_live_allocations();
#endif
  conformance::with_branch<>(block, m.w.data(), m.b.data(), [&](auto const& branch) {
    conformance::with_branch<>(block, m.dw.data(), m.db.data(), [&](auto const& gradients) {
      if constexpr (std::is_same_v<decltype(branch), decltype(gradients)>) {
        const device::graph replay(stream, [&] {
          hone::recalibrate(gpu, branch, m.image(m.x), m.image(m.y), m.view(m.numbers),
                            {.residual = m.residual(), .activation = block.outer});
          hone::recalibrate_backward(
              gpu, branch, m.image(m.x), m.image(m.dy), m.view(m.numbers), m.image(m.dx), gradients, m.view(m.scratch),
              {.residual = m.residual(), .activation = block.outer, .dresidual = m.dresidual(m.dr)});
        });
        for (int i = 0; i < 2; ++i) again([&] { replay.launch(), stream.wait(); });
      }
    });
  });
#if defined(CUDASIM)
  CHECK(cudasim_live_allocations() == allocations);
#endif
}

TEST_CASE("recalibrate on CUDA: invalid arguments throw, and nothing is enqueued") {
  const memory m(block);
  const device::stream stream;
  hone::cuda gpu(stream);
  using weights = hone::matrix_view<const float>;
  const hone::squeeze_excite<const float> branch{weights(m.w.data(), 19, 37), {}, weights(m.w.data(), 37, 18), {}};
  CHECK(support::message([&] { hone::recalibrate(gpu, branch, m.image(m.x), m.image(m.y), m.view(m.numbers)); }) ==
        "recalibrate: expand is 37 x 18, must be 37 x 19");
  const hone::efficient_channel_attention<const float> even{std::span<const float>(m.w.data(), 4)};
  CHECK(support::message([&] { hone::recalibrate(gpu, even, m.image(m.x), m.image(m.y), m.view(m.numbers)); }) ==
        "recalibrate: kernel has 4 numbers, must have an odd number");
  const hone::efficient_channel_attention<float> kernel{std::span<float>(m.w.data(), 3)},
      dkernel{std::span<float>(m.dw.data(), 3)};
  CHECK(support::message([&] {
          hone::recalibrate_backward(gpu, kernel, m.image(m.x), m.image(m.dy), m.view(m.numbers), m.image(m.dx),
                                     dkernel, m.view(m.numbers));
        }).starts_with("recalibrate_backward: scratch.squeezed and squeezed overlap"));
  stream.wait();
  CHECK(m.y.host() == std::vector<float>(m.y.size(), 99));
  CHECK(m.numbers.host() == m.poisoned());
}

#if defined(CUDASIM)
namespace {

/// Bytes per byte of the images, of a forward and a backward pass with a residual and relu: x; x, residual and y;
/// x, dy, residual and dresidual; dresidual and dx.
template <class T>
void moves_once(conformance::planes_shape s, double wide) {
  const conformance::recalibration_case of{s, conformance::branch_kind::squeeze, 8, hone::relu, hone::relu, true, true};
  const conformance::recalibration_memory<device::conformance, T> m(of);
  const double images = double(s.numbers()) * sizeof(T);
  const auto counts = [&](const char* kernel) {
    cudasim_counters c{};
    REQUIRE(cudasim_counters_get(kernel, &c) >= 1);
    return c;
  };
  const auto check = [&](double loads, double stores, std::initializer_list<const char*> sweeps) {
    const cudasim_counters all = counts("");
    MESSAGE("loads ", double(all.global_load_bytes) / images, " of ", loads, ", stores ",
            double(all.global_store_bytes) / images, " of ", stores);
    CHECK(double(all.global_load_bytes) <= 1.05 * loads * images);
    CHECK(double(all.global_store_bytes) <= 1.02 * stores * images);
    CHECK(all.local_load_bytes + all.local_store_bytes == 0);
    for (const char* kernel : sweeps) {
      const cudasim_counters c = counts(kernel);
      MESSAGE(std::string(kernel), ": coalescing ", cudasim_load_coalescing(c), " and ", cudasim_store_coalescing(c),
              ", 16 bytes ", cudasim_wide_fraction(c), ", instructions per number ",
              double(c.instructions) / double(s.numbers()));
      CHECK(cudasim_load_coalescing(c) >= (wide > 0 ? 0.95 : 0.75));
      CHECK(cudasim_store_coalescing(c) >= (wide > 0 ? 0.95 : 0.75));
      CHECK(cudasim_wide_fraction(c) >= wide);
      CHECK(c.shared_max_ways <= 1);
    }
  };
  cudasim_counters_reset();
  m.forward(m.y);
  check(3, 1, {"reduce_planes_kernel", "scale_planes_kernel"});
  CHECK(counts("").launches == 4);  // the biases and the activation are part of the products
  CHECK(double(counts("reduce_planes_kernel").global_load_bytes) <= 1.001 * images);
  cudasim_counters_reset();
  m.backward(m.dx, m.dr);
  check(4, 2, {"scale_planes_backward_kernel"});
  CHECK(counts("").launches == 8);
}

}  // namespace

TEST_CASE("channel attention moves every byte of a sweep once") {
  moves_once<float>({2, 16, 56, 56}, 0.95);
  moves_once<__nv_bfloat16>({2, 16, 56, 56}, 0.95);
  moves_once<float>({8, 64, 13, 13}, 0);  // planes that begin anywhere
}
#endif
