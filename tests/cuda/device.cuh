// SPDX-License-Identifier: MIT
/// Device memory and a stream for tests.
#pragma once

#include <hone/hone.cuh>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <algorithm>
#include <utility>
#include <vector>

namespace device {

/// Numbers of the host to the device, for all streams: a copy from pageable memory may return before it has arrived,
/// and streams that do not block do not wait for the one that it is in.
template <class T>
void bring(T* to, T const* from, std::size_t count) {
  hone::on_cuda::check(cudaMemcpy(to, from, count * sizeof(T), cudaMemcpyHostToDevice), "cudaMemcpy");
  hone::on_cuda::check(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
}

/// A copy of a vector on the device; what a kernel has not written yet is uninitialised where there was none.
template <class T>
class buffer {
 public:
  explicit buffer(std::size_t size) : size_(size) {
    hone::on_cuda::check(cudaMalloc(&data_, bytes() + 16), "cudaMalloc");
  }
  explicit buffer(std::vector<T> const& from) : buffer(from.size()) { bring(data_, from.data(), size_); }
  ~buffer() { cudaFree(data_); }
  buffer(buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}
  buffer& operator=(buffer const&) = delete;

  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size_; }

  std::vector<T> host() const {
    std::vector<T> to(size_);
    hone::on_cuda::check(cudaMemcpy(to.data(), data_, bytes(), cudaMemcpyDeviceToHost), "cudaMemcpy");
    return to;
  }

 private:
  std::size_t bytes() const { return size_ * sizeof(T); }

  T* data_ = nullptr;
  std::size_t size_;
};

/// A stream of its own, waited for at the end.
class stream {
 public:
  stream() { hone::on_cuda::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate"); }
  ~stream() { cudaStreamDestroy(stream_); }
  stream(stream const&) = delete;
  stream& operator=(stream const&) = delete;

  operator cudaStream_t() const { return stream_; }
  void wait() const { hone::on_cuda::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

 private:
  cudaStream_t stream_ = nullptr;
};

/// What calls enqueue on a stream, captured, to be replayed.
class graph {
 public:
  template <class Calls>
  graph(stream const& on, Calls const& calls) : stream_(on) {
    cudaGraph_t captured = nullptr;
    hone::on_cuda::check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), "cudaStreamBeginCapture");
    calls();
    hone::on_cuda::check(cudaStreamEndCapture(stream_, &captured), "cudaStreamEndCapture");
    hone::on_cuda::check(cudaGraphInstantiate(&replay_, captured, 0), "cudaGraphInstantiate");
    cudaGraphDestroy(captured);
  }
  ~graph() { cudaGraphExecDestroy(replay_); }
  graph(graph const&) = delete;
  graph& operator=(graph const&) = delete;

  void launch() const { hone::on_cuda::check(cudaGraphLaunch(replay_, stream_), "cudaGraphLaunch"); }

 private:
  cudaStream_t stream_;
  cudaGraphExec_t replay_ = nullptr;
};

/// How the lists of tests/conformance/ reach a device.
struct conformance {
  using half = __half;
  using bfloat16 = __nv_bfloat16;
  template <class T>
  using buffer = device::buffer<T>;

  template <class Call>
  static void enqueue(Call const& call) {
    const device::stream stream;
    hone::cuda gpu(stream);
    call(gpu);
    stream.wait();
  }

  template <class Objective, class View, class Outputs>
  static void evaluate(Objective const& objective, View prediction, Outputs const& out, hone::reduction how) {
    enqueue([&](hone::cuda& gpu) { hone::evaluate(gpu, objective, prediction, out, how); });
  }

  static void pairwise_iou(auto a, auto b, auto out) {
    enqueue([&](hone::cuda& gpu) { hone::pairwise_iou(gpu, a, b, out); });
  }
  static void pairwise_giou(auto a, auto b, auto out) {
    enqueue([&](hone::cuda& gpu) { hone::pairwise_giou(gpu, a, b, out); });
  }
  static void pairwise_diou(auto a, auto b, auto out) {
    enqueue([&](hone::cuda& gpu) { hone::pairwise_diou(gpu, a, b, out); });
  }
  static void pairwise_ciou(auto a, auto b, auto out) {
    enqueue([&](hone::cuda& gpu) { hone::pairwise_ciou(gpu, a, b, out); });
  }
  static void pairwise_ioa(auto a, auto b, auto out) {
    enqueue([&](hone::cuda& gpu) { hone::pairwise_ioa(gpu, a, b, out); });
  }
  /// verb(backend) calls one of hone's verbs.
  static void call(auto verb) {
    enqueue([&](hone::cuda& gpu) { verb(gpu); });
  }

