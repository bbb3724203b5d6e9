// SPDX-License-Identifier: MIT
// The node of hone::adapt::loss in autograd: factors, retained graphs, second derivatives, versions, threads.
#include "gradcheck.hpp"

#include <ATen/Parallel.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

using namespace gradcheck;

namespace {

std::string thrown(std::function<void()> const& body) {
  try {
    body();
  } catch (std::exception const& error) {
    return error.what();
  }
  return {};
}

struct problem {
  at::Tensor y = labels(6, 5), z = waves({6, 5}).requires_grad_();

  auto objective() const { return hone::cross_entropy(hone::smooth(hone::classes(ha::labels_of(y)), 0.1)); }
  at::Tensor loss() const { return ha::loss<double>(objective(), z); }
  at::Tensor expected() const { return gradient(at::cross_entropy_loss(z, y, {}, 1, -100, 0.1), z); }
};

}  // namespace

TEST_CASE("torch: grad_output multiplies the gradient, exactly for powers of two") {
  const problem p;
  const at::Tensor once = gradient(p.loss(), p.z);
  CHECK(distance(once, p.expected()) < 1e-15);
  for (const double factor : {0.0, 1.0, -2.0, 65536.0, 0.25})
    CHECK(at::equal(gradient(p.loss() * factor, p.z), once * factor));
  CHECK(distance(gradient(p.loss() * p.loss(), p.z), 2 * p.loss() * once) < 1e-14);
  CHECK(number(gradient(p.loss() * std::nan(""), p.z).isnan().all()) == 1);
  const at::Tensor large = waves({300, 1000}).requires_grad_(), y = labels(300, 1000);  // several chunks
  const auto objective = hone::cross_entropy(hone::classes(ha::labels_of(y)));
  CHECK(at::equal(gradient(4 * ha::loss<double>(objective, large), large),
                  4 * gradient(ha::loss<double>(objective, large), large)));
}

TEST_CASE("torch: factors of every dtype") {
  const problem p;
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) {
    const at::Tensor z = p.z.detach().to(type).requires_grad_();
    const at::Tensor once = gradient(ha::loss(p.objective(), z), z);
    CHECK(at::equal(gradient(ha::loss(p.objective(), z) * 4, z), once * 4));
  }
}

TEST_CASE("torch: the gradient goes through the network before it") {
  const problem p;
  const at::Tensor w = waves({7, 5}, 0.6).requires_grad_(), x = waves({6, 7}, 1.1);
  const at::Tensor g = gradient(ha::loss<double>(p.objective(), at::mm(x, w)), w);
  CHECK(distance(g, gradient(at::cross_entropy_loss(at::mm(x, w), p.y, {}, 1, -100, 0.1), w)) < 1e-14);
  at::Tensor v = w.detach().clone().requires_grad_();
  const double value = ha::backward<double>(p.objective(), at::mm(x, v));
  CHECK(distance(v.grad(), g) < 1e-14);
  CHECK(value == number(ha::loss<double>(p.objective(), at::mm(x, v))));
  ha::backward<double>(p.objective(), at::mm(x, v));
  CHECK(distance(v.grad(), 2 * g) < 1e-14);
}

TEST_CASE("torch: a retained graph gives the same gradient again") {
  const problem p;
  const at::Tensor loss = p.loss(), doubled = 2 * loss, expected = p.expected();
  const at::Tensor first = gradient(loss, p.z, true);
  const at::Tensor kept = first.clone();
  CHECK(distance(first, expected) < 1e-15);
  CHECK(at::equal(gradient(doubled, p.z, true), 2 * kept));
  CHECK(at::equal(gradient(loss, p.z, true), kept));
  CHECK(at::equal(gradient(doubled, p.z, false), 2 * kept));
  CHECK(at::equal(first, kept));  // the last pass, which may write in place, did not
  CHECK(thrown([&] { gradient(loss, p.z); }).find("backward through the graph a second time") != std::string::npos);
}

TEST_CASE("torch: gradients accumulate in leaves that the node does not share") {
  const problem p;
  at::Tensor z = p.z.detach().clone().requires_grad_();
  const at::Tensor loss = ha::loss<double>(p.objective(), z);
  loss.backward({}, true);
  const at::Tensor once = z.grad().clone();
  z.mutable_grad().mul_(100);
  z.mutable_grad().zero_();
  loss.backward();
  CHECK(at::equal(z.grad(), once));
}

TEST_CASE("torch: a gradient that was changed in place is not used again") {
  const problem p;
  const at::Tensor loss = p.loss();
  const at::Tensor first = gradient(loss, p.z, true);
  first.mul_(2);
  CHECK(thrown([&] { gradient(loss, p.z); }).find("modified by an inplace operation") != std::string::npos);
}

