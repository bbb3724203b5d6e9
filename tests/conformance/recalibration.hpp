// SPDX-License-Identifier: MIT
/// What every backend must answer for channel attention, against loops in double written from the definitions.
#pragma once

#include <conformance/planes.hpp>

#include <span>

namespace conformance {

enum class branch_kind { squeeze, squeeze_without_bias, effective, efficient };

/// A block: its branch, the activation of the branch and of the block, and whether there is a residual.
struct recalibration_case {
  planes_shape shape;
  branch_kind kind;
  index width;  // of the hidden numbers, or of the kernel
  hone::activation_function inner, outer;
  bool residual, keeps_residual;

  bool squeezes() const { return kind == branch_kind::squeeze || kind == branch_kind::squeeze_without_bias; }
  index hidden() const { return squeezes() ? width : 0; }
  std::size_t weights() const {
    const index c = shape.channels;
    return std::size_t(squeezes() ? 2 * c * width : kind == branch_kind::effective ? c * c : width);
  }
  std::size_t biases() const {
    const index c = shape.channels;
    return std::size_t(kind == branch_kind::squeeze ? c + width : kind == branch_kind::effective ? c : 0);
  }
};

/// The branch of a case on some weights and biases: reduce, then expand.
template <class Body, class W>
void with_branch(recalibration_case const& of, W* weights, W* biases, Body const& body) {
  const index c = of.shape.channels, r = of.width;
  const std::span<W> all(biases, of.biases());
  if (of.squeezes()) {
    const bool biased = of.kind == branch_kind::squeeze;
    return body(hone::squeeze_excite<W>{{weights, r, c},
                                        biased ? all.first(std::size_t(r)) : all,
                                        {weights + r * c, c, r},
                                        biased ? all.last(std::size_t(c)) : all,
                                        of.inner});
  }
  if (of.kind == branch_kind::effective) return body(hone::effective_squeeze_excite<W>{{weights, c, c}, all});
  body(hone::efficient_channel_attention<W>{std::span<W>(weights, std::size_t(r))});
}

/// The results of a case, image by image.
struct recalibration_reference {
  std::vector<double> y, dx, g, dweights, dbiases, size_of_weights, size_of_biases;

  template <class T, class A>
  recalibration_reference(recalibration_case const& of, std::vector<T> const& x, std::vector<T> const& rest,
                          std::vector<T> const& dy, std::vector<A> const& w, std::vector<A> const& b)
      : y(x.size()),
        dx(x.size()),
        g(x.size()),
        dweights(w.size()),
        dbiases(b.size()),
        size_of_weights(w.size()),
        size_of_biases(b.size()) {
    const index c = of.shape.channels, r = of.width, pixels = of.shape.pixels();
    const auto at = [](auto const& v, index i) { return static_cast<double>(v[std::size_t(i)]); };
    const auto gradient = [](std::vector<double>& to, std::vector<double>& size, index i, double v) {
      to[std::size_t(i)] += v, size[std::size_t(i)] += std::abs(v);
    };
    for (index image = 0; image < of.shape.images; ++image) {
      const index from = image * c * pixels;
      std::vector<double> q(std::size_t(c), 0), e(q), de(q), dq(q), h(std::size_t(r), 0), dh(h);
      for (index k = 0; k < c * pixels; ++k) q[std::size_t(k / pixels)] += at(x, from + k) / double(pixels);
      const auto each_weight = [&](auto const& body) {  // body(weight, output, input) of the branch's last product
        for (index o = 0; o < c; ++o)
          if (of.squeezes()) {
            for (index k = 0; k < r; ++k) body(r * c + o * r + k, o, k);
          } else if (of.kind == branch_kind::effective) {
            for (index k = 0; k < c; ++k) body(o * c + k, o, k);
          } else {
            for (index k = 0; k < r; ++k)
              if (o + k - r / 2 >= 0 && o + k - r / 2 < c) body(k, o, o + k - r / 2);
          }
      };
      const index bias_of_expand = of.squeezes() ? r : 0;
      for (index k = 0; of.squeezes() && k < r; ++k) {
        h[std::size_t(k)] = b.empty() ? 0 : at(b, k);
        for (index j = 0; j < c; ++j) h[std::size_t(k)] += at(w, k * c + j) * q[std::size_t(j)];
      }
      const auto input = [&](index k) {
        return of.squeezes() ? activation_of(of.inner, h[std::size_t(k)]).value : q[std::size_t(k)];
      };
      for (index o = 0; o < c && !b.empty(); ++o) e[std::size_t(o)] = at(b, bias_of_expand + o);
      each_weight([&](index k, index o, index i) { e[std::size_t(o)] += at(w, k) * input(i); });
      const auto gate = [&](index o) {
        return of.kind == branch_kind::effective ? gate_of(hone::hard_sigmoid_gate, e[std::size_t(o)])
                                                 : gate_of(hone::sigmoid_gate, e[std::size_t(o)]);
      };
      for (index k = 0; k < c * pixels; ++k) {
        const auto i = std::size_t(from + k);
        const double u = double(x[i]) * gate(k / pixels).value + (of.residual ? double(rest[i]) : 0);
        y[i] = activation_of(of.outer, u).value;
        g[i] = double(dy[i]) * activation_of(of.outer, u).slope;
        de[std::size_t(k / pixels)] += double(x[i]) * g[i] * gate(k / pixels).slope;
      }
      for (index o = 0; o < c && !b.empty(); ++o)
        gradient(dbiases, size_of_biases, bias_of_expand + o, de[std::size_t(o)]);
      each_weight([&](index k, index o, index i) {
        gradient(dweights, size_of_weights, k, de[std::size_t(o)] * input(i));
        (of.squeezes() ? dh : dq)[std::size_t(i)] += at(w, k) * de[std::size_t(o)];
      });
      for (index k = 0; of.squeezes() && k < r; ++k) {
        const double d = dh[std::size_t(k)] * activation_of(of.inner, h[std::size_t(k)]).slope;
        if (!b.empty()) gradient(dbiases, size_of_biases, k, d);
        for (index j = 0; j < c; ++j) {
          gradient(dweights, size_of_weights, k * c + j, d * q[std::size_t(j)]);
          dq[std::size_t(j)] += d * at(w, k * c + j);
        }
      }
      for (index k = 0; k < c * pixels; ++k)
        dx[std::size_t(from + k)] =
            g[std::size_t(from + k)] * gate(k / pixels).value + dq[std::size_t(k / pixels)] / double(pixels);
    }
  }
};

/// The caller's memory of a case on a device.
template <class Device, class T>
struct recalibration_memory {
  using A = hone::accumulator_t<T>;
  template <class U>
  using buffer = typename Device::template buffer<U>;

