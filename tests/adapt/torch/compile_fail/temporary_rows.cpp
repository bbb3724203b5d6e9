// SPDX-License-Identifier: MIT
// wrong: hone::adapt: tensors are viewed, not copied: give the tensor a name first
#include <hone/adapt/torch/tensor.hpp>

#ifdef WRONG
auto rows(at::Tensor const& x) { return hone::adapt::rows_of(x.contiguous()); }
auto columns(at::Tensor const& x) { return hone::adapt::columns_of(x.contiguous()); }
auto pixels(at::Tensor const& x) { return hone::adapt::pixels_of(x.contiguous()); }
auto channels(at::Tensor const& x) { return hone::adapt::channels_last_of(x.contiguous()); }
#else
auto rows(at::Tensor const& x) { return hone::adapt::rows_of(x); }
auto columns(at::Tensor const& x) { return hone::adapt::columns_of(x); }
auto pixels(at::Tensor const& x) { return hone::adapt::pixels_of(x); }
auto channels(at::Tensor const& x) { return hone::adapt::channels_last_of(x); }
#endif
