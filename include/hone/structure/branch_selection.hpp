// SPDX-License-Identifier: MIT
/// A softmax over branches: selective kernels (Li et al. 2019, arXiv 1903.06586) and split attention (ResNeSt, Zhang et
/// al. 2020, arXiv 2004.08955). Every plane is the sum of the planes of its branches, weighed by the softmax of one
/// number per branch.
#pragma once

#include <hone/core/operand.hpp>
#include <hone/structure/plane_check.hpp>

#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

inline constexpr int most_branches = 8;

/// The numbers of an image are groups x branches x channels / groups: with one group, all channels of the first branch,
/// then those of the second. ResNeSt has a group per cardinal.
struct branch_selection_options {
  integer groups = 1;
};

/// Replaces the numbers of the branches of one plane by their softmax. A number of -∞ gives a weight of 0; NaN, +∞, or
/// -∞ in all branches give NaN.
template <operand V>
HONE_HD HONE_INLINE void softmax_of_branches(V* e, int count) {
  V largest = e[0], total(0);
  for (int b = 1; b < count; ++b) largest = max(largest, e[b]);
  for (int b = 0; b < count; ++b) {
    const V d = e[b] - largest;
    e[b] = exp_of_nonpositive(d);
    total = total + select(d == exact(d), e[b], d);
  }
  for (int b = 0; b < count; ++b) e[b] = e[b] / total;
}

/// Replaces s[b] = Σ x_b dy by the gradient by the number of branch b, w_b (s_b - Σ w s), for the weights w. A weight
/// of 0 gives 0, whatever s_b is.
template <operand V>
HONE_HD HONE_INLINE void softmax_of_branches_backward(V const* w, V* s, int count) {
  V average(0);
  for (int b = 0; b < count; ++b) {
    s[b] = select(w[b] == V(0), V(0), s[b]);
    average = average + w[b] * s[b];
  }
  for (int b = 0; b < count; ++b) s[b] = w[b] * (s[b] - average);
}

namespace detail {

/// Where the planes of branches are: that of channel c of an image begins at number (image · step + c) · pixels of its
/// branch.
template <class T>
struct branch_planes {
  T* data[std::size_t(most_branches)] = {};
  int count = 0;
  index step = 0;