  recalibration_case of;
  std::vector<T> hx, hr, hdy;
  std::vector<A> hw, hb;
  buffer<T> x, rest, dy, y, dx, dr;
  buffer<A> w, b, dw, db, numbers, scratch;

  explicit recalibration_memory(recalibration_case const& of_)
      : of(of_),
        hx(plane_noise<T>(3, of.shape.numbers())),
        hr(plane_noise<T>(50, of.shape.numbers())),
        hdy(plane_noise<T>(700, of.shape.numbers())),
        hw(weights_of(of)),
        hb(plane_noise<A>(31, of.biases())),
        x(hx),
        rest(hr),
        dy(hdy),
        y(std::vector<T>(of.shape.numbers(), T(99.0f))),
        dx(std::vector<T>(of.shape.numbers(), T(99.0f))),
        dr(std::vector<T>(of.shape.numbers(), T(99.0f))),
        w(hw),
        b(hb),
        dw(std::vector<A>(hw.size(), A(99))),
        db(std::vector<A>(hb.size(), A(99))),
        numbers(poisoned()),
        scratch(poisoned()) {}

  static std::vector<A> weights_of(recalibration_case const& of) {
    auto w = plane_noise<A>(21, of.weights());
    for (A& v : w) v /= static_cast<A>(4 * std::sqrt(double(of.shape.channels)));  // no gate is 0 or 1
    return w;
  }
  // The numbers are views with strides: three of the columns at the end of each row are nobody's.
  index stride() const { return 2 * (of.shape.channels + of.hidden()) + 3; }
  std::vector<A> poisoned() const {  // a row more than is used, so that there is memory without images
    return std::vector<A>(std::size_t((of.shape.images + 1) * stride()), A(77));
  }
  hone::recalibration_numbers<A> view(buffer<A> const& m) const {
    const index n = of.shape.images, c = of.shape.channels, r = of.hidden();
    return {{m.data(), n, c, stride()},
            {m.data() + c, n, c, stride()},
            {m.data() + 2 * c, n, r, stride()},
            {m.data() + 2 * c + r, n, r, stride()}};
  }
  hone::image_view<T> image(buffer<T> const& m) const {
    return {m.data(), of.shape.images, of.shape.channels, of.shape.height, of.shape.width};
  }
  hone::image_view<const T> residual() const {
    return of.residual ? hone::image_view<const T>(image(rest)) : hone::image_view<const T>();
  }
  hone::image_view<T> dresidual(buffer<T> const& to) const {
    return of.keeps_residual ? image(to) : hone::image_view<T>();
  }
  bool padding_is_kept() const {
    for (auto const* m : {&numbers, &scratch}) {
      const auto seen = m->host();
      for (index i = 0; i < of.shape.images * stride(); ++i)
        if (i % stride() >= stride() - 3 && seen[std::size_t(i)] != A(77)) return false;
    }
    return true;
  }

