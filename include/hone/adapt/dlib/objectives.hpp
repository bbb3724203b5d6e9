// SPDX-License-Identifier: MIT
/// Ready objectives for the loss layers of dlib. Their numbers are saved with the net.
#pragma once

#include <hone/adapt/dlib/labels.hpp>
#include <hone/distil/distillation.hpp>
#include <hone/loss/row/cross_entropy.hpp>
#include <hone/loss/row/softmax_focal.hpp>
#include <hone/target/classes.hpp>
#include <hone/target/mix.hpp>
#include <hone/target/smooth.hpp>

#include <dlib/serialize.h>

#include <concepts>
#include <cstdint>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

/// Pixels have 16-bit labels in dlib, of which the largest is to ignore.
template <std::integral Label>
auto dlib_classes(std::vector<Label> const& y) {
  if constexpr (std::same_as<Label, std::uint16_t>)
    return classes(y, {.ignore = 65535});
  else
    return classes(y);
}

}  // namespace detail

/// Cross-entropy of smoothed labels, in a dlib_loss or a dlib_pixel_loss; hone::smooth checks epsilon.
struct dlib_smoothed {
  static constexpr char const* name = "smoothed";
  double epsilon = 0.1;

  template <std::integral Label>
  auto objective(std::vector<Label> const& y) const {
    return cross_entropy(smooth(detail::dlib_classes(y), epsilon));
  }
  friend void serialize(dlib_smoothed const& item, std::ostream& out) { dlib::serialize(item.epsilon, out); }
  friend void deserialize(dlib_smoothed& item, std::istream& in) { dlib::deserialize(item.epsilon, in); }
};

/// Focal loss of softmax, in a dlib_loss or a dlib_pixel_loss.
struct dlib_focal {
  static constexpr char const* name = "focal";
  double gamma = 2;

  template <std::integral Label>
  auto objective(std::vector<Label> const& y) const {
    return softmax_focal_loss(detail::dlib_classes(y), {.gamma = gamma});
  }
  friend void serialize(dlib_focal const& item, std::ostream& out) { dlib::serialize(item.gamma, out); }
  friend void deserialize(dlib_focal& item, std::istream& in) { dlib::deserialize(item.gamma, in); }
};

/// Cross-entropy of mixed and smoothed labels, in a dlib_loss whose labels are mixed_label.
struct dlib_mixed {
  static constexpr char const* name = "mixed";
  double epsilon = 0.1;

  auto objective(mixed_labels const& y) const {
    return cross_entropy(smooth(mix(classes(y.labels), classes(y.partners), y.lambda), epsilon));
  }
  friend void serialize(dlib_mixed const& item, std::ostream& out) { dlib::serialize(item.epsilon, out); }
  friend void deserialize(dlib_mixed& item, std::istream& in) { dlib::deserialize(item.epsilon, in); }
};

/// (1 - share) · cross-entropy of the labels + share · distillation from a teacher, in a dlib_loss whose labels are
/// taught_label.
struct dlib_taught {
  static constexpr char const* name = "taught";
  double temperature = 4, share = 0.5;

  auto objective(taught_labels const& y) const {
    return (1 - share) * cross_entropy(classes(y.labels)) + share * distillation(y.teacher(), temperature);
  }
  friend void serialize(dlib_taught const& item, std::ostream& out) {
    dlib::serialize(item.temperature, out), dlib::serialize(item.share, out);
  }
  friend void deserialize(dlib_taught& item, std::istream& in) {
    dlib::deserialize(item.temperature, in), dlib::deserialize(item.share, in);
  }
};

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
