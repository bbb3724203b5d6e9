// SPDX-License-Identifier: MIT
/// The outputs of a darknet layer as views, and an objective that writes the layer's delta and cost.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/outputs.hpp>
#include <hone/core/reduction.hpp>
#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/cpu/evaluate.hpp>

#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

/// A layer of darknet, or of a fork: darknet's `layer` or a pointer's target of that shape.
template <class Layer>
concept darknet_layer = requires(Layer const& l) {
  { l.batch } -> std::convertible_to<index>;
  { l.outputs } -> std::convertible_to<index>;
  { l.output } -> std::convertible_to<float const*>;
  { l.delta } -> std::convertible_to<float*>;
  { l.cost } -> std::convertible_to<float*>;
};

/// Checks the sizes of a layer and returns batch · outputs.
template <darknet_layer Layer>
index numbers_of_layer(const char* function, Layer const& l) {
  hone::detail::require(l.batch >= 0, function, "layer.batch", index(l.batch), "at least 0");
  hone::detail::require(l.outputs >= 0, function, "layer.outputs", index(l.outputs), "at least 0");
  return hone::detail::product_of_sizes(index(l.batch), index(l.outputs));
}

/// Returns the pointer, or the layer's output if it is null.
template <darknet_layer Layer>
float const* numbers_or_output(const char* function, Layer const& l, float const* numbers) {
  if (!numbers) numbers = l.output;
  if (!numbers && numbers_of_layer(function, l) > 0)
    hone::detail::fail("%s: layer.output is null, and no other numbers are given", function);
  return numbers;
}

/// Writes minus the gradient of the sum into l.delta and the sum into l.cost; returns the sum.
template <class Objective, class View, darknet_layer Layer>
double write_delta(cpu const& backend, Objective const& objective, Layer& l, View prediction) {
  const char* const function = "delta";
  const index numbers = numbers_of_layer(function, l);
  const index rows = hone::detail::rows_of(prediction), columns = hone::detail::columns_of(prediction);
  if (rows * columns != numbers)
    hone::detail::fail("%s: prediction is %jd x %jd, the layer has %jd x %jd numbers", function, std::intmax_t(rows),
                       std::intmax_t(columns), std::intmax_t(l.batch), std::intmax_t(l.outputs));
  if constexpr (requires { prediction.row_stride; })
    if (prediction.row_stride != columns)
      hone::detail::fail(
          "%s: prediction has a row_stride of %jd, must be its %jd columns, as layer.delta is contiguous", function,
          std::intmax_t(prediction.row_stride), std::intmax_t(columns));
  if (!l.delta && numbers > 0) hone::detail::fail("%s: layer.delta is null", function);
  typename hone::detail::outputs_of<View>::type out;
  if constexpr (requires { prediction.row_stride; })
    out.gradient = {l.delta, rows, columns};
  else
    out.gradient = {l.delta, prediction.images, prediction.channels, prediction.pixels};
  const double loss = 0 - evaluate(backend, -objective, prediction, out, sum);  // no minus in front of a loss of 0
  if (l.cost) *l.cost = static_cast<float>(loss);
  return loss;
}

}  // namespace detail

/// Views a layer's numbers as rows of classes: batch x outputs; of a softmax layer with groups, batch · groups rows of
/// inputs / groups. The numbers are those of the layer's output unless others of its size are given, such as its input.
template <detail::darknet_layer Layer>
matrix_view<const float> rows_of(Layer const& l, float const* numbers = nullptr) {
  const char* const function = "rows_of";
  const index all = detail::numbers_of_layer(function, l);
  index groups = 1;
  if constexpr (requires { index(l.groups); })
    if (l.groups > 1) groups = index(l.groups);
  if (l.outputs % groups != 0)
    hone::detail::fail("%s: layer.outputs is %jd, must be a multiple of layer.groups, %jd", function,
                       std::intmax_t(l.outputs), std::intmax_t(groups));
  const index rows = index(l.batch) * groups;
  return {detail::numbers_or_output(function, l, numbers), rows, rows > 0 ? all / rows : 0};
}

/// Views a layer's numbers as images of classes: batch x out_c x out_h x out_w, for losses of pixels.
template <detail::darknet_layer Layer>
  requires requires(Layer const& l) { l.out_c, l.out_h, l.out_w; }
image_view<const float> pixels_of(Layer const& l, float const* numbers = nullptr) {
  const char* const function = "pixels_of";
  detail::numbers_of_layer(function, l);
  if (index(l.out_c) * index(l.out_h) * index(l.out_w) != index(l.outputs))
    hone::detail::fail("%s: layer.outputs is %jd, must be out_c x out_h x out_w, %jd x %jd x %jd", function,
                       std::intmax_t(l.outputs), std::intmax_t(l.out_c), std::intmax_t(l.out_h),
                       std::intmax_t(l.out_w));
  return {detail::numbers_or_output(function, l, numbers), index(l.batch), index(l.out_c), index(l.out_h),
          index(l.out_w)};
}

/// Evaluates an objective of logits and writes what darknet's loss layers write: minus the gradient of the *sum* over
/// the batch into l.delta (darknet divides by the batch in its update), and that sum into l.cost, where there is one.
/// Returns the sum. Every number of l.delta is written.
///
///     hone::adapt::delta(cpu, hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)), l, net.input);
///
/// `logits` are what goes into the softmax: the input of a softmax layer (net.input, in forks state.input), because its
/// output are probabilities; if null, the output of a layer that is linear. The delta is by the logits in both cases.
/// Throws hone::invalid_argument, and writes nothing, for a softmax layer without its input, with a tree or with a
/// temperature other than 1, and as hone::evaluate does. On a GPU, push the delta to l.delta_gpu afterwards.
template <class Objective, detail::darknet_layer Layer>
double delta(cpu const& backend, Objective const& objective, Layer& l, float const* logits = nullptr) {
  const char* const function = "delta";
  if constexpr (requires { l.softmax_tree == nullptr; })
    if (l.softmax_tree != nullptr)
      hone::detail::fail("%s: layer.softmax_tree is set, hone has no such softmax", function);
  if constexpr (requires { double(l.temperature); })
    if (l.temperature != 0 && l.temperature != 1)
      hone::detail::fail("%s: layer.temperature is %.9g, must be 1: the softmax of a loss has no temperature", function,
                         double(l.temperature));
  if constexpr (requires { l.groups > 0; })
    if (l.groups > 0 && !logits)
      hone::detail::fail("%s: layer.output of a softmax layer are probabilities, give the layer's input", function);
  return detail::write_delta(backend, objective, l, rows_of(l, logits));
}

/// The same for any view of the layer's batch · outputs numbers, such as pixels_of(l).
template <class Objective, detail::darknet_layer Layer, template <class> class View, class T>
double delta(cpu const& backend, Objective const& objective, Layer& l, View<T> prediction) {
  return detail::write_delta(backend, objective, l, View<const float>(prediction));
}

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
