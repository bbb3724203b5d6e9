// SPDX-License-Identifier: MIT
/// In which of hone's two forms, a matrix or images, a tensor of logits is evaluated: the one that its strides have, if
/// the objective's views allow it. Otherwise the call evaluates a copy.
#pragma once

#include <hone/adapt/torch/tensor.hpp>
#include <hone/core/list.hpp>
#include <hone/core/objective.hpp>
#include <hone/loss/region/term.hpp>

#include <ATen/core/DimVector.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_strided.h>

#include <algorithm>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Returns the leaves of an objective of any kind: called here, `leaves` is looked up where the kinds are declared.
template <class Objective>
auto all_leaves(Objective const& objective) {
  return leaves(objective);
}

}  // namespace hone::inline HONE_ABI::detail

namespace hone::inline HONE_ABI::adapt::detail {

enum class form : unsigned char {
  rows,    ///< a matrix_view: N x C with the numbers of a row side by side, or N x C x H x W with the channels last
  pixels,  ///< an image_view: N x C transposed, or N x C x H x W contiguous
};

// ---- tensors

/// The strides of a tensor of these sizes without gaps, in a form.
inline at::DimVector strides_for(form f, at::IntArrayRef sizes) {
  const std::size_t dims = sizes.size();
  at::DimVector strides(dims);
  std::int64_t step = 1;
  const auto place = [&](std::size_t i) {
    strides[i] = step;
    step *= std::max<std::int64_t>(sizes[i], 1);
  };
  const bool class_first = f == form::rows && dims > 2, sample_first = f == form::pixels && dims == 2;
  if (class_first) place(1);
  if (sample_first) place(0);
  for (std::size_t i = dims; i-- > 0;)
    if (!(class_first && i == 1) && !(sample_first && i == 0)) place(i);
  return strides;
}

/// Whether a view of this form describes the tensor's memory.
inline bool has_form(form f, at::Tensor const& x) {
  if (x.numel() == 0) return true;
  if (x.dim() == 1 && f == form::rows) return x.size(0) == 1 || x.stride(0) >= 1;
  if (x.dim() == 2 && f == form::rows) return has_rows(x);
  const at::DimVector strides = strides_for(f, x.sizes());
  for (std::int64_t i = 0; i < x.dim(); ++i)
    if (x.size(i) != 1 && x.stride(i) != strides[static_cast<std::size_t>(i)]) return false;
  return true;
}
/// The form that needs no copy, or the usual one.
inline form form_of(at::Tensor const& x) {
  const form usual = x.dim() > 2 ? form::pixels : form::rows, other = x.dim() > 2 ? form::rows : form::pixels;
  return !has_form(usual, x) && has_form(other, x) ? other : usual;
}

/// The sizes of rows: those of the logits without their classes.
inline at::DimVector sizes_of_rows(at::Tensor const& logits) {
  at::DimVector sizes(logits.sizes().begin(), logits.sizes().end());
  if (sizes.size() > 1) sizes.erase(sizes.begin() + 1);
  return sizes;
}

inline at::Tensor empty_in_form(form f, at::IntArrayRef sizes, at::TensorOptions const& options) {
  return at::empty_strided(sizes, strides_for(f, sizes), options);
}
/// Returns the tensor itself, or a copy in this form.
inline at::Tensor in_form(form f, at::Tensor const& x) {
  if (has_form(f, x)) return x;
  return empty_in_form(f, x.sizes(), x.options()).copy_(x.detach());
}

template <class T, form Form>
auto view_in_form(at::Tensor const& x) {
  if constexpr (Form == form::rows) {
    return x.dim() > 2 ? view_channels_last<T>(x) : view_rows<T>(x);
  } else {
    if (x.dim() > 2) return view_pixels<T>(x);
    return image_view<T>{numbers_of<T>(x), 1, x.dim() == 2 ? x.size(1) : 1, x.size(0)};
  }
}

// ---- objectives

/// The forms of logits that an objective can be evaluated on.
struct forms {
  bool rows = true, pixels = true;

