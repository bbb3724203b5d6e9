// SPDX-License-Identifier: MIT
#include "train.hpp"

#include "batches.hpp"
#include "checkpoint.hpp"
#include "convolutional_network.hpp"
#include "divergence.hpp"
#include "gradient_sum.hpp"
#include "sgd.hpp"

#include <csignal>

namespace demo {
namespace {

using rows_view = hone::matrix_view<float>;

rows_view view_of(matrix<float>& m) { return {m.data(), m.rows(), m.cols()}; }

/// The rows of the global batch that belong to micro-batches [first, last).
struct row_range {
  std::size_t begin, end;

  row_range(std::size_t rows, int first, int last) : begin(at(rows, first)), end(at(rows, last)) {}
  std::size_t size() const { return end - begin; }

 private:
  static std::size_t at(std::size_t rows, int k) {
    return rows * static_cast<std::size_t>(k) / static_cast<std::size_t>(micro_batches);
  }
};

class rank_trainer {
 public:
  rank_trainer(options const& o, dataset const& data, hone::mpi const& ranks)
      : options_(o),
        data_(data),
        ranks_(ranks),
        cpu_{static_cast<int>(o.threads)},
        sum_(ranks, std::chrono::seconds(o.time_limit), o.allreduce),
        standard_(data.train),
        nets_(static_cast<std::size_t>(sum_.count()), network(std::uint64_t(o.seed), static_cast<int>(o.threads))),
        images_(nets_.size()),
        now_(nets_[0].parameters),
        order_(in_order(data.train.size())) {
    const auto batch = static_cast<std::size_t>(o.batch);
    steps_of_epoch_ = static_cast<std::int64_t>((order_.size() + batch - 1) / batch);
    schedule_ = {.peak = o.rate, .warmup = total() / 20, .total = total()};  // hone
  }

  double run() {
    const std::filesystem::path folder = options_.out;
    if (ranks_.rank() == 0) std::filesystem::create_directories(folder);
    if (options_.resume) resume(folder / "checkpoint");
    double accuracy = -1;
    while (now_.step < total()) {
      if (ranks_.rank() == options_.kill_rank && now_.step == options_.kill_at) std::raise(SIGKILL);
      step();
      if (now_.step % steps_of_epoch_ == 0) accuracy = test();
      if (options_.checkpoint_every != 0 && now_.step % options_.checkpoint_every == 0 && ranks_.rank() == 0)
        replace_file(folder / "checkpoint", checkpoint_of(now_, plan()));
    }
    hone::require_equal_replicas(cpu_, ranks_, list_of(now_.parameters));  // hone
    hone::require_equal_replicas(cpu_, ranks_, now_.average);              // hone
    if (ranks_.rank() == 0) {
      hone::save_file(hone::ema_state<float>(list_of(now_.parameters)), (folder / "parameters").string());  // hone
      hone::save_file(now_.average, (folder / "average").string());                                         // hone
      replace_file(folder / "curve", now_.curve);
    }
    return accuracy;
  }

 private:
  std::int64_t total() const { return steps_of_epoch_ * options_.epochs; }
  plan_numbers plan() const {
    return {options_.seed, options_.batch, total(), static_cast<std::int64_t>(data_.train.size()),
            static_cast<std::int64_t>(options_.rate * 1e9)};
  }

  /// Rank 0 reads the checkpoint, and all get its bytes.
  void resume(std::filesystem::path const& path) {
    std::optional<std::string> bytes;
    if (ranks_.rank() == 0) bytes = read_file(path);
    std::int64_t size = bytes ? static_cast<std::int64_t>(bytes->size()) : 0;
    ranks_.sum({&size, 1});
    if (size == 0) return;
    if (!bytes) bytes.emplace(static_cast<std::size_t>(size), '\0');
    ranks_.broadcast(std::as_writable_bytes(std::span(*bytes)), 0);
    restore(*bytes, cpu_, plan(), now_);
    if (ranks_.rank() == 0) std::printf("resumed at step %d of %d\n", int(now_.step), int(total()));
  }

  static auto middle(matrix<float>& m, row_range rows, row_range mine) {
    return m.middleRows(static_cast<Eigen::Index>(rows.begin - mine.begin), static_cast<Eigen::Index>(rows.size()));
  }

  void step() {
    const std::int64_t epoch = now_.step / steps_of_epoch_, part = now_.step % steps_of_epoch_;
    if (epoch != shuffled_) {
      order_ = in_order(data_.train.size());
      std::mt19937_64 random(std::uint64_t(options_.seed * 1'000'003 + epoch));
      shuffle(order_, random);
      shuffled_ = epoch;
    }
    const auto begin = static_cast<std::size_t>(part * options_.batch);
    const std::span<const std::uint32_t> global = std::span<const std::uint32_t>(order_).subspan(
        begin, std::min(static_cast<std::size_t>(options_.batch), order_.size() - begin));
    const double rate = schedule_.rate(now_.step);  // hone
    const double loss = differentiate(global);
    require_finite(loss, "distributed", std::uint64_t(options_.seed), now_.step);
    std::vector<Eigen::VectorXf*> gradients;
    gradients.reserve(nets_.size());
    for (network& net : nets_) gradients.push_back(&net.gradient);
    // [step]
    sum_(gradients);
    Eigen::VectorXf& gradient = nets_[0].gradient;  // that of all ranks, on every rank
    const auto report = hone::transform(cpu_, hone::clip_by_global_norm(3), list_of(gradient));  // hone
    if (report.finite) {
      optimizer_.velocity.swap(now_.velocity);
      optimizer_.update(now_.parameters, gradient, rate);
      optimizer_.velocity.swap(now_.velocity);
    }
    hone::update(cpu_, average_, now_.average, list_of(now_.parameters));  // hone

    // [/step]
    char line[160];
    std::snprintf(line, sizeof line, "%d rate %.9g loss %.17g norm %.17g coefficient %.17g\n", int(now_.step), rate,
                  loss, report.norm, report.coefficient);
    now_.curve += line;
    ++now_.step;
  }