  template <class... Product>
  void forward(buffer<T> const& to, Product const&... product) const {
    with_branch<>(of, static_cast<A const*>(w.data()), static_cast<A const*>(b.data()), [&](auto const& branch) {
      Device::call([&](auto&& backend) {
        hone::recalibrate(backend, branch, image(x), image(to), view(numbers),
                          {.residual = residual(), .activation = of.outer}, product...);
      });
    });
  }
  template <class... Product>
  void backward(buffer<T> const& by_x, buffer<T> const& by_residual, Product const&... product) const {
    with_branch<>(of, w.data(), b.data(), [&](auto const& branch) {
      with_branch<>(of, dw.data(), db.data(), [&](auto const& gradients) {
        if constexpr (std::is_same_v<decltype(branch), decltype(gradients)>)
          Device::call([&](auto&& backend) {
            hone::recalibrate_backward(
                backend, branch, image(x), image(dy), view(numbers), image(by_x), gradients, view(scratch),
                {.residual = residual(), .activation = of.outer, .dresidual = dresidual(by_residual)}, product...);
          });
      });
    });
  }
};

template <class T>
bool same_numbers(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && support::same_bytes(a.data(), b.data(), a.size() * sizeof(T));
}

/// `product`: what a call takes after its options, where a backend takes anything.
template <class Device, class T, class... Product>
void recalibrates(recalibration_case const& of, Product const&... product) {
  CAPTURE(of.shape.images);
  CAPTURE(of.shape.channels);
  CAPTURE(of.shape.pixels());
  CAPTURE(int(of.kind));
  CAPTURE(int(of.outer));
  CAPTURE(of.residual);
  CAPTURE(of.keeps_residual);
  using A = hone::accumulator_t<T>;
  const recalibration_memory<Device, T> m(of);
  const recalibration_reference right(of, m.hx, m.hr, m.hdy, m.hw, m.hb);
  const auto near = [](auto const& seen, std::vector<double> const& expected, double scale, double tolerance) {
    return plane_distance(seen, [&](index i) {
             return std::pair(expected[std::size_t(i)], std::abs(expected[std::size_t(i)]) + scale);
           }) <= tolerance;
  };
  const auto near_sum = [](std::vector<A> const& seen, std::vector<double> const& expected,
                           std::vector<double> const& size) {
    return plane_distance(seen, [&](index i) {
             return std::pair(expected[std::size_t(i)], size[std::size_t(i)] + 1);
           }) <= 8 * plane_tolerance<A>;
  };
  m.forward(m.y, product...);
  CHECK(near(m.y.host(), right.y, 4, 2 * plane_tolerance<T>));
  m.backward(m.dx, m.dr, product...);
  CHECK(near(m.dx.host(), right.dx, 8, 2 * plane_tolerance<T>));
  CHECK(near_sum(m.dw.host(), right.dweights, right.size_of_weights));
  CHECK(near_sum(m.db.host(), right.dbiases, right.size_of_biases));
  if (of.keeps_residual) CHECK(near(m.dr.host(), right.g, 4, 2 * plane_tolerance<T>));
  CHECK(m.padding_is_kept());

  const auto dw = m.dw.host(), db = m.db.host();
  m.backward(m.dy, m.x, product...);  // in place: dx on dy, dresidual on x
  CHECK(same_numbers(m.dy.host(), m.dx.host()));
  CHECK((same_numbers(m.dw.host(), dw) && same_numbers(m.db.host(), db)));
  if (of.keeps_residual) CHECK(same_numbers(m.x.host(), m.dr.host()));
}

inline std::vector<recalibration_case> recalibration_cases(planes_shape s) {
  using enum branch_kind;
  return {{s, squeeze, 2, hone::relu, hone::relu, true, true},
          {s, squeeze, 19, hone::silu, hone::hard_swish, true, false},
          {s, squeeze_without_bias, 8, hone::hard_swish, hone::no_activation, false, false},
          {s, effective, 0, hone::no_activation, hone::silu, false, true},
          {s, effective, 0, hone::no_activation, hone::no_activation, true, true},
          {s, efficient, 3, hone::no_activation, hone::relu, true, true},
          {s, efficient, 9, hone::no_activation, hone::no_activation, false, false}};
}

/// In place, odd sizes, one pixel, planes of several runs, more channels than lanes, nothing.
template <class Device>
void recalibration() {
  for (const planes_shape s : {planes_shape{1, 1, 1, 1},
                               {2, 3, 1, 1},
                               {3, 5, 7, 7},
                               {5, 67, 1, 3},
                               {1, 2, 41, 61},
                               {2, 1, 64, 64},
                               {19, 130, 2, 1},
                               {0, 3, 2, 2},
                               {2, 0, 2, 2}})
    for (auto const& of : recalibration_cases(s)) recalibrates<Device, float>(of);
  for (const planes_shape s : {planes_shape{3, 5, 7, 7}, {1, 2, 41, 61}, {3, 67, 1, 1}})
    for (auto const& of : recalibration_cases(s)) {
      recalibrates<Device, double>(of);
      recalibrates<Device, typename Device::half>(of);
      recalibrates<Device, typename Device::bfloat16>(of);
    }
}

}  // namespace conformance
