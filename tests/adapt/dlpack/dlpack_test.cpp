// SPDX-License-Identifier: MIT
#include <hone/adapt/dlpack.hpp>

#include <hone/hone.hpp>
#include "../../support/message.hpp"
#include "../../support/numbers.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

#if __has_include(<dlpack/dlpack.h>)
#include <dlpack/dlpack.h>
#endif

namespace {

using hone::adapt::channels_last_pixels_of;
using hone::adapt::column_major_rows_of;
using hone::adapt::columns_of;
using hone::adapt::dlpack_device;
using hone::adapt::labels_of;
using hone::adapt::pixels_of;
using hone::adapt::rows_of;
using hone::adapt::tensor_of;
using hone::adapt::visit_labels;
using hone::adapt::visit_pixels;
using hone::adapt::visit_rows;
using support::message;

/// The structs of DLPack 1.x, in which an owner has a version and flags.
namespace v1 {
using device_kind = std::int32_t;
constexpr device_kind cpu = 1, cuda = 2, cuda_host = 3, metal = 8, cuda_managed = 13;
struct device {
  device_kind device_type;
  std::int32_t device_id;
};
struct data_type {
  std::uint8_t code, bits;
  std::uint16_t lanes;
};
struct tensor {
  void* data;
  struct device device;
  std::int32_t ndim;
  data_type dtype;
  std::int64_t* shape;
  std::int64_t* strides;
  std::uint64_t byte_offset;
};
struct managed {
  struct {
    std::uint32_t major, minor;
  } version;
  void* manager_ctx;
  void (*deleter)(managed*);
  std::uint64_t flags;
  tensor dl_tensor;
};
}  // namespace v1

template <class T>
constexpr v1::data_type type_of = {std::uint8_t(hone::detail::dlpack_code<T>()), 8 * sizeof(T), 1};

/// A tensor with its sizes and strides; no strides if none are given.
template <class T>
struct made {
  std::vector<std::int64_t> shape, strides;
  v1::tensor t = {};

  made(T* data, std::vector<std::int64_t> sizes, std::vector<std::int64_t> steps = {})
      : shape(std::move(sizes)), strides(std::move(steps)) {
    t = {data,       {v1::cpu, 0}, std::int32_t(shape.size()),
         type_of<T>, shape.data(), strides.empty() ? nullptr : strides.data(),
         0};
  }
  made(made const&) = delete;
  made& operator=(made const&) = delete;
};

const hone::cpu cpu{1};
constexpr hone::index rows = 37, classes = 10;

template <class T>
std::vector<T> logits() {
  std::vector<T> z;
  z.reserve(rows * classes);
  for (hone::index i = 0; i < rows * classes; ++i) z.push_back(T(float(support::noise(i))));
  return z;
}
std::vector<std::int64_t> labels() {
  const std::vector<int> y = support::labels(rows, classes);
  return {y.begin(), y.end()};
}

}  // namespace

TEST_CASE_TEMPLATE("rows of every number type have the bits of a bare view", T, float, double, Eigen::half,
                   Eigen::bfloat16) {
  std::vector<T> z = logits<T>(), gradient(z.size()), expected(z.size());
  std::vector<std::int64_t> y = labels();
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(y), 0.1));
  const double value = hone::evaluate(cpu, objective, hone::matrix_view{z.data(), rows, classes},
                                      {.gradient = {expected.data(), rows, classes}});
  const made<T> tensor(z.data(), {rows, classes}), with_strides(z.data(), {rows, classes}, {classes, 1}),
      slopes(gradient.data(), {rows, classes});
  made<std::int64_t> targets(y.data(), {rows});
  const auto through = hone::cross_entropy(hone::smooth(hone::classes(labels_of<std::int64_t>(targets.t)), 0.1));
  CHECK(hone::evaluate(cpu, through, rows_of<const T>(tensor.t), {.gradient = rows_of<T>(slopes.t)}) == value);
  CHECK((gradient == expected));
  CHECK(hone::evaluate(cpu, through, rows_of<T>(with_strides.t)) == value);
  const double visited = visit_rows<float, double, Eigen::half, Eigen::bfloat16>(
      tensor.t, [&](auto view) { return hone::evaluate(cpu, through, view); });
  CHECK(visited == value);
}

