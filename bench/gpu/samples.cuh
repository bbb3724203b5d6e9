// SPDX-License-Identifier: MIT
/// Mixing a batch of images of ImageNet's size.
#pragma once

#include <hone/hone.cuh>

#include <gpu/arrays.cuh>

namespace bench::of_samples {

template <class T>
void mixup(table& works, const char* type) {
  entry e{"mixup", 256, 3 * 224 * 224, type};
  if (!works.wants(e)) return;
  if (works.asked().quick) e.rows = 8, e.columns = 3 * 32 * 32;
  const index n = e.rows * e.columns, bytes = 2 * n * index(sizeof(T));
  const int sets = works.sets_for(bytes);
  const device::stream stream;
  const device::buffer<T> images(std::size_t(sets * n)), mixed(std::size_t(sets * n));
  fill(images.data(), sets * n, 1, stream);
  hone::cuda gpu(stream);
  hone::device_draw drawn(gpu, e.rows);
  hone::draw(gpu, hone::mixup{.alpha = 0.2}, 1, 2, drawn);
  const auto view = [&](device::buffer<T> const& b, int set) {
    return hone::matrix_view<T>{b.data() + set * n, e.rows, e.columns};
  };
  const auto call = [&](int set) { hone::blend(gpu, drawn, view(images, set), view(mixed, set)); };
  works.measure(e, bytes, sets, stream, call, [&] {
    call(0);
    stream.wait();
    const auto from = on_host(images.data(), n);
    const auto lambda = on_host(drawn.lambda().data(), e.rows);
    const auto partner = on_host(drawn.partner().data(), e.rows);
    return differs(
        "mixed image", on_host(mixed.data(), n),
        [&](std::size_t i) {
          const std::size_t row = i / std::size_t(e.columns), column = i % std::size_t(e.columns);
          const double part = double(lambda[row]);
          const auto at = [&](index r) { return double(from[std::size_t(r * e.columns) + column]); };
          return part * at(index(row)) + (1 - part) * at(partner[row]);
        },
        1e-5, std::is_integral_v<T> ? 0.51 : 1e-5);  // bytes are rounded
  });
}

inline void all(table& works) {
  mixup<float>(works, "float");
  mixup<std::uint8_t>(works, "bytes");
}

}  // namespace bench::of_samples
