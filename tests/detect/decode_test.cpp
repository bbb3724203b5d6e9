// SPDX-License-Identifier: MIT
// Decoded boxes against the formulas of their sources, gradients against central differences, conversion of formats,
// and a detector's training step as a user writes it.
#include <hone/hone.hpp>

#include <conformance/decoding.hpp>
#include <cpu/this_machine.hpp>
#include <support/message.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace {

const std::vector<hone::anchor_size> anchors = {{10, 13}, {16, 30}, {33, 23}, {30, 61}};
const hone::anchor_level level{
    .images = 2, .rows = 3, .columns = 5, .stride = 8, .anchors = anchors, .first = 1, .count = 2};
const hone::anchor_level free_level{
    .images = 2, .rows = 3, .columns = 5, .stride = 8, .anchors = anchors, .first = 0, .count = 1};
const hone::cpu cpu(2);

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

std::vector<double> raw_numbers(hone::index count, double size) {
  std::mt19937 draw(11);
  std::uniform_real_distribution<double> number(-size, size);
  std::vector<double> all(static_cast<std::size_t>(count));
  for (double& x : all) x = number(draw);
  return all;
}

/// A family's formula, restated: the box of a slot in pixels as its decoding's format has it.
using formula = std::vector<double> (*)(double const* t, double column, double row, hone::anchor_size anchor);
std::vector<double> v4(double const* t, double column, double row, hone::anchor_size a) {  // scale_x_y = 1.2
  return {(1.2 * sigmoid(t[0]) - 0.1 + column) * 8, (1.2 * sigmoid(t[1]) - 0.1 + row) * 8, a.width * std::exp(t[2]),
          a.height * std::exp(t[3])};
}
std::vector<double> v5(double const* t, double column, double row, hone::anchor_size a) {
  return {(2 * sigmoid(t[0]) - 0.5 + column) * 8, (2 * sigmoid(t[1]) - 0.5 + row) * 8,
          std::pow(2 * sigmoid(t[2]), 2) * a.width, std::pow(2 * sigmoid(t[3]), 2) * a.height};
}
std::vector<double> pp(double const* t, double column, double row, hone::anchor_size a) {  // scale_x_y = 1.05
  return {(1.05 * sigmoid(t[0]) - 0.025 + column) * 8, (1.05 * sigmoid(t[1]) - 0.025 + row) * 8,
          a.width * std::exp(t[2]), a.height * std::exp(t[3])};
}
std::vector<double> distances(double const* t, double column, double row, hone::anchor_size) {
  const double x = (column + 0.5) * 8, y = (row + 0.5) * 8;
  return {x - 8 * t[0], y - 8 * t[1], x + 8 * t[2], y + 8 * t[3]};
}

