// SPDX-License-Identifier: MIT
// wrong: scale_planes_backward: the gate must be one of hone's, or return a value_grad of its number
#include <hone/hone.cuh>

struct doubled_gate {
  template <hone::operand V>
#ifdef WRONG
  HONE_HD V operator()(V e) const {
    return e + e;
  }
#else
  HONE_HD hone::value_grad<V> operator()(V e) const {
    return {e + e, V(2)};
  }
#endif
};

void scale_planes_by_value(hone::cuda& gpu, hone::image_view<float> x, hone::matrix_view<float> e) {
  hone::scale_planes_backward(gpu, doubled_gate(), x, e, x, x, e);
}
