// SPDX-License-Identifier: MIT
// wrong: hone::adapt: tensors are viewed, not copied: give the tensor a name first
#include <hone/adapt/torch/tensor.hpp>

#ifdef WRONG
auto labels(at::Tensor const& y) { return hone::adapt::labels_of(y.contiguous()); }
#else
auto labels(at::Tensor const& y) { return hone::adapt::labels_of(y); }
#endif
