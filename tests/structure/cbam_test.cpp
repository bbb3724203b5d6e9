// SPDX-License-Identifier: MIT
// CBAM: a loop over dual numbers, timm's numbers and parameter counts, its parts, groups of images, threads, 16-bit
// images, errors.
#include <hone/hone.hpp>

#include <doctest/doctest.h>
#include <structure/attention_values.hpp>
#include <structure/values_of.hpp>
#include <support/dual.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <algorithm>
#include <array>

namespace {

namespace values = structure_values;
constexpr int images = values::images, channels = values::channels, height = values::height, width = values::width;
constexpr hone::index all = hone::index(images) * channels * height * width;
const hone::cpu two(2);

auto image(std::vector<double>& v) { return hone::image_view{v.data(), images, channels, height, width}; }

std::vector<double> parts(int salt, hone::index count, double of) {
  auto x = values::numbers(salt, count);
  for (double& w : x) w /= of;
  return x;
}

/// Parameters and numbers of a call.
template <class A>
struct call {
  hone::index n, c, r, pixels, side;
  std::array<std::vector<A>, 6> of;  // reduce, its bias, expand, its bias, kernel, its bias
  std::vector<A> memory;

  call(hone::index n_, hone::index c_, hone::index r_, hone::index pixels_, hone::index side_)
      : n(n_),
        c(c_),
        r(r_),
        pixels(pixels_),
        side(side_),
        memory(std::size_t(hone::cbam_numbers<A>::size(n, c, r, pixels)), A(99)) {
    const hone::index sizes[] = {r * c, r, c * r, c, 2 * side * side, 1};
    for (std::size_t i = 0; i < 6; ++i) of[i].assign(std::size_t(sizes[i]), A(99));
  }
  hone::cbam<A> module() { return {{of[0].data(), r, c}, of[1], {of[2].data(), c, r}, of[3], of[4], of[5], side}; }
  hone::cbam<const A> constant() const {
    return {{of[0].data(), r, c}, of[1], {of[2].data(), c, r}, of[3], of[4], of[5], side};
  }
  hone::cbam_numbers<A> numbers() { return hone::cbam_numbers<A>::in(memory, n, c, r, pixels); }
};

/// Σ dy relu(CBAM(x) + residual) of one image, by loops written from the paper.
template <class V>
V reference(hone::index c, hone::index h, hone::index w, hone::index r, hone::index side, std::vector<V> const& x,
            std::vector<V> const& residual, std::array<std::vector<V>, 6> const& of, std::vector<double> const& dy) {
  const hone::index p = h * w;
  using hone::max;
  const auto sigmoid = [](V e) { return V(1) / (V(1) + exp(-e)); };
  std::vector<V> z(x);
  for (hone::index out = 0; out < c; ++out) {
    V e(0);
    for (const bool largest : {false, true}) {
      e = e + of[3][std::size_t(out)];
      for (hone::index k = 0; k < r; ++k) {
        V hidden = of[1][std::size_t(k)];
        for (hone::index in = 0; in < c; ++in) {
          V q(0), m = x[std::size_t(in * p)];
          for (hone::index i = 0; i < p; ++i)
            q = q + x[std::size_t(in * p + i)], m = max(m, x[std::size_t(in * p + i)]);
          hidden = hidden + of[0][std::size_t(k * c + in)] * (largest ? m : q / V(double(p)));
        }
        e = e + of[2][std::size_t(out * r + k)] * max(hidden, V(0));
      }
    }
    for (hone::index i = 0; i < p; ++i) z[std::size_t(out * p + i)] = x[std::size_t(out * p + i)] * sigmoid(e);
  }
  std::vector<V> maps(std::size_t(2 * p), V(0));
  for (hone::index i = 0; i < p; ++i) {
    V q(0), m = z[std::size_t(i)];
    for (hone::index k = 0; k < c; ++k) q = q + z[std::size_t(k * p + i)], m = max(m, z[std::size_t(k * p + i)]);
    maps[std::size_t(i)] = q / V(double(c)), maps[std::size_t(p + i)] = m;
  }
  V loss(0);
  for (hone::index y = 0; y < h; ++y)
    for (hone::index u = 0; u < w; ++u) {
      V e = of[5][0];
      for (hone::index m = 0; m < 2; ++m)
        for (hone::index ky = 0; ky < side; ++ky)
          for (hone::index kx = 0; kx < side; ++kx) {
            const hone::index from = y + ky - side / 2, at = u + kx - side / 2;
            if (from >= 0 && from < h && at >= 0 && at < w)
              e = e + of[4][std::size_t((m * side + ky) * side + kx)] * maps[std::size_t(m * p + from * w + at)];
          }
      for (hone::index k = 0; k < c; ++k) {
        const auto i = std::size_t(k * p + y * w + u);
        loss = loss + V(dy[i]) * max(z[i] * sigmoid(e) + residual[i], V(0));
      }
    }
  return loss;
}

}  // namespace

