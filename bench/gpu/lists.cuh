// SPDX-License-Identifier: MIT
/// The tensors of ResNet-50: their average, the norm of their gradients, and a whole step.
#pragma once

#include <hone/hone.cuh>

#include <gpu/arrays.cuh>
#include <tensors/resnet50.hpp>

#include <algorithm>
#include <deque>

namespace bench::of_lists {

constexpr double decay = 0.99;
constexpr float rate = 1e-5f, momentum = 0.9f;

inline std::vector<index> resnet50(bool quick) {
  return sizes_of_resnet50([&](index n) { return quick ? 1 + n / 2000 : n; });
}

struct sgd {
  template <hone::operand V>
  __host__ __device__ void operator()(V const& g, V& p, V& m) const {
    m = V(momentum) * m + g;
    p -= V(rate) * m;
  }
};

/// A set of gradients, parameters and momenta, each one array that tensors are cut from, 16 bytes apart.
template <class T>
class tensors {
 public:
  index n = 0;  // numbers of the tensors
  tensors(std::vector<index> const& sizes, cudaStream_t stream, std::uint64_t seed) : sizes_(sizes) {
    for (const index size : sizes) all_ += (size + 7) / 8 * 8, n += size;
    data_.emplace_back(std::size_t(all_));
    fill(data_[0].data(), all_, seed, stream);
  }
  hone::tensor_list<T> list() const {
    hone::tensor_list<T> all;
    all.reserve(sizes_.size());
    T* at = data_[0].data();
    for (const index size : sizes_) {
      all.push_back({at, size});
      at += (size + 7) / 8 * 8;
    }
    return all;
  }
  std::vector<T> host() const {  // of all tensors, without what lies between
    std::vector<T> to;
    to.reserve(std::size_t(n));
    const auto all = data_[0].host();
    auto from = all.begin();
    for (const index size : sizes_) {
      to.insert(to.end(), from, from + std::ptrdiff_t(size));
      from += std::ptrdiff_t((size + 7) / 8 * 8);
    }
    return to;
  }

