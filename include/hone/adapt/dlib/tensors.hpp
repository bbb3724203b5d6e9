// SPDX-License-Identifier: MIT
/// dlib's tensors as views, and the parameters and gradients of a dlib net as lists of tensors.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/tensor_list.hpp>
#include <hone/core/view.hpp>

#include <dlib/dnn.h>

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

using hone::detail::fail;

/// A net of dlib: its layers can be visited.
template <class Net>
concept dlib_net = requires {
  { Net::num_layers } -> std::convertible_to<std::size_t>;
  typename Net::subnet_type;
};

template <class X>
concept dlib_tensor = std::derived_from<std::remove_cvref_t<X>, dlib::tensor>;

/// An alias_tensor views memory of another tensor, so a temporary one may be viewed.
template <class X>
inline constexpr bool views_memory =
    std::is_lvalue_reference_v<X> || std::same_as<std::remove_cvref_t<X>, dlib::alias_tensor_instance> ||
    std::same_as<std::remove_cvref_t<X>, dlib::alias_tensor_const_instance>;

/// How the parameters of a layer, one tensor in dlib, are composed.
struct layer_parts {
  enum class layout : unsigned char { whole, by_row, by_column };

  layout units = layout::whole;  // of the first part
  index outputs = 0;             // the units of the first part, if it has a layout
  index last = 0;                // the numbers of the second part, such as a bias; 0: none
};

template <class Layer>
layer_parts parts_of(Layer const&, index) {
  return {};
}
template <unsigned long Outputs, dlib::fc_bias_mode Mode>
layer_parts parts_of(dlib::fc_<Outputs, Mode> const& layer, index) {
  const auto outputs = static_cast<index>(layer.get_num_outputs());
  const bool bias = Mode == dlib::FC_HAS_BIAS && !layer.bias_is_disabled();
  return {layer_parts::layout::by_column, outputs, bias ? outputs : 0};  // inputs x outputs, then the bias
}
template <long Filters, long Rows, long Columns, int Y, int X, int PaddingY, int PaddingX>
layer_parts parts_of(dlib::con_<Filters, Rows, Columns, Y, X, PaddingY, PaddingX> const& layer, index) {
  const auto filters = static_cast<index>(layer.num_filters());
  return {layer_parts::layout::by_row, filters, layer.bias_is_disabled() ? 0 : filters};
}
template <long Filters, long Rows, long Columns, int Y, int X, int PaddingY, int PaddingX>
layer_parts parts_of(dlib::cont_<Filters, Rows, Columns, Y, X, PaddingY, PaddingX> const& layer, index) {
  return {layer_parts::layout::whole, 0, layer.bias_is_disabled() ? 0 : static_cast<index>(layer.num_filters())};
}
template <dlib::layer_mode Mode>
layer_parts parts_of(dlib::bn_<Mode> const&, index size) {
  return {layer_parts::layout::whole, 0, size / 2};  // gamma, then beta
}
inline layer_parts parts_of(dlib::layer_norm_ const&, index size) { return {layer_parts::layout::whole, 0, size / 2}; }

/// Tensors of a net with their shapes, outputs x inputs or inputs x outputs, and which have the latter.
struct shaped_tensors {
  tensor_list<float> list;
  std::vector<bool> by_column;

  /// Appends the parts of a layer.
  void add(float* data, index size, layer_parts const& parts) {
    const index first = size - parts.last;
    const auto push = [&](tensor<float> t, bool columns) {
      if (t.size > 0) list.push_back(t), by_column.push_back(columns);
    };
    if (parts.units == layer_parts::layout::by_row)
      push({data, parts.outputs, first / parts.outputs}, false);
    else if (parts.units == layer_parts::layout::by_column)
      push({data, first / parts.outputs, parts.outputs}, true);
    else
      push({data, first}, false);
    push({data + first, parts.last}, false);
  }
};

/// Collects the parameters, or the gradients, of the layers that dlib's solvers change.
struct layer_visitor {
  shaped_tensors& to;
  bool gradients;
  index& all;  // parameters of all layers, also of those that do not learn
  std::size_t layer = 0;