TEST_CASE("CBAM has the derivatives of dual numbers") {
  for (const auto sizes : {std::array<hone::index, 3>{3, 4, 3}, {2, 5, 7}, {1, 1, 1}}) {
    const hone::index h = sizes[0], w = sizes[1], side = sizes[2];  // clang 14 captures no structured bindings
    CAPTURE(h);
    const hone::index c = 3, r = 2, p = h * w;
    call<double> m(1, c, r, p, side), d(1, c, r, p, side);
    for (std::size_t i = 0; i < 6; ++i) m.of[i] = parts(6 + int(i), hone::index(m.of[i].size()), i == 4 ? 16 : 4);
    auto x = values::numbers(1, c * p), rest = values::residuals(c * p), dy = values::numbers(5, c * p);
    std::vector<double> y(x.size()), dx(x.size(), 99), dr(x.size(), 99);
    const auto view = [&](auto& v) { return hone::image_view{v.data(), 1, c, h, w}; };
    hone::attend(two, m.constant(), view(x), {h, w}, view(y), m.numbers(),
                 {.residual = view(rest), .activation = hone::relu});
    hone::attend_backward(two, m.constant(), view(x), {h, w}, view(dy), m.numbers(), view(dx), d.module(), d.numbers(),
                          {.residual = view(rest), .activation = hone::relu, .dresidual = view(dr)});
    const auto duals = [](std::vector<double> const& v) {
      std::vector<support::dual> to;
      to.reserve(v.size());
      for (const double n : v) to.emplace_back(n);
      return to;
    };
    auto of_x = duals(x), of_rest = duals(rest);
    std::array<std::vector<support::dual>, 6> of;
    for (std::size_t i = 0; i < 6; ++i) of[i] = duals(m.of[i]);
    const auto prove = [&](std::vector<support::dual>& by, std::vector<double> const& gradient) {
      for (std::size_t i = 0; i < by.size(); ++i) {
        by[i].d = 1;
        const double expected = reference(c, h, w, r, side, of_x, of_rest, of, dy).d;
        by[i].d = 0;
        CHECK(std::abs(gradient[i] - expected) < 1e-12 * (1 + std::abs(expected)));
      }
    };
    prove(of_x, dx);
    prove(of_rest, dr);
    for (std::size_t i = 0; i < 6; ++i) {
      CAPTURE(i);
      prove(of[i], d.of[i]);
    }
    double loss = 0;
    for (std::size_t i = 0; i < y.size(); ++i) loss += y[i] * dy[i];
    CHECK(std::abs(loss - reference(c, h, w, r, side, x, rest, m.of, dy)) < 1e-12 * (1 + std::abs(loss)));
  }
}

