// SPDX-License-Identifier: MIT
/// The works that are measured: what they are called, what they read and write, and who does them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bench {

using index = std::int64_t;

/// An array as a peer sees it: strides are in elements, `type` is the name that NumPy and PyTorch give it.
struct array {
  std::string name;
  char const* type;
  std::vector<index> shape, strides;
  void* data;
  std::size_t bytes;
  bool output;
};

/// What the contenders of a work share. Derived classes allocate and fill it in `fill`, which is called before the
/// first contender runs: a program that lists works allocates nothing.
class data {
 public:
  virtual ~data() = default;
  void open();
  std::vector<array> const& arrays() const { return arrays_; }

 protected:
  virtual void fill() = 0;

  /// Zeros on warm pages, aligned to 64 bytes. `strides` is for arrays with padding, and empty for others.
  template <class T>
  T* make(std::string name, std::vector<index> shape, std::vector<index> strides = {}) {
    return static_cast<T*>(allocate(std::move(name), type_name<T>(), sizeof(T), std::move(shape), std::move(strides)));
  }
  /// An array that is another object's, which contenders write.
  void show(std::string name, float* p, index n);
  /// Marks what a contender writes: a test compares it.
  void writes(std::string const& name);

 private:
  template <class T>
  static constexpr char const* type_name() {
    if constexpr (std::is_same_v<T, float>)
      return "float32";
    else if constexpr (std::is_same_v<T, index>)
      return "int64";
    else
      return "bfloat16";
  }
  void* allocate(std::string name, char const* type, std::size_t size, std::vector<index> shape,
                 std::vector<index> strides);

  std::vector<array> arrays_;
  std::vector<std::unique_ptr<void, void (*)(void*)>> memory_;
  bool open_ = false;
};

/// Does the work once and returns its value, or 0 if it has none.
using call = std::function<double()>;

struct contender {
  std::string who;
  call run;
};

struct work {
  std::string name;  ///< rows/cross_entropy/smoothing:0.1/8192x1000/threads:2
  int threads;
  double bytes;  ///< that must move
  std::shared_ptr<bench::data> data;
  std::vector<contender> contenders;

  void add(std::string who, call run) { contenders.push_back({std::move(who), std::move(run)}); }
};

/// What a program measures. A test makes everything small, and chooses which outputs are written past the caches.
struct settings {
  std::vector<int> threads{1, 2};
  index most_rows = std::int64_t(1) << 40, most_columns = most_rows;
  double past_caches_from = 8 << 20;  ///< bytes of an output
};

class registry {
 public:
  explicit registry(bench::settings s) : settings(std::move(s)) {}

  work& add(std::string name, int threads, double bytes, std::shared_ptr<data> d) {
    works.push_back({name + "/threads:" + std::to_string(threads), threads, bytes, std::move(d), {}});
    return works.back();
  }
  index rows(index n) const { return n < settings.most_rows ? n : settings.most_rows; }
  index columns(index n) const { return n < settings.most_columns ? n : settings.most_columns; }
  bool past_caches(double bytes) const { return bytes >= settings.past_caches_from; }

  const bench::settings settings;
  std::deque<work> works;
  std::vector<std::pair<std::string, std::string>> notes;  ///< more of the context, such as versions of peers
};

/// Registers everything in bench/*/.
void add_all(registry& r);

/// Runs Google Benchmark on all contenders of all works, with its own options.
int run(registry& r, int argc, char** argv);

}  // namespace bench