  /// What lies behind the answer must be as it was.
  static std::vector<hone::index> answer(hone::index room, auto const& call) {
    const buffer<hone::index> kept(std::vector<hone::index>(static_cast<std::size_t>(room), -1)), count(1);
    enqueue([&](hone::cuda& gpu) { call(gpu, kept.data(), count.data()); });
    std::vector<hone::index> rows = kept.host();
    const auto end = rows.begin() + count.host()[0];
    if (std::any_of(end, rows.end(), [](hone::index i) { return i != -1; })) return {-1};
    rows.erase(end, rows.end());
    return rows;
  }
  static std::vector<hone::index> suppress(auto how, auto boxes, auto scores, auto classes, hone::nms_options options,
                                           auto format) {
    using kind = decltype(how);
    const hone::index room = std::min<hone::index>(boxes.rows, options.most);
    return answer(room, [&](hone::cuda& gpu, hone::index* kept, hone::index* count) {
      switch (how) {
        case kind::nms:
          return hone::nms(gpu, boxes, scores, kept, count, options, format);
        case kind::batched_nms:
          return hone::batched_nms(gpu, boxes, scores, classes, kept, count, options, format);
        case kind::diou_nms:
          return hone::diou_nms(gpu, boxes, scores, kept, count, options, format);
        default:
          return hone::batched_diou_nms(gpu, boxes, scores, classes, kept, count, options, format);
      }
    });
  }
  static std::vector<hone::index> suppress(auto how, auto boxes, auto scores, auto classes, hone::nms_options options) {
    return suppress(how, boxes, scores, classes, options, hone::corners);
  }
  static std::vector<hone::index> suppress_images(auto how, auto boxes, auto scores, auto classes, auto images,
                                                  hone::nms_options options) {
    using kind = decltype(how);
    return answer(boxes.rows, [&](hone::cuda& gpu, hone::index* kept, hone::index* count) {
      if (how == kind::batched_nms) return hone::batched_nms(gpu, boxes, scores, classes, images, kept, count, options);
      return hone::batched_diou_nms(gpu, boxes, scores, classes, images, kept, count, options);
    });
  }

  static void decode_boxes(auto const& decoding, auto const& level, auto raw, auto boxes) {
    enqueue([&](hone::cuda& gpu) { hone::decode_boxes(gpu, decoding, level, raw, boxes); });
  }
  static void chain_boxes(auto const& decoding, auto const& level, auto raw, auto gradient, auto to) {
    enqueue([&](hone::cuda& gpu) { hone::chain_boxes(gpu, decoding, level, raw, gradient, to); });
  }
  static void convert_boxes(auto from, auto format, auto to, auto other) {
    enqueue([&](hone::cuda& gpu) { hone::convert_boxes(gpu, from, format, to, other); });
  }

  static void blend(auto const& draw, auto images, auto mixed) {
    enqueue([&](hone::cuda& gpu) { hone::blend(gpu, draw, images, mixed); });
  }

  template <class Step, class T>
  static hone::gradient_report transform(Step const& step, hone::tensor_list<T> const& gradients) {
    const device::stream stream;
    hone::cuda gpu(stream);
    hone::device_report report(gpu);
    hone::transform(gpu, step, gradients, &report);
    return report.host();
  }

  template <class F, class... T>
  static void for_each_number(F const& f, hone::tensor_list<T> const&... lists) {
    const device::stream stream;
    hone::cuda gpu(stream);
    hone::for_each_number(gpu, f, hone::device_list<T>(gpu, lists)...);
    hone::on_cuda::check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  }

  template <class Chain, class F, class... L>
  static hone::gradient_report step(Chain const& chain, F const& f, hone::tensor_list<L> const&... lists) {
    const device::stream stream;
    hone::cuda gpu(stream);
    hone::device_report report(gpu);
    hone::step(gpu, chain, f, report, hone::device_list<L>(gpu, lists)...);
    return report.host();
  }

  template <class T>
  class averages {
    device::stream stream_;
    hone::cuda gpu_{stream_};

   public:
    hone::device_ema_state<T> state;

    template <class P>
    averages(hone::tensor_list<P> const& parameters, hone::ema_start start) : state(gpu_, parameters, start) {}

    template <class P>
    void update(hone::ema const& average, hone::tensor_list<P> const& parameters, bool finite) {
      const buffer<char> flag(std::vector<char>{finite});
      hone::update(gpu_, average, state, parameters, reinterpret_cast<bool const*>(flag.data()));
      stream_.wait();
    }
    template <class Chain, class F, class... L>
    hone::gradient_report step(Chain const& chain, F const& f, auto const& average,
                               hone::tensor_list<L> const&... lists) {
      hone::device_report report(gpu_);
      hone::step(gpu_, chain, f, report, hone::device_list<L>(gpu_, lists)..., hone::averaged_in(average, state));
      return report.host();
    }
    void copy(hone::tensor_list<T> const& to) {
      hone::copy(gpu_, state, to);
      stream_.wait();
    }
    void swap(hone::tensor_list<T> const& parameters) {
      hone::swap(gpu_, state, parameters);
      stream_.wait();
    }
  };
};

}  // namespace device
