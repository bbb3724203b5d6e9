// SPDX-License-Identifier: MIT
// Deformable convolution on the CPU: the conformance cases of every backend, threads, more columns than an int counts,
// and invalid arguments.
#include <hone/hone.hpp>

#include <conformance/deform_conv.hpp>
#include <cpu/this_machine.hpp>
#include <support/message.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using conformance::deform_conv_answer;
using conformance::deform_conv_problem;

using support::message;

template <int Threads>
struct on_threads : on_this_machine {
  static void call(auto verb) { verb(hone::cpu(Threads)); }
};

// 2^31 numbers take minutes under sanitizers and emulators.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__x86_64__)
constexpr bool takes_minutes = true;
#else
constexpr bool takes_minutes = false;
#endif

}  // namespace

TEST_CASE("the CPU passes the conformance cases of deform_conv2d") {
  conformance::deform_conv_matches_definition<on_this_machine, float>();
  conformance::deform_conv_matches_definition<on_this_machine, double>();
  conformance::deform_conv_matches_definition<on_this_machine, Eigen::half>();
  conformance::deform_conv_matches_definition<on_this_machine, Eigen::bfloat16>();
  conformance::deform_conv_matches_torchvision<on_this_machine>();
  conformance::deform_conv_border_is_stated<on_this_machine>();
  conformance::deform_conv_of_zero_offsets_convolves<on_this_machine>();
  conformance::deform_conv_of_offsets_that_are_no_positions<on_this_machine>();
  conformance::deform_conv_gradients_are_optional<on_this_machine>();
  conformance::deform_conv_of_no_images<on_this_machine>();
}

// Several tiles of pixels; parts of an offset group in parallel (few images) and one after the other (many); kernels
// whose parts are small.
TEST_CASE("deform_conv2d matches its definition in many parts and tiles") {
  for (deform_conv_case const& of : {
           deform_conv_case{1, 70, 11, 12, 3, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, {1, 1}, true},
           {17, 40, 3, 4, 4, {5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}, {2, 1}, true},
           {2, 66, 3, 3, 6, {1, 2}, {1, 1}, {0, 0, 1, 0}, {1, 1}, {3, 2}, false},
       })
    conformance::check_deform_conv<on_this_machine, float>(conformance::problem_of(of));
}

TEST_CASE("deform_conv2d has the same bits for every number of threads") {
  for (deform_conv_case const& of : {
           deform_conv_case{3, 70, 11, 12, 20, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, {1, 1}, true},
           {19, 8, 7, 6, 4, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, {2, 2}, false},
       }) {
    const deform_conv_problem p = conformance::problem_of(of);
    const deform_conv_answer one = conformance::deform_conv_of<on_threads<1>, float>(p),
                             two = conformance::deform_conv_of<on_threads<2>, float>(p),
                             seven = conformance::deform_conv_of<on_threads<7>, float>(p);
    deform_conv_answer::each([&](auto member, auto, const char* name) {
      if (p.mask.empty() && name == std::string("mask")) return;
      CAPTURE(name);
      CHECK((one.*member == two.*member));
      CHECK((one.*member == seven.*member));
    });
  }
}

TEST_CASE("deform_conv2d does not depend on how many images are copied at a time") {
  const hone::detail::deform_shape shape{5, 2, 4, 3, 3, 2, 2, 3, 2, {}};
  const std::vector<float> input = conformance::converted<float>(
                               conformance::formula(hone::index(5) * 2 * 4 * 3, 37, 33, 16, 16)),
                           offsets = conformance::converted<float>(
                               conformance::formula(hone::index(5) * 8 * 3 * 2, 41, 193, 96, 32)),
                           weight = conformance::converted<float>(
                               conformance::formula(hone::index(3) * 2 * 4, 23, 31, 15, 16));
  const auto output = [&](std::size_t bytes) {
    std::vector<float> to(std::size_t(5) * 3 * 3 * 2);
    hone::on_cpu::deform_forward<float>{
        shape,
        {{input.data(), 5, 2, 4, 3}, {offsets.data(), 5, 8, 3, 2}, {}, {weight.data(), 3, 2, 2, 2}},
        {},
        {to.data(), 5, 3, 3, 2},
        bytes}
        .run(hone::cpu(2));
    return to;
  };
  const std::vector<float> all = output(1 << 20);
  CHECK(output(1) == all);
  CHECK(output(2 * sizeof(float) * 2 * ((4 + 3) * (3 + 2) + 1)) == all);  // two images
}

