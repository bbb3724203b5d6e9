// SPDX-License-Identifier: MIT
/// What synchronised batch normalisation sums over ranks, on the CPU, and the sweep that uses the sums.
#pragma once

#include <hone/cpu/distributed/normalise_run.hpp>
#include <hone/cpu/structure/channel_scale.hpp>
#include <hone/cpu/structure/measure_channels.hpp>
#include <hone/distributed/merge_channels.hpp>

#include <type_traits>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The parameters of a batch normalisation that is trained, one number per channel.
template <class A>
struct batch_norm_parameters {
  std::span<const A> scale, shift;
  real epsilon = 1e-5;  ///< finite and at least 0
};

namespace on_cpu {

inline auto by_channels(cpu const& backend) {
  return [&backend](std::size_t n, auto const& body) {
    for_chunks(backend, static_cast<index>(n), 0, [&](index k, std::byte*) { body(static_cast<std::size_t>(k)); });
  };
}

/// Calls add(channel_statistics) for the planes, or for the numbers, of a channel.
template <class T>
class measured_planes {
 public:
  measured_planes(cpu const& backend, image_view<const T> x) : channels_(std::size_t(x.channels)) {
    planes_.resize(std::size_t(x.images) * channels_);
    for_planes(backend, plane_cut(x), 0, [&](index from, index to, std::byte*) {
      for (index p = from; p < to; ++p) planes_[std::size_t(p)] = measure_plane<T>(x, p);
    });
  }
  template <class Add>
  void operator()(std::size_t c, Add const& add) const {
    for (std::size_t p = c; p < planes_.size(); p += channels_) add(planes_[p]);
  }

 private:
  std::size_t channels_;
  std::vector<channel_statistics> planes_;
};
template <class T>
class measured_rows {
 public:
  measured_rows(cpu const&, matrix_view<const T> x) : x_(x) {}
  template <class Add>
  void operator()(std::size_t c, Add const& add) const {
    for (index r = 0; r < x_.rows; ++r)
      add(channel_statistics{1, static_cast<double>(static_cast<accumulator_t<T>>(x_.row(r)[c])), 0});
  }

 private:
  matrix_view<const T> x_;
};

template <class T>
auto measured(cpu const& backend, image_view<const T> x) {
  return measured_planes<T>(backend, x);
}
template <class T>
auto measured(cpu const& backend, matrix_view<const T> x) {
  return measured_rows<T>(backend, x);
}
template <class T>
index numbers_per_channel(image_view<T> x) noexcept {
  return x.images * x.pixels;
}
template <class T>
index numbers_per_channel(matrix_view<T> x) noexcept {
  return x.rows;
}

/// Returns the statistics of the channels of all ranks. check() throws on bad arguments.
template <class C, class View, class Check>
std::vector<channel_statistics> measure_over_ranks(cpu const& backend, C const& ranks, const char* function, View x,
                                                   Check const& check) {
  const bool same = detail::same_on_ranks(ranks, function, [&] {
    check();
    return static_cast<std::uint64_t>(detail::columns_of(x));
  });
  if (!same)
    detail::fail("%s: the ranks have different numbers of channels, x has %jd here", function,
                 std::intmax_t(detail::columns_of(x)));
  std::vector<std::int64_t> counts(static_cast<std::size_t>(detail::columns_of(x)), numbers_per_channel(x));
  return detail::merged_channels(ranks, std::span<std::int64_t>(counts), by_channels(backend), measured(backend, x));
}

/// Σ (x - centre) dy and Σ dy of the parts of a rank: the planes of an image, or a row.
template <class T, class A>
class slope_sums {
 public:
  slope_sums(image_view<const T>, image_view<const T>, channel_memory<A> const& channels, index parts)
      : channels_(&channels), parts_(parts) {}
  template <class Add>
  void operator()(std::size_t k, Add const& add) const {
    for (index part = 0; part < parts_; ++part) add(channels_->sums(part)[k]);
  }

 private:
  channel_memory<A> const* channels_;
  index parts_;
};
template <class T, class A>
class row_slopes {
 public:
  row_slopes(matrix_view<const T> x, matrix_view<const T> dy, channel_memory<A> const& channels, index)
      : x_(x), dy_(dy), channels_(&channels) {}
  template <class Add>
  void operator()(std::size_t k, Add const& add) const {
    const std::size_t c = k / 2;
    const auto centre = static_cast<double>(channels_->strips().centre[c]);
    for (index r = 0; r < x_.rows; ++r) {
      const auto g = static_cast<double>(static_cast<A>(dy_.row(r)[c]));
      add(k % 2 == 0 ? (static_cast<double>(static_cast<A>(x_.row(r)[c])) - centre) * g : g);
    }
  }

 private:
  matrix_view<const T> x_, dy_;
  channel_memory<A> const* channels_;
};
template <class T, class A>
auto slopes(image_view<const T> x, image_view<const T> dy, channel_memory<A> const& channels, index parts) {
  return slope_sums<T, A>(x, dy, channels, parts);
}
template <class T, class A>
auto slopes(matrix_view<const T> x, matrix_view<const T> dy, channel_memory<A> const& channels, index parts) {
  return row_slopes<T, A>(x, dy, channels, parts);
}

template <class T>
void write_norm_gradient(cpu const& backend, image_view<const T> x, image_view<const T> dy, image_view<T> dx,
                         std::vector<norm_slope<double>> const& of) {
  using A = accumulator_t<T>;
  for_planes(backend, plane_cut(x), 0, [&](index from, index to, std::byte*) {
    for (index p = from; p < to; ++p) {
      const same_slope<A> numbers(of[std::size_t(p % x.channels)]);
      for_runs(p, x.pixels, [&](index at, index n) {
        normalise_run_backward<A>(numbers, x.data + at, dy.data + at, dx.data + at, n);
      });
    }
  });
}
template <class T>
void write_norm_gradient(cpu const& backend, matrix_view<const T> x, matrix_view<const T> dy, matrix_view<T> dx,
                         std::vector<norm_slope<double>> const& of) {
  using A = accumulator_t<T>;
  const std::size_t padded = channel_memory<A>::padded(x.columns);
  std::vector<A> strips(4 * padded);
  A* const s = strips.data();
  for (std::size_t c = 0; c < of.size(); ++c) {
    s[c] = detail::narrowed<A>(of[c].centre), s[c + padded] = detail::narrowed<A>(of[c].by);
    s[c + 2 * padded] = detail::narrowed<A>(of[c].mean_dy), s[c + 3 * padded] = detail::narrowed<A>(of[c].slope);
  }
  const slope_each<A> numbers{s, s + padded, s + 2 * padded, s + 3 * padded};
  const row_parts parts(x);
  for_chunks(backend, parts.count(), 0, [&](index part, std::byte*) {
    for (index r = parts.begin(part); r < parts.end(part); ++r)
      normalise_run_backward<A>(numbers, x.row(r), dy.row(r), dx.row(r), x.columns);
  });
}

/// The means and variances of statistics in A, as a batch normalisation uses them.
template <class A>
struct narrowed_statistics {
  std::vector<A> mean, variance;

  explicit narrowed_statistics(std::span<const channel_statistics> of) {
    mean.reserve(of.size()), variance.reserve(of.size());
    for (channel_statistics const& s : of)
      mean.push_back(detail::narrowed<A>(s.mean)), variance.push_back(detail::narrowed<A>(s.variance()));
  }
  batch_norm_view<A> with(batch_norm_parameters<A> const& p) const noexcept {
    return {mean, variance, p.scale, p.shift, p.epsilon};
  }
};

}  // namespace on_cpu

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