TEST_CASE("CBAM has the values and gradients of timm's, in place too") {
  call<double> m(images, channels, 2, hone::index(height) * width, 3),
      d(images, channels, 2, hone::index(height) * width, 3);
  for (std::size_t i = 0; i < 4; ++i) m.of[i] = parts(6 + int(i), hone::index(m.of[i].size()), 8);
  m.of[4] = parts(10, 18, 32), m.of[5] = {0};
  auto x = values::numbers(1, all), r = values::residuals(all), dy = values::numbers(5, all);
  std::vector<double> y(x.size(), 99), dx(y), dr(y), alone(y);
  hone::attend(two, m.constant(), image(x), {height, width}, image(y), m.numbers(),
               {.residual = image(r), .activation = hone::relu});
  CHECK(values::distance(y, attention_values::cbam_y) < 1e-14);
  hone::attend_backward(two, m.constant(), image(x), {height, width}, image(dy), m.numbers(), image(alone), d.module(),
                        d.numbers(), {.residual = image(r), .activation = hone::relu});
  CHECK(values::distance(alone, attention_values::cbam_dx) < 1e-13);
  hone::attend_backward(two, m.constant(), image(x), {height, width}, image(dy), m.numbers(), image(dx), d.module(),
                        d.numbers(), {.residual = image(r), .activation = hone::relu, .dresidual = image(dr)});
  CHECK(values::distance(dx, attention_values::cbam_dx) < 1e-13);
  CHECK(values::distance(dr, attention_values::cbam_dresidual) < 1e-14);
  CHECK(values::distance(d.of[0], attention_values::cbam_parameter_0) < 1e-13);
  CHECK(values::distance(d.of[1], attention_values::cbam_parameter_1) < 1e-13);
  CHECK(values::distance(d.of[2], attention_values::cbam_parameter_2) < 1e-13);
  CHECK(values::distance(d.of[3], attention_values::cbam_parameter_3) < 1e-13);
  CHECK(values::distance(d.of[4], attention_values::cbam_parameter_4) < 1e-13);
  hone::attend_backward(two, m.constant(), image(x), {height, width}, image(dy), m.numbers(), image(x), d.module(),
                        d.numbers(), {.residual = image(r), .activation = hone::relu, .dresidual = image(dy)});
  CHECK((x == dx && dy == dr));
  x = values::numbers(1, all);
  hone::attend(two, m.constant(), image(x), {height, width}, image(x), m.numbers(),
               {.residual = image(r), .activation = hone::relu});
  CHECK(x == y);
}

TEST_CASE("CBAM of no images has gradients of 0") {
  call<float> m(0, 3, 2, 12, 3), d(0, 3, 2, 12, 3);
  const hone::image_view<float> none(nullptr, 0, 3, 12);
  hone::attend(two, m.constant(), none, {3, 4}, none, m.numbers());
  hone::attend_backward(two, m.constant(), none, {3, 4}, none, m.numbers(), none, d.module(), d.numbers());
  for (auto const& gradient : d.of) CHECK(gradient == std::vector<float>(gradient.size(), 0));
}

TEST_CASE("timm's CBAM in evaluation is that with its batch normalisation folded, and its parts with one between") {
  const hone::index pixels = hone::index(height) * width;
  call<double> m(images, channels, 2, pixels, 7);
  m.of[0] = parts(6, 6, 8), m.of[2] = parts(7, 6, 8), m.of[4] = parts(10, 98, 32);
  m.of[1] = {0, 0}, m.of[3] = {0, 0, 0}, m.of[5] = {0};
  auto x = values::numbers(1, all), r = values::residuals(all);
  std::vector<double> y(x.size(), 99), z(x.size(), 99), apart(x.size(), 99);
  const std::vector<double> mean{0.5}, variance{4}, scale{1.5}, shift{-0.25};
  auto plain = m;
  hone::fold_batch_norm<double>({.mean = mean, .variance = variance, .scale = scale, .shift = shift},
                                {m.of[4].data(), 1, 98}, m.of[5]);
  hone::attend(two, m.constant(), image(x), {height, width}, image(y), m.numbers(),
               {.residual = image(r), .activation = hone::relu});
  CHECK(values::distance(y, attention_values::timm_cbam_y) < 1e-14);

  auto n = plain.numbers();  // a trainer's own sequence
  hone::attend(two, plain.constant(), image(x), {height, width}, image(apart), n);
  hone::scale_planes(two, hone::sigmoid_gate, image(x), n.excited, image(z));
  std::vector<double> reduced(std::size_t(hone::index(2) * images * pixels));
  hone::reduce_pixels(two, image(z), {reduced.data(), images, 2, pixels});
  for (std::size_t i = 0; i < reduced.size(); ++i) CHECK(std::abs(reduced[i] - n.reduced.data[i]) < 1e-14);
  for (hone::index i = 0; i < images * pixels; ++i) {
    double& e = n.excited_pixels.data[i];
    e = (e - mean[0]) / std::sqrt(variance[0] + 1e-5) * scale[0] + shift[0];
  }
  hone::scale_pixels(two, hone::sigmoid_gate, image(z), n.excited_pixels, image(apart),
                     {.residual = image(r), .activation = hone::relu});
  CHECK(values::distance(apart, attention_values::timm_cbam_y) < 1e-14);
}