/// Boxes in every unit, as rows of seven numbers and as planes, and the gradient of Σ weight · number by differences.
template <class T>
void family(auto const& decoding, hone::anchor_level const& of, formula f, double tolerance) {
  constexpr bool of_corners =
      std::is_same_v<typename std::remove_cvref_t<decltype(decoding)>::format, hone::corners_format>;
  const hone::index slots = of.slots(), channels = 7, cells = of.rows * of.columns, planes = slots / cells;
  const std::vector<double> numbers = raw_numbers(slots * channels, 3);
  std::vector<T> rows(numbers.begin(), numbers.end()), image(rows.size()), boxes(std::size_t(slots) * 4);
  for (hone::index s = 0; s < slots; ++s)
    for (hone::index c = 0; c < channels; ++c)
      image[std::size_t((s / cells * channels + c) * cells + s % cells)] = rows[std::size_t(s * channels + c)];
  const hone::matrix_view<const T> as_rows{rows.data(), slots, channels};
  const hone::image_view<const T> as_image{image.data(), planes, channels, cells};
  const std::vector<double> weights = raw_numbers(slots * 4, 1);
  const std::vector<T> gradient(weights.begin(), weights.end());
  for (const auto unit : {hone::box_unit::pixels, hone::box_unit::image, hone::box_unit::cells}) {
    double worst = 0, worst_gradient = 0;
    std::vector<T> to(rows.size(), T(9)), in_place = rows, to_image(rows.size(), T(9)), again(boxes.size());
    hone::decode_boxes(cpu, decoding, of, as_rows, {boxes.data(), slots, 4}, unit);
    hone::decode_boxes(cpu, decoding, of, as_image, {again.data(), slots, 4}, unit);
    CHECK(again == boxes);
    hone::chain_boxes(cpu, decoding, of, as_rows, {gradient.data(), slots, 4}, {to.data(), slots, channels}, unit);
    hone::chain_boxes(cpu, decoding, of, hone::matrix_view<T>{in_place.data(), slots, channels},
                      {gradient.data(), slots, 4}, {in_place.data(), slots, channels}, unit);
    hone::chain_boxes(cpu, decoding, of, as_image, {gradient.data(), slots, 4},
                      {to_image.data(), planes, channels, cells}, unit);
    for (hone::index s = 0; s < slots; ++s) {
      const auto place = of.at(s);
      const auto box = [&](double const* t) {
        auto b = f(t, double(place.column), double(place.row), of.anchor(place.anchor));
        for (int c = 0; c < 4; ++c) {
          const double first = double(c % 2 == 0 ? place.column : place.row) * 8;
          if (unit == hone::box_unit::cells)
            b[std::size_t(c)] = (b[std::size_t(c)] - (c < 2 || of_corners ? first : 0)) / 8;
          if (unit == hone::box_unit::image) b[std::size_t(c)] /= 8 * double(c % 2 == 0 ? of.columns : of.rows);
        }
        return b;
      };
      double t[4];
      for (int c = 0; c < 4; ++c) t[c] = double(rows[std::size_t(s * channels + c)]);
      const auto b = box(t);
      for (std::size_t c = 0; c < 4; ++c) {
        worst = std::max(worst, std::abs(double(boxes[std::size_t(s) * 4 + c]) - b[c]) / (1 + std::abs(b[c])));
        double up[4] = {t[0], t[1], t[2], t[3]}, down[4] = {t[0], t[1], t[2], t[3]};
        up[c] += 1e-5, down[c] -= 1e-5;
        const auto more = box(up), less = box(down);
        double slope = 0;
        for (std::size_t k = 0; k < 4; ++k)
          slope += double(gradient[std::size_t(s) * 4 + k]) * (more[k] - less[k]) / 2e-5;
        const double seen = double(to[std::size_t(s * channels) + c]);
        worst_gradient = std::max(worst_gradient, std::abs(seen - slope) / (1 + std::abs(slope)));
        CHECK(in_place[std::size_t(s * channels) + c] == to[std::size_t(s * channels) + c]);
        CHECK(to_image[std::size_t((s / cells * channels + hone::index(c)) * cells + s % cells)] ==
              to[std::size_t(s * channels) + c]);
      }
      for (std::size_t c = 4; c < 7; ++c) {
        CHECK(to[std::size_t(s * channels) + c] == T(9));
        CHECK(in_place[std::size_t(s * channels) + c] == rows[std::size_t(s * channels) + c]);
      }
    }
    CHECK(worst < tolerance);
    CHECK(worst_gradient < std::max(10 * tolerance, 1e-8));
  }
}

}  // namespace

TEST_CASE("decode_boxes matches the formulas of every family, and chain_boxes their derivatives") {
  family<double>(hone::yolov4::decoding(1.2), level, v4, 1e-14);
  family<double>(hone::yolov5::decoding(), level, v5, 1e-14);
  family<double>(hone::ppyolo::decoding(), level, pp, 1e-14);
  family<double>(hone::distance_decoding(), free_level, distances, 1e-14);
  family<float>(hone::yolov5::decoding(), level, v5, 1e-6);
  family<float>(hone::yolov4::decoding(1.2), level, v4, 1e-6);
}

