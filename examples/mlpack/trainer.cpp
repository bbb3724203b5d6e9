// SPDX-License-Identifier: MIT
#include "trainer.hpp"

#include <omp.h>

#include <algorithm>

namespace trainer {

namespace {

images matrices_of(demo::image_set const& set) {
  images all{arma::mat(demo::image_pixels, set.size()), arma::mat(1, set.size())};
  std::ranges::transform(set.pixels, all.x.begin(), [](auto byte) { return (byte / 255.0 - 0.2860) / 0.3530; });
  std::ranges::copy(set.labels, all.y.begin());
  return all;
}

}  // namespace

int program(const char* name, int count, const char* const* arguments, double rate,
            void (*train)(options const&, dataset const&)) {
  const options defaults{.epochs = 3, .rate = rate};
  return demo::trainer_program(name, count, arguments, defaults, [&](options const& o, demo::dataset const& data) {
    omp_set_num_threads(static_cast<int>(o.threads));
    mlpack::RandomSeed(static_cast<std::size_t>(o.seed));
    const std::size_t kept = o.quick ? static_cast<std::size_t>(20 * o.batch) : data.train.size();
    train(o, {matrices_of(data.train.part(0, std::min(kept, data.train.size()))), matrices_of(data.test)});
  });
}

}  // namespace trainer
