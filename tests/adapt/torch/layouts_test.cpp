// SPDX-License-Identifier: MIT
// Strides, dtypes, shapes and devices: a view where there is one, a copy or an error elsewhere, never other numbers.
#include "gradcheck.hpp"

#include <support/message.hpp>

using namespace gradcheck;

namespace {

/// Compares the loss, and its gradient, on a tensor of any strides with those on its contiguous twin.
template <class... Numbers, class Source>
void like_contiguous(Source const& source, at::Tensor const& logits) {
  CAPTURE(logits.strides());
  const at::Tensor twin = logits.detach().contiguous().clone().requires_grad_();
  const at::Tensor z = logits.detach().requires_grad_();
  const at::Tensor loss = ha::loss<Numbers...>(source, z), expected = ha::loss<Numbers...>(source, twin);
  // Another form adds in another order.
  const at::ScalarType type = logits.scalar_type();
  const double close = type == at::kDouble ? 1e-12 : 1e-5, rounded = type == at::kDouble ? 1e-14 : 1e-3;
  CHECK(number(loss) == doctest::Approx(number(expected)).epsilon(close));
  CHECK(distance(gradient(loss, z), gradient(expected, twin)) < rounded);
  CHECK(distance(ha::losses<Numbers...>(source, logits), ha::losses<Numbers...>(source, twin)) < close);
}

const at::Tensor y = labels(6, 5), q = at::softmax(waves({6, 5}, 0.9), 1), teacher = waves({6, 5}, 2.3);

std::vector<at::Tensor> matrices() {
  const at::Tensor wide = waves({6, 11}), tall = waves({12, 5}), deep = waves({6, 2, 5});
  return {waves({6, 5}),
          waves({5, 6}).t(),
          wide.narrow(1, 3, 5),
          wide.slice(1, 0, 10, 2),
          tall.slice(0, 0, 12, 2),
          waves({11, 6}).t().narrow(1, 2, 5),
          waves({1, 5}).expand({6, 5}),
          waves({6, 1}).expand({6, 5}),
          deep.select(1, 1),
          waves({5, 6}).t().slice(0, 0, 6, 1)};
}
std::vector<at::Tensor> images() {
  const at::Tensor z = waves({2, 5, 3, 4});
  return {z,
          z.contiguous(at::MemoryFormat::ChannelsLast),
          waves({2, 5, 4, 3}).transpose(2, 3),
          z.transpose(0, 1).contiguous().transpose(0, 1),
          waves({2, 7, 3, 4}).narrow(1, 1, 5),
          waves({2, 5, 3, 8}).slice(3, 0, 8, 2),
          waves({2, 5, 1, 4}).expand({2, 5, 3, 4}),
          waves({1, 5, 3, 4}).expand({2, 5, 3, 4})};
}

}  // namespace

TEST_CASE("torch: matrices of any strides") {
  const auto target = hone::classes(ha::labels_of(y));
  for (const at::Tensor& z : matrices()) {
    like_contiguous<double>(hone::cross_entropy(hone::smooth(target, 0.1)), z);
    like_contiguous<double>(hone::cross_entropy(hone::probabilities(ha::rows_of<double>(q))), z);
    like_contiguous<double>([&](auto view) { return hone::distillation(view(teacher), 4); }, z);
    like_contiguous<double>([&](auto view) { return hone::binary_cross_entropy(view(q)); }, z);
  }
}

TEST_CASE("torch: soft targets and teachers of any strides") {
  const at::Tensor z = waves({6, 5}), transposed = waves({5, 6}).t();
  for (const at::Tensor& x : matrices())
    for (const at::Tensor& logits : {z, transposed}) {
      const at::Tensor p = at::sigmoid(x);
      const auto of = [&](at::Tensor const& t) {
        return ha::value<double>([&](auto view) { return hone::binary_cross_entropy(view(t)); }, logits);
      };
      CHECK(of(x.sigmoid()) == doctest::Approx(of(p.contiguous())).epsilon(1e-13));
      const auto distilled = [&](at::Tensor const& t) {
        return ha::value<double>([&](auto view) { return hone::distillation(view(t), 2); }, logits);
      };
      CHECK(distilled(x) == doctest::Approx(distilled(x.contiguous())).epsilon(1e-13));
    }
}

TEST_CASE("torch: images of any strides") {
  const at::Tensor of_pixels = labels(24, 5).view({2, 3, 4}), soft = at::softmax(waves({2, 5, 3, 4}, 0.9), 1),
                   last = soft.contiguous(at::MemoryFormat::ChannelsLast);
  const auto target = hone::classes(ha::labels_of(of_pixels));
  for (const at::Tensor& z : images()) {
    like_contiguous<double>(hone::cross_entropy(target), z);
    like_contiguous<double>([&](auto view) { return hone::cross_entropy(hone::probabilities(view(soft))); }, z);
    like_contiguous<double>(hone::cross_entropy(hone::probabilities(ha::pixels_of<double>(soft))), z);
    like_contiguous<double>(hone::cross_entropy(hone::probabilities(ha::channels_last_of<double>(last))), z);
    like_contiguous<double>(hone::binary_cross_entropy(ha::pixels_of<double>(soft)), z);
  }
  like_contiguous<double>(hone::cross_entropy(target), waves({2, 5, 12}));       // N x C x L
  like_contiguous<double>(hone::cross_entropy(target), waves({2, 5, 3, 2, 2}));  // N x C x D x H x W
}

