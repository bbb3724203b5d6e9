// SPDX-License-Identifier: MIT
/// Threads of the program, on which hone::cpu works in place of its own pool: docs/threads.md has executors for OpenMP,
/// oneTBB, LibTorch, dlib and a pool of one's own.
#pragma once

#include <hone/cpu/run/float_environment.hpp>
#include <hone/cpu/run/shares.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A part of the work of a call, for an executor: task(i) does it. It may be called from any thread, does not throw,
/// and is valid until the executor returns.
class cpu_task {
 public:
  using body = void (*)(void* context, int i) noexcept;

  cpu_task(body run, void* context) noexcept : run_(run), context_(context) {}
  void operator()(int i) const noexcept { run_(context_, i); }

 private:
  body run_;
  void* context_;
};

/// A callable executor(n, task) that calls task(0), task(1), …, task(n - 1), each once, on any threads, in any order,
/// one after another or at once, and returns when all calls have returned. It may throw while no call is running.
template <class E>
concept cpu_executor = requires(E const& executor, int n, cpu_task task) { executor(n, task); };

namespace on_cpu {

/// True if an executor need not be viewed, for example a lambda that captures nothing.
template <class E>
inline constexpr bool is_stateless = std::is_empty_v<E> && std::is_default_constructible_v<E>;

/// The executor of a backend; none by default.
class any_executor {
 public:
  any_executor() noexcept = default;
  template <cpu_executor E>
  explicit any_executor(E const& executor) noexcept : executor_(&executor) {
    if constexpr (is_stateless<E>)
      run_ = [](void const*, int n, cpu_task task) { E{}(n, task); };
    else
      run_ = [](void const* e, int n, cpu_task task) { (*static_cast<E const*>(e))(n, task); };
  }

  explicit operator bool() const noexcept { return run_ != nullptr; }
  void operator()(int n, cpu_task task) const { run_(executor_, n, task); }

 private:
  void const* executor_ = nullptr;
  void (*run_)(void const*, int, cpu_task) = nullptr;
};

/// Calls body(context, chunk, i) for all chunks by chunks.threads() tasks of the executor. Each task i takes chunks
/// until none is left, with the floating-point settings of the caller.
inline void run_on(any_executor const& executor, chunk_shares& chunks, chunk_body body, void* context) {
  struct job {
    chunk_shares& chunks;
    chunk_body body;
    void* context;
    float_environment environment;
  } all{chunks, body, context, float_environment::current()};
  executor(chunks.threads(), cpu_task(
                                 [](void* of, int i) noexcept {
                                   job& j = *static_cast<job*>(of);
                                   const float_environment own = float_environment::current();
                                   j.environment.apply();
                                   j.chunks.take(i, j.body, j.context);
                                   own.apply();
                                 },
                                 &all));
}

}  // namespace on_cpu
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