TEST_CASE("strides choose the view") {
  std::vector<float> z = logits<float>();
  const auto at = z.data();
  CHECK(rows_of<float>(made<float>(at, {4, 3}, {8, 1}).t) == hone::matrix_view{at, 4, 3, 8});
  CHECK(column_major_rows_of<float>(made<float>(at, {4, 3}, {1, 4}).t) == hone::image_view{at, 1, 3, 4});
  CHECK(columns_of<float>(made<float>(at, {3, 4}, {1, 8}).t) == hone::matrix_view{at, 4, 3, 8});
  CHECK(rows_of<float>(made<float>(at, {2, 4, 3}).t) == hone::matrix_view{at, 8, 3});  // batch, tokens, vocabulary
  CHECK(rows_of<float>(made<float>(at, {2, 4, 3}, {32, 8, 1}).t) == hone::matrix_view{at, 8, 3, 8});
  CHECK(rows_of<float>(made<float>(at, {1, 3}, {-7, 1}).t) == hone::matrix_view{at, 1, 3});
  CHECK(pixels_of<float>(made<float>(at, {2, 3, 4, 5}).t) == hone::image_view{at, 2, 3, 20});
  CHECK(channels_last_pixels_of<float>(made<float>(at, {2, 3, 4, 5}, {60, 1, 15, 3}).t) ==
        hone::matrix_view{at, 40, 3});
  CHECK(visit_rows<float>(made<float>(at, {4, 3}, {1, 4}).t,
                          [](auto view) { return std::is_same_v<decltype(view), hone::image_view<float>>; }));
  CHECK(visit_pixels<float>(made<float>(at, {2, 3, 4, 5}, {60, 1, 15, 3}).t,
                            [](auto view) { return std::is_same_v<decltype(view), hone::matrix_view<float>>; }));
  CHECK(tensor_of<float>(made<float>(at, {4, 3, 2, 2}).t).columns == 12);
  CHECK(tensor_of<float>(made<float>(at, {7}).t).size == 7);
}

TEST_CASE("column-major rows give the loss of their rows") {
  std::vector<float> z = logits<float>(), across(z.size()), gradient(z.size()), expected(z.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < classes; ++k) across[k * rows + i] = z[i * classes + k];
  const std::vector<std::int64_t> y = labels();
  const auto objective = hone::cross_entropy(hone::classes(y));
  const double value = hone::evaluate(cpu, objective, hone::matrix_view{z.data(), rows, classes},
                                      {.gradient = {expected.data(), rows, classes}});
  const made<float> tensor(across.data(), {rows, classes}, {1, rows}),
      slopes(gradient.data(), {rows, classes}, {1, rows});
  CHECK(hone::evaluate(cpu, objective, column_major_rows_of<const float>(tensor.t),
                       {.gradient = column_major_rows_of<float>(slopes.t)}) == doctest::Approx(value).epsilon(1e-6));
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < classes; ++k)
      CHECK(std::abs(gradient[k * rows + i] - expected[i * classes + k]) < 1e-7F);
  CHECK(message([&] { rows_of<float>(tensor.t); }) ==
        "rows_of: tensor is 37 x 10 with strides 1 x 37, column-major: read it in place with column_major_rows_of or "
        "visit_rows");
}

