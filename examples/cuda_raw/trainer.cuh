// SPDX-License-Identifier: MIT
/// A perceptron with one hidden layer, trained on one stream by steps that a graph replays: plainly, or with smoothing,
/// mixup, clipping, a schedule and an average of hone. No step waits for the host.
#pragma once

#include <hone/hone.cuh>

#include "kernels.cuh"

#include <cmath>
#include <random>

namespace raw {

struct options {
  int batch = 128, hidden = 256, steps = 2000;
  unsigned seed = 1;
  bool refined = true;
  double rate = 0.1;
};

/// The pixels and labels of all images, on the device.
struct images {
  memory<std::uint8_t> pixels;
  memory<int> labels;
  int columns;

  images(std::vector<std::uint8_t> const& pixels_, std::vector<int> const& labels_)
      : pixels(pixels_), labels(labels_), columns(static_cast<int>(pixels_.size() / labels_.size())) {}
  long long size() const { return static_cast<long long>(labels.size()); }
};

class trainer {
  // [target]
  auto target() const {
    const std::span<int const> labels(labels_.data(), static_cast<std::size_t>(o_.batch));
    return hone::smooth(
        hone::mix(hone::classes(labels), hone::partner_classes(labels, drawn_.partner()), drawn_.lambda()), 0.1f);
  }
  // [/target]

 public:
  static constexpr int classes = 10;

