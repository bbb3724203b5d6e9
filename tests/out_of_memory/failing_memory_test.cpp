// SPDX-License-Identifier: MIT
// The allocation functions of this program.
#include "failing_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> no_memory{false};
constinit thread_local int left = 0;  // until the allocation that fails; 0: none does

bool fails() noexcept {
  if (no_memory) return true;
  if (left == 0) return false;
  --left;
  return left == 0;
}

void* allocated(void* p) {
  if (!p) throw std::bad_alloc();
  return p;
}
void* ordinary(std::size_t size) noexcept { return fails() ? nullptr : std::malloc(size); }
void* aligned(std::size_t size, std::align_val_t align) noexcept {
  const auto step = static_cast<std::size_t>(align);
  return fails() ? nullptr : std::aligned_alloc(step, (size + step - 1) / step * step);
}

}  // namespace

void fail_allocation(int n) noexcept { left = n; }
void fail_all_allocations(bool fail) noexcept { no_memory = fail; }

// All forms, for those of the library do not call one another under AddressSanitizer. Not inlined: g++ would say that
// what it sees allocated by these must not be freed by those.
[[gnu::noinline]] void* operator new(std::size_t size) { return allocated(ordinary(size)); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return allocated(ordinary(size)); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t align) {
  return allocated(aligned(size, align));
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t align) {
  return allocated(aligned(size, align));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::nothrow_t const&) noexcept { return ordinary(size); }
[[gnu::noinline]] void* operator new[](std::size_t size, std::nothrow_t const&) noexcept { return ordinary(size); }
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
