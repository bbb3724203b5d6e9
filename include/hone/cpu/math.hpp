// SPDX-License-Identifier: MIT
/// A pack with all its functions: the operand of the CPU.
#pragma once

#include <hone/core/operand.hpp>
#include <hone/cpu/atan.hpp>
#include <hone/cpu/exp.hpp>
#include <hone/cpu/log.hpp>
#include <hone/cpu/pack.hpp>

namespace hone::on_cpu {

static_assert(operand<pack<float>> && operand<pack<double>>);

}  // namespace hone::on_cpu
