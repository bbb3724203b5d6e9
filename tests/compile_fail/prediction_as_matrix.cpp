// SPDX-License-Identifier: MIT
// wrong: evaluate: the prediction must be a view
#include <hone/hone.hpp>

/// What matrices of linear algebra libraries look like.
struct column_major_matrix {
  enum { IsRowMajor = 0 };
  float* numbers;

  float* data() const { return numbers; }
  int rows() const { return 4; }
  int cols() const { return 3; }
};

void prediction_as_matrix(hone::cpu& cpu, column_major_matrix z) {
#ifdef WRONG
  hone::evaluate(cpu, hone::z_loss(1), z);
#else
  hone::evaluate(cpu, hone::z_loss(1), hone::image_view{z.data(), 1, z.cols(), z.rows()}, {});
#endif
}
