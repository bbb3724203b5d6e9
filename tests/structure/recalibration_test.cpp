// SPDX-License-Identifier: MIT
// Channel attention on the CPU: conformance, timm's numbers and parameter counts, groups of images, threads, 16-bit
// images, errors.
#include <hone/hone.hpp>

#include <conformance/recalibration.hpp>
#include <cpu/this_machine.hpp>
#include <structure/values_of.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <algorithm>

namespace {

namespace values = structure_values;
constexpr int images = values::images, channels = values::channels, height = values::height, width = values::width;
constexpr hone::index all = hone::index(images) * channels * height * width;
const hone::cpu two(2);

std::vector<double> quarters(int salt, hone::index count) {
  auto x = values::numbers(salt, count);
  for (double& w : x) w /= 4;
  return x;
}

/// The numbers of a call.
template <class A>
struct memory {
  hone::index n, c, r;
  std::vector<A> squeezed, excited, hidden, activated;

  memory(hone::index n_, hone::index c_, hone::index r_)
      : n(n_),
        c(c_),
        r(r_),
        squeezed(std::size_t(n * c), A(99)),
        excited(squeezed),
        hidden(std::size_t(n * r), A(99)),
        activated(hidden) {}
  hone::recalibration_numbers<A> view() {
    return {{squeezed.data(), n, c}, {excited.data(), n, c}, {hidden.data(), n, r}, {activated.data(), n, r}};
  }
};

auto image(std::vector<double>& v) { return hone::image_view{v.data(), images, channels, height, width}; }

/// Compares with y = relu(branch(x) + residual), with dresidual wanted or not, and returns nothing unwritten.
template <class Branch, class Gradients, std::size_t n>
void compare(Branch const& branch, Gradients const& gradients, double const (&y)[n], double const (&dx)[n],
             double const (&dr)[n]) {
  auto x = values::numbers(1, all), r = values::residuals(all), dy = values::numbers(5, all);
  std::vector<double> to(n, 99), by_x(n, 99), by_r(n, 99), alone(n, 99);
  memory<double> numbers(images, channels, 2), scratch(images, channels, 2);
  hone::recalibrate(two, branch, image(x), image(to), numbers.view(), {.residual = image(r), .activation = hone::relu});
  CHECK(values::distance(to, y) < 1e-14);
  hone::recalibrate_backward(two, branch, image(x), image(dy), numbers.view(), image(alone), gradients, scratch.view(),
                             {.residual = image(r), .activation = hone::relu});
  CHECK(values::distance(alone, dx) < 1e-13);
  hone::recalibrate_backward(two, branch, image(x), image(dy), numbers.view(), image(by_x), gradients, scratch.view(),
                             {.residual = image(r), .activation = hone::relu, .dresidual = image(by_r)});
  CHECK(values::distance(by_x, dx) < 1e-13);
  CHECK(values::distance(by_r, dr) < 1e-14);
  hone::recalibrate_backward(two, branch, image(x), image(dy), numbers.view(), image(dy), gradients, scratch.view(),
                             {.residual = image(r), .activation = hone::relu, .dresidual = image(x)});  // in place
  CHECK((dy == by_x && x == by_r));
}

}  // namespace

TEST_CASE("the CPU passes the conformance cases of channel attention") {
  conformance::recalibration<on_this_machine>();
}

TEST_CASE("squeeze-and-excitation has the values and gradients of timm") {
  const auto w1 = quarters(6, 6), b1 = quarters(7, 2), w2 = quarters(8, 6), b2 = quarters(9, 3);
  std::vector<double> d1(6, 99), e1(2, 99), d2(6, 99), e2(3, 99);
  const hone::squeeze_excite<const double> branch{{w1.data(), 2, 3}, b1, {w2.data(), 3, 2}, b2};
  const hone::squeeze_excite<double> gradients{{d1.data(), 2, 3}, e1, {d2.data(), 3, 2}, e2};
  compare(branch, gradients, values::squeeze_excite_y, values::squeeze_excite_dx, values::squeeze_excite_dresidual);
  CHECK(values::distance(d1, values::squeeze_excite_parameter_0) < 1e-13);
  CHECK(values::distance(e1, values::squeeze_excite_parameter_1) < 1e-13);
  CHECK(values::distance(d2, values::squeeze_excite_parameter_2) < 1e-13);
  CHECK(values::distance(e2, values::squeeze_excite_parameter_3) < 1e-13);

  const hone::squeeze_excite<const double, hone::hard_sigmoid_gate_formula> other{
      {w1.data(), 2, 3}, b1, {w2.data(), 3, 2}, b2, hone::silu};
  compare(other, gradients, values::squeeze_excite_silu_y, values::squeeze_excite_silu_dx,
          values::squeeze_excite_silu_dresidual);
  CHECK(values::distance(d1, values::squeeze_excite_silu_parameter_0) < 1e-13);
  CHECK(values::distance(e1, values::squeeze_excite_silu_parameter_1) < 1e-13);
  CHECK(values::distance(d2, values::squeeze_excite_silu_parameter_2) < 1e-13);
  CHECK(values::distance(e2, values::squeeze_excite_silu_parameter_3) < 1e-13);
}