TEST_CASE("what has no view is refused, and the error says what there is") {
  std::vector<float> z = logits<float>();
  const auto at = z.data();
  CHECK(message([&] { rows_of<float>(made<float>(at, {4, 3}, {6, 2}).t); }) ==
        "rows_of: tensor is 4 x 3 with strides 6 x 2, rows must be contiguous and equally far apart: make a contiguous "
        "copy");
  CHECK(message([&] { rows_of<float>(made<float>(at, {4, 3}, {0, 1}).t); }).starts_with("rows_of: tensor is 4 x 3"));
  CHECK(message([&] { rows_of<float>(made<float>(at, {7}).t); }) ==
        "rows_of: tensor has 1 dimensions, must have at least 2");
  CHECK(message([&] {
          columns_of<float>(made<float>(at, {4, 3}).t);
        }).starts_with("columns_of: transposed tensor is 3 x 4"));
  CHECK(message([&] { columns_of<float>(made<float>(at, {7}).t); }) ==
        "columns_of: tensor has 1 dimensions, must have 2");
  CHECK(message([&] { column_major_rows_of<float>(made<float>(at, {4, 3}).t); }) ==
        "column_major_rows_of: tensor is 4 x 3 with strides 3 x 1, row-major: read it in place with rows_of or "
        "visit_rows");
  CHECK(message([&] { pixels_of<float>(made<float>(at, {2, 3, 4, 5}, {60, 1, 15, 3}).t); }) ==
        "pixels_of: tensor is 2 x 3 x 4 x 5 with strides 60 x 1 x 15 x 3, channels last: read it in place with "
        "channels_last_pixels_of or visit_pixels");
  CHECK(message([&] {
          pixels_of<float>(made<float>(at, {2, 3, 4, 5}, {60, 20, 1, 4}).t);
        }).ends_with("N x C x H x W must be contiguous in this order: make a contiguous copy"));
  CHECK(message([&] {
          channels_last_pixels_of<float>(made<float>(at, {2, 3, 4, 5}).t);
        }).ends_with("channels first: read it in place with pixels_of or visit_pixels"));
  CHECK(message([&] { pixels_of<float>(made<float>(at, {4, 3}).t); }) ==
        "pixels_of: tensor has 2 dimensions, must have at least 3");
  CHECK(message([&] { tensor_of<float>(made<float>(at, {4, 3}, {1, 4}).t); }) ==
        "tensor_of: tensor is 4 x 3 with strides 1 x 4, must be contiguous: make a contiguous copy");
  CHECK(message([&] { rows_of<float>(made<float>(at, {-4, 3}).t); }) ==
        "rows_of: tensor is -4 x 3 with strides 3 x 1, sizes must not be negative");
  CHECK(message([&] {
          rows_of<float>(made<float>(at, {std::int64_t(1) << 40, std::int64_t(1) << 40}).t);
        }).ends_with("more than memory can hold"));
  CHECK(message([&] {
          rows_of<float>(made<float>(nullptr, {4, 3}).t);
        }).ends_with("with strides 3 x 1, but has no data"));
  v1::tensor many = made<float>(at, {4, 3}).t;
  many.ndim = 33;
  CHECK(message([&] { rows_of<float>(many); }) == "rows_of: ndim is 33, must be in [0, 32]");
  many.ndim = 2, many.shape = nullptr;
  CHECK(message([&] { rows_of<float>(many); }) == "rows_of: tensor has 2 dimensions but no shape");
}

TEST_CASE("another dtype is refused") {
  std::vector<double> z = logits<double>();
  made<double> tensor(z.data(), {4, 3});
  CHECK(message([&] { rows_of<float>(tensor.t); }) ==
        "rows_of: tensor holds numbers of code 2, 64 bits and 1 lanes, asked for are code 2, 32 bits and 1 lane");
  CHECK(message([&] { rows_of<Eigen::half>(tensor.t); }).ends_with("asked for are code 2, 16 bits and 1 lane"));
  CHECK(message([&] { rows_of<Eigen::bfloat16>(tensor.t); }).ends_with("asked for are code 4, 16 bits and 1 lane"));
  CHECK(message([&] { labels_of<std::int64_t>(tensor.t); }).ends_with("asked for are code 0, 64 bits and 1 lane"));
  CHECK(message([&] { labels_of<std::uint8_t>(tensor.t); }).ends_with("asked for are code 1, 8 bits and 1 lane"));
  CHECK(message([&] { visit_rows<float, Eigen::half>(tensor.t, [](auto) {}); }) ==
        "visit_rows: tensor holds numbers of code 2, 64 bits and 1 lanes, which is none of the types asked for");
  tensor.t.dtype.lanes = 4;
  CHECK(message([&] {
          rows_of<double>(tensor.t);
        }).starts_with("rows_of: tensor holds numbers of code 2, 64 bits and 4 l"));
}

