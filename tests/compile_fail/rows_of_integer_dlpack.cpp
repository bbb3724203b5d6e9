// SPDX-License-Identifier: MIT
// wrong: hone::adapt: the numbers must be float, double or a 16-bit floating-point type
#include <hone/adapt/dlpack.hpp>

#ifdef WRONG
using number = int;
#else
using number = float;
#endif

/// The members of a DLTensor.
struct tensor {
  void* data;
  struct {
    int device_type, device_id;
  } device;
  int ndim;
  struct {
    unsigned char code, bits;
    unsigned short lanes;
  } dtype;
  std::int64_t *shape, *strides;
  std::uint64_t byte_offset;
};

auto rows_of_integer_dlpack(const tensor& z) { return hone::adapt::rows_of<number>(z); }