TEST_CASE("effective squeeze-and-excitation and efficient channel attention have the values and gradients of timm") {
  const auto w = quarters(6, 9), b = quarters(7, 3), k = quarters(6, 3);
  std::vector<double> dw(9, 99), db(3, 99), dk(3, 99);
  compare(hone::effective_squeeze_excite<const double>{{w.data(), 3, 3}, b},
          hone::effective_squeeze_excite<double>{{dw.data(), 3, 3}, db}, values::effective_squeeze_excite_y,
          values::effective_squeeze_excite_dx, values::effective_squeeze_excite_dresidual);
  CHECK(values::distance(dw, values::effective_squeeze_excite_parameter_0) < 1e-13);
  CHECK(values::distance(db, values::effective_squeeze_excite_parameter_1) < 1e-13);
  compare(hone::efficient_channel_attention<const double>{k}, hone::efficient_channel_attention<double>{dk},
          values::efficient_channel_attention_y, values::efficient_channel_attention_dx,
          values::efficient_channel_attention_dresidual);
  CHECK(values::distance(dk, values::efficient_channel_attention_parameter_0) < 1e-13);
}

TEST_CASE("widths, kernel sizes and parameter counts are those of timm") {
  for (std::size_t i = 0; i < std::size(values::widths); ++i) {
    const auto c = hone::index(values::widths_of[i]), r = hone::squeeze_excite_width(c);
    CAPTURE(c);
    CHECK(double(r) == values::widths[i]);
    std::vector<float> some(static_cast<std::size_t>(c));
    const std::span<float> outer(some), inner(some.data(), std::size_t(r)),
        kernel(some.data(), std::size_t(hone::efficient_channel_attention_size(c)));
    using matrix = hone::matrix_view<float>;
    const hone::squeeze_excite<float> se{matrix(some.data(), r, c), inner, matrix(some.data(), c, r), outer};
    CHECK(double(hone::parameters_of(se)) == values::counts_squeeze_excite[i]);
    CHECK(double(hone::parameters_of(hone::effective_squeeze_excite<float>{matrix(some.data(), c, c), outer})) ==
          values::counts_effective_squeeze_excite[i]);
    CHECK(double(hone::parameters_of(hone::efficient_channel_attention<float>{kernel})) ==
          values::counts_efficient_channel_attention[i]);
  }
  CHECK(hone::squeeze_excite_width(10, 0.25, 1) == 3);  // 2.5 is rounded up, as in timm
  const auto said = [](auto const& body) { return support::message(body); };
  CHECK(said([] { hone::squeeze_excite_width(0); }) == "squeeze_excite_width: channels is 0, must be at least 1");
  CHECK(said([] { hone::squeeze_excite_width(8, -1); }) ==
        "squeeze_excite_width: ratio is -1, must be finite and positive");
  CHECK(said([] { hone::squeeze_excite_width(8, 1, 0); }) == "squeeze_excite_width: divisor is 0, must be at least 1");
  CHECK(said([] { hone::efficient_channel_attention_size(8, std::nan("")); }) ==
        "efficient_channel_attention_size: gamma is nan, must be finite and positive");
}