TEST_CASE("parameter counts are those of timm and of the paper") {
  const auto with = [](hone::index c, bool bias) {
    const hone::index r = hone::squeeze_excite_width(c, 1.0 / 16, 1);
    static std::vector<float> some(4096);
    const std::span<float> numbers(some);
    using matrix = hone::matrix_view<float>;
    hone::cbam<float> b{
        .reduce = matrix(some.data(), r, c), .expand = matrix(some.data(), c, r), .kernel = numbers.first(98)};
    if (bias) b.reduce_bias = numbers.first(std::size_t(r)), b.expand_bias = numbers.first(std::size_t(c));
    return hone::parameters_of(b);
  };
  for (std::size_t i = 0; i < std::size(attention_values::cbam_channels); ++i) {
    const auto c = hone::index(attention_values::cbam_channels[i]);
    CAPTURE(c);
    CHECK(double(hone::squeeze_excite_width(c, 1.0 / 16, 1)) == attention_values::cbam_widths[i]);
    CHECK(double(with(c, false)) + 2 == attention_values::cbam_counts[i]);  // two of timm's batch normalisation
  }
  // Table 4 of the paper: ResNet-50 has 25.56 million parameters, with CBAM 28.09.
  const hone::index added = 3 * with(256, true) + 4 * with(512, true) + 6 * with(1024, true) + 3 * with(2048, true);
  CHECK(std::round((25557032 + double(added)) / 1e4) == 2809);
}

// Five images of 1.3 MB are two groups; 16-bit images differ from those in float by their rounding.
TEST_CASE("attend has the same bits for any number of threads, and its parts give them") {
  const hone::index n = 5, c = 8, r = 3, h = 200, w = 201, pixels = h * w;
  const auto size = std::size_t(n * c * pixels);
  const auto run = [&]<class T>(T, int threads) {
    using A = hone::accumulator_t<T>;
    std::vector<T> x(size), rest(size), dy(size), y(size, T(99.0f)), dx(size, T(99.0f)), dr(size, T(99.0f));
    for (std::size_t i = 0; i < size; ++i)
      x[i] = T(float(i % 61) / 8 - 3), rest[i] = T(float(i % 13) - 6), dy[i] = T(float(i % 7) - 3);
    call<A> m(n, c, r, pixels, 7), d(n, c, r, pixels, 7);
    for (std::size_t k = 0; k < 6; ++k)
      for (std::size_t i = 0; i < m.of[k].size(); ++i) m.of[k][i] = A(int((i + k) % 5) - 2) / 16;
    const hone::cpu cpu(threads);
    const auto view = [&](std::vector<T>& v) { return hone::image_view<T>{v.data(), n, c, pixels}; };
    hone::attend(cpu, m.constant(), view(x), {h, w}, view(y), m.numbers(),
                 {.residual = view(rest), .activation = hone::silu});
    hone::attend_backward(cpu, m.constant(), view(x), {h, w}, view(dy), m.numbers(), view(dx), d.module(), d.numbers(),
                          {.residual = view(rest), .activation = hone::silu, .dresidual = view(dr)});
    std::vector<float> seen;
    for (auto const* v : {&y, &dx, &dr}) seen.insert(seen.end(), v->begin(), v->end());
    for (auto const& v : d.of) seen.insert(seen.end(), v.begin(), v.end());
    return seen;
  };
  const auto one = run(float(), 1);
  for (const int threads : {2, 3, 8}) CHECK(run(float(), threads) == one);
  const auto exact = run(double(), 2), narrow = run(Eigen::bfloat16(), 2);
  const auto far = [&](auto const& other, double tolerance) {
    hone::index wrong = 0;
    for (std::size_t i = 0; i < 3 * size; ++i)
      wrong += !(std::abs(double(other[i]) - double(one[i])) <= tolerance * (4 + std::abs(double(one[i]))));
    return wrong;
  };
  CHECK(far(exact, 1e-5) == 0);
  CHECK(far(narrow, 0x1p-7) < hone::index(size) / 10000);  // g is rounded in between; equal maxima may be others
  for (std::size_t i = 3 * size; i < one.size(); ++i)
    CHECK(double(one[i]) == doctest::Approx(double(exact[i])).epsilon(1e-3));
}