// In double the sums are exact, so their order does not matter.
TEST_CASE("the gradient of weights is the same for every number of slabs") {
  const deform_conv_problem p =
      conformance::problem_of({5, 2, 4, 3, 3, {2, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}, {1, 1}, false});
  const hone::detail::deform_shape shape{5, 2, 4, 3, 3, 2, 2, 3, 2, {}};
  const auto weights = [&](std::size_t bytes) {
    std::vector<double> to(p.weight);
    hone::on_cpu::deform_backward<double>{
        shape,
        {{p.input.data(), 5, 2, 4, 3}, {p.offsets.data(), 5, 8, 3, 2}, {}, {p.weight.data(), 3, 2, 2, 2}},
        {p.gradient.data(), 5, 3, 3, 2},
        {.weight = {to.data(), 3, 2, 2, 2}},
        bytes}
        .run(hone::cpu(2));
    return to;
  };
  const std::vector<double> expected = conformance::by_definition(p).weight;
  CHECK(weights(1) == expected);                                                                     // one slab
  CHECK(weights(std::size_t(6 * hone::on_cpu::row_of<double>(4, 2)) * sizeof(double)) == expected);  // two
  CHECK(weights(1 << 20) == expected);                                                               // five
}

// The offset keeps its fraction however far the tap is from the first pixel: float positions would lose 2^-16 here.
TEST_CASE("taps far from the origin keep the fraction of their offset") {
  const hone::index width = 1 << 14;
  std::vector<float> input(std::size_t(width), 0.0f), offsets(std::size_t(2 * width), 0.0f), output(input);
  input[std::size_t(width - 2)] = 1;
  offsets[std::size_t(2 * width - 3)] = 0x1p-16f;
  const float one = 1;
  hone::deform_conv2d(hone::cpu(1), {input.data(), 1, 1, 1, width}, {offsets.data(), 1, 2, 1, width}, {},
                      {&one, 1, 1, 1, 1}, {}, {}, hone::feature_view(output.data(), 1, 1, 1, width));
  CHECK(output[std::size_t(width - 3)] == 0x1p-16f);
}

// 256 channels, 9 taps, 970^2 pixels; every tap reads the only pixel of its channel. Sums of eighths are exact.
TEST_CASE("more columns than an int counts" * doctest::skip(takes_minutes)) {
  const hone::index channels = 256, size = 970, pixels = size * size, before = size / 2, after = size + 1 - before;
  std::vector<float> input(std::size_t(channels), 0.5f), weight(std::size_t(channels * 9), 0.0f),
      offsets(std::size_t(18 * pixels), 0.0f), output(std::size_t(pixels), 0.0f);
  double expected = 0;
  for (std::size_t i = 0; i < weight.size(); ++i)
    weight[i] = static_cast<float>(i % 11) / 8, expected += 0.5 * double(weight[i]);
  for (hone::index tap = 0; tap < 9; ++tap)
    for (hone::index p = 0; p < pixels; ++p) {
      offsets[std::size_t(2 * tap * pixels + p)] = static_cast<float>(before - (tap / 3 + p / size));
      offsets[std::size_t((2 * tap + 1) * pixels + p)] = static_cast<float>(before - (tap % 3 + p % size));
    }
  CHECK(channels * 9 * pixels > std::int64_t(1) << 31);
  hone::deform_conv2d(hone::cpu(2), {input.data(), 1, channels, 1, 1}, {offsets.data(), 1, 18, size, size}, {},
                      {weight.data(), 1, channels, 3, 3}, {}, {.padding = {before, after, before, after}},
                      hone::feature_view(output.data(), 1, 1, size, size));
  CHECK(std::all_of(output.begin(), output.end(), [&](float y) { return double(y) == expected; }));
}

