// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include "text.hpp"

#include <unistd.h>

namespace ladder {
namespace {

/// Of training on one image.
double cost_of(const training& t) {
  double cost = network_named(t.network).cost;
  if (t.with.distillation) cost += network_named(t.teacher.substr(0, t.teacher.find('-'))).cost / 3;
  return cost;
}

}  // namespace

progress::progress(const std::vector<training>& to_do, const plan& plan)
    : plan_(plan), terminal_(isatty(STDOUT_FILENO) != 0), trainings_(to_do.size()) {
  for (const training& t : to_do) all_ += cost_of(t) * plan.images * t.epochs;
}

void progress::images(const training& what, int count) {
  const std::scoped_lock lock(mutex_);
  done_ += cost_of(what) * count;
  line_.show(demo::format("[%zu/%zu] ", finished_, trainings_), done_ / all_, demo::format(" %s left", left().c_str()));
}

void progress::epoch(const training& what, int epoch, double loss, double watched_error) {
  const std::scoped_lock lock(mutex_);
  if (terminal_) return;
  std::printf("[%zu/%zu] %s epoch %d/%d  loss %.4f  held-out error %.2f %%  %s left\n", finished_, trainings_,
              what.id().c_str(), epoch, what.epochs, loss, 100 * watched_error, left().c_str());
  std::fflush(stdout);
}

void progress::resumed(const training& what, int epochs) {
  const std::scoped_lock lock(mutex_);
  const double known = cost_of(what) * plan_.images * epochs;
  done_ += known, earlier_ += known;
  line_.clear();
  std::printf("%s goes on after epoch %d\n", what.id().c_str(), epochs);
}

void progress::done(const training& what, const record& r) {
  const std::scoped_lock lock(mutex_);
  line_.clear();
  std::printf("[%zu/%zu] %s: error %.2f %%  (%.1f s)  %s left\n", ++finished_, trainings_, what.id().c_str(),
              100 * r.error, r.seconds, left().c_str());
  std::fflush(stdout);
}

std::string progress::left() const {
  const double gone = std::chrono::duration<double>(clock::now() - start_).count(), here = done_ - earlier_;
  return demo::clock_text(here > 0 ? gone * std::max(0.0, all_ - done_) / here : 0);
}

}  // namespace ladder
