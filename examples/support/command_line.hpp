// SPDX-License-Identifier: MIT
/// A program's options as a table: read from the command line, and listed by --help.
#pragma once

#include "text.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <vector>

namespace demo {

/// A bad option or value; the message names it.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `--name value` or `--name=value`; a flag where `value`, what the help calls it, is empty.
template <class Options>
struct option {
  std::string_view name, value, meaning;
  std::function<void(Options&, std::string_view, const std::string&)> set;  // from the name and the value
};

template <class Options>
struct given_option {
  const option<Options>* which;
  std::string value;

  void apply(Options& to) const { which->set(to, which->name, value); }
};

/// In their order. Throws usage_error at what the table does not have.
template <class Options>
std::vector<given_option<Options>> given_options(const std::vector<option<Options>>& table,
                                                 std::span<const char* const> arguments) {
  std::vector<given_option<Options>> all;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i], name = argument.substr(0, argument.find('='));
    const bool attached = name.size() < argument.size();  // --name=value
    const auto found = std::ranges::find(table, name, &option<Options>::name);
    if (found == table.end()) throw usage_error("unknown option '" + argument + "'");
    if (found->value.empty()) {
      if (attached) throw usage_error(name + " takes no value");
      all.push_back({&*found, {}});
      continue;
    }
    if (!attached && ++i == arguments.size()) throw usage_error(name + " needs a value");
    all.push_back({&*found, attached ? argument.substr(name.size() + 1) : std::string(arguments[i])});
  }
  return all;
}

template <class Options>
bool is_given(const std::vector<given_option<Options>>& all, std::string_view name) {
  return std::ranges::any_of(all, [&](const auto& given) { return given.which->name == name; });
}

/// A line for every option.
template <class Options>
std::string listed(const std::vector<option<Options>>& table) {
  const auto left = [](const auto& o) {
    return std::string(o.name) + (o.value.empty() ? "" : " ") + std::string(o.value);
  };
  std::size_t widest = 0;
  for (const auto& o : table) widest = std::max(widest, left(o).size());
  std::string text;
  for (const auto& o : table) {
    std::string line = "  " + left(o);
    line.resize(widest + 4, ' ');
    text.append(line).append(o.meaning).append("\n");
  }
  return text;
}

// What options do: `where` is a member of the options, or a function that returns one.

auto set_true(auto where) {
  return [=](auto& options, std::string_view, const std::string&) { std::invoke(where, options) = true; };
}

auto set_text(auto where) {
  return [=](auto& options, std::string_view name, const std::string& text) {
    if (text.empty()) throw usage_error(std::string(name) + " is empty");
    std::invoke(where, options) = text;
  };
}

template <class Number>
auto set_number(auto where, Number least, Number most) {
  return [=](auto& options, std::string_view name, const std::string& text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value >= least && value <= most))
      throw usage_error(std::string(name) + " is '" + text + "', must be a " +
                        (std::is_integral_v<Number> ? "whole number" : "number") +
                        format(" from %.7g to %.7g", static_cast<double>(least), static_cast<double>(most)));
    std::invoke(where, options) = value;
  };
}

/// Names with commas between, none twice.
inline std::vector<std::string> split_names(std::string_view option, const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string name = text.substr(begin, end - begin);
    if (name.empty()) throw usage_error(std::string(option) + " is '" + text + "', must be names with commas between");
    if (std::ranges::count(names, name) > 0) throw usage_error(std::string(option) + " names '" + name + "' twice");
    names.push_back(name);
    begin = end + 1;
  }
  return names;
}

auto set_names(auto where) {
  return [=](auto& options, std::string_view name, const std::string& text) {
    std::invoke(where, options) = split_names(name, text);
  };
}

/// As every --help says.
enum exit_code { done = 0, failed = 1, misused = 2, stopped = 130 };

/// What main() does: work(arguments without the program's name, the whole command) gives the exit code; what it throws
/// is told.
int program(const std::string& name, int count, const char* const* arguments, const auto& work) {
  const std::span given(arguments + std::min(count, 1), arguments + count);
  std::string command = name;
  for (const char* argument : given) command.append(" ").append(argument);
  try {
    return work(given, command);
  } catch (const usage_error& error) {
    std::fprintf(stderr, "%s: %s\ntry %s --help\n", name.c_str(), error.what(), name.c_str());
    return misused;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
    return failed;
  }
}

}  // namespace demo