  template <class Details, class Subnet, class Enabled>
  void operator()(dlib::add_layer<Details, Subnet, Enabled>& l) {
    const std::size_t number = layer++;
    dlib::tensor& parameters = l.layer_details().get_layer_params();
    const auto size = static_cast<index>(parameters.size());
    all += size;
    if (size == 0 || !(dlib::get_learning_rate_multiplier(l.layer_details()) != 0)) return;
    const layer_parts parts = detail::parts_of(l.layer_details(), size);
    if (!gradients) return to.add(parameters.host(), size, parts);
    dlib::tensor& gradient = l.get_parameter_gradient();
    if (static_cast<index>(gradient.size()) != size)
      fail(
          "gradients: computational layer %zu of the net has %jd parameters and %jd gradients, call "
          "net.compute_parameter_gradients(...) first",
          number, std::intmax_t(size), std::intmax_t(gradient.size()));
    to.add(gradient.host(), size, parts);
  }
};

template <class Net>
shaped_tensors tensors_of(const char* function, Net& net, bool gradients) {
  shaped_tensors found;
  index all = 0;
  dlib::visit_layers(net, layer_visitor{found, gradients, all});
  if (all == 0) fail("%s: the net has no parameters yet, dlib makes them in the first forward pass", function);
  return found;
}

}  // namespace detail

/// The parameters or gradients of a dlib net: a hone::tensor_list<float>.
class dlib_tensors : public tensor_list<float> {
 public:
  explicit dlib_tensors(detail::shaped_tensors const& found) {
    reserve(found.list.size());
    for (std::size_t i = 0; i < found.list.size(); ++i) {
      tensor<float> const& t = found.list[i];
      push_back(found.by_column[i] ? tensor<float>{t.data, t.size} : t);  // rows of inputs are no units
    }
  }
};

/// Views the parameters of a net, layer by layer from the loss on. dlib keeps a layer's parameters in one tensor:
/// weights and bias (fc, con, cont), gamma and beta (bn, layer_norm) are two tensors of the list. Weights of con are
/// filters x rest; those of fc, inputs x outputs in dlib, have no shape. Layers whose learning rate multiplier is 0 are
/// left out: no solver changes them. Running statistics of bn are not parameters in dlib. Throws hone::invalid_argument
/// before the first forward pass, in which dlib makes the parameters.
///
/// The pointers are those of host(): in a build of dlib with CUDA, parameters are copied to the host, and back by the
/// next layer that reads them, so a list is valid until the net computes again. Without CUDA it stays valid.
template <detail::dlib_net Net>
dlib_tensors parameters(Net& net) {
  static_assert(!std::is_const_v<Net>, "parameters: the net must not be const, for its numbers can be changed");
  return dlib_tensors(detail::tensors_of("parameters", net, false));
}

/// Views the gradients of a net, in the order and the parts of its parameters. dlib leaves the gradient of a layer
/// whose learning rate multiplier is 0 uninitialised; it is not in the list. Throws hone::invalid_argument if a layer
/// has no gradient yet.
template <detail::dlib_net Net>
dlib_tensors gradients(Net& net) {
  static_assert(!std::is_const_v<Net>, "gradients: the net must not be const, for its numbers can be changed");
  return dlib_tensors(detail::tensors_of("gradients", net, true));
}

/// Views N x K x nr x nc numbers as N rows of K · nr · nc: of a fully connected layer, the logits of a sample. The
/// numbers are those of host().
template <detail::dlib_tensor X>
auto rows_of(X&& x) {
  static_assert(detail::views_memory<X>, "rows_of: the tensor is viewed, not copied: give it a name first");
  const auto samples = static_cast<index>(x.num_samples());
  return matrix_view(x.host(), samples, samples == 0 ? 0 : static_cast<index>(x.size()) / samples);
}
/// Views N x K x nr x nc numbers as N images of K channels, such as the logits of pixels.
template <detail::dlib_tensor X>
auto pixels_of(X&& x) {
  static_assert(detail::views_memory<X>, "pixels_of: the tensor is viewed, not copied: give it a name first");
  return image_view(x.host(), index(x.num_samples()), index(x.k()), index(x.nr()), index(x.nc()));
}

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