// Five images of 1.3 MB are two groups; 16-bit images differ from those in float by their rounding.
TEST_CASE("recalibrate has the same bits for any number of threads, and answers as its parts do") {
  const hone::index n = 5, c = 8, r = 3, pixels = 40001;
  const auto size = std::size_t(n * c * pixels);
  const auto run = [&]<class T>(T, int threads) {
    using A = hone::accumulator_t<T>;
    std::vector<T> x(size), rest(size), dy(size), y(size, T(99.0f)), dx(size, T(99.0f)), dr(size, T(99.0f));
    for (std::size_t i = 0; i < size; ++i)
      x[i] = T(float(i % 61) / 8 - 3), rest[i] = T(float(i % 13) - 6), dy[i] = T(float(i % 7) - 3);
    std::vector<A> w(24), b(8), dw1(24), dw2(24), db1(3), db2(8);
    for (std::size_t i = 0; i < 24; ++i) w[i] = A(int(i % 5) - 2) / 4;
    for (std::size_t i = 0; i < 8; ++i) b[i] = A(int(i % 3) - 1) / 4;
    memory<A> numbers(n, c, r), scratch(n, c, r);
    const hone::cpu cpu(threads);
    const auto image_of = [&](std::vector<T>& v) { return hone::image_view<T>{v.data(), n, c, pixels}; };
    const std::span<A const> bias(b);
    const hone::squeeze_excite<const A> branch{{w.data(), r, c}, bias.first(3), {w.data(), c, r}, bias};
    hone::recalibrate(cpu, branch, image_of(x), image_of(y), numbers.view(),
                      {.residual = image_of(rest), .activation = hone::relu});
    hone::recalibrate_backward(cpu, branch, image_of(x), image_of(dy), numbers.view(), image_of(dx),
                               hone::squeeze_excite<A>{{dw1.data(), r, c}, db1, {dw2.data(), c, r}, db2},
                               scratch.view(),
                               {.residual = image_of(rest), .activation = hone::relu, .dresidual = image_of(dr)});
    std::vector<T> alone(size);
    hone::scale_planes(cpu, hone::sigmoid_gate, image_of(x), {numbers.excited.data(), n, c}, image_of(alone),
                       {.residual = image_of(rest), .activation = hone::relu});
    CHECK(alone == y);
    std::vector<float> seen;
    for (auto const* v : {&y, &dx, &dr}) seen.insert(seen.end(), v->begin(), v->end());
    for (auto const* v : {&dw1, &dw2, &db1, &db2}) seen.insert(seen.end(), v->begin(), v->end());
    return seen;
  };
  const auto one = run(float(), 1);
  for (const int threads : {2, 3, 8}) CHECK(run(float(), threads) == one);
  const auto narrow = run(Eigen::bfloat16(), 2), half = run(Eigen::half(), 2);
  const auto far = [&](auto const& other, double tolerance) {
    hone::index wrong = 0;
    for (std::size_t i = 0; i < one.size(); ++i)
      wrong += !(std::abs(double(other[i]) - double(one[i])) <= tolerance * (1 + std::abs(double(one[i]))));
    return wrong;
  };
  CHECK(far(narrow, 0x1p-7) == 0);
  CHECK(far(half, 0x1p-10) == 0);
}

