// SPDX-License-Identifier: MIT
// hone after the macros of others, which no line of it may meet, and which are still there afterwards.
#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cfenv>
#include <climits>
#include <cmath>
#include <concepts>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <istream>
#include <limits>
#include <mutex>
#include <new>
#include <numbers>
#include <numeric>
#include <optional>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

// clang-format off

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define abs(x) ((x) > 0 ? (x) : -(x))
#define round(x) ((long)((x) + 0.5))
#define sqrt(x) macro of another
#define exp(x) macro of another
#define log(x) macro of another
#define log2(x) macro of another
#define pow(x, y) macro of another
#define floor(x) macro of another
#define ceil(x) macro of another
#define swap(a, b) macro of another
#define sum(x) macro of another
#define all(x) macro of another
#define any(x) macro of another
#define check(x) macro of another
#define require(x) macro of another
#define fail(x) macro of another
#define select(x) macro of another
#define bit(x) (1 << (x))
#define small char
#define near
#define far
#define in
#define out
#define None 0L
#define Bool int
#define Status int
#define Success 0
#define slots macro of another
#define signals public
#define emit
#define index strchr
#define major(x) macro of another
#define minor(x) macro of another
#define A 0x1
#define B 0x2
#define C 0x4
#define D 0x8
#define E 2.718
#define F 0x10
#define G 9.81
#define H 1.0
#define I _Complex_I
#define J 1i
#define K 1024
#define L 0x20
#define M 3
#define N 100
#define O 0
#define P 7
#define Q 7
#define R 8.314
#define S 5
#define T 300
#define U 11
#define V 12
#define W 640
#define X 0
#define Y 1
#define Z 2

// clang-format on

#include <hone/hone.hpp>

static_assert(N == 100 && T == 300 && min(3, max(1, 2)) == 2 && W == 640, "the macros are gone");

#undef min
#undef max
#undef in
#undef out
#undef index
#undef sum
#undef all
#undef T
#undef K

#include <process/work.hpp>

double work_of_all_verbs() { return process::work().all(2); }
