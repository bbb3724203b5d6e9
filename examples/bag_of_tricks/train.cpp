// SPDX-License-Identifier: MIT
#include "train.hpp"

#include "interrupt.hpp"
#include "measure.hpp"
#include "random.hpp"
#include "report_file.hpp"
#include "step.hpp"

#include <chrono>

namespace ladder {
namespace {

using clock = std::chrono::steady_clock;

std::unique_ptr<network> teacher_of(const training& what, const plan& plan, const std::filesystem::path& folder) {
  if (!what.with.distillation) return nullptr;
  const network_kind& kind = network_named(what.teacher.substr(0, what.teacher.find('-')));
  auto teacher = make_network(kind, 0);
  load_network(training_files(folder, what.teacher).network, plan.text() + " " + what.teacher, *teacher);
  return teacher;
}

/// The images of an epoch, in its order.
std::vector<std::uint32_t> order_of(const training& what, const images& data, int epoch) {
  std::vector<std::uint32_t> order = demo::in_order(data.train.size());
  if (what.missing) std::erase_if(order, [&](std::uint32_t i) { return data.train.labels[i] == *what.missing; });
  std::mt19937_64 random(what.seed * 1'000'003 + static_cast<std::uint64_t>(epoch));
  demo::shuffle(order, random);
  return order;
}

/// One epoch from its first step; its mean loss. Nothing where it was interrupted.
std::optional<double> run_epoch(const training& what, const images& data, const plan& plan, int epoch,
                                const std::vector<std::uint32_t>& order, stepper& stepper, training_state& state,
                                observer& observer) {
  const auto size = static_cast<std::size_t>(plan.batch);
  hone::index step = static_cast<hone::index>((order.size() + size - 1) / size) * (epoch - 1);
  double sum = 0;
  demo::batch batch;
  const bool whole = demo::each_batch(order, size, [&](auto part) {
    data.standard.gather(data.train, part, batch);
    const double loss = stepper.step(state, batch, step);
    if (!std::isfinite(loss)) throw divergence(what.id() + ": the loss is not finite at step " + std::to_string(step));
    sum += loss * static_cast<double>(part.size());
    ++step;
    observer.images(what, static_cast<int>(part.size()));
    return !demo::interrupted();
  });
  if (!whole) return std::nullopt;
  return sum / static_cast<double>(order.size());
}

/// The averages in the network, or the parameters back.
void exchange(training_state& state) {
  if (state.average) hone::swap(hone::cpu{1}, *state.average, state_of(*state.net));  // hone
}

}  // namespace

std::optional<record> recorded(const training& what, const plan& plan, const std::filesystem::path& folder) {
  const training_files files(folder, what.id());
  const std::optional<std::string> text = contents_of(files.record);
  if (!text) return std::nullopt;
  return parse_record(*text, plan.text(), what.id(), files.record);
}

std::optional<record> train(const training& what, const plan& plan, const images& data,
                            const std::filesystem::path& folder, observer& observer) {
  const training_files files(folder, what.id());
  const std::string key = plan.text() + " " + what.id();
  const auto teacher = teacher_of(what, plan, folder);
  const std::size_t count = order_of(what, data, 1).size();
  const auto size = static_cast<std::size_t>(plan.batch);
  stepper stepper(what, plan, teacher.get(), static_cast<hone::index>((count + size - 1) / size) * what.epochs);
  training_state state{make_network(network_named(what.network), what.seed), {}};
  stepper.begin(state);
  if (load_checkpoint(files.checkpoint, key, state)) observer.resumed(what, state.epochs());

  while (state.epochs() < what.epochs) {
    const clock::time_point start = clock::now();
    const int epoch = state.epochs() + 1;
    const auto loss = run_epoch(what, data, plan, epoch, order_of(what, data, epoch), stepper, state, observer);
    if (!loss) return std::nullopt;
    exchange(state);
    const double error = error_of(logits_of(*state.net, data.watched, data.standard), data.watched.labels);
    exchange(state);
    state.loss.push_back(*loss);
    state.watched_error.push_back(error);
    state.seconds += std::chrono::duration<double>(clock::now() - start).count();
    save_checkpoint(files.checkpoint, key, state);
    observer.epoch(what, epoch, *loss, error);
  }

  exchange(state);
  record r{.loss = state.loss, .watched_error = state.watched_error, .seconds = state.seconds};
  measure(*state.net, data, what.missing, r);
  save_network(files.network, key, *state.net);
  demo::write_report(files.record.string(), text_of(r, plan.text(), what.id()));  // last: it says that all is there
  std::filesystem::remove(files.checkpoint);
  return r;
}

}  // namespace ladder