TEST_CASE("the CPU passes the conformance cases of decoded boxes") { conformance::decoded_boxes<on_this_machine>(); }

TEST_CASE("decoded boxes and their gradients are finite for finite raw numbers of any size") {
  constexpr float most = std::numeric_limits<float>::max();
  const hone::anchor_level one{.images = 1, .rows = 1, .columns = 1, .stride = 8, .anchors = anchors, .count = 1};
  for (const float x : {-most, -100.0f, 0.0f, 39.0f, 41.0f, 100.0f, most}) {
    const float raw[4] = {x, x, x, x}, ones[4] = {1, 1, 1, 1};
    const auto finite = [&](auto const& decoding) {
      float box[4], gradient[4];
      hone::decode_boxes(cpu, decoding, one, hone::matrix_view{raw, 1, 4}, {box, 1, 4});
      hone::chain_boxes(cpu, decoding, one, hone::matrix_view{raw, 1, 4}, {ones, 1, 4}, {gradient, 1, 4});
      for (int c = 0; c < 4; ++c) CHECK((std::isfinite(box[c]) && std::isfinite(gradient[c])));
    };
    finite(hone::yolov5::decoding());
    finite(hone::yolov4::decoding(2));
    finite(hone::ppyolo::decoding());
  }
}

TEST_CASE("a detector step of match, decode_boxes, loss and chain_boxes has the right gradient") {
  const std::vector<hone::labelled_box> labels{{.image = 0, .x = 0.31, .y = 0.42, .width = 0.4, .height = 0.9},
                                               {.image = 1, .x = 0.72, .y = 0.58, .width = 0.5, .height = 0.8},
                                               {.image = 1, .x = 0.70, .y = 0.55, .width = 0.45, .height = 0.8}};
  const hone::index slots = level.slots(), channels = 6;
  std::vector<double> head = raw_numbers(slots * channels, 1);
  const hone::matrix_view<const double> raw{head.data(), slots, channels};
  const auto matches = hone::yolov5::match(level, labels);
  const auto n = hone::index(matches.size());
  const auto cells = hone::boxes_in_cells(level, labels, matches);
  const std::vector<double> wanted(cells.begin(), cells.end());
  const auto loss = hone::giou_loss(hone::matrix_view{wanted.data(), n, 4}, hone::centers);
  const auto value = [&] {
    std::vector<double> boxes(std::size_t(n) * 4);
    hone::decode_boxes(cpu, hone::yolov5::decoding(), level, matches, raw, {boxes.data(), n, 4});
    return hone::evaluate(cpu, loss, hone::matrix_view{boxes.data(), n, 4}, {});
  };
  std::vector<double> boxes(std::size_t(n) * 4), by_boxes(boxes.size()), by_head(head.size(), 7);
  hone::decode_boxes(cpu, hone::yolov5::decoding(), level, matches, raw, {boxes.data(), n, 4});
  hone::evaluate(cpu, loss, hone::matrix_view{boxes.data(), n, 4}, {.gradient = {by_boxes.data(), n, 4}});
  hone::chain_boxes(cpu, hone::yolov5::decoding(), level, matches, raw, {by_boxes.data(), n, 4},
                    {by_head.data(), slots, channels});
  std::vector<int> times(static_cast<std::size_t>(slots));
  for (auto const& m : matches) ++times[std::size_t(m.slot)];
  CHECK(*std::max_element(times.begin(), times.end()) > 1);  // slots that boxes share
  for (hone::index s = 0; s < slots; ++s)
    for (hone::index c = 0; c < channels; ++c) {
      const auto at = std::size_t(s * channels + c);
      if (c >= 4) {
        CHECK(by_head[at] == 7);
      } else if (times[std::size_t(s)] == 0) {
        CHECK(by_head[at] == 0);
      } else {
        const double kept = head[at];
        head[at] = kept + 1e-6;
        const double more = value();
        head[at] = kept - 1e-6;
        const double less = value();
        head[at] = kept;
        CHECK(std::abs(by_head[at] - (more - less) / 2e-6) < 1e-7);
      }
    }
}

