// SPDX-License-Identifier: MIT
/// The arrays of all works on rows: a matrix of logits and whatever its loss reads.
#pragma once

#include "../random.hpp"
#include "../streams.hpp"
#include "../work.hpp"

#include <hone/hone.hpp>

#include <span>
#include <string>
#include <type_traits>

namespace bench {

enum class layout { matrix, images };

struct logits_shape {
  index rows, columns;
  index padding = 0;      ///< between the rows
  index images = 0;       ///< if not 0, of rows / images pixels each
  bool in_place = false;  ///< the gradient replaces the logits

  std::string name() const {
    return images == 0 ? std::to_string(rows) + "x" + std::to_string(columns)
                       : std::to_string(images) + "x" + std::to_string(columns) + "x" + std::to_string(rows / images);
  }
};

/// What a loss reads besides logits and labels.
struct logits_inputs {
  bool teacher = false, targets = false, two_labels = false, class_weights = false;
};

/// T is float or Eigen::bfloat16.
template <class T>
class logits : public data {
 public:
  using twin_type = twin_number<T>;

  logits_shape shape;
  logits_inputs inputs;
  index stride;
  T *z = nullptr, *gradient = nullptr, *teacher = nullptr, *targets = nullptr;
  index *label = nullptr, *other_label = nullptr;
  float *lambda = nullptr, *class_weight = nullptr;

  logits(logits_shape s, logits_inputs i = {}) : shape(s), inputs(i), stride(s.columns + s.padding) {}

  auto view(T* p) const { return hone::matrix_view<T>{p, shape.rows, shape.columns, stride}; }
  auto image_view(T* p) const { return hone::image_view<T>{p, shape.images, shape.columns, shape.rows / shape.images}; }
  auto classes() const { return hone::classes(std::span<index const>(label, std::size_t(shape.rows))); }
  auto other_classes() const { return hone::classes(std::span<index const>(other_label, std::size_t(shape.rows))); }
  auto lambdas() const { return std::span<float const>(lambda, std::size_t(shape.rows)); }
  auto class_weights() const { return std::span<float const>(class_weight, std::size_t(shape.columns)); }

  static twin_type const* bits(T const* p) { return reinterpret_cast<twin_type const*>(p); }
  static twin_type* bits(T* p) { return reinterpret_cast<twin_type*>(p); }

  /// Bytes that must move: logits, teacher and targets are read, the gradient is written.
  double bytes() const {
    return static_cast<double>(shape.rows * shape.columns) * sizeof(T) * (2 + inputs.teacher + inputs.targets);
  }

 private:
  T* matrix(char const* name) {
    if (shape.images != 0) return make<T>(name, {shape.images, shape.columns, shape.rows / shape.images});
    return make<T>(name, {shape.rows, shape.columns}, {stride, 1});
  }

  void fill() override {
    random_numbers random;
    const index size = shape.rows * stride;
    random.normal(z = matrix("logits"), size, 0, 2);
    gradient = shape.in_place ? z : matrix("gradient");
    writes(shape.in_place ? "logits" : "gradient");
    label = make<index>("labels", {shape.rows});
    random.labels(label, shape.rows, shape.columns);
    if (inputs.teacher) random.normal(teacher = matrix("teacher"), size, 0, 3);
    if (inputs.targets) random.distributions(targets = matrix("targets"), shape.rows, shape.columns, stride);
    if (inputs.two_labels) {
      random.labels(other_label = make<index>("other_labels", {shape.rows}), shape.rows, shape.columns);
      random.uniform(lambda = make<float>("lambda", {shape.rows}), shape.rows, 0, 1);
    }
    if (inputs.class_weights)
      random.uniform(class_weight = make<float>("class_weights", {shape.columns}), shape.columns, 0.5f, 2);
  }
};

/// Adds a work on rows for every number of threads. `objective` returns the objective of the data; `twin` does the same
/// by hand, of (data, cpu, past_caches), or is nullptr.
template <class T, layout of = layout::matrix, class Objective, class Twin>
void add_rows(registry& r, std::string const& name, logits_shape shape, logits_inputs inputs,
              Objective const& objective, Twin const& twin) {
  shape.rows = shape.images == 0 ? r.rows(shape.rows) : shape.images * r.rows(shape.rows / shape.images);
  shape.columns = r.columns(shape.columns);
  const auto d = std::make_shared<logits<T>>(shape, inputs);
  const bool past = r.past_caches(static_cast<double>(shape.rows * shape.columns) * sizeof(T));
  for (const int threads : r.settings.threads) {
    const hone::cpu cpu(threads);
    work& w = r.add("rows/" + name + "/" + shape.name(), threads, d->bytes(), d);
    w.add("hone", [=] {
      if constexpr (of == layout::matrix)
        return hone::evaluate(cpu, objective(*d), d->view(d->z), {.gradient = d->view(d->gradient)});
      else
        return hone::evaluate(cpu, objective(*d), d->image_view(d->z), {.gradient = d->image_view(d->gradient)});
    });
    if constexpr (!std::is_same_v<Twin, std::nullptr_t>) w.add("twin", [=] { return twin(*d, cpu, past); });
    const auto floats = [](T const* p) { return reinterpret_cast<float const*>(p); };
    const auto to = [d] { return reinterpret_cast<float*>(d->gradient); };
    const index n = shape.rows * shape.columns * static_cast<index>(sizeof(T)) / static_cast<index>(sizeof(float));
    if (inputs.teacher || inputs.targets)
      streams::add(w, cpu, shape.in_place, [=] {
        return streams::arrays<2>{{floats(d->z), floats(d->teacher ? d->teacher : d->targets)}, to(), n};
      });
    else
      streams::add(w, cpu, shape.in_place, [=] { return streams::arrays<1>{{floats(d->z)}, to(), n}; });
  }
}

}  // namespace bench
