// SPDX-License-Identifier: MIT
/// The allowed classes of a group of rows: those whose logit is above -inf.
#pragma once

#include <hone/cpu/memory/row_layout.hpp>

#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Returns a mask of the lanes whose class is allowed. NaN is not allowed; its row becomes NaN in any case.
template <class A>
mask<A> allowed(pack<A> z) noexcept {
  return pack<A>(std::numeric_limits<A>::lowest()) <= z;
}

/// The number of allowed classes and their Σ (z - max), per row.
template <class A>
struct allowed_sums {
  using V = pack<A>;

  V count = V(0), logits = V(0);

  allowed_sums(group_numbers<A> z, group_extent<A> extent, bool tall, V max) noexcept {
    for (row_stretch<A> s(extent); s.next();) {
      A const* const at = z.of(s.last());
      V n(0), total(0);
      for (index i = s.begin; i < s.end; i += V::size) {
        const V x = V::load(at + i);
        n += keep(allowed(x), V(1));
        total += keep(allowed(x), x - max);
      }
      count += n, logits += total;
    }
    if (!tall) count = V(sum(count)), logits = V(sum(logits));
  }

  /// Returns the weight of each class if all allowed classes share `weight` equally.
  V share(V weight) const noexcept { return weight / on_cpu::max(count, V(1)); }
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