TEST_CASE("convert_boxes converts boxes between all formats, in place too") {
  const std::vector<double> corners{2, 4, 10, 8, -3, 5, 4, 6}, centers{6, 6, 8, 4, 0.5, 5.5, 7, 1},
      top_left{2, 4, 8, 4, -3, 5, 7, 1};
  const auto to = [&](std::vector<double> from, auto a, auto b) {
    std::vector<double> out(from.size());
    hone::convert_boxes(cpu, hone::matrix_view{from.data(), 2, 4}, a, {out.data(), 2, 4}, b);
    hone::convert_boxes(cpu, hone::matrix_view{from.data(), 2, 4}, a, {from.data(), 2, 4}, b);
    CHECK(from == out);  // in place too
    return out;
  };
  CHECK(to(corners, hone::corners, hone::corners) == corners);
  CHECK(to(corners, hone::corners, hone::centers) == centers);
  CHECK(to(corners, hone::corners, hone::top_left) == top_left);
  CHECK(to(centers, hone::centers, hone::corners) == corners);
  CHECK(to(centers, hone::centers, hone::centers) == centers);
  CHECK(to(centers, hone::centers, hone::top_left) == top_left);
  CHECK(to(top_left, hone::top_left, hone::corners) == corners);
  CHECK(to(top_left, hone::top_left, hone::centers) == centers);
  CHECK(to({1e8, 1e8, 0.3, 0.1, 0, 0, -2, 1}, hone::centers, hone::top_left)[2] == 0.3);  // a side keeps its bits
  CHECK(to({1e8, 1e8, 0.3, 0.1, 0, 0, -2, 1}, hone::centers, hone::top_left)[6] == -2);

  // A loss by corners, minimised in centers: the gradient that evaluate has for hone::centers.
  const std::vector<double> p{5, 5, 8, 6}, t{6, 7, 5, 9};
  std::vector<double> direct(4), corner_p(4), corner_t(4), g(4);
  hone::evaluate(cpu, hone::iou_loss(hone::matrix_view{t.data(), 1, 4}, hone::centers),
                 hone::matrix_view{p.data(), 1, 4}, {.gradient = {direct.data(), 1, 4}});
  hone::convert_boxes(cpu, hone::matrix_view{p.data(), 1, 4}, hone::centers, {corner_p.data(), 1, 4}, hone::corners);
  hone::convert_boxes(cpu, hone::matrix_view{t.data(), 1, 4}, hone::centers, {corner_t.data(), 1, 4}, hone::corners);
  hone::evaluate(cpu, hone::iou_loss(hone::matrix_view{corner_t.data(), 1, 4}),
                 hone::matrix_view{corner_p.data(), 1, 4}, {.gradient = {g.data(), 1, 4}});
  hone::convert_box_gradients(cpu, hone::matrix_view{g.data(), 1, 4}, hone::corners, {g.data(), 1, 4}, hone::centers);
  for (std::size_t c = 0; c < 4; ++c) CHECK(g[c] == doctest::Approx(direct[c]).epsilon(1e-12));
  // Back and forth through every pair: gradient · box is the same number, whatever the format.
  const auto product = [&](auto from, auto into) {
    const std::vector<double> x{3, -2, 7, 5}, by{0.5, -1.25, 2, 0.75};
    std::vector<double> y(4), back(4);
    hone::convert_boxes(cpu, hone::matrix_view{x.data(), 1, 4}, from, {y.data(), 1, 4}, into);
    hone::convert_box_gradients(cpu, hone::matrix_view{by.data(), 1, 4}, into, {back.data(), 1, 4}, from);
    return std::inner_product(y.begin(), y.end(), by.begin(), 0.0) ==
           std::inner_product(x.begin(), x.end(), back.begin(), 0.0);
  };
  CHECK((product(hone::corners, hone::centers) && product(hone::centers, hone::corners)));
  CHECK((product(hone::top_left, hone::centers) && product(hone::centers, hone::top_left)));
  CHECK((product(hone::corners, hone::top_left) && product(hone::top_left, hone::corners)));
}

