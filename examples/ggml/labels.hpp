// SPDX-License-Identifier: MIT
/// Soft labels for ggml-opt, whose cross-entropy reads them from a tensor: smoothed and mixed labels, written in place.
#pragma once

#include <hone/adapt/soft_labels.hpp>
#include <hone/hone.hpp>

#include <cstddef>
#include <cstdint>

namespace example {

// [label_rows]
/// Views the rows of a label tensor of ggml, such as that of ggml_opt_dataset_labels(dataset) or
/// ggml_opt_labels(opt_ctx): float, ne[0] classes x ne[1] samples in host memory. Of a padded vocabulary, the first
/// `classes` of a row are viewed.
template <class Tensor>  // ggml_tensor
hone::matrix_view<float> label_rows(Tensor const& t, std::int64_t classes) {
  const auto stride = static_cast<std::int64_t>(t.nb[1] / sizeof(float));
  if (t.nb[0] != sizeof(float) || t.ne[2] != 1 || t.ne[3] != 1 || classes > t.ne[0] || !t.data)
    hone::extend::fail(
        "label_rows: %jd classes of a tensor of %jd x %jd x %jd x %jd, must be a matrix of float in host memory",
        std::intmax_t(classes), std::intmax_t(t.ne[0]), std::intmax_t(t.ne[1]), std::intmax_t(t.ne[2]),
        std::intmax_t(t.ne[3]));
  return {static_cast<float*>(t.data), t.ne[1], classes, stride};
}
// [/label_rows]

}  // namespace example