  HONE_HD T* plane(int b, index image, index c, index pixels) const { return data[b] + (image * step + c) * pixels; }
};

/// Column of e for a branch and channel number `rest` of a group.
HONE_HD inline index branch_column(int branch, int branches, index group, index per_group, index rest) {
  return (group * branches + branch) * per_group + rest;
}

/// Returns the branches of one image whose channels are branches x channels.
template <class T, class U>
branch_planes<T> branches_of(const char* function, const char* name, image_view<T> x, const char* other,
                             image_view<U> y) {
  require_valid(x, name, function);
  const index count = y.channels > 0 ? x.channels / y.channels : 1;
  if (x.images != y.images || x.pixels != y.pixels || x.channels != count * y.channels)
    fail("%s: %s is %jd x %jd x %jd, %s is %jd x %jd x %jd: there must be whole branches", function, name,
         std::intmax_t(x.images), std::intmax_t(x.channels), std::intmax_t(x.pixels), other, std::intmax_t(y.images),
         std::intmax_t(y.channels), std::intmax_t(y.pixels));
  require(count >= 1 && count <= most_branches, function, "number of branches", count, "in [1, 8]");
  branch_planes<T> all;
  all.count = static_cast<int>(count);
  all.step = x.channels;
  for (index b = 0; b < count; ++b) all.data[b] = x.data ? x.data + b * y.channels * y.pixels : nullptr;
  return all;
}
/// Returns the branches that are images of their own.
template <class T, class U>
branch_planes<T> branches_of(const char* function, const char* name, std::span<const image_view<T>> x,
                             const char* other, image_view<U> y) {
  require(!x.empty() && x.size() <= std::size_t(most_branches), function, "number of branches", x.size(), "in [1, 8]");
  branch_planes<T> all;
  for (const image_view<T> v : x) {
    require_like_planes(function, name, v, other, y);
    all.data[all.count++] = v.data;
  }
  all.step = y.channels;
  return all;
}

inline void require_groups(const char* function, branch_selection_options const& o, index channels) {
  require(o.groups.value >= 1 && channels % o.groups.value == 0, function, "groups", o.groups.value,
          "a divisor of the channels");
}
/// Fails unless e has a number per image, branch and channel.
template <class A, class T>
void require_branch_numbers(const char* function, const char* name, matrix_view<A> e, int branches, const char* other,
                            image_view<T> y) {
  require_valid(e, name, function);
  if (e.rows != y.images || e.columns != branches * y.channels)
    fail("%s: %s is %jd x %jd, must be %jd x %jd: %d branches of the %jd channels of %s", function, name,
         std::intmax_t(e.rows), std::intmax_t(e.columns), std::intmax_t(y.images), std::intmax_t(branches * y.channels),
         branches, std::intmax_t(y.channels), other);
}

/// The footprint of branch b; of packed branches that of all of them, whose images are not contiguous.
template <class T>
footprint footprint_of_branch(branch_planes<T> const& x, int b, index images, index channels, index pixels) noexcept {
  footprint f = footprint_of(x.data[b], channels * pixels);
  f.rows = x.data[b] ? images : 0;
  f.stride = x.step * pixels * static_cast<index>(sizeof(T));
  return f;
}

/// Checks a call of select_branches, and returns its branches: of one view or of a span of views.
template <class T, class X>
branch_planes<const T> checked_branches(X x, matrix_view<const accumulator_t<T>> e, image_view<T> y,
                                        branch_selection_options const& options) {
  constexpr const char* function = "select_branches";
  static_assert(!std::is_const_v<T>, "select_branches: y is written, its type is const");
  static_assert(element<T>, "select_branches: y must be of float, double or a 16-bit type");
  require_valid(y, "y", function);
  const branch_planes<const T> all = branches_of(function, "x", x, "y", y);
  require_groups(function, options, y.channels);
  require_branch_numbers(function, "e", e, all.count, "y", y);
  for (int b = 0; b < all.count; ++b)
    require_apart(function, "y", footprint_of(y), "x", footprint_of_branch(all, b, y.images, y.channels, y.pixels));
  require_apart(function, "y", footprint_of(y), "e", footprint_of(e));
  return all;
}

/// The branches of select_branches_backward, and those of its gradient, which may have none.
template <class T>
struct branches_and_gradients {
  branch_planes<const T> x;
  branch_planes<T> dx;
};

/// Checks a call of select_branches_backward, and returns its branches: of views or of spans of views. The gradient of
/// a branch may be where the branch is.
template <class T, class X, class Dx>
branches_and_gradients<T> checked_branches_backward(X views, matrix_view<const accumulator_t<T>> e,
                                                    image_view<const T> dy, Dx gradients,
                                                    matrix_view<accumulator_t<T>> de,
                                                    branch_selection_options const& options) {
  constexpr const char* function = "select_branches_backward";
  require_valid(dy, "dy", function);
  const branch_planes<const T> x = branches_of(function, "x", views, "dy", dy);
  branch_planes<T> dx;
  bool wanted = true;
  if constexpr (requires { gradients.empty(); })
    wanted = !gradients.empty();
  else
    wanted = given(gradients);
  if (wanted) dx = branches_of(function, "dx", gradients, "dy", dy);
  require_groups(function, options, dy.channels);
  require_branch_numbers(function, "e", e, x.count, "dy", dy);
  const auto branch = [&](auto const& of, int b) {
    return footprint_of_branch(of, b, dy.images, dy.channels, dy.pixels);
  };
  if (dx.count != 0 && dx.count != x.count) fail("%s: dx has %d branches, x has %d", function, dx.count, x.count);
  for (int b = 0; b < dx.count; ++b) {
    require_apart(function, "dx", branch(dx, b), "dy", footprint_of(dy));
    require_apart(function, "dx", branch(dx, b), "e", footprint_of(e));
    require_apart(function, "dx", branch(dx, b), "de", footprint_of(de));
    for (int k = 0; k < x.count; ++k) {
      if (k == b)
        require_same_or_apart(function, "dx", branch(dx, b), "x", branch(x, k));
      else
        require_apart(function, "dx", branch(dx, b), "x", branch(x, k));
      if (k < b) require_apart(function, "dx", branch(dx, b), "dx", branch(dx, k));
    }
  }
  if (!given(de)) return {x, dx};
  require_branch_numbers(function, "de", de, x.count, "dy", dy);
  for (int b = 0; b < x.count; ++b) require_apart(function, "de", footprint_of(de), "x", branch(x, b));
  require_apart(function, "de", footprint_of(de), "dy", footprint_of(dy));
  require_same_or_apart(function, "de", footprint_of(de), "e", footprint_of(e));
  return {x, dx};
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
