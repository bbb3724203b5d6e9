// SPDX-License-Identifier: MIT
/// Eigen's packets: the only header that uses Eigen's internals. Eigen 3.4 and 5 have everything that it uses.
#pragma once

#include <Eigen/Core>

#include <hone/core/macros_push.hpp>

#if EIGEN_WORLD_VERSION < 3 || (EIGEN_WORLD_VERSION == 3 && EIGEN_MAJOR_VERSION < 4)
#error "hone needs Eigen 3.4 or newer"
#endif

namespace hone::inline HONE_ABI::on_cpu {

namespace packets = Eigen::internal;

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
