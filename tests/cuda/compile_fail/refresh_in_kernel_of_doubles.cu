// SPDX-License-Identifier: MIT
// wrong: refresh_in_kernel: the copies are float or a 16-bit floating-point type, narrower than the parameters
#include <hone/hone.cuh>

#ifdef WRONG
void refuse(hone::device_list<double> const& copies) { static_cast<void>(hone::refresh_in_kernel(copies)); }
#else
void accept(hone::device_list<float> const& copies) { static_cast<void>(hone::refresh_in_kernel(copies)); }
#endif