  friend constexpr forms operator&(forms a, forms b) noexcept { return {a.rows && b.rows, a.pixels && b.pixels}; }
};

template <class View>
constexpr forms forms_of_view() {
  constexpr bool images = requires(View v) { v.images; }, matrix = requires(View v) { v.row_stride; };
  return {.rows = !images, .pixels = !matrix};
}
template <class... View>
constexpr forms forms_of_views(hone::detail::list<View...> (*)()) {
  return (forms() & ... & forms_of_view<View>());
}
/// A term's views must have the form of the logits.
template <class Term>
constexpr forms forms_of_term() {
  forms all;
  if constexpr (requires(Term const& t) { t.target.dense_views(); })
    all = all & forms_of_views(static_cast<decltype(std::declval<Term const&>().target.dense_views()) (*)()>(nullptr));
  if constexpr (requires(Term const& t) { t.views(); })
    all = all & forms_of_views(static_cast<decltype(std::declval<Term const&>().views()) (*)()>(nullptr));
  if constexpr (requires(Term const& t) { t.teacher; })
    all = all & forms_of_view<std::remove_cvref_t<decltype(std::declval<Term const&>().teacher)>>();
  if constexpr (requires(Term const& t) { t.boxes; })
    all = all & forms_of_view<std::remove_cvref_t<decltype(std::declval<Term const&>().boxes)>>();
  return all;
}
template <class... Leaf>
constexpr forms forms_of_leaves(hone::detail::list<Leaf...> (*)()) {
  return (forms() & ... & forms_of_term<typename Leaf::term_type>());
}
template <class Objective>
inline constexpr forms forms_of =
    forms_of_leaves(static_cast<decltype(hone::detail::all_leaves(std::declval<Objective const&>())) (*)()>(nullptr));

/// Whether a loss of regions has one region per image, so that logits must be images.
template <class Objective>
bool has_regions_of_images(Objective const& objective) {
  bool any = false;
  hone::detail::all_leaves(objective).each([&]<class Leaf>([[maybe_unused]] Leaf const& leaf) {
    if constexpr (hone::detail::is_region_loss<typename Leaf::term_type>)
      any = any || hone::detail::region_of(leaf.term).policy.per_image;
  });
  return any;
}

/// What a function that makes an objective receives, `view`: view(x) is a tensor like the logits, such as soft targets
/// or a teacher's logits, in their number type and form; view.labels(y) are labels of any integer dtype. Both keep
/// their tensor during the call, also a temporary, and copy what has no view.
template <class T, form Form, at::DeviceType Device>
class call_view {
 public:
  call_view(const char* function, at::Tensor const& logits, bool gradient, std::vector<at::Tensor>& kept) noexcept
      : function_(function), logits_(&logits), gradient_(gradient), kept_(&kept) {}

  /// Throws hone::invalid_argument if device, dtype or sizes are not those of the logits, and if x requires a gradient
  /// where those of the logits are computed: a loss has none for other tensors.
  auto operator()(at::Tensor const& x) const {
    require_device(function_, "a tensor of view()", x, Device);
    if (x.scalar_type() != logits_->scalar_type())
      hone::detail::fail(
          "%s: a tensor of view() is %s, the logits are %s: convert it, or view it by rows_of or pixels_of", function_,
          toString(x.scalar_type()), toString(logits_->scalar_type()));
    if (x.sizes() != logits_->sizes())
      hone::detail::fail("%s: a tensor of view() is %s, the logits are %s", function_, layout_of(x).c_str(),
                         layout_of(*logits_).c_str());
    if (gradient_ && x.requires_grad() && at::GradMode::is_enabled())
      hone::detail::fail(
          "%s: a tensor of view() requires a gradient, and a loss has one for the logits alone: detach it", function_);
    kept_->push_back(in_form(Form, x));
    return view_in_form<const T, Form>(kept_->back());
  }

  /// Throws hone::invalid_argument if the dtype is no integer type, if the device is not that of the logits, and if
  /// there are as many sizes as for labels of pixels, but others.
  std::span<const std::int64_t> labels(at::Tensor const& y) const {
    require_device(function_, "a tensor of view.labels()", y, Device);
    if (!at::isIntegralType(y.scalar_type(), false))
      hone::detail::fail("%s: a tensor of view.labels() is %s, must be of an integer dtype", function_,
                         toString(y.scalar_type()));
    const at::DimVector sizes = sizes_of_rows(*logits_);
    if (sizes.size() > 1 && y.dim() == static_cast<std::int64_t>(sizes.size()) && y.sizes() != at::IntArrayRef(sizes))
      hone::detail::fail(
          "%s: a tensor of view.labels() is %s, the logits are %s: the sizes must be those of the pixels", function_,
          layout_of(y).c_str(), layout_of(*logits_).c_str());
    kept_->push_back(y.scalar_type() == at::kLong ? y.contiguous() : y.to(at::kLong).contiguous());
    return {numbers_of<const std::int64_t>(kept_->back()), static_cast<std::size_t>(y.numel())};
  }

 private:
  const char* function_;
  at::Tensor const* logits_;
  bool gradient_;
  std::vector<at::Tensor>* kept_;
};

}  // namespace hone::inline HONE_ABI::adapt::detail

#include <hone/core/macros_pop.hpp>