  trainer(options const& o, images const& train, cudaStream_t stream)
      : o_(o),
        train_(train),
        stream_(stream),
        first_{o.batch, train.columns, o.hidden},
        second_{o.batch, o.hidden, classes} {
    gpu_.reserve(hone::workspace_bytes(hone::cross_entropy(target())));
    gpu_.reserve(hone::workspace_bytes(gradients_));
    cudaGraph_t graph = nullptr;
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), "cudaStreamBeginCapture");
    step();
    check(cudaStreamEndCapture(stream_, &graph), "cudaStreamEndCapture");
    check(cudaGraphInstantiate(&step_, graph, 0), "cudaGraphInstantiate");
    cudaGraphDestroy(graph);
  }
  ~trainer() { cudaGraphExecDestroy(step_); }
  trainer(trainer const&) = delete;
  trainer& operator=(trainer const&) = delete;

  /// Replays the step; nothing is allocated, and the host does not wait.
  void run(int steps) {
    for (int i = 0; i < steps; ++i) check(cudaGraphLaunch(step_, stream_), "cudaGraphLaunch");
  }

  /// Enqueues a step without a graph: what the constructor captures.
  void step() {
    const int rows = o_.batch, columns = train_.columns;
    take_batch<<<blocks(1LL * rows * columns), threads, 0, stream_>>>(train_.pixels.data(), train_.labels.data(),
                                                                      train_.size(), rows, columns, count_.data(),
                                                                      x_.data(), labels_.data());
    if (o_.refined) {
      refined_step();
    } else {
      plain_step();
    }
    next_step<<<1, 1, 0, stream_>>>(count_.data());
  }

  /// The loss of the last step; waits.
  double loss() const { return wait(), loss_.host()[0]; }
  std::vector<float> parameters() const { return wait(), parameters_.host(); }
  std::vector<float> averages() {
    const memory<float> to(parameters_.size());
    hone::copy(gpu_, shadow_, list(to.data()));
    return wait(), to.host();
  }

  /// The share of images that the network, or its average, gets right; waits.
  double accuracy(images const& of) {
    if (o_.refined) hone::swap(gpu_, shadow_, weights_);
    memory<unsigned> correct(1);
    memory<std::int64_t> batch(1);
    const int batches = static_cast<int>(of.size() / o_.batch);
    for (int i = 0; i < batches; ++i) {
      take_batch<<<blocks(1LL * o_.batch * of.columns), threads, 0, stream_>>>(
          of.pixels.data(), of.labels.data(), of.size(), o_.batch, of.columns, batch.data(), x_.data(), labels_.data());
      logits(x_.data());
      count_correct<<<blocks(o_.batch), threads, 0, stream_>>>(second_, logits_.data(), labels_.data(), correct.data());
      next_step<<<1, 1, 0, stream_>>>(batch.data());
    }
    if (o_.refined) hone::swap(gpu_, shadow_, weights_);
    wait();
    return static_cast<double>(correct.host()[0]) / (1.0 * batches * o_.batch);
  }

 private:
  void wait() const { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

  void logits(float const* x) {
    forward<<<blocks(1LL * o_.batch * o_.hidden), threads, 0, stream_>>>(first_, true, x, w1(), b1(), hidden_.data());
    forward<<<blocks(1LL * o_.batch * classes), threads, 0, stream_>>>(second_, false, hidden_.data(), w2(), b2(),
                                                                       logits_.data());
  }

  void backward(float const* x) {
    backward_parameters<<<blocks(1LL * classes * o_.hidden), threads, 0, stream_>>>(
        second_, hidden_.data(), dlogits_.data(), gradient(w2()), gradient(b2()));
    backward_input<<<blocks(1LL * o_.batch * o_.hidden), threads, 0, stream_>>>(second_, hidden_.data(), w2(),
                                                                                dlogits_.data(), dhidden_.data());
    backward_parameters<<<blocks(1LL * o_.hidden * train_.columns), threads, 0, stream_>>>(
        first_, x, dhidden_.data(), gradient(w1()), gradient(b1()));
  }

  // [plain]
  void plain_step() {
    logits(x_.data());
    cudaMemsetAsync(loss_.data(), 0, sizeof(float), stream_);
    softmax_cross_entropy<<<blocks(o_.batch), threads, 0, stream_>>>(second_, logits_.data(), labels_.data(),
                                                                     dlogits_.data(), loss_.data());
    backward(x_.data());
    sgd<<<blocks(numbers()), threads, 0, stream_>>>(numbers(), constant_rate_.data(), nullptr, nullptr,
                                                    gradient_.data(), momentum_.data(), parameters_.data());
  }
  // [/plain]

  // [refined]
  void refined_step() {
    hone::draw(gpu_, hone::mixup{.alpha = 0.2}, o_.seed, hone::device_step{count_.data()}, drawn_);
    hone::blend(gpu_, drawn_, hone::matrix_view{x_.data(), o_.batch, train_.columns},
                hone::matrix_view{mixed_.data(), o_.batch, train_.columns});
    logits(mixed_.data());
    hone::evaluate(gpu_, hone::cross_entropy(target()), hone::matrix_view{logits_.data(), o_.batch, classes},
                   {.gradient = {dlogits_.data(), o_.batch, classes}, .value = loss_.data()});
    backward(mixed_.data());
    hone::measure(gpu_, hone::clip_by_global_norm(1), gradients_, report_);
    sgd<<<blocks(numbers()), threads, 0, stream_>>>(numbers(), rate_.data(), report_.factor(), report_.finite(),
                                                    gradient_.data(), momentum_.data(), parameters_.data());
    hone::update(gpu_, hone::ema{.decay = 0.99}, shadow_, weights_, report_.finite());
    rate_.advance(gpu_, report_.finite());
  }
  // [/refined]

  std::vector<float> initial() const {
    std::mt19937 random(o_.seed);
    std::vector<float> all(static_cast<std::size_t>(numbers()));
    const auto fill = [&](long long at, long long count, int inputs) {
      std::normal_distribution<float> normal(0, std::sqrt(2 / static_cast<float>(inputs)));
      for (long long i = 0; i < count; ++i) all[static_cast<std::size_t>(at + i)] = normal(random);
    };
    fill(0, 1LL * o_.hidden * train_.columns, train_.columns);
    fill(1LL * o_.hidden * (train_.columns + 1), 1LL * classes * o_.hidden, o_.hidden);
    return all;
  }

  long long numbers() const { return 1LL * o_.hidden * (train_.columns + 1) + 1LL * classes * (o_.hidden + 1); }
  float* w1() const { return parameters_.data(); }
  float* b1() const { return w1() + 1LL * o_.hidden * train_.columns; }
  float* w2() const { return b1() + o_.hidden; }
  float* b2() const { return w2() + 1LL * classes * o_.hidden; }
  float* gradient(float* of) const { return gradient_.data() + (of - w1()); }

  hone::tensor_list<float> list(float* all) const {
    const auto at = [&](float* of) { return all + (of - w1()); };
    return {{at(w1()), o_.hidden, train_.columns},
            {at(b1()), o_.hidden},
            {at(w2()), classes, o_.hidden},
            {at(b2()), classes}};
  }

  static std::size_t of(long long n) { return static_cast<std::size_t>(n); }

  options o_;
  images const& train_;
  cudaStream_t stream_;
  layer first_, second_;
  memory<float> parameters_{initial()}, gradient_{of(numbers())}, momentum_{of(numbers())};
  memory<float> x_{of(1LL * o_.batch * train_.columns)}, mixed_{x_.size()};
  memory<float> hidden_{of(1LL * o_.batch * o_.hidden)}, dhidden_{hidden_.size()};
  memory<float> logits_{of(1LL * o_.batch * classes)}, dlogits_{logits_.size()};
  memory<int> labels_{of(o_.batch)};
  memory<std::int64_t> count_{1};
  memory<float> loss_{1};
  memory<double> constant_rate_{std::vector<double>{o_.rate / 2}};
  // [state]
  hone::cuda gpu_{stream_};
  hone::device_list<float> weights_{gpu_, list(parameters_.data())}, gradients_{gpu_, list(gradient_.data())};
  hone::device_ema_state<float> shadow_{gpu_, list(parameters_.data())};
  hone::device_report report_{gpu_};
  hone::device_draw drawn_{gpu_, o_.batch};
  hone::device_schedule<hone::warmup_cosine> rate_{gpu_, {.peak = o_.rate, .warmup = o_.steps / 20, .total = o_.steps}};
  // [/state]
  cudaGraphExec_t step_ = nullptr;
};

}  // namespace raw
