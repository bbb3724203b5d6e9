// SPDX-License-Identifier: MIT
// rows_of, columns_of, pixels_of, channels_last_of and labels_of, without autograd.
#include <hone/adapt/torch/tensor.hpp>
#include <hone/hone.hpp>

#include <support/message.hpp>

#include <ATen/ATen.h>
#include <doctest/doctest.h>

namespace ha = hone::adapt;

namespace {

template <class Body>
std::string said(Body const& body) {
  return support::message(body);
}

}  // namespace

TEST_CASE("torch: views are those of the tensor's memory") {
  const at::Tensor x = at::rand({4, 3});
  const auto rows = ha::rows_of(x);
  CHECK((rows.data == x.data_ptr<float>() && rows.rows == 4 && rows.columns == 3 && rows.row_stride == 3));
  const at::Tensor some = x.narrow(1, 1, 2);
  const auto apart = ha::rows_of(some);
  CHECK((apart.data == x.data_ptr<float>() + 1 && apart.rows == 4 && apart.columns == 2 && apart.row_stride == 3));
  const auto columns = ha::columns_of(x);
  CHECK((columns.images == 1 && columns.channels == 4 && columns.pixels == 3));
  const at::Tensor images = at::rand({2, 3, 4, 5}), last = images.contiguous(at::MemoryFormat::ChannelsLast);
  const auto pixels = ha::pixels_of(images);
  CHECK((pixels.images == 2 && pixels.channels == 3 && pixels.pixels == 20));
  const auto of_last = ha::channels_last_of(last);
  CHECK((of_last.data == last.data_ptr<float>() && of_last.rows == 40 && of_last.columns == 3));
  for (int n = 0; n < 2; ++n)
    for (int c = 0; c < 3; ++c)
      for (int p = 0; p < 20; ++p) {
        const float expected = images[n][c][p / 5][p % 5].item<float>();
        CHECK(of_last.row(n * 20 + p)[c] == expected);
        CHECK(pixels.data[(n * 3 + c) * 20 + p] == expected);
      }
}

TEST_CASE("torch: a transposed tensor is never read as rows") {
  const at::Tensor x = at::rand({3, 4}), transposed = x.t();
  CHECK(said([&] { ha::rows_of(transposed); }).find("rows_of: the tensor is 4 x 3 with strides 1, 4") == 0);
  CHECK(said([&] { ha::columns_of(transposed); }).find("columns_of: the tensor is 4 x 3 with strides 1, 4") == 0);
  const at::Tensor y = at::tensor({0, 2, 1, 0}, at::kLong);
  const auto objective = hone::cross_entropy(hone::classes(ha::labels_of(y)));
  const at::Tensor copy = transposed.contiguous();
  CHECK(hone::evaluate(hone::cpu{1}, objective, ha::columns_of(x)) ==
        doctest::Approx(hone::evaluate(hone::cpu{1}, objective, ha::rows_of(copy))).epsilon(1e-6));
}

TEST_CASE("torch: strides that no view has are refused") {
  const at::Tensor x = at::rand({4, 6}), spread = x.slice(1, 0, 6, 2), same = at::rand({1, 3}).expand({4, 3}),
                   scalar = at::rand({}), cube = at::rand({2, 3, 4}), one = at::rand({4, 1}).expand({4, 3});
  for (const at::Tensor& bad : {spread, same, one, scalar, cube}) CHECK(!said([&] { ha::rows_of(bad); }).empty());
  const at::Tensor images = at::rand({2, 3, 4, 5}), last = images.contiguous(at::MemoryFormat::ChannelsLast),
                   turned = images.transpose(2, 3);
  CHECK(said([&] { ha::pixels_of(last); }).find("pixels_of: the tensor is 2 x 3 x 4 x 5 with strides 60, 1, 15, 3") ==
        0);
  CHECK(!said([&] { ha::channels_last_of(images); }).empty());
  CHECK(!said([&] { ha::pixels_of(turned); }).empty());
  CHECK(!said([&] { ha::channels_last_of(turned); }).empty());
  const at::Tensor row = at::rand({1, 3}).t().t(), column = at::rand({5, 9}).select(1, 2);
  CHECK(ha::rows_of(row).columns == 3);
  CHECK((ha::rows_of(column).rows == 5 && ha::rows_of(column).columns == 1 && ha::rows_of(column).row_stride == 9));
}

TEST_CASE("torch: dtypes are checked, not reinterpreted") {
  const at::Tensor wide = at::rand({4, 3}, at::kDouble), half = wide.to(at::kHalf), brain = wide.to(at::kBFloat16);
  CHECK(said([&] { ha::rows_of(wide); }) ==
        "rows_of: the tensor is Double, must be Float: name the type of its numbers, as in rows_of<double>");
  CHECK(ha::rows_of<double>(wide).data == wide.data_ptr<double>());
  CHECK(static_cast<float>(*ha::rows_of<Eigen::half>(half).data) == half[0][0].item<float>());
  CHECK(static_cast<float>(*ha::rows_of<c10::Half>(half).data) == half[0][0].item<float>());
  CHECK(static_cast<float>(*ha::rows_of<Eigen::bfloat16>(brain).data) == brain[0][0].item<float>());
  CHECK(!said([&] { ha::rows_of<Eigen::bfloat16>(half); }).empty());
}

TEST_CASE("torch: the half types of c10 give the numbers of Eigen's") {
  const at::Tensor z = at::rand({4, 3}).to(at::kHalf), y = at::tensor({0, 2, 1, 0}, at::kLong);
  const auto objective = hone::cross_entropy(hone::classes(ha::labels_of(y)));
  CHECK(hone::evaluate(hone::cpu{1}, objective, ha::rows_of<c10::Half>(z)) ==
        hone::evaluate(hone::cpu{1}, objective, ha::rows_of<Eigen::half>(z)));
}

TEST_CASE("torch: labels") {
  const at::Tensor y = at::tensor({0, 2, 1, 0}, at::kLong), ints = y.to(at::kInt), pairs = at::stack({y, y}, 1),
                   strided = pairs.select(1, 0), real = y.to(at::kFloat);
  CHECK((ha::labels_of(y).data() == y.data_ptr<std::int64_t>() && ha::labels_of(y).size() == 4));
  CHECK(ha::labels_of(pairs).size() == 8);
  CHECK(said([&] { ha::labels_of(ints); }) ==
        "labels_of: the tensor is Int, must be Long: name the type of its numbers, as in labels_of<std::int32_t>");
  CHECK(ha::labels_of<std::int32_t>(ints)[1] == 2);
  CHECK(said([&] { ha::labels_of(strided); }) == "labels_of: the tensor is 4 with strides 2, must be contiguous");
  CHECK(said([&] { ha::with_labels(real, [](auto) {}); }) ==
        "with_labels: the tensor is Float, must be Byte, Char, Short, Int or Long");
}

TEST_CASE("torch: tensors without numbers, and on other devices") {
  const at::Tensor none = at::empty({0, 3}), meta = at::empty({4, 3}, at::kMeta), undefined;
  CHECK((ha::rows_of(none).rows == 0 && ha::rows_of(none).columns == 3));
  CHECK(said([&] { ha::rows_of(meta); }) == "rows_of: the tensor is on meta, must be on cpu");
  CHECK(said([&] { ha::rows_of(none, at::kCUDA); }) == "rows_of: the tensor is on cpu, must be on cuda");
  CHECK(said([&] { ha::labels_of(undefined); }) == "labels_of: the tensor is an undefined tensor");
}