TEST_CASE("torch: a second derivative is an error, not 0") {
  const problem p;
  const std::string text = "hone::adapt::loss: a loss of hone has no second derivative";
  const at::Tensor g = gradient(p.loss(), p.z, true, true);
  CHECK(distance(g, p.expected()) < 1e-15);
  CHECK(g.requires_grad());
  CHECK(thrown([&] { gradient(g.square().sum(), p.z); }).find(text) == 0);
  CHECK(thrown([&] { g.sum().backward(); }).find(text) == 0);
  const at::Tensor w = waves({7, 5}, 0.6).requires_grad_(), x = waves({6, 7}, 1.1).requires_grad_();
  const at::Tensor by_x = gradient(ha::loss<double>(p.objective(), at::mm(x, w)), x, true, true);
  CHECK(thrown([&] { gradient(by_x.sum(), w); }).find(text) == 0);  // also with a path that has a derivative
  const at::Tensor factor = at::ones({}, at::kDouble).requires_grad_();
  CHECK(thrown([&] { gradient(gradient(p.loss() * factor, p.z, true, true).sum(), factor); }).find(text) == 0);
}

TEST_CASE("torch: without autograd there is a value and no gradient") {
  const problem p;
  const double expected = number(p.loss());
  {
    const at::NoGradGuard no_grad;
    CHECK(!p.loss().requires_grad());
    CHECK(number(p.loss()) == expected);
  }
  CHECK(!ha::loss<double>(p.objective(), p.z.detach()).requires_grad());
  CHECK(p.loss().requires_grad());
  CHECK(p.loss().grad_fn()->name() == "HoneLossBackward");
  CHECK(ha::value<double>(p.objective(), p.z) == expected);
  {
    const c10::InferenceMode inference;
    CHECK(number(ha::loss<double>(p.objective(), waves({6, 5}))) == expected);
  }
  CHECK(thrown([&] {
          const at::AutoFwGradMode forward(true);
          at::Tensor dual = p.z.detach().clone();
          const auto level = torch::autograd::forward_ad::enter_dual_level();
          dual._set_fw_grad(at::ones_like(dual), level, false);
          ha::loss<double>(p.objective(), dual);
        }).find("loss: logits has a tangent") == 0);
  torch::autograd::forward_ad::exit_dual_level(0);
}

TEST_CASE("torch: autograd notices what hone writes") {
  at::Tensor x = waves({4}).requires_grad_();
  const at::Tensor square = x * x, memory = x.detach();
  const auto row = ha::rows_of<double>(memory);
  for (hone::index i = 0; i < row.rows; ++i) *row.row(i) = 0;
  ha::detail::mark_written(memory);
  CHECK(thrown([&] { gradient(square.sum(), x); }).find("modified by an inplace operation") != std::string::npos);
}

TEST_CASE("torch: logits may change between the forward and the backward pass") {
  const problem p;
  at::Tensor logits = p.z * 1;
  const at::Tensor loss = ha::loss<double>(p.objective(), logits);
  {
    const at::NoGradGuard no_grad;
    logits.detach().zero_();
  }
  CHECK(distance(gradient(loss, p.z), p.expected()) < 1e-15);
}

TEST_CASE("torch: the same bits with any number of threads, and inside parallel regions") {
  const at::Tensor z = waves({400, 300}).requires_grad_(), y = labels(400, 300);
  const auto objective = hone::cross_entropy(hone::classes(ha::labels_of(y)));
  const at::Tensor one = ha::loss<double>(hone::cpu{1}, objective, z), g = gradient(3 * one, z);
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const at::Tensor loss = ha::loss<double>(objective, z);
    CHECK(at::equal(loss, one));
    CHECK(at::equal(gradient(3 * loss, z), g));
  }
  at::set_num_threads(2);
  std::vector<double> values(4);
  at::parallel_for(0, 4, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) values[std::size_t(i)] = ha::value<double>(objective, z.detach());
  });
  for (const double value : values) CHECK(value == ha::value<double>(hone::cpu{1}, objective, z));
  at::set_num_threads(before);
}

// at::parallel_for is compiled here, and without -fopenmp it runs all tasks on the caller.
TEST_CASE("torch: torch_cpu has as many threads as LibTorch, whatever the compiler's options") {
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  std::atomic<int> met{0};
  std::atomic<int> seen{0};
  hone::on_cpu::for_chunks(hone::adapt::torch_cpu(), 2, 0, [&](hone::index, std::byte*) {
    ++met;
    for (int i = 0; i < 2000 && met < 2; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (met == 2) ++seen;
  });
  CHECK(seen == 2);
  at::set_num_threads(before);
}

TEST_CASE("torch: several threads, each with its graph") {
  const problem p;
  const at::Tensor expected = 3 * p.expected();
  std::vector<at::Tensor> seen(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < seen.size(); ++i)
    threads.emplace_back([&, i] {
      for (int step = 0; step < 20; ++step) {
        const at::Tensor z = p.z.detach().clone().requires_grad_();
        seen[i] = gradient(3 * ha::loss<double>(p.objective(), z), z);
      }
    });
  for (std::thread& t : threads) t.join();
  for (const at::Tensor& g : seen) CHECK(distance(g, expected) < 1e-14);
}