TEST_CASE("attend: invalid arguments throw, and nothing is written") {
  std::vector<float> x(24, 1), y(24, 7);
  call<float> m(2, 3, 2, 4, 3), d(2, 3, 2, 4, 3);
  const hone::image_view from{x.data(), 2, 3, 4}, to{y.data(), 2, 3, 4};
  const auto good = m.constant();
  const auto said = [&](auto spoil) {
    auto module = good;
    auto numbers = m.numbers();
    hone::plane_size size{2, 2};
    hone::image_view<float> out = to;
    spoil(module, numbers, size, out);
    return support::message([&] { hone::attend(two, module, from, size, out, numbers); });
  };
  CHECK(said([](auto& b, auto&, auto&, auto&) { b.kernel = b.kernel.first(9); }) ==
        "attend: kernel has 9 numbers, must have 2 x 3 x 3");
  CHECK(said([](auto& b, auto&, auto&, auto&) { b.kernel_size = 2; }) ==
        "attend: kernel_size is 2, must be odd, in [1, 1024)");
  CHECK(said([](auto& b, auto&, auto&, auto&) { b.kernel_bias = b.reduce_bias; }) ==
        "attend: kernel_bias has 2 numbers, must have 1 or none");
  CHECK(said([](auto& b, auto&, auto&, auto&) { b.expand = b.reduce; }) == "attend: expand is 2 x 3, must be 3 x 2");
  CHECK(said([](auto&, auto& n, auto&, auto&) { n.excited_pixels.columns = 3; }) ==
        "attend: excited_pixels is 2 x 3, x has 2 images of 4 pixels");
  CHECK(
      said([](auto&, auto& n, auto&, auto&) { n.reduced.channels = 3; }) ==  // a spatial gate with a number per channel
      "attend: reduced is 2 x 3 x 4, must be 2 x 2 x 4 as x is 2 x 3 x 4");
  CHECK(said([](auto&, auto& n, auto&, auto&) { n.squeezed.columns = 3, n.squeezed.row_stride = 3; }) ==
        "attend: squeezed is 2 x 3, must be 2 x 6");
  CHECK(said([](auto&, auto& n, auto&, auto&) { n.first = n.excited_pixels; }) ==
        "attend: excited_pixels and first overlap, excited_pixels begins 0 bytes after first; they must be apart");
  CHECK(said([](auto&, auto&, auto& size, auto&) { size = {3, 2}; }) == "attend: x has 4 pixels, size is 3 x 2");
  CHECK(said([](auto&, auto&, auto&, auto& out) { out.pixels = 3; }) == "attend: y is 2 x 3 x 3, x is 2 x 3 x 4");
  CHECK(said([&](auto&, auto& n, auto&, auto&) { n.hidden.data = y.data(); }) ==
        "attend: hidden and y overlap, hidden begins 0 bytes after y; they must be apart");
  const auto back = [&](hone::cbam<float> gradients, hone::cbam_numbers<float> scratch,
                        hone::attend_backward_options<float> options = {}) {
    return support::message(
        [&] { hone::attend_backward(two, good, from, {2, 2}, from, m.numbers(), to, gradients, scratch, options); });
  };
  CHECK(back(d.module(), m.numbers()).substr(0, 44) == "attend_backward: squeezed and squeezed overl");
  CHECK(back(d.module(), d.numbers(), {.dresidual = hone::image_view{x.data(), 2, 3, 4}}) ==
        "attend_backward: dresidual and x overlap, dresidual begins 0 bytes after x; they must be apart");
  auto other = d.module();
  other.kernel_size = 1, other.kernel = other.kernel.first(2);
  CHECK(back(other, d.numbers()) ==
        "attend_backward: parameters have a width of 2 and a kernel_size of 1, the module 2 and 3");
  std::vector<float> few(10);
  CHECK(support::message([&] { hone::cbam_numbers<float>::in(few, 2, 3, 2, 4); }) ==
        "cbam_numbers: memory has 10 numbers, must have at least 62");
  CHECK(support::message([&] { hone::cbam_numbers<float>::size(2, -3, 2, 4); }) ==
        "cbam_numbers: channels is -3, must be in [0, 2^31)");
  CHECK(y == std::vector<float>(24, 7));
  CHECK(m.memory == std::vector<float>(62, 99));
  CHECK(d.of[4] == std::vector<float>(18, 99));
}