TEST_CASE("the device is checked") {
  std::vector<float> z = logits<float>();
  made<float> tensor(z.data(), {4, 3});
  const auto on = [&](v1::device_kind type, int id, dlpack_device where) {
    tensor.t.device = {type, id};
    return message([&] { rows_of<float>(tensor.t, where); });
  };
  constexpr auto host = dlpack_device::host(), first = dlpack_device::cuda_device(0),
                 second = dlpack_device::cuda_device(1);
  CHECK(on(v1::cpu, 0, host).empty());
  CHECK(on(v1::cuda_host, 0, host).empty());
  CHECK(on(v1::cuda_managed, 0, host).empty());
  CHECK(on(v1::cuda, 0, host) == "rows_of: tensor is on device 0 of type 2, must be in memory of the host");
  CHECK(on(v1::metal, 0, host) == "rows_of: tensor is on device 0 of type 8, must be in memory of the host");
  CHECK(on(v1::cuda, 0, first).empty());
  CHECK(on(v1::cuda, 1, second).empty());
  CHECK(on(v1::cuda_host, 0, second).empty());
  CHECK(on(v1::cuda_managed, 0, second).empty());
  CHECK(on(v1::cuda, 0, second) ==
        "rows_of: tensor is on device 0 of type 2, must be on CUDA device 1, pinned or managed");
  CHECK(on(v1::cpu, 0, first) ==
        "rows_of: tensor is on device 0 of type 1, must be on CUDA device 0, pinned or managed");
}

TEST_CASE("the byte offset counts, and numbers are aligned") {
  std::vector<float> z = logits<float>();
  made<float> tensor(z.data(), {4, 3});
  tensor.t.byte_offset = 20;
  CHECK(rows_of<float>(tensor.t) == hone::matrix_view{z.data() + 5, 4, 3});
  tensor.t.byte_offset = 2;
  CHECK(message([&] { rows_of<float>(tensor.t); }) ==
        "rows_of: tensor begins at an address that is no multiple of 4 bytes");
}

TEST_CASE("a read-only tensor of version 1 gives views of const alone") {
  std::vector<float> z = logits<float>();
  const made<float> tensor(z.data(), {4, 3});
  v1::managed owner{{1, 1}, nullptr, nullptr, 0, tensor.t};
  CHECK(rows_of<float>(owner) == hone::matrix_view{z.data(), 4, 3});
  owner.flags = 2;  // copied
  CHECK(rows_of<float>(owner) == hone::matrix_view{z.data(), 4, 3});
  owner.flags = 1;
  CHECK(message([&] { rows_of<float>(owner); }) == "rows_of: tensor is read-only: ask for const numbers");
  CHECK(message([&] { tensor_of<float>(owner); }) == "tensor_of: tensor is read-only: ask for const numbers");
  CHECK(message([&] { visit_rows<float>(owner, [](auto) {}); }).starts_with("visit_rows: tensor is read-only"));
  CHECK(rows_of<const float>(owner) == hone::matrix_view<const float>{z.data(), 4, 3});
  owner.version.major = 2;
  CHECK(message([&] { rows_of<const float>(owner); }) ==
        "rows_of: tensor is of DLPack 2, hone knows the layout of version 1");
}

TEST_CASE_TEMPLATE("labels are of any integer type and of any contiguous shape", Label, std::int64_t, std::int32_t,
                   std::int16_t, std::int8_t, std::uint64_t, std::uint32_t, std::uint16_t, std::uint8_t) {
  std::vector<Label> y(24, Label(3));
  const made<Label> tensor(y.data(), {2, 3, 4});
  CHECK(labels_of<Label>(tensor.t).data() == y.data());
  CHECK(labels_of<Label>(tensor.t).size() == 24);
  CHECK(visit_labels(tensor.t, [](auto span) { return span.size() == 24 && span[5] == 3; }));
  CHECK(labels_of<Label>(made<Label>(y.data(), {}).t).size() == 1);
  CHECK(message([&] { labels_of<Label>(made<Label>(y.data(), {12}, {2}).t); }) ==
        "labels_of: tensor is 12 with strides 2, must be contiguous: make a contiguous copy");
}

