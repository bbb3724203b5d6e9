// SPDX-License-Identifier: MIT
// Objectives cut into blocks of rows: each block has the losses that its rows have in the whole.
#include <hone/hone.hpp>

#include <hone/loss/row/leaf_of_rows.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace {

using hone::index;

// A target of a trainer's own, that nothing can cut.
struct own_target : hone::classes_target<int> {
  own_target of_rows(index, index) const = delete;
};
template <class Objective>
constexpr bool rowwise(Objective const& objective) {
  return hone::detail::leaves(objective).apply(
      []<class... Leaf>(Leaf const&...) { return (hone::detail::is_rowwise<typename Leaf::term_type>() && ...); });
}

constexpr index rows = 10, classes = 6;

struct numbers {
  std::vector<double> z, probabilities, lambdas, of_class, of_row, bins, margins;
  std::vector<float> teacher, log_probabilities, rest;
  std::vector<int> labels;
  std::vector<index> partners;
  std::vector<std::int32_t> top;

  numbers() {
    for (index i = 0; i < rows; ++i) {
      labels.push_back(i % 4 == 3 ? -1 : int(i * 5 % classes));
      partners.push_back((i + 3) % rows);
      lambdas.push_back(double(i) / rows), of_row.push_back(double(i % 3)), bins.push_back(double(i) / 3);
      rest.push_back(-3 - float(i) / 8);
      for (index k = 0; k < 2; ++k)
        top.push_back(int(i % 3 + 2 * k)), log_probabilities.push_back(-1 - float(i + k) / 16);
      for (index c = 0; c < classes; ++c) {
        const double n = double((i * 7 + c * 11) % 13);
        z.push_back(n / 4 - 1), probabilities.push_back(n / 60), teacher.push_back(float(13 - n) / 3);
      }
    }
    for (index c = 0; c < classes; ++c) of_class.push_back(double(1 + c % 3)), margins.push_back(double(c) / 10);
  }
  auto of(std::vector<double> const& v) const { return hone::matrix_view{v.data(), rows, classes}; }
};

template <class Objective>
void check_cut(numbers const& n, Objective const& objective) {
  const hone::cpu cpu(1);
  std::vector<double> whole(rows), parts(rows, 99), dz(n.z.size()), dz_parts(n.z.size(), 99);
  hone::evaluate(cpu, objective, n.of(n.z), {.gradient = {dz.data(), rows, classes}, .unreduced = whole.data()},
                 hone::sum);
  hone::detail::leaves(objective).apply([&](auto const& leaf) {
    for (auto const& range : {std::pair<index, index>{0, 4}, {4, 1}, {5, 5}}) {
      const index first = range.first, count = range.second;
      const auto part = hone::detail::leaf_of_rows(leaf, first, count);
      const auto evaluate = [&](auto const& o) {
        hone::evaluate(
            cpu, part.factor * o, hone::matrix_view{n.z.data() + first * classes, count, classes},
            {.gradient = {dz_parts.data() + first * classes, count, classes}, .unreduced = parts.data() + first},
            hone::sum);
      };
      if constexpr (decltype(part)::weight_count == 0)
        evaluate(part.term);
      else
        evaluate(hone::row_weighed(part.term, part.weights[0]));
    }
  });
  for (index i = 0; i < rows; ++i)
    CHECK(parts[std::size_t(i)] == doctest::Approx(whole[std::size_t(i)]).epsilon(1e-13));
  for (std::size_t i = 0; i < dz.size(); ++i) CHECK(dz_parts[i] == doctest::Approx(dz[i]).epsilon(1e-13));
}

TEST_CASE("leaf_of_rows: blocks of rows have the losses of the whole") {
  const numbers n;
  const auto target = hone::classes(n.labels, {.ignore = -1});
  const auto soft = hone::probabilities(n.of(n.probabilities));
  const hone::matrix_view teacher{n.teacher.data(), rows, classes};
  check_cut(n, hone::cross_entropy(target));
  check_cut(n, hone::weigh_rows(2 * hone::cross_entropy(hone::smooth(target, 0.1, hone::leave_one_out)), n.of_row));
  check_cut(n, hone::cross_entropy(hone::weigh_classes(hone::mix(target, hone::smooth(target, 0.2), 0.3), n.of_class)));
  check_cut(n, hone::cross_entropy(hone::mix(soft, target, n.lambdas)));
  check_cut(n, hone::softmax_focal_loss(hone::smooth(target, 0.1)));
  check_cut(n, hone::cross_entropy(hone::two_hot(n.bins)));
  check_cut(n, hone::z_loss(0.1) * 3);
  check_cut(n, hone::ldam_loss(target, n.margins));
  check_cut(n, hone::distillation(teacher, 2));
  check_cut(n, hone::reverse_distillation(teacher, 2));
  check_cut(n, hone::decoupled_distillation(target, teacher, 2));
  check_cut(n,
            hone::top_k_distillation({n.top.data(), n.log_probabilities.data(), n.rest.data(), rows, classes, 2, 1}));
}

TEST_CASE("leaf_of_rows: partners may be rows of other blocks") {
  const numbers n;
  const auto partner = hone::partner_classes(n.labels, n.partners, {.ignore = -1});
  const auto part = hone::detail::leaf_of_rows(
                        hone::detail::leaf<hone::cross_entropy_term<std::remove_const_t<decltype(partner)>>, 0>{
                            hone::cross_entropy(partner)},
                        4, 3)
                        .term.target;
  for (index i = 0; i < 3; ++i) {
    CHECK(part.ignores(i) == partner.ignores(4 + i));
    if (!part.ignores(i)) CHECK(part.label_weight(i, n.of_class) == partner.label_weight(4 + i, n.of_class));
  }
}

TEST_CASE("leaf_of_rows: what cannot be cut") {
  const numbers n;
  const hone::image_view<const double> image{n.probabilities.data(), 1, classes, rows};
  CHECK(rowwise(hone::cross_entropy(hone::smooth(hone::classes(n.labels), 0.1))));
  CHECK_FALSE(rowwise(hone::cross_entropy(hone::smooth(own_target{}, 0.1))));
  CHECK_FALSE(rowwise(hone::cross_entropy(hone::probabilities(image))));
  CHECK_FALSE(rowwise(hone::distillation(image, 2)));
}

}  // namespace
