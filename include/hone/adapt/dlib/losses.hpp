// SPDX-License-Identifier: MIT
/// hone's objectives as loss layers of dlib: of classes and of pixels.
#pragma once

#include <hone/adapt/dlib/labels.hpp>
#include <hone/adapt/dlib/saved.hpp>
#include <hone/adapt/dlib/tensors.hpp>
#include <hone/cpu/evaluate.hpp>

#include <cstdint>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

/// Plain labels of a batch.
struct class_labels : std::vector<unsigned long> {
  using label_type = unsigned long;

  void add(unsigned long y) { push_back(y); }
};

template <class Factory, class Labels>
concept makes_objective_of = requires(Factory const& f, Labels const& y) { f.objective(y); };

/// The labels that a factory makes its objective of.
template <class Factory>
consteval auto labels_for() {
  constexpr bool plain = makes_objective_of<Factory, std::vector<unsigned long>>;
  if constexpr (plain) {
    return class_labels();
  } else if constexpr (makes_objective_of<Factory, mixed_labels>) {
    return mixed_labels();
  } else {
    static_assert(makes_objective_of<Factory, taught_labels>,
                  "dlib_loss: the factory needs objective(y) const, where y is a const std::vector<unsigned long>&, a "
                  "hone::adapt::mixed_labels or a hone::adapt::taught_labels");
    return taught_labels();
  }
}

/// Returns the index of the largest of n numbers that lie `stride` apart, the first of equals, as dlib's losses do.
inline index largest_of(float const* x, index n, index stride) noexcept {
  index best = 0;
  for (index k = 1; k < n; ++k)
    if (x[k * stride] > x[best * stride]) best = k;
  return best;
}

template <class Subnet>
void require_output(const char* layer, dlib::tensor const& input, Subnet const& net, bool one_pixel) {
  dlib::tensor const& z = net.get_output();
  const auto expansion = std::intmax_t(net.sample_expansion_factor());
  if (expansion != 1 || z.num_samples() != input.num_samples())
    fail("%s: the net makes %jd outputs of %jd samples, must be one per sample", layer, std::intmax_t(z.num_samples()),
         std::intmax_t(input.num_samples()));
  if (one_pixel && (z.nr() != 1 || z.nc() != 1))
    fail("%s: the output of the net is %jd x %jd x %jd x %jd, must be N x K x 1 x 1", layer,
         std::intmax_t(z.num_samples()), std::intmax_t(z.k()), std::intmax_t(z.nr()), std::intmax_t(z.nc()));
}

}  // namespace detail

/// A loss layer of classes. Factory::objective(y) makes the objective from the labels of a batch, which are a
/// std::vector<unsigned long>, mixed_labels or taught_labels; the labels of the net are unsigned long, mixed_label or
/// taught_label then:
///
///     struct smoothed {
///       auto objective(std::vector<unsigned long> const& y) const {
///         return hone::cross_entropy(hone::smooth(hone::classes(y), 0.1));
///       }
///     };
///     template <class Subnet> using loss_smoothed = dlib::add_loss_layer<hone::adapt::dlib_loss<smoothed>, Subnet>;
///
/// The output of the net is N x K x 1 x 1. Value and gradient are means over the samples, as those of dlib's losses.
/// A label that is no class is hone::invalid_argument; in dnn_trainer it leaves a later call of the trainer.
/// A factory with members needs serialize and deserialize; its `name`, a string, is saved with it.
template <class Factory>
class dlib_loss : public detail::saved_loss<dlib_loss<Factory>, Factory> {
  using labels = decltype(detail::labels_for<Factory>());

 public:
  using training_label_type = typename labels::label_type;
  using output_label_type = unsigned long;
  static constexpr char const* layer_name = "dlib_loss";

  dlib_loss() = default;
  dlib_loss(Factory factory, cpu backend = {})  // NOLINT(google-explicit-constructor)
      : detail::saved_loss<dlib_loss, Factory>(std::move(factory)), backend_(backend) {}