TEST_CASE("deform_conv2d refuses wrong arguments in one sentence") {
  std::vector<float> numbers(4096, 1.0f), out(4096, 7.0f);
  float* const d = numbers.data();
  using view = hone::feature_view<float>;
  // 2 images of 4 channels, 5 x 6; 8 outputs, 3 x 3; 4 x 7 output pixels
  const view input(d, 2, 4, 5, 6), offsets(d, 2, 18, 4, 7), mask(d, 2, 9, 4, 7), weight(d, 8, 4, 3, 3),
      output(out.data(), 2, 8, 4, 7);
  const hone::matrix_view<float> bias(d, 1, 8);
  const hone::deform_conv_options fine{.padding = {0, 1, 1, 2}};
  const auto forward = [&](view i, view o, view m, view w, hone::matrix_view<float> b,
                           hone::deform_conv_options options, view to) {
    return message([&] { hone::deform_conv2d(hone::cpu(1), i, o, m, w, b, options, to); });
  };
  CHECK(forward(input, offsets, mask, weight, bias, fine, output).empty());
  CHECK(forward(input, offsets, {}, weight, {}, fine, output).empty());

  CHECK(forward(input, {d, 1, 18, 4, 7}, mask, weight, bias, fine, output) ==
        "deform_conv2d: offsets is 1 x 18 x 4 x 7, must be 2 x 18 x 4 x 7");
  CHECK(forward(input, {d, 2, 9, 4, 7}, mask, weight, bias, fine, output) ==
        "deform_conv2d: offsets is 2 x 9 x 4 x 7, must be 2 x 18 x 4 x 7");
  CHECK(forward(input, {d, 2, 18, 7, 4}, mask, weight, bias, fine, output) ==
        "deform_conv2d: offsets is 2 x 18 x 7 x 4, must be 2 x 18 x 4 x 7");
  CHECK(forward(input, offsets, {d, 2, 18, 4, 7}, weight, bias, fine, output) ==
        "deform_conv2d: mask is 2 x 18 x 4 x 7, must be 2 x 9 x 4 x 7");
  CHECK(forward(input, offsets, mask, {d, 8, 2, 3, 3}, bias, fine, output) ==
        "deform_conv2d: weight is 8 x 2 x 3 x 3, must be outputs x 4 x kernel height x kernel width");
  CHECK(forward(input, offsets, mask, weight, {d, 1, 4}, fine, output) ==
        "deform_conv2d: bias is 1 x 4, must be 1 x 8");
  CHECK(forward(input, offsets, mask, weight, bias, fine, {out.data(), 2, 8, 7, 4}) ==
        "deform_conv2d: output is 2 x 8 x 7 x 4, must be 2 x 8 x 4 x 7");
  CHECK(forward(input, offsets, mask, {d, 8, 4, 9, 3}, bias, fine, output) ==
        "deform_conv2d: weight has a kernel of 9 x 3, dilated by 1 x 1, larger than the padded input of 6 x 9");
  CHECK(forward({nullptr, 2, 4, 5, 6}, offsets, mask, weight, bias, fine, output) ==
        "deform_conv2d: input is 2 x 4 x 5 x 6 but has no data");
  CHECK(forward({d, 2, -4, 5, 6}, offsets, mask, weight, bias, fine, output) ==
        "deform_conv2d: input is 2 x -4 x 5 x 6, sizes must not be negative");
  CHECK(forward({d, hone::index(1) << 40, 4, 1 << 20, 6}, offsets, mask, weight, bias, fine, output) ==
        "deform_conv2d: input is 1099511627776 x 4 x 1048576 x 6, more than memory can hold");

  const auto with = [&](hone::deform_conv_options options) {
    return forward(input, offsets, mask, weight, bias, options, output);
  };
  CHECK(with({.stride = {0, 1}}) == "deform_conv2d: stride.y is 0, must be in [1, 2^30]");
  CHECK(with({.stride = {1, -1}}) == "deform_conv2d: stride.x is -1, must be in [1, 2^30]");
  CHECK(with({.dilation = {0, 1}}) == "deform_conv2d: dilation.y is 0, must be in [1, 2^30]");
  CHECK(with({.dilation = {1, 0}}) == "deform_conv2d: dilation.x is 0, must be in [1, 2^30]");
  CHECK(with({.padding = {-1, 0, 0, 0}}) == "deform_conv2d: padding.top is -1, must be in [0, 2^30]");
  CHECK(with({.padding = {0, -1, 0, 0}}) == "deform_conv2d: padding.bottom is -1, must be in [0, 2^30]");
  CHECK(with({.padding = {0, 0, -1, 0}}) == "deform_conv2d: padding.left is -1, must be in [0, 2^30]");
  CHECK(with({.padding = {0, 0, 0, -1}}) == "deform_conv2d: padding.right is -1, must be in [0, 2^30]");
  CHECK(with({.groups = 0}) == "deform_conv2d: groups is 0, must be in [1, 2^30]");
  CHECK(with({.groups = 3}) == "deform_conv2d: groups is 3, must divide the 4 channels of input");
  CHECK(with({.offset_groups = 3}) == "deform_conv2d: offset_groups is 3, must divide the 4 channels of input");
  CHECK(forward(input, offsets, mask, {d, 7, 2, 3, 3}, bias, {.groups = 2}, output) ==
        "deform_conv2d: groups is 2, must divide the 7 channels of output");

  CHECK(forward(input, offsets, mask, weight, bias, fine, {d + 100, 2, 8, 4, 7}) ==
        "deform_conv2d: output and input overlap, output begins 400 bytes after input; they must be apart");
  for (const float x : out) REQUIRE((x == 37.0f || x == 7.0f || x < 37.0f));
}