TEST_CASE("recalibrate: invalid arguments throw, and nothing is written") {
  std::vector<float> x(24, 1), y(24, 7), w(64, 1), b(8, 1);
  memory<float> m(2, 3, 2), s(2, 3, 2);
  using matrix = hone::matrix_view<const float>;
  using branch_type = hone::squeeze_excite<const float>;
  const hone::image_view from{x.data(), 2, 3, 4}, to{y.data(), 2, 3, 4};
  const auto numbers = m.view();
  const std::span<const float> bias(b);
  const auto said = [&](auto branch, hone::recalibration_numbers<float> n, hone::image_view<float> out,
                        hone::plane_scale_options<float> options = {}) {
    return support::message([&] { hone::recalibrate(two, branch, from, out, n, options); });
  };
  const branch_type good{matrix(w.data(), 2, 3), bias.first(2), matrix(w.data(), 3, 2), bias.first(3)};
  const auto spoilt = [&](auto spoil) {
    branch_type other = good;
    spoil(other);
    return said(other, numbers, to);
  };
  CHECK(spoilt([&](auto& o) { o.expand = matrix(w.data(), 3, 3); }) ==
        "recalibrate: expand is 3 x 3, must be 3 x 2");  // the second product with the width of another block
  CHECK(spoilt([&](auto& o) { o.expand = matrix(w.data(), 2, 3); }) == "recalibrate: expand is 2 x 3, must be 3 x 2");
  CHECK(spoilt([&](auto& o) { o.reduce = matrix(w.data(), 2, 4); }) == "recalibrate: reduce is 2 x 4, must be 2 x 3");
  CHECK(spoilt([&](auto& o) { o.reduce_bias = bias.first(3); }) ==
        "recalibrate: reduce_bias has 3 numbers, must have 2 or none");
  CHECK(spoilt([&](auto& o) { o.expand_bias = bias.first(2); }) ==
        "recalibrate: expand_bias has 2 numbers, must have 3 or none");
  CHECK(spoilt([&](auto& o) { o.activation = hone::activation_function(7); }) ==
        "recalibrate: activation is 7, must be no_activation, relu, silu or hard_swish");
  auto few = numbers;
  few.hidden.columns = 1;
  CHECK(said(good, few, to) == "recalibrate: hidden is 2 x 1, must be 2 x 2");
  few = numbers, few.squeezed.rows = 1;
  CHECK(said(good, few, to) == "recalibrate: squeezed is 1 x 3, must be 2 x 3");
  few = numbers, few.excited = few.squeezed;
  CHECK(said(good, few, to) ==
        "recalibrate: excited and squeezed overlap, excited begins 0 bytes after squeezed; they must be apart");
  few = numbers, few.squeezed.data = y.data();
  CHECK(said(good, few, to) ==
        "recalibrate: squeezed and y overlap, squeezed begins 0 bytes after y; they must be apart");
  few = numbers, few.hidden.data = x.data();
  CHECK(said(good, few, to) == "recalibrate: hidden and x overlap, hidden begins 0 bytes after x; they must be apart");
  std::vector<float> rest(24, 1);
  few = numbers, few.squeezed.data = rest.data();  // it would be overwritten before it is read
  CHECK(said(good, few, to, {.residual = {rest.data(), 2, 3, 4}}) ==
        "recalibrate: squeezed and residual overlap, squeezed begins 0 bytes after residual; they must be apart");
  CHECK(said(good, numbers, {y.data(), 2, 3, 3}) == "recalibrate: y is 2 x 3 x 3, x is 2 x 3 x 4");
  CHECK(said(good, numbers, to, {.residual = {x.data(), 2, 2, 6}}) ==
        "recalibrate: residual is 2 x 2 x 6, x is 2 x 3 x 4");
  CHECK(said(hone::effective_squeeze_excite<const float>{matrix(w.data(), 3, 2), {}}, numbers, to) ==
        "recalibrate: weight is 3 x 2, must be 3 x 3");
  CHECK(said(hone::efficient_channel_attention<const float>{bias.first(4)}, numbers, to) ==
        "recalibrate: kernel has 4 numbers, must have an odd number");
  std::vector<float> g(64, 7);
  const auto back = [&](hone::squeeze_excite<float> gradients, hone::image_view<float> dx) {
    return support::message(
        [&] { hone::recalibrate_backward(two, good, from, from, numbers, dx, gradients, s.view(), {}); });
  };
  const hone::squeeze_excite<float> gradients{{g.data(), 2, 3}, {}, {g.data() + 8, 3, 2}, {}};
  auto other = gradients;
  other.reduce = {g.data(), 3, 3};
  CHECK(back(other, to) == "recalibrate_backward: expand is 3 x 2, must be 3 x 3");
  CHECK(back(gradients, {y.data(), 2, 3, 5}) == "recalibrate_backward: dx is 2 x 3 x 5, x is 2 x 3 x 4");
  CHECK(back({{y.data(), 2, 3}, {}, {g.data() + 8, 3, 2}, {}}, to) ==
        "recalibrate_backward: reduce and dx overlap, reduce begins 0 bytes after dx; they must be apart");
  CHECK(back({{m.squeezed.data(), 2, 3}, {}, {g.data() + 8, 3, 2}, {}}, to) ==
        "recalibrate_backward: reduce and squeezed overlap, reduce begins 0 bytes after squeezed; they must be apart");
  const auto back_in = [&](hone::recalibration_numbers<float> scratch, hone::image_view<float> dresidual) {
    return support::message([&] {
      hone::recalibrate_backward(two, good, from, from, numbers, to, gradients, scratch, {.dresidual = dresidual});
    });
  };
  CHECK(back_in(numbers, {}) ==
        "recalibrate_backward: scratch.squeezed and squeezed overlap, scratch.squeezed begins 0 bytes after squeezed; "
        "they must be apart");
  auto other_scratch = s.view();
  other_scratch.activated = numbers.hidden;
  CHECK(back_in(other_scratch, {}) ==
        "recalibrate_backward: scratch.activated and hidden overlap, scratch.activated begins 0 bytes after hidden; "
        "they must be apart");
  other_scratch = s.view(), other_scratch.hidden.data = x.data();
  CHECK(back_in(other_scratch, {}) ==
        "recalibrate_backward: hidden and x overlap, hidden begins 0 bytes after x; they must be apart");
  other_scratch = s.view(), other_scratch.squeezed.data = rest.data();
  CHECK(back_in(other_scratch, {rest.data(), 2, 3, 4}) ==
        "recalibrate_backward: squeezed and dresidual overlap, squeezed begins 0 bytes after dresidual; they must be "
        "apart");
  CHECK(back(gradients, {}) == "recalibrate_backward: dx is 0 x 0 x 0, x is 2 x 3 x 4");
  CHECK(y == std::vector<float>(24, 7));
  CHECK(g == std::vector<float>(64, 7));
  CHECK(m.squeezed == std::vector<float>(6, 99));
}
