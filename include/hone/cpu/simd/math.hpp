// SPDX-License-Identifier: MIT
/// A pack with all its functions, as the operand of the CPU.
#pragma once

#include <hone/core/operand.hpp>
#include <hone/cpu/simd/atan.hpp>
#include <hone/cpu/simd/exp.hpp>
#include <hone/cpu/simd/exp_of_minus.hpp>
#include <hone/cpu/simd/log.hpp>
#include <hone/cpu/simd/pack.hpp>
#include <hone/cpu/simd/share.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

static_assert(operand<pack<float>> && operand<pack<double>>);

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