TEST_CASE("torch: losses per row and per element have the order of the logits") {
  const at::Tensor z = waves({2, 5, 3, 4}), of_pixels = labels(24, 5).view({2, 3, 4});
  const at::Tensor rows = ha::losses<double>(hone::cross_entropy(hone::classes(ha::labels_of(of_pixels))), z);
  CHECK(distance(rows, -at::log_softmax(z, 1).gather(1, of_pixels.unsqueeze(1)).squeeze(1)) < 1e-12);
  const at::Tensor t = at::sigmoid(waves({2, 5, 3, 4}, 0.7));
  const at::Tensor elements = ha::losses<double>([&](auto view) { return hone::binary_cross_entropy(view(t)); }, z);
  CHECK(distance(elements, at::binary_cross_entropy_with_logits(z, t, {}, {}, at::Reduction::None)) < 1e-12);
}

TEST_CASE("torch: the four floating dtypes") {
  const struct {
    at::ScalarType type;
    double tolerance;
  } of[] = {{at::kDouble, 1e-14}, {at::kFloat, 1e-6}, {at::kHalf, 1e-3}, {at::kBFloat16, 8e-3}};
  const at::Tensor exact = waves({6, 5});
  for (auto const& [type, tolerance] : of) {
    CAPTURE(toString(type));
    const at::Tensor z = exact.to(type).requires_grad_(), twin = z.detach().to(at::kDouble).requires_grad_();
    const at::Tensor p = q.to(type), wide = p.to(at::kDouble);
    const auto soft = [](at::Tensor const& t) {
      return [&t](auto view) { return hone::cross_entropy(hone::probabilities(view(t))); };
    };
    const at::Tensor loss = ha::loss(soft(p), z), expected = ha::loss(soft(wide), twin);
    CHECK((loss.scalar_type() == (type == at::kDouble ? at::kDouble : at::kFloat)));
    CHECK(distance(loss, expected) < 1e-6);
    const at::Tensor g = gradient(loss * 3, z);
    CHECK((g.scalar_type() == type));
    CHECK(distance(g, gradient(expected * 3, twin)) < tolerance);
    CHECK(distance(ha::loss(hone::cross_entropy(hone::classes(ha::labels_of(y))), z),
                   ha::loss(hone::cross_entropy(hone::classes(ha::labels_of(y))), twin)) < 1e-6);
    for (const at::Tensor& x : matrices()) like_contiguous(soft(p), x.to(type));  // to() keeps the strides
  }
}

TEST_CASE("torch: targets of another floating dtype than the logits") {
  const at::Tensor z = waves({6, 5}).to(at::kBFloat16), p = q.to(at::kFloat);
  CHECK(ha::value(hone::cross_entropy(hone::probabilities(ha::rows_of(p))), z) ==
        doctest::Approx(ha::value(hone::cross_entropy(hone::probabilities(ha::rows_of(p))), z.to(at::kFloat)))
            .epsilon(1e-6));
  CHECK(support::message([&] {
          ha::value([&](auto view) { return hone::cross_entropy(hone::probabilities(view(p))); }, z);
        }).find("value: a tensor of view() is Float, the logits are BFloat16") == 0);
}

TEST_CASE("torch: labels of every integer dtype") {
  const at::Tensor z = waves({6, 5});
  const double expected = ha::value<double>(hone::cross_entropy(hone::classes(ha::labels_of(y))), z);
  for (const at::ScalarType type : {at::kByte, at::kChar, at::kShort, at::kInt, at::kLong}) {
    const at::Tensor narrow = y.to(type);
    CHECK(ha::value<double>([&](auto view) { return hone::cross_entropy(hone::classes(view.labels(narrow))); }, z) ==
          expected);
    CHECK(ha::with_labels(narrow, [&](auto labels) {
            return ha::value<double>(hone::cross_entropy(hone::classes(labels)), z);
          }) == expected);
  }
  const at::Tensor bytes = y.to(at::kByte), ints = y.to(at::kInt);
  CHECK(ha::value<double>(hone::cross_entropy(hone::classes(ha::labels_of<std::uint8_t>(bytes))), z) == expected);
  CHECK(ha::value<double>(hone::cross_entropy(hone::classes(ha::labels_of<std::int32_t>(ints))), z) == expected);
  const at::Tensor pairs = at::stack({y, y * 0}, 1);  // labels with a stride
  CHECK(ha::value<double>(
            [&](auto view) { return hone::cross_entropy(hone::classes(view.labels(pairs.select(1, 0)))); }, z) ==
        expected);
}

