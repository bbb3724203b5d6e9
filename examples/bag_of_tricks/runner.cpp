// SPDX-License-Identifier: MIT
#include "runner.hpp"

#include "interrupt.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <thread>

namespace ladder {
namespace {

/// Hands out trainings whose teachers are done.
class queue {
 public:
  queue(std::vector<training> to_do, results& done) : to_do_(std::move(to_do)), done_(done) {}

  /// Waits for one; nothing where none is left.
  std::optional<training> next() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (to_do_.empty() || error_ || demo::interrupted()) return std::nullopt;
      const auto ready = std::find_if(to_do_.begin(), to_do_.end(), [this](const training& t) {
        return t.teacher.empty() || done_.contains(t.teacher);
      });
      if (ready != to_do_.end()) {
        training t = *ready;
        to_do_.erase(ready);
        return t;
      }
      changed_.wait(lock);
    }
  }
  void finished(const training& t, const std::optional<record>& r) {
    const std::scoped_lock lock(mutex_);
    if (r) done_[t.id()] = *r;
    changed_.notify_all();
  }
  void failed() {
    const std::scoped_lock lock(mutex_);
    if (!error_) error_ = std::current_exception();
    changed_.notify_all();
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::vector<training> to_do_;
  results& done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::exception_ptr error_;
};

}  // namespace

std::vector<training> with_teachers(const plan& plan, const std::vector<training>& wanted) {
  std::map<std::string, training> known;
  for (const training& t : wanted) known.emplace(t.id(), t);
  const training wide = ladder_teacher(plan);
  for (int seed = 1; seed <= plan.seeds; ++seed)
    for (const tricks& with : {tricks{.schedule = true}, tricks{.schedule = true, .smoothing = true}}) {
      const training t = make_training(plan, "residual", with, static_cast<std::uint64_t>(seed));
      known.emplace(t.id(), t);
    }
  known.emplace(wide.id(), wide);

  std::vector<training> all;
  const auto add = [&all](const training& t) {
    if (std::none_of(all.begin(), all.end(), [&](const training& other) { return other.id() == t.id(); }))
      all.push_back(t);
  };
  std::vector<training> sorted = wanted;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.seed < b.seed; });
  for (const training& t : sorted)
    if (!t.teacher.empty()) add(known.at(t.teacher));  // teachers first: others wait for them
  for (const training& t : sorted) add(t);
  return all;
}

results run_all(const std::vector<training>& all, const plan& plan, const images& data,
                const std::filesystem::path& folder, int jobs) {
  results done;
  std::vector<training> to_do;
  for (const training& t : all)
    if (const std::optional<record> r = recorded(t, plan, folder))
      done[t.id()] = *r;
    else
      to_do.push_back(t);
  if (!done.empty())
    std::printf("%zu of %zu trainings are recorded in %s\n", done.size(), all.size(), folder.string().c_str());

  progress progress(to_do, plan);
  queue queue(to_do, done);
  const auto work = [&] {
    try {
      while (const std::optional<training> t = queue.next()) {
        const std::optional<record> r = train(*t, plan, data, folder, progress);
        if (r) progress.done(*t, *r);
        queue.finished(*t, r);
      }
    } catch (...) {
      queue.failed();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int i = 1; i < jobs; ++i) helpers.emplace_back(work);
    work();
  }
  queue.rethrow();
  return done;
}

}  // namespace ladder
