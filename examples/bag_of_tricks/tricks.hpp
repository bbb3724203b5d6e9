// SPDX-License-Identifier: MIT
/// The refinements of He et al., Bag of Tricks (2018, arXiv 1812.01187), each of which is on or off.
#pragma once

#include <string>
#include <vector>

namespace ladder {

struct tricks {
  bool schedule = false;      // warm-up and cosine instead of a constant rate
  bool smoothing = false;     // of labels
  bool mixup = false;         // of images and labels
  bool distillation = false;  // a larger network teaches
  bool average = false;       // tests see an exponential moving average of the parameters
  bool no_decay = false;      // no weight decay on biases and norms
  bool zero_gamma = false;    // residual blocks begin as identities

  friend bool operator==(const tricks&, const tricks&) = default;
};

/// Its name, and where it is.
struct trick {
  const char *name, *meaning;
  bool tricks::* on;
};

/// In the order in which the ladder adds them.
inline constexpr trick all_tricks[] = {
    {"schedule", "warm-up and cosine", &tricks::schedule},
    {"smoothing", "labels smoothed", &tricks::smoothing},
    {"mixup", "images and labels mixed", &tricks::mixup},
    {"distillation", "the larger network teaches", &tricks::distillation},
    {"average", "tested with an average of the parameters", &tricks::average},
    {"no_decay", "no decay of biases and norms", &tricks::no_decay},
    {"zero_gamma", "blocks begin as identities", &tricks::zero_gamma},
};

/// "baseline", "schedule+smoothing"
inline std::string name_of(const tricks& set) {
  std::string text;
  for (const trick& t : all_tricks) {
    if (!(set.*t.on)) continue;
    if (!text.empty()) text += '+';
    text += t.name;
  }
  return text.empty() ? "baseline" : text;
}

/// A set with what the ladder calls it.
struct rung {
  std::string name, meaning;
  tricks with;
};

/// From nothing to everything that a network can have: each adds one to the one before.
inline std::vector<rung> rungs(bool residual) {
  std::vector<rung> all = {{"baseline", "constant rate, one-hot labels", {}}};
  for (const trick& t : all_tricks) {
    if (t.on == &tricks::zero_gamma && !residual) continue;
    rung next{std::string("+ ") + t.name, t.meaning, all.back().with};
    next.with.*t.on = true;
    all.push_back(next);
  }
  return all;
}

/// Everything but one. The last is the last rung but one.
inline std::vector<rung> leave_one_out(bool residual) {
  const tricks full = rungs(residual).back().with;
  std::vector<rung> all;
  for (const trick& t : all_tricks) {
    if (!(full.*t.on)) continue;
    rung next{std::string("- ") + t.name, std::string("all but: ") + t.meaning, full};
    next.with.*t.on = false;
    all.push_back(next);
  }
  return all;
}

}  // namespace ladder
