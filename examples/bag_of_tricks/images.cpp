// SPDX-License-Identifier: MIT
#include "images.hpp"

#include "held_out.hpp"

namespace ladder {
namespace {

demo::image_set first_of(const demo::image_set& set, std::size_t begin, std::size_t end, int most) {
  return set.part(begin, std::min(end, begin + static_cast<std::size_t>(most)));
}

}  // namespace

images::images(const demo::dataset& data, const plan& plan) : standard({}) {
  const std::size_t all = data.train.size(), kept = demo::kept_of(all);
  train = first_of(data.train, 0, kept, plan.images);
  watched = first_of(data.train, kept, all, plan.watched);
  held_out = first_of(data.train, kept, all, plan.measured);
  measured = plan.validation ? held_out : first_of(data.test, 0, data.test.size(), plan.measured);
  standard = demo::standardisation(train);
}

matrix<float> logits_of(network& net, const demo::image_set& set, const demo::standardisation& standard) {
  matrix<float> logits(static_cast<Eigen::Index>(set.size()), 10);
  const std::vector<std::uint32_t> order = demo::in_order(set.size());
  demo::batch batch;
  Eigen::Index row = 0;
  demo::each_batch(order, 250, [&](auto part) {
    standard.gather(set, part, batch);
    logits.middleRows(row, batch.images.rows()) = net.forward(batch.images, {});
    row += batch.images.rows();
    return true;
  });
  return logits;
}

double error_of(const matrix<float>& logits, const std::vector<int>& labels) {
  Eigen::Index wrong = 0, top = 0;
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    logits.row(i).maxCoeff(&top);
    wrong += top != labels[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  return static_cast<double>(wrong) / static_cast<double>(std::max<Eigen::Index>(logits.rows(), 1));
}

}  // namespace ladder
