// SPDX-License-Identifier: MIT
/// Small nets and data for the tests of the dlib adapter.
#pragma once

#include <hone/adapt/dlib.hpp>
#include <hone/hone.hpp>
#include "../../support/message.hpp"

#include <dlib/dnn.h>

#include <cmath>
#include <string>
#include <vector>

namespace nets {

using image = dlib::matrix<float>;

template <class Subnet>
using classifier = dlib::fc<3, dlib::relu<dlib::con<4, 3, 3, 1, 1, Subnet>>>;
template <class Subnet>
using segmenter = dlib::con<3, 1, 1, 1, 1, dlib::relu<dlib::con<4, 3, 3, 1, 1, Subnet>>>;
using input = dlib::input<image>;

struct plain {
  template <class Label>
  auto objective(std::vector<Label> const& y) const {
    return hone::cross_entropy(hone::adapt::detail::dlib_classes(y));
  }
};

template <class Factory>
using class_net = dlib::add_loss_layer<hone::adapt::dlib_loss<Factory>, classifier<input>>;
template <class Factory>
using pixel_net = dlib::add_loss_layer<hone::adapt::dlib_pixel_loss<Factory>, segmenter<input>>;

inline std::vector<image> images(int count, long rows = 5, long columns = 7) {
  std::vector<image> all;
  for (int i = 0; i < count; ++i) {
    image x(rows, columns);
    for (long k = 0; k < rows * columns; ++k) x(k) = float(std::sin(0.7 * double(k) + 1.3 * i));
    all.push_back(x);
  }
  return all;
}

inline const std::vector<unsigned long> labels = {2, 0, 1, 2, 1, 1};

template <class Net>
dlib::resizable_tensor tensor_of(Net const& net, std::vector<image> const& x) {
  dlib::resizable_tensor t;
  net.to_tensor(x.begin(), x.end(), t);
  return t;
}

template <class List>
std::vector<float> numbers_of(List const& list) {
  std::vector<float> all;
  for (auto const& t : list) all.insert(all.end(), t.data, t.data + t.size);
  return all;
}

}  // namespace nets