TEST_CASE("empty tensors are views of nothing") {
  const made<float> none(nullptr, {0, 10}), no_classes(nullptr, {4, 0}, {77, 5}), no_images(nullptr, {0, 3, 4, 5});
  CHECK(hone::evaluate(cpu, hone::z_loss(1), rows_of<float>(none.t)) == 0);
  CHECK(rows_of<float>(no_classes.t).rows == 4);
  CHECK(pixels_of<float>(no_images.t).images == 0);
  CHECK(tensor_of<float>(no_classes.t).size == 0);
  CHECK(labels_of<int>(made<int>(nullptr, {0}).t).empty());
}

#if __has_include(<dlpack/dlpack.h>)
TEST_CASE("dlpack.h") {
  std::vector<float> z = logits<float>();
  std::int64_t shape[] = {4, 3};
  DLTensor tensor{};
  tensor.data = z.data();
  tensor.device = {kDLCPU, 0};
  tensor.ndim = 2;
  tensor.dtype = {kDLFloat, 32, 1};
  tensor.shape = shape;
  CHECK(rows_of<float>(tensor) == hone::matrix_view{z.data(), 4, 3});
  tensor.device = {kDLCUDA, 0};
  CHECK_FALSE(message([&] { rows_of<float>(tensor); }).empty());
  tensor.device = {kDLCUDAManaged, 0};
  DLManagedTensor owner{tensor, nullptr, nullptr};
  CHECK(rows_of<const float>(owner) == hone::matrix_view<const float>{z.data(), 4, 3});
  CHECK(visit_rows<const float, const double>(owner, [](auto view) { return static_cast<void const*>(view.data); }) ==
        z.data());
  CHECK(int(kDLInt) == hone::detail::dl_int);
  CHECK(int(kDLUInt) == hone::detail::dl_uint);
  CHECK(int(kDLBfloat) == hone::detail::dl_bfloat);
  CHECK(int(kDLCUDAHost) == hone::detail::dl_cuda_host);
  CHECK(int(kDLROCMHost) == hone::detail::dl_rocm_host);
}
#endif

namespace {

/// The example of docs/matrices.md.
double loss_of(const v1::managed& logits, const v1::managed& gradient, const v1::managed& labels) {
  // [dlpack]
  const auto y = hone::adapt::labels_of<std::int64_t>(labels);
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(y), 0.1));
  const double loss = hone::evaluate(cpu, objective, hone::adapt::rows_of<const float>(logits),
                                     {.gradient = hone::adapt::rows_of<float>(gradient)});
  // [/dlpack]
  return loss;
}
double any_loss_of(const v1::managed& logits, const v1::managed& labels) {
  // [visit]
  const double loss = hone::adapt::visit_labels(labels, [&](auto y) {
    return hone::adapt::visit_rows<const float, const double, const Eigen::half>(logits, [&](auto z) {
      return hone::evaluate(cpu, hone::cross_entropy(hone::smooth(hone::classes(y), 0.1)), z);  // of any type and order
    });
  });
  // [/visit]
  return loss;
}

}  // namespace

TEST_CASE("the examples of docs/matrices.md") {
  std::vector<float> z = logits<float>(), gradient(z.size());
  std::vector<std::int64_t> y = labels();
  made<std::int64_t> label_tensor(y.data(), {rows});
  made<float> logit_tensor(z.data(), {rows, classes}), gradient_tensor(gradient.data(), {rows, classes});
  const v1::managed read{{1, 0}, nullptr, nullptr, 1, logit_tensor.t},
      written{{1, 0}, nullptr, nullptr, 0, gradient_tensor.t}, targets{{1, 0}, nullptr, nullptr, 1, label_tensor.t};
  CHECK(loss_of(read, written, targets) > 0);
  CHECK(any_loss_of(read, targets) == loss_of(read, written, targets));
}