  /// Leaves the gradient of each of this rank's micro-batches in its network. Returns the mean loss of all ranks.
  double differentiate(std::span<const std::uint32_t> global) {
    const std::size_t n = global.size();
    const auto draw = hone::mixup{.alpha = 0.2}.draw(options_.seed, now_.step, n);  // hone; the same on every rank
    const row_range mine(n, sum_.first(), sum_.first() + sum_.count());
    std::vector<int> labels(mine.size()), partner_labels(mine.size());
    for (std::size_t i = 0; i < mine.size(); ++i) {
      labels[i] = data_.train.labels[global[mine.begin + i]];
      partner_labels[i] = data_.train.labels[global[static_cast<std::size_t>(draw.partner[mine.begin + i])]];
    }
    logits_.resize(static_cast<Eigen::Index>(mine.size()), network::classes), gradient_.resizeLike(logits_);
    each_micro_batch(n, [&](std::size_t k, row_range rows) {
      mix(global, draw, rows, images_[k]);
      nets_[k].parameters = now_.parameters;
      middle(logits_, rows, mine) = nets_[k].forward(images_[k]);
    });
    const std::span<const float> lambda(draw.lambda.data() + mine.begin, mine.size());
    const auto target =
        hone::smooth(hone::mix(hone::classes(labels), hone::classes(partner_labels), lambda), 0.1);  // hone

    // [loss]
    const double loss =
        hone::evaluate(cpu_, hone::cross_entropy(target), view_of(logits_), {.gradient = view_of(gradient_)},
                       hone::over_ranks(ranks_, hone::mean, hone::rank_gradients::summed));  // hone

    // [/loss]
    each_micro_batch(n, [&](std::size_t k, row_range rows) { nets_[k].backward(middle(gradient_, rows, mine)); });
    return loss;
  }

  template <class Work>
  void each_micro_batch(std::size_t rows, Work const& work) {
    for (std::size_t k = 0; k < nets_.size(); ++k) {
      const int micro = sum_.first() + static_cast<int>(k);
      work(k, row_range(rows, micro, micro + 1));
    }
  }

  /// Reads the images of these rows, and their partners, which may belong to another rank, and mixes them.
  void mix(std::span<const std::uint32_t> global, hone::mixup_draw const& draw, row_range rows, matrix<float>& to) {
    const std::size_t m = rows.size();
    std::vector<std::uint32_t> which(2 * m);
    hone::mixup_draw own{std::vector<float>(2 * m, 1.0f), std::vector<hone::index>(2 * m)};
    for (std::size_t i = 0; i < m; ++i) {
      const std::size_t row = rows.begin + i;
      which[i] = global[row], which[m + i] = global[static_cast<std::size_t>(draw.partner[row])];
      own.lambda[i] = draw.lambda[row];
      own.partner[i] = static_cast<hone::index>(m + i), own.partner[m + i] = static_cast<hone::index>(m + i);
    }
    standard_.gather(data_.train, which, batch_);
    mixed_.resizeLike(batch_.images);
    hone::blend(cpu_, own, view_of(batch_.images), view_of(mixed_));  // hone
    to = mixed_.topRows(static_cast<Eigen::Index>(m));
  }

  /// The accuracy of the averages on all test images. Every rank tests some chunks of a fixed size.
  double test() {
    hone::swap(cpu_, now_.average, list_of(now_.parameters));  // hone
    nets_[0].parameters = now_.parameters;
    hone::swap(cpu_, now_.average, list_of(now_.parameters));  // hone
    const std::vector<std::uint32_t> all = in_order(data_.test.size());
    std::int64_t hits = 0;
    int chunk = 0;
    each_batch(all, 250, [&](auto part) {
      if (chunk++ % ranks_.size() != ranks_.rank()) return true;
      standard_.gather(data_.test, part, batch_);
      const matrix<float>& logits = nets_[0].forward(batch_.images);
      for (Eigen::Index i = 0, top = 0; i < logits.rows(); ++i) {
        logits.row(i).maxCoeff(&top);
        hits += top == batch_.labels[static_cast<std::size_t>(i)] ? 1 : 0;
      }
      return true;
    });
    ranks_.sum({&hits, 1});
    const double accuracy = static_cast<double>(hits) / static_cast<double>(all.size());
    char line[80];
    std::snprintf(line, sizeof line, "epoch %d test accuracy %.17g\n", int(now_.step / steps_of_epoch_), accuracy);
    now_.curve += line;
    if (ranks_.rank() == 0) std::fputs(line, stdout), std::fflush(stdout);
    return accuracy;
  }

  options const& options_;
  dataset const& data_;
  hone::mpi ranks_;
  hone::cpu cpu_;
  gradient_sum sum_;
  standardisation standard_;
  std::vector<network> nets_;  // one per micro-batch of this rank
  std::vector<matrix<float>> images_;
  progress now_;
  std::vector<std::uint32_t> order_;
  std::int64_t steps_of_epoch_ = 0, shuffled_ = -1;
  hone::warmup_cosine schedule_;                                             // hone
  const hone::ema average_{.decay = 0.999, .ramp = hone::threshold_ramp()};  // hone
  sgd optimizer_;
  batch batch_;
  matrix<float> mixed_, logits_, gradient_;
};

}  // namespace

double train(options const& options, dataset const& data, hone::mpi const& ranks) {
  return rank_trainer(options, data, ranks).run();
}

}  // namespace demo