TEST_CASE("deform_conv2d_backward refuses wrong arguments in one sentence, before it writes") {
  std::vector<float> numbers(4096, 1.0f), out(4096, 7.0f);
  float *const d = numbers.data(), *const g = out.data();
  using view = hone::feature_view<float>;
  const view input(d, 2, 4, 5, 6), offsets(d, 2, 18, 4, 7), mask(d, 2, 9, 4, 7), weight(d, 8, 4, 3, 3),
      gradient(d, 2, 8, 4, 7);
  const auto backward = [&](view m, view dy, hone::deform_conv_gradients<float> const& to) {
    return message([&] {
      hone::deform_conv2d_backward(hone::cpu(1), input, offsets, m, weight, {.padding = {0, 1, 1, 2}}, dy, to);
    });
  };
  CHECK(backward(mask, {d, 2, 4, 4, 7}, {}) ==
        "deform_conv2d_backward: output_gradient is 2 x 4 x 4 x 7, must be 2 x 8 x 4 x 7");
  CHECK(backward(mask, gradient, {.input = {g, 2, 4, 6, 5}}) ==
        "deform_conv2d_backward: gradient of input is 2 x 4 x 6 x 5, must be 2 x 4 x 5 x 6");
  CHECK(backward(mask, gradient, {.offsets = {g, 2, 9, 4, 7}}) ==
        "deform_conv2d_backward: gradient of offsets is 2 x 9 x 4 x 7, must be 2 x 18 x 4 x 7");
  CHECK(backward(mask, gradient, {.mask = {g, 2, 18, 4, 7}}) ==
        "deform_conv2d_backward: gradient of mask is 2 x 18 x 4 x 7, must be 2 x 9 x 4 x 7");
  CHECK(backward({}, gradient, {.mask = {g, 2, 9, 4, 7}}) ==
        "deform_conv2d_backward: a gradient of mask is asked for, but there is no mask");
  CHECK(backward(mask, gradient, {.weight = {g, 4, 8, 3, 3}}) ==
        "deform_conv2d_backward: gradient of weight is 4 x 8 x 3 x 3, must be 8 x 4 x 3 x 3");
  CHECK(backward(mask, gradient, {.bias = {g, 8, 1}}) ==
        "deform_conv2d_backward: gradient of bias is 8 x 1, must be 1 x 8");
  CHECK(backward(mask, gradient, {.input = {d, 2, 4, 5, 6}}) ==
        "deform_conv2d_backward: gradient of input and input overlap, gradient of input begins 0 bytes after input; "
        "they must be apart");
  CHECK(backward(mask, gradient, {.input = {g, 2, 4, 5, 6}, .weight = {g + 200, 8, 4, 3, 3}}) ==
        "deform_conv2d_backward: gradient of weight and gradient of input overlap, gradient of weight begins 800 bytes "
        "after gradient of input; they must be apart");
  for (const float x : out) REQUIRE(x == 7.0f);
}