 private:
  std::vector<index> sizes_;
  index all_ = 0;
  std::vector<device::buffer<T>> data_;  // one
};

/// Calls body(sets, stream, gpu) where a work is wanted.
template <class T, class Body>
void on_lists(table& works, const char* name, const char* type, index bytes_per_number, Body const& body) {
  const auto sizes = resnet50(works.asked().quick);
  index n = 0;
  for (const index size : sizes) n += size;
  entry e{name, 1, works.asked().quick && !works.asked().list ? n : 25557032, type};
  if (!works.wants(e)) return;
  const index bytes = n * bytes_per_number;
  const int sets = works.sets_for(bytes);
  const device::stream stream;
  hone::cuda gpu(stream);
  std::vector<tensors<T>> gradients;
  std::deque<hone::device_list<T>> lists;
  gradients.reserve(std::size_t(sets));
  for (int i = 0; i < sets; ++i) {
    gradients.emplace_back(sizes, stream, std::uint64_t(i) << 40);
    lists.emplace_back(gpu, gradients.back().list());
  }
  body(e, bytes, sizes, gradients, lists, stream, gpu);
}

inline double norm_of(std::vector<float> const& x) {
  double squares = 0;
  for (const float v : x) squares += double(v) * double(v);
  return std::sqrt(squares);
}

template <class T>
void norm(table& works, const char* type) {
  on_lists<T>(works, "measure: norm", type, sizeof(T),
              [&](entry const& e, index bytes, auto const&, auto const& gradients, auto const& lists,
                  device::stream const& stream, hone::cuda& gpu) {
                hone::device_report report(gpu);
                gpu.reserve(hone::workspace_bytes(lists[0]));
                const auto call = [&](int set) {
                  hone::measure(gpu, hone::clip_by_global_norm(1), lists[std::size_t(set)], report);
                };
                works.measure(e, bytes, int(lists.size()), stream, call, [&] {
                  call(0);
                  const auto seen = gradients[0].host();
                  const double expected = norm_of({seen.begin(), seen.end()});
                  return differs(
                      "norm", std::vector<double>{report.host().norm}, [&](std::size_t) { return expected; }, 1e-5);
                });
              });
}

inline void clip(table& works) {
  on_lists<float>(
      works, "transform twice: clip by norm", "float", 12,  // read twice, for the norm must be known, and written
      [&](entry const& e, index bytes, auto const&, auto const& gradients, auto const& lists,
          device::stream const& stream, hone::cuda& gpu) {
        gpu.reserve(hone::workspace_bytes(lists[0]));
        const auto call = [&](int set) {  // by half of the norm, each time
          hone::transform(gpu, hone::chain(hone::unscale(0.5), hone::clip_by_global_norm(1e30)),
                          lists[std::size_t(set)]);
          hone::transform(gpu, hone::chain(hone::unscale(2), hone::clip_by_global_norm(1e30)), lists[std::size_t(set)]);
        };
        works.measure(e, 2 * bytes, int(lists.size()), stream, call, [&] {
          const auto before = gradients[0].host();
          hone::transform(gpu, hone::clip_by_global_norm(1), lists[0]);
          stream.wait();
          const double length = norm_of({before.begin(), before.end()});
          return differs(
              "gradient", gradients[0].host(), [&](std::size_t i) { return double(before[i]) / length; }, 1e-5);
        });
      });
}

inline void average(table& works) {
  on_lists<float>(works, "EMA", "float", 12,
                  [&](entry const& e, index bytes, auto const&, auto const& parameters, auto const& lists,
                      device::stream const& stream, hone::cuda& gpu) {
                    std::deque<hone::device_ema_state<float>> shadows;
                    for (auto const& p : parameters) shadows.emplace_back(gpu, p.list());
                    const auto call = [&](int set) {
                      hone::update(gpu, hone::ema{.decay = decay}, shadows[std::size_t(set)], lists[std::size_t(set)]);
                    };
                    works.measure(e, bytes, int(lists.size()), stream, call, [&] {
                      const auto before = parameters[0].host();
                      hone::transform(gpu, hone::unscale(0.5), lists[0]);  // the parameters become twice as large
                      call(0);
                      hone::copy(gpu, shadows[0], parameters[0].list());
                      stream.wait();
                      return differs(
                          "shadow", parameters[0].host(),
                          [&](std::size_t i) { return double(before[i]) * (2 - decay); }, 1e-5);
                    });
                  });
}

/// Unscale, clip, SGD with momentum and an average: gradients are read twice; momenta, parameters and shadow are read
/// and written.
inline void step(table& works) {
  on_lists<float>(works, "step: clip, SGD, EMA", "float", 32,
                  [&](entry const& e, index bytes, std::vector<index> const& sizes, auto const& gradients,
                      auto const& lists, device::stream const& stream, hone::cuda& gpu) {
                    std::vector<tensors<float>> parameters, momenta;
                    std::deque<hone::device_list<float>> p, m;
                    std::deque<hone::device_ema_state<float>> shadows;
                    const std::size_t sets = lists.size();
                    parameters.reserve(sets), momenta.reserve(sets);
                    for (std::size_t i = 0; i < sets; ++i) {
                      p.emplace_back(gpu, parameters.emplace_back(sizes, stream, 1ull << 50).list());
                      m.emplace_back(gpu, momenta.emplace_back(sizes, stream, 1ull << 51).list());
                      shadows.emplace_back(gpu, parameters[i].list());
                    }
                    hone::device_report report(gpu);
                    gpu.reserve(hone::workspace_bytes(lists[0]));
                    const auto call = [&](int set) {
                      const auto i = std::size_t(set);
                      hone::step(gpu, hone::chain(hone::unscale(2), hone::clip_by_global_norm(1)), sgd(), report,
                                 lists[i], p[i], m[i], hone::averaged_in(hone::ema{.decay = decay}, shadows[i]));
                    };
                    works.measure(e, bytes, int(sets), stream, call, [&] {
                      const auto g = gradients[0].host(), before = parameters[0].host(), old = momenta[0].host();
                      call(0);
                      stream.wait();
                      const double length = norm_of({g.begin(), g.end()});
                      const auto moved = [&](std::size_t i) {
                        return momentum * double(old[i]) + double(g[i]) / std::max(length, 2.0);
                      };
                      const std::string what = differs("momentum", momenta[0].host(), moved, 1e-5);
                      return what.empty()
                                 ? differs(
                                       "parameter", parameters[0].host(),
                                       [&](std::size_t i) { return double(before[i]) - rate * moved(i); }, 1e-5)
                                 : what;
                    });
                  });
}

inline void all(table& works) {
  norm<float>(works, "float");
  norm<__nv_bfloat16>(works, "bfloat16");
  clip(works);
  average(works);
  step(works);
}

}  // namespace bench::of_lists
