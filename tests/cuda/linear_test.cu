// SPDX-License-Identifier: MIT
// Losses on the logits of a linear layer, which are never stored whole, against hone::cpu.
#include <hone/hone.cuh>

#include <cuda/linear.cuh>
#include <support/message.hpp>

#include <array>
#include <stdexcept>

namespace {

using linear::check_as_on_cpu;
using linear::layer;
using linear::loss;
using linear::problem;

// A caller's own product, with a count of its calls.
struct own_product {
  int* calls;

  template <class T, class To>
  void operator()(cudaStream_t stream, hone::linear_product<T, To> const& of) const {
    ++*calls;
    hone::on_cuda::enqueue_product(stream, hone::tiled_product(), of);
  }
};

// Refuses sums of more than two numbers.
struct shallow_product {
  template <class T, class To>
  void check(cudaStream_t, hone::linear_product<T, To> const& of) const {
    if (of.depth() > 2) throw std::length_error("deep");
  }
  template <class T, class To>
  void operator()(cudaStream_t, hone::linear_product<T, To> const&) const {}
};

}  // namespace

TEST_CASE_TEMPLATE("linear_logits on CUDA are those of the CPU", T, float, double, __half, __nv_bfloat16) {
  for (auto const& [rows, features, classes, at_once] :
       {std::array<hone::index, 4>{1, 1, 1, 0}, {5, 3, 4, 2}, {37, 19, 33, 16}, {9, 70, 130, 4}, {70, 5, 65, 0}})
    check_as_on_cpu<loss::smoothed, T>(problem(rows, features, classes), hone::mean, at_once);
  check_as_on_cpu<loss::smoothed, T>(problem(12, 3, 700), hone::sum, 5);
}

TEST_CASE("linear_logits on CUDA: every target, row weights and teachers are read by the rows of a block") {
  const problem p(29, 6, 40);
  for (const hone::index at_once : {1, 7, 29}) {
    check_as_on_cpu<loss::labels, float>(p, hone::mean, at_once);
    check_as_on_cpu<loss::distilled, float>(p, hone::mean, at_once);
    check_as_on_cpu<loss::distilled, float>(p, hone::mean_over(3), at_once);
    check_as_on_cpu<loss::mixed, float>(p, hone::mean, at_once);
  }
}

TEST_CASE("linear_logits on CUDA: outputs on their own, in place, and added to") {
  const problem p(23, 5, 9);
  const auto expected = linear::on_cpu(loss::labels, p, hone::mean);
  const layer<float> l(p), in_place(p), twice(p), alone(p);
  const device::stream stream;
  hone::cuda gpu(stream);
  const auto objective = linear::objective<loss::labels>(l.device());
  hone::evaluate(gpu, objective, alone.prediction(4), {.value = alone.value.data()});
  hone::evaluate(gpu, objective, alone.prediction(4), {.bias_gradient = {alone.db.data(), alone.db.size()}});
  auto out = in_place.outputs();
  out.input_gradient = {in_place.x.data(), p.rows, p.features};
  hone::evaluate(gpu, objective, in_place.prediction(4), out);
  out = twice.outputs();
  hone::evaluate(gpu, objective, twice.prediction(4), out);
  out.accumulate = true;
  hone::evaluate(gpu, objective, twice.prediction(6), out);
  stream.wait();

  CHECK(linear::apart({alone.host().value}, {expected.value}) < 1e-6);
  CHECK(linear::apart(alone.host().db, expected.db) < 1e-6);
  CHECK(alone.host().dw[3] == 7);
  CHECK(alone.host().dx[3] == 7);
  auto x = in_place.x.host();
  CHECK(linear::apart({x.begin(), x.end()}, expected.dx) < 1e-6);
  CHECK(linear::apart(in_place.host().dw, expected.dw) < 1e-6);
  auto sum = twice.host();
  CHECK(linear::apart(sum.dx, expected.dx) < 1e-6);  // written, not added to
  for (auto* numbers : {&sum.dw, &sum.db})
    for (double& n : *numbers) n /= 2;
  CHECK(linear::apart(sum.dw, expected.dw) < 1e-6);
  CHECK(linear::apart(sum.db, expected.db) < 1e-6);
}

