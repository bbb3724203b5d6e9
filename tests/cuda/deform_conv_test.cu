// SPDX-License-Identifier: MIT
// Deformable convolution on the CUDA backend: the conformance cases of every backend, the same bits in every run, and
// rounds of images.
#include <hone/hone.cuh>

#include <conformance/deform_conv.hpp>
#include <cuda/device.cuh>
#include <support/message.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace {

using conformance::converted;
using conformance::deform_conv_answer;
using conformance::deform_conv_problem;
using conformance::formula;

}  // namespace

TEST_CASE("CUDA passes the conformance cases of deform_conv2d") {
  conformance::deform_conv_matches_definition<device::conformance, float>();
  conformance::deform_conv_matches_definition<device::conformance, __half>();
  conformance::deform_conv_matches_definition<device::conformance, __nv_bfloat16>();
  conformance::deform_conv_matches_torchvision<device::conformance>();
  conformance::deform_conv_border_is_stated<device::conformance>();
  conformance::deform_conv_of_zero_offsets_convolves<device::conformance>();
  conformance::deform_conv_of_offsets_that_are_no_positions<device::conformance>();
  conformance::deform_conv_gradients_are_optional<device::conformance>();
  conformance::deform_conv_of_no_images<device::conformance>();
}

// Several tiles of pixels, outputs, channels and input, and several slabs; many taps, and several steps of a slab.
TEST_CASE("deform_conv2d on CUDA matches its definition in many tiles, with the same bits twice") {
  const deform_conv_case tiles{2, 35, 9, 11, 34, {2, 2}, {1, 1}, {1, 0, 0, 1}, {1, 1}, {1, 1}, true};
  const deform_conv_case steps{2, 2, 10, 9, 2, {7, 7}, {1, 1}, {3, 3, 3, 3}, {1, 1}, {2, 1}, false};
  for (deform_conv_case const& of : {tiles, steps}) {
    const deform_conv_problem p = conformance::problem_of(of);
    conformance::check_deform_conv<device::conformance, float>(p);
    const deform_conv_answer one = conformance::deform_conv_of<device::conformance, float>(p),
                             two = conformance::deform_conv_of<device::conformance, float>(p);
    deform_conv_answer::each([&](auto member, auto, const char* name) {
      if (p.mask.empty() && name == std::string("mask")) return;
      CAPTURE(name);
      CHECK((one.*member == two.*member));
    });
  }
}

// The first batch of taps reads rows 0 to 32, of which the last is the first of a tile.
TEST_CASE("deform_conv2d on CUDA skips no taps of a tile") {
  deform_conv_problem p =
      conformance::problem_of({1, 1, 40, 8, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, {1, 1}, false});
  std::fill(p.offsets.begin(), p.offsets.end(), 0.5);
  conformance::check_deform_conv<device::conformance, float>(p);
}

TEST_CASE("the gradients of deform_conv2d on CUDA do not depend on how many images the workspace holds") {
  const hone::detail::deform_shape shape{5, 2, 4, 3, 3, 2, 2, 3, 2, {}};
  const device::buffer<float> input(converted<float>(formula(5 * 2 * 4 * 3, 37, 33, 16, 16))),
      offsets(converted<float>(formula(5 * 8 * 3 * 2, 41, 193, 96, 32))),
      weight(converted<float>(formula(3 * 2 * 4, 23, 31, 15, 16))),
      gradient(converted<float>(formula(5 * 3 * 3 * 2, 53, 29, 14, 16)));
  const auto gradients = [&](hone::index bytes) {
    const device::buffer<float> to_input(input.size()), to_offsets(offsets.size());
    const device::stream stream;
    hone::cuda gpu(stream);
    hone::on_cuda::enqueue_deform_backward<float>(
        gpu, {shape, {{input.data(), 5, 2, 4, 3}, {offsets.data(), 5, 8, 3, 2}, {}, {weight.data(), 3, 2, 2, 2}}},
        {gradient.data(), 5, 3, 3, 2},
        {.input = {to_input.data(), 5, 2, 4, 3}, .offsets = {to_offsets.data(), 5, 8, 3, 2}}, bytes);
    stream.wait();
    return std::pair(to_input.host(), to_offsets.host());
  };
  const auto all = gradients(1 << 20);
  CHECK((gradients(1) == all));
  CHECK((gradients(2 * 3 * 2 * 4 * 2 * 4) == all));  // two images
}

TEST_CASE("deform_conv2d is captured in a graph if its workspace is reserved") {
  const deform_conv_problem p =
      conformance::problem_of({2, 2, 4, 3, 3, {2, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}, {1, 1}, false});
  const deform_conv_answer expected = conformance::deform_conv_of<device::conformance, float>(p);
  const device::buffer<float> x(converted<float>(p.input)), offset(converted<float>(p.offsets)),
      w(converted<float>(p.weight)), b(converted<float>(p.bias)), dy(converted<float>(p.gradient)), y(dy.size()),
      dx(x.size()), d_offset(offset.size()), dw(w.size()), db(b.size());
  const hone::feature_view<const float> input(x.data(), 2, 2, 4, 3), offsets(offset.data(), 2, 8, 3, 2),
      weight(w.data(), 3, 2, 2, 2), gradient(dy.data(), 2, 3, 3, 2);
  const device::stream stream;
  hone::cuda gpu(stream);
  gpu.reserve(hone::deform_conv2d_backward_bytes(input, weight, p.options));
  const device::graph step(stream, [&] {
    hone::deform_conv2d(gpu, input, offsets, {}, weight, {b.data(), 1, 3}, p.options,
                        hone::feature_view<float>(y.data(), 2, 3, 3, 2));
    hone::deform_conv2d_backward(gpu, input, offsets, {}, weight, p.options, gradient,
                                 {.input = {dx.data(), 2, 2, 4, 3},
                                  .offsets = {d_offset.data(), 2, 8, 3, 2},
                                  .weight = {dw.data(), 3, 2, 2, 2},
                                  .bias = {db.data(), 1, 3}});
  });
  step.launch();
  step.launch();
  stream.wait();
  using conformance::widened;
  CHECK((widened(y.host()) == expected.output));
  CHECK((widened(dx.host()) == expected.input));
  CHECK((widened(d_offset.host()) == expected.offsets));
  CHECK((widened(dw.host()) == expected.weight));
  CHECK((widened(db.host()) == expected.bias));
}

TEST_CASE("deform_conv2d on CUDA refuses wrong arguments before it launches") {
  const device::buffer<float> memory(4096);
  const device::stream stream;
  hone::cuda gpu(stream);
  const auto view = [&](hone::index n, hone::index c, hone::index h, hone::index w, hone::index at = 0) {
    return hone::feature_view<float>(memory.data() + at, n, c, h, w);
  };
  CHECK(support::message([&] {
          hone::deform_conv2d(gpu, view(1, 2, 4, 4), view(1, 9, 4, 4), {}, view(1, 2, 3, 3), {}, {.padding = 1},
                              view(1, 1, 4, 4, 2048));
        }) == "deform_conv2d: offsets is 1 x 9 x 4 x 4, must be 1 x 18 x 4 x 4");
  CHECK(support::message([&] {
          hone::deform_conv2d_backward(gpu, view(1, 2, 4, 4), view(1, 18, 4, 4), {}, view(1, 2, 3, 3), {.padding = 1},
                                       view(1, 1, 4, 4), {.input = view(1, 2, 4, 4, 8)});
        }) ==
        "deform_conv2d_backward: gradient of input and input overlap, gradient of input begins 32 bytes after "
        "input; they must be apart");
}