  template <class Subnet, class Labels>
  void to_label(dlib::tensor const& input, Subnet const& net, Labels to) const {
    detail::require_output(layer_name, input, net, true);
    const matrix_view z = rows_of(net.get_output());
    for (index i = 0; i < z.rows; ++i) *to++ = static_cast<unsigned long>(detail::largest_of(z.row(i), z.columns, 1));
  }

  template <class Labels, class Subnet>
  double compute_loss_value_and_gradient(dlib::tensor const& input, Labels truth, Subnet& net) const {
    detail::require_output(layer_name, input, net, true);
    labels y;
    for (long i = 0; i < input.num_samples(); ++i, ++truth) y.add(*truth);
    dlib::tensor const& z = net.get_output();
    dlib::tensor& gradient = net.get_gradient_input();
    const matrix_view logits = rows_of(z);
    return evaluate(backend_, this->factory().objective(std::as_const(y)), logits,
                    {.gradient = {gradient.host_write_only(), logits.rows, logits.columns}});
  }

 private:
  cpu backend_;
};

/// A loss layer of pixels. Factory::objective(y) makes the objective from a std::vector<std::uint16_t>: the labels of
/// all pixels, image by image. The labels of the net are matrices, as those of dlib::loss_multiclass_log_per_pixel;
/// 65535 (label_to_ignore) must be given to hone::classes as `ignore`. The output of the net is N x K x nr x nc. The
/// mean is over the pixels that count; dlib's own losses divide by all pixels, ignored ones too.
template <class Factory>
class dlib_pixel_loss : public detail::saved_loss<dlib_pixel_loss<Factory>, Factory> {
  static_assert(
      detail::makes_objective_of<Factory, std::vector<std::uint16_t>>,
      "dlib_pixel_loss: the factory needs objective(y) const, where y is a const std::vector<std::uint16_t>&");

 public:
  using training_label_type = dlib::matrix<std::uint16_t>;
  using output_label_type = dlib::matrix<std::uint16_t>;
  static constexpr char const* layer_name = "dlib_pixel_loss";
  static constexpr std::uint16_t label_to_ignore = 65535;

  dlib_pixel_loss() = default;
  dlib_pixel_loss(Factory factory, cpu backend = {})  // NOLINT(google-explicit-constructor)
      : detail::saved_loss<dlib_pixel_loss, Factory>(std::move(factory)), backend_(backend) {}

  template <class Subnet, class Labels>
  void to_label(dlib::tensor const& input, Subnet const& net, Labels to) const {
    detail::require_output(layer_name, input, net, false);
    dlib::tensor const& z = net.get_output();
    const image_view logits = pixels_of(z);
    for (index n = 0; n < logits.images; ++n, ++to) {
      to->set_size(z.nr(), z.nc());
      for (index p = 0; p < logits.pixels; ++p)
        (*to)(long(p) / z.nc(), long(p) % z.nc()) = static_cast<std::uint16_t>(
            detail::largest_of(logits.data + n * logits.channels * logits.pixels + p, logits.channels, logits.pixels));
    }
  }

  template <class Labels, class Subnet>
  double compute_loss_value_and_gradient(dlib::tensor const& input, Labels truth, Subnet& net) const {
    detail::require_output(layer_name, input, net, false);
    dlib::tensor const& z = net.get_output();
    dlib::tensor& gradient = net.get_gradient_input();
    std::vector<std::uint16_t> y;
    y.reserve(static_cast<std::size_t>(z.num_samples() * z.nr() * z.nc()));
    for (long n = 0; n < z.num_samples(); ++n, ++truth) {
      if (truth->nr() != z.nr() || truth->nc() != z.nc())
        detail::fail("dlib_pixel_loss: the label of sample %jd is %jd x %jd, the output of the net is %jd x %jd",
                     std::intmax_t(n), std::intmax_t(truth->nr()), std::intmax_t(truth->nc()), std::intmax_t(z.nr()),
                     std::intmax_t(z.nc()));
      y.insert(y.end(), truth->begin(), truth->end());
    }
    const image_view logits = pixels_of(z);
    return evaluate(backend_, this->factory().objective(std::as_const(y)), logits,
                    {.gradient = {gradient.host_write_only(), logits.images, logits.channels, logits.pixels}});
  }

 private:
  cpu backend_;
};

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