TEST_CASE("linear_logits on CUDA tell the log-sum-exp and the class of rows, and count them") {
  const problem p(23, 5, 9);
  const layer<float> l(p);
  const device::buffer<float> sums(23);
  const device::buffer<int> classes(23);
  const device::buffer<hone::index> correct(1), counted(1);
  const device::stream stream;
  hone::cuda gpu(stream);
  auto out = l.outputs();
  out.log_sum_exp = sums.data(), out.predicted = classes.data();
  out.correct = correct.data(), out.counted = counted.data();
  hone::evaluate(gpu, linear::objective<loss::labels>(l.device()), l.prediction(4), out);
  stream.wait();
  hone::index right = 0, all = 0;
  for (std::size_t i = 0; i < 23; ++i) {
    double total = 0, most = -1e9;
    int largest = 0;
    for (std::size_t c = 0; c < 9; ++c) {
      double z = p.b[c];
      for (std::size_t f = 0; f < 5; ++f) z += p.x[i * 5 + f] * p.w[c * 5 + f];
      total += std::exp(z);
      if (z > most) most = z, largest = int(c);
    }
    const bool counts = p.labels[i] != -1;
    all += counts, right += counts && p.labels[i] == largest;
    CHECK(classes.host()[i] == (counts ? largest : -1));
    CHECK(double(sums.host()[i]) == doctest::Approx(counts ? std::log(total) : 0).epsilon(1e-6));
  }
  CHECK(correct.host()[0] == right);
  CHECK(counted.host()[0] == all);
}

TEST_CASE("linear_logits on CUDA of few or no rows, features and classes") {
  const device::stream stream;
  hone::cuda gpu(stream);
  const layer<float> none(problem(0, 3, 4)), flat(problem(2, 0, 4)), added(problem(0, 3, 4)), empty(problem(2, 3, 0));
  const auto run = [&](layer<float> const& l, hone::linear_outputs<float> const& out) {
    hone::evaluate(gpu, linear::objective<loss::labels>(l.device()), l.prediction(), out);
  };
  run(none, none.outputs());
  auto out = added.outputs();
  out.accumulate = true;
  run(added, out);
  run(flat, flat.outputs());
  run(empty, empty.outputs());
  stream.wait();
  CHECK(none.host().value == 0);
  CHECK(none.host().dw == std::vector<double>(12, 0));
  CHECK(none.host().db == std::vector<double>(4, 0));
  CHECK(added.host().dw == std::vector<double>(12, 7));
  CHECK(added.host().db == std::vector<double>(4, 7));
  CHECK(linear::apart({flat.host().value}, {linear::on_cpu(loss::labels, problem(2, 0, 4), hone::mean).value}) < 1e-6);
  CHECK(empty.host().dx == std::vector<double>(6, 0));
  CHECK(empty.host().losses == std::vector<double>(2, 0));
}

TEST_CASE("linear_logits on CUDA: all rows ignored, labels that are no classes, factors and counts of the device") {
  problem p(11, 4, 6);
  p.labels.assign(11, -1);
  const layer<float> ignored(p);
  p = problem(11, 4, 6);
  p.labels[2] = 6, p.labels[9] = -5;
  const layer<float> invalid(p);
  p.labels[2] = p.labels[9] = -1;
  auto expected = linear::on_cpu(loss::labels, p, hone::mean_over(4));
  const device::buffer<float> factor(std::vector<float>{0.25f}), count(std::vector<float>{1});
  const device::buffer<unsigned long long> wrong(std::vector<unsigned long long>{0});
  const device::stream stream;
  hone::cuda gpu(stream);
  hone::evaluate(gpu, linear::objective<loss::labels>(ignored.device()), ignored.prediction(3), ignored.outputs());
  gpu.count_invalid_labels(wrong.data());
  hone::evaluate(gpu, hone::device_scalar(factor.data()) * linear::objective<loss::labels>(invalid.device()),
                 invalid.prediction(3), invalid.outputs(), hone::mean_over(hone::device_scalar(count.data())));
  stream.wait();
  CHECK(ignored.host().value == 0);
  CHECK(ignored.host().dx == std::vector<double>(44, 0));
  CHECK(ignored.host().dw == std::vector<double>(24, 0));
  CHECK(wrong.host()[0] == 2);
  for (double& n : expected.losses) n /= 4;
  linear::check_same<float>(invalid.host(), expected);
}