TEST_CASE("torch: empty batches have the loss 0 and an empty gradient") {
  const at::Tensor none = at::empty({0}, at::kLong);
  for (const auto& sizes : std::vector<std::vector<std::int64_t>>{{0, 5}, {0, 5, 2, 2}, {3, 5, 0, 2}}) {
    const at::Tensor z = at::empty(sizes, at::kDouble).requires_grad_();
    const at::Tensor loss = ha::loss<double>(hone::cross_entropy(hone::classes(ha::labels_of(none))), z);
    CHECK(number(loss) == 0);
    CHECK((gradient(loss, z).sizes() == sizes));
  }
  const at::Tensor z = waves({6, 5}).requires_grad_();
  const at::Tensor ignored = at::full({6}, -100, at::kLong);
  const at::Tensor loss =
      ha::loss<double>(hone::cross_entropy(hone::classes(ha::labels_of(ignored), {.ignore = -100})), z);
  CHECK(number(loss) == 0);
  CHECK(number(gradient(loss, z).abs().sum()) == 0);
}

TEST_CASE("torch: what does not fit is refused with names and values") {
  const at::Tensor z = waves({6, 5});
  const auto target = hone::cross_entropy(hone::classes(ha::labels_of(y)));
  const auto said = [](auto const& body) { return support::message(body); };
  CHECK(said([&] { ha::loss(target, at::Tensor()); }) == "loss: logits is an undefined tensor");
  CHECK(said([&] { ha::loss(target, z.to(at::kLong)); }) ==
        "loss: logits is Long, must be Float, Double, Half or BFloat16");
  CHECK(said([&] { ha::loss(target, z.sum()); }) == "loss: logits is a scalar, must be N, N x C or N x C x H x W");
  CHECK(said([&] { ha::loss(target, at::empty({6, 5}, at::kMeta)); }) == "loss: logits is on meta, must be on cpu");
  CHECK(said([&] { ha::loss(target, z.to_sparse()); }).find("loss: logits must be dense") == 0);
  CHECK(said([&] { ha::loss(target, at::imag(at::complex(z, z).conj())); }).find("loss: logits must be dense") == 0);
  CHECK(said([&] { ha::loss(target, z.narrow(0, 0, 4)); }) == "evaluate: 6 labels for 4 rows");
  CHECK(said([&] { ha::loss(target, z.narrow(1, 0, 4)); }).find("must be in [0, 4)") != std::string::npos);
  CHECK(said([&] { ha::backward(target, z); }).find("backward: logits requires no gradient") == 0);
  CHECK(said([&] { ha::loss([&](auto view) { return hone::distillation(view(z.t()), 4); }, z); }) ==
        "loss: a tensor of view() is 5 x 6 with strides 1, 5, the logits are 6 x 5 with strides 5, 1");
  CHECK(said([&] { ha::loss([&](auto view) { return hone::cross_entropy(hone::classes(view.labels(z))); }, z); }) ==
        "loss: a tensor of view.labels() is Double, must be of an integer dtype");
  CHECK(said([&] { ha::value(target, at::_efficientzerotensor({6, 5})); }).find("value: logits must be dense") == 0);
}

TEST_CASE("torch: labels of pixels have the sizes of the pixels") {
  const at::Tensor z = waves({2, 5, 3, 4}), of_pixels = labels(24, 5).view({2, 3, 4});
  const auto value = [&](at::Tensor const& x) {
    return ha::value<double>([&](auto view) { return hone::cross_entropy(hone::classes(view.labels(x))); }, z);
  };
  const double expected = value(of_pixels);
  CHECK(value(of_pixels.view({24})) == expected);
  CHECK(value(of_pixels.view({2, 1, 3, 4})) == expected);
  CHECK(value(of_pixels.transpose(1, 2).contiguous().transpose(1, 2)) == expected);
  CHECK(support::message([&] { value(of_pixels.view({2, 4, 3})); }) ==
        "value: a tensor of view.labels() is 2 x 4 x 3 with strides 12, 3, 1, the logits are 2 x 5 x 3 x 4 with "
        "strides 60, 12, 4, 1: the sizes must be those of the pixels");
}

TEST_CASE("torch: a teacher has no gradient, and must not ask for one") {
  const at::Tensor z = waves({6, 5}).requires_grad_(), asking = teacher.clone().requires_grad_();
  const auto of = [](at::Tensor const& t) { return [&t](auto view) { return hone::distillation(view(t), 2); }; };
  const std::string text = "a tensor of view() requires a gradient, and a loss has one for the logits alone: detach it";
  CHECK(support::message([&] { ha::loss<double>(of(asking), z); }) == "loss: " + text);
  CHECK(support::message([&] { ha::backward<double>(of(asking), z); }) == "backward: " + text);
  CHECK(ha::value<double>(of(asking), z) == number(ha::loss<double>(of(asking.detach()), z)));
  const at::NoGradGuard no_grad;
  CHECK(number(ha::loss<double>(of(asking), z)) == ha::value<double>(of(teacher), z));
}
