// SPDX-License-Identifier: MIT
// hone::cuda gives the headers to a project that has no Eigen.
#include <hone/version.hpp>

const char* version_for_cuda() { return hone::version; }