TEST_CASE("labelled_boxes and detections_of are inverses") {
  const hone::detections<float> of{
      {10, 20, 50, 100, 0, 0, 640, 480, 320, 240, 321, 243}, {7, 8, 9}, {0.25f, 1, 0.5f}, {0, 2, 2, 3}};
  const auto labels = hone::labelled_boxes(of, 640, 480);
  REQUIRE(labels.size() == 3);
  CHECK((labels[0].image == 0 && labels[1].image == 0 && labels[2].image == 2 && labels[2].label == 9));
  CHECK((labels[0].x == 30 / 640.0 && labels[0].y == 60 / 480.0 && labels[0].width == 40 / 640.0));
  CHECK((labels[0].height == 80 / 480.0 && labels[0].score == 0.25));
  const auto back = hone::detections_of(labels, 3, 640, 480);
  CHECK((back.classes == of.classes && back.first == of.first && back.scores == of.scores));
  for (std::size_t i = 0; i < of.boxes.size(); ++i) CHECK(back.boxes[i] == doctest::Approx(of.boxes[i]).epsilon(1e-6));
  const auto centers = hone::detections_of<double>(labels, 4, 640, 480, hone::centers);
  CHECK((centers.boxes[0] == doctest::Approx(30) && centers.boxes[2] == doctest::Approx(40) &&
         centers.first.size() == 5));
  CHECK(hone::labelled_boxes(centers, 640, 480, hone::centers)[2].x == doctest::Approx(labels[2].x));
  CHECK(hone::labelled_boxes(hone::detections<float>{{}, {}, {}, {0}}, 1, 1).empty());
  CHECK(support::message([&] { hone::labelled_boxes(of, 0, 480); }) ==
        "labelled_boxes: width is 0, must be finite and positive");
  CHECK(support::message([&] { hone::detections_of(labels, 2, 640, 480); }) ==
        "detections_of: image of box 2 is 2, must be in [0, 2)");
}

TEST_CASE("decode_boxes and chain_boxes: invalid arguments throw, and nothing is written") {
  std::vector<float> raw(std::size_t(level.slots()) * 4), boxes(raw.size(), 3);
  const auto said = [&](auto raw_view, hone::index rows) {
    return support::message(
        [&] { hone::decode_boxes(cpu, hone::yolov5::decoding(), level, raw_view, {boxes.data(), rows, 4}); });
  };
  CHECK(said(hone::matrix_view{raw.data(), 3, 4}, level.slots()) ==
        "decode_boxes: raw is 3 x 4, must be 60 x 4 or more");
  CHECK(said(hone::matrix_view{raw.data(), 60, 3, 4}, 60) == "decode_boxes: raw is 60 x 3, must be 60 x 4 or more");
  CHECK(said(hone::matrix_view{raw.data(), 60, 4}, 59) == "decode_boxes: boxes is 59 x 4, must be 60 x 4");
  CHECK(said(hone::matrix_view<float>{nullptr, 60, 4}, 60) == "decode_boxes: raw has no data");
  CHECK(boxes == std::vector<float>(boxes.size(), 3));
  CHECK(support::message([] { hone::yolov4::decoding(-1); }) ==
        "yolov4::decoding: scale_x_y is -1, must be finite and positive");
  CHECK(support::message([&] {
          hone::chain_boxes(cpu, hone::yolov5::decoding(), level, std::vector<hone::anchor_match>{},
                            hone::matrix_view{raw.data(), 60, 4}, {boxes.data(), 0, 4}, {raw.data(), 60, 4});
        }) == "chain_boxes: to is raw, which is read after it is written");
  CHECK(support::message([&] {
          hone::convert_boxes(cpu, hone::matrix_view{raw.data(), 60, 4}, hone::corners, {boxes.data(), 59, 4},
                              hone::centers);
        }) == "convert_boxes: to is 59 x 4, must be 60 x 4");
}