TEST_CASE("linear_logits on CUDA: a graph replays with other numbers, and the caller's memory is enough") {
  const problem p(13, 6, 17), other(13, 6, 17, 2);
  const layer<float> l(p), of_other(other);
  const auto objective = linear::objective<loss::smoothed>(l.device());
  const std::size_t bytes = hone::workspace_bytes(objective, l.prediction(5));
  const device::buffer<std::byte> memory(bytes);
  const device::stream stream;
  hone::cuda gpu(stream, memory.data(), bytes), small(stream, memory.data(), bytes - 1);
  CHECK_THROWS_AS(hone::evaluate(small, objective, l.prediction(5), l.outputs()), hone::cuda_error);
  int calls = 0;
  const device::graph graph(
      stream, [&] { hone::evaluate(gpu, objective, l.prediction(5), l.outputs(), hone::mean, own_product{&calls}); });
  CHECK(calls == 9);  // three of each block
  stream.wait();
  CHECK(l.host().value == 7);
  graph.launch();
  stream.wait();
  const auto first = l.host();
  linear::check_same<float>(first, linear::on_cpu(loss::smoothed, p, hone::mean));
  graph.launch();
  stream.wait();
  CHECK(l.host().dw == first.dw);  // the same bits
  CHECK(l.host().value == first.value);
  device::bring(l.x.data(), of_other.x.host().data(), l.x.size());
  device::bring(l.w.data(), of_other.w.host().data(), l.w.size());
  device::bring(l.b.data(), of_other.b.host().data(), l.b.size());
  device::bring(l.labels.data(), of_other.labels.host().data(), l.labels.size());
  graph.launch();
  stream.wait();
  linear::check_same<float>(l.host(), linear::on_cpu(loss::smoothed, other, hone::mean));
}

TEST_CASE("linear_logits on CUDA refuse what does not fit, and enqueue nothing") {
  const problem p(5, 3, 4);
  const layer<float> l(p);
  const device::stream stream;
  hone::cuda gpu(stream);
  const auto error = [&](auto const& z, hone::linear_outputs<float> const& out) {
    return support::error_of([&] { hone::evaluate(gpu, linear::objective<loss::labels>(l.device()), z, out); });
  };
  const hone::matrix_view x{l.x.data(), 5, 3}, w{l.w.data(), 4, 3};
  CHECK(error(hone::linear_logits(x, hone::matrix_view{l.w.data(), 6, 2}), l.outputs()) ==
        "evaluate: weight is 6 x 2, the input has 3 features");
  CHECK(error(hone::linear_logits(hone::matrix_view{l.x.data(), 4, 3}, w), {}) == "evaluate: 5 labels for 4 rows");
  CHECK(error(l.prediction(-2), l.outputs()) == "evaluate: rows_at_once is -2, must not be negative");
  auto out = l.outputs();
  out.bias_gradient = {l.w.data(), 4};
  CHECK(error(l.prediction(), out) ==
        "evaluate: bias_gradient and weight overlap, bias_gradient begins 0 bytes after weight; they must be apart");
  out = l.outputs();
  out.unreduced = reinterpret_cast<float*>(l.labels.data());
  CHECK(error(l.prediction(), out) ==
        "evaluate: unreduced and labels overlap, unreduced begins 0 bytes after labels; they must be apart");
  CHECK(support::error_of([&] {
          hone::evaluate(gpu, linear::objective<loss::labels>(l.device()), l.prediction(), l.outputs(), hone::mean,
                         shallow_product());
        }) == "deep");
  stream.wait();
  CHECK(l.host().dw == std::vector<double>(12, 7));
  CHECK(l.host().losses == std::vector<double>(5, 7));
}
