// SPDX-License-Identifier: MIT
/// A training in the middle, as one file.
#pragma once

#include <hone/hone.hpp>

#include <Eigen/Core>

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

namespace demo {

inline hone::tensor_list<float> list_of(Eigen::VectorXf& v) { return {{v.data(), v.size()}}; }

/// What a training needs to go on. The order of images and the mixtures are functions of the seed and the step.
struct progress {
  std::int64_t step = 0;
  Eigen::VectorXf parameters, velocity;
  hone::ema_state<float> average;  // hone
  std::string curve = {};          // lines of the training curve up to here

  explicit progress(Eigen::VectorXf const& begin)
      : parameters(begin), velocity(Eigen::VectorXf::Zero(begin.size())), average(list_of(parameters)) {}
};

/// Numbers that must be the same in the training that wrote a checkpoint and in the one that reads it.
using plan_numbers = std::array<std::int64_t, 5>;

inline constexpr const char* checkpoint_word = "hone distributed example 1\n";

/// Parameters, velocity and averages in hone's own format, which has checksums.
inline std::string checkpoint_of(progress& at, plan_numbers const& plan) {
  std::ostringstream out;
  out << checkpoint_word << at.step << ' ' << at.curve.size();
  for (const std::int64_t number : plan) out << ' ' << number;
  out << '\n' << at.curve;
  for (Eigen::VectorXf* v : {&at.parameters, &at.velocity}) hone::ema_state<float>(list_of(*v)).save(out);  // hone
  at.average.save(out);                                                                                     // hone
  return out.str();
}

/// Throws std::runtime_error or hone's errors, for what is no checkpoint of this training.
inline void restore(std::string const& bytes, hone::cpu const& cpu, plan_numbers const& plan, progress& to) {
  std::istringstream in(bytes);
  std::string word;
  std::getline(in, word);
  std::size_t curve = 0;
  plan_numbers numbers{};
  in >> to.step >> curve;
  for (std::int64_t& number : numbers) in >> number;
  if (word + "\n" != checkpoint_word || in.get() != '\n' || curve > bytes.size())
    throw std::runtime_error("the checkpoint is damaged");
  if (numbers != plan) throw std::runtime_error("the checkpoint is that of a training with other options");
  to.curve.resize(curve);
  in.read(to.curve.data(), static_cast<std::streamsize>(curve));
  for (Eigen::VectorXf* v : {&to.parameters, &to.velocity}) {
    hone::ema_state<float> saved(list_of(*v));  // hone
    saved.load(in);                             // hone
    hone::swap(cpu, saved, list_of(*v));        // hone
  }
  to.average.load(in);  // hone
}

/// Replaces the file at once: a reader, and a training that is killed while it writes, see the old file or the new one.
inline void replace_file(std::filesystem::path const& path, std::string const& bytes) {
  const std::filesystem::path partial = path.string() + ".partial";
  std::ofstream out(partial, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
  if (!out) throw std::runtime_error(partial.string() + " cannot be written");
  out.close();
  std::filesystem::rename(partial, path);
}

/// Nothing where there is no file.
inline std::optional<std::string> read_file(std::filesystem::path const& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return {};
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

}  // namespace demo
