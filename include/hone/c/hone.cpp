// SPDX-License-Identifier: MIT
// The library of hone.h in one file: compile it as C++20, with -O2 and Eigen, and link it with -pthread.
//
//     g++ -std=c++20 -O2 -fPIC -shared -I include -I /usr/include/eigen3 -pthread include/hone/c/hone.cpp -o libhone.so

#if defined(_WIN32)
#if defined(HONE_DLL)
#define HONE_API __declspec(dllexport)
#endif
#else
#define HONE_API __attribute__((visibility("default")))
#endif

#include <hone.h>
#include <hone/c/averages.hpp>
#include <hone/c/boxes.hpp>
#include <hone/c/calibration.hpp>
#include <hone/c/elements.hpp>
#include <hone/c/gradients.hpp>
#include <hone/c/mixing.hpp>
#include <hone/c/regions.hpp>
#include <hone/c/rows.hpp>
#include <hone/c/schedules.hpp>
#include <hone/c/status.hpp>
#include <hone/cpu/run/backend.hpp>
#include <hone/version.hpp>

#include <cmath>
#include <string_view>

static_assert(HONE_VERSION == std::string_view(hone::version));

struct hone_context {
  hone_executor executor = nullptr;
  void* user = nullptr;
  hone::cpu backend{};

  hone_context() = default;
  explicit hone_context(int threads) : backend(threads) {}
  hone_context(int threads, hone_executor run, void* of) : executor(run), user(of), backend(threads, *this) {}
  hone_context(hone_context const&) = delete;  // the backend views it
  hone_context& operator=(hone_context const&) = delete;
  ~hone_context() = default;

  void operator()(int n, hone::cpu_task task) const {
    executor(user, n, [](void* of, std::int32_t i) { (*static_cast<hone::cpu_task*>(of))(i); }, &task);
  }
};

namespace {

using hone::c::given;  // first: the right side of an assignment comes before its left side
using hone::c::guarded;
using hone::c::read_options;

hone::cpu const& backend_of(hone_context const* context) {
  static const hone::cpu every_core;
  return context ? context->backend : every_core;
}

}  // namespace

extern "C" {

const char* hone_version(void) { return hone::version; }
const char* hone_last_error(void) { return hone::c::error_of_thread().text; }

hone_status hone_context_create(std::int32_t threads, hone_context** context) {
  return guarded("hone_context_create", [&] {
    auto& made = given(context, "context");
    made = threads == 0 ? new hone_context() : new hone_context(threads);
  });
}
hone_status hone_context_create_on(std::int32_t threads, hone_executor executor, void* user, hone_context** context) {
  return guarded("hone_context_create_on", [&] {
    auto& made = given(context, "context");
    made = new hone_context(threads, &given(executor, "executor"), user);
  });
}
void hone_context_free(hone_context* context) { delete context; }

hone_status hone_row_loss_create(const hone_row_options* options, hone_loss** loss) {
  return guarded("hone_row_loss_create", [&] {
    auto& made = given(loss, "loss");
    made = new hone::c::row_loss(read_options(options, hone_row_defaults(HONE_CROSS_ENTROPY)));
  });
}
hone_status hone_element_loss_create(const hone_element_options* options, hone_loss** loss) {
  return guarded("hone_element_loss_create", [&] {
    auto& made = given(loss, "loss");
    made = new hone::c::element_loss(read_options(options, hone_element_defaults(HONE_BINARY_CROSS_ENTROPY)));
  });
}
hone_status hone_box_loss_create(const hone_box_options* options, hone_loss** loss) {
  return guarded("hone_box_loss_create", [&] {
    auto& made = given(loss, "loss");
    made = new hone::c::box_loss(read_options(options, hone_box_defaults(HONE_IOU)));
  });
}
hone_status hone_region_loss_create(const hone_region_options* options, hone_loss** loss) {
  return guarded("hone_region_loss_create", [&] {
    auto& made = given(loss, "loss");
    made = new hone::c::region_loss(read_options(options, hone_region_defaults(HONE_DICE)));
  });
}
void hone_loss_free(hone_loss* loss) { delete loss; }

hone_status hone_evaluate(const hone_context* context, const hone_loss* loss, const hone_array* prediction,
                          const hone_targets* targets, const hone_outputs* outputs, double* value) {
  return guarded("hone_evaluate", [&] {
    const hone::c::call call{backend_of(context), given(prediction, "prediction"),
                             read_options(targets, hone_targets_of({}), "targets"),
                             read_options(outputs, hone_outputs_to(nullptr), "outputs")};
    const double result = given(loss, "loss").evaluate(call);
    if (value) *value = result;
  });
}

hone_status hone_scaler_create(const hone_scaler_options* options, hone_scaler** scaler) {
  return guarded("hone_scaler_create", [&] {
    auto& made = given(scaler, "scaler");
    made = hone::c::new_scaler(read_options(options, hone_scaler_defaults()));
  });
}
void hone_scaler_free(hone_scaler* scaler) { delete scaler; }
hone_status hone_scaler_scale(const hone_scaler* scaler, double* scale) {
  return guarded("hone_scaler_scale", [&] { given(scale, "scale") = given(scaler, "scaler").scaler.scale(); });
}
hone_status hone_scaler_update(hone_scaler* scaler, std::int32_t finite) {
  return guarded("hone_scaler_update", [&] { given(scaler, "scaler").scaler.update(finite != 0); });
}
hone_status hone_scaler_get_state(const hone_scaler* scaler, hone_scaler_state* state) {
  return guarded("hone_scaler_get_state", [&] {
    const hone::loss_scaler_state s = given(scaler, "scaler").scaler.state;
    given(state, "state") = {s.scale, s.finite, s.not_finite};
  });
}
hone_status hone_scaler_set_state(hone_scaler* scaler, const hone_scaler_state* state) {
  return guarded("hone_scaler_set_state", [&] {
    const hone_scaler_state s = given(state, "state");
    hone::c::require(s.scale >= 0 && std::isfinite(s.scale), "scale", s.scale, "finite and not negative");
    hone::c::require(s.finite >= 0, "finite", static_cast<double>(s.finite), "at least 0");
    hone::c::require(s.not_finite >= 0, "not_finite", static_cast<double>(s.not_finite), "at least 0");
    given(scaler, "scaler").scaler.state = {s.scale, s.finite, s.not_finite};
  });
}

hone_status hone_clip_create(const hone_clip_options* options, hone_clip** clip) {
  return guarded("hone_clip_create", [&] {
    auto& made = given(clip, "clip");
    made = hone::c::new_clip(read_options(options, hone_clip_defaults(HONE_CLIP_NONE)));
  });
}
void hone_clip_free(hone_clip* clip) { delete clip; }
hone_status hone_clip_apply(const hone_context* context, const hone_clip* clip, const hone_scaler* scaler,
                            const hone_tensor* gradients, const hone_tensor* parameters, std::int64_t count,
                            hone_gradient_report* report) {
  return guarded("hone_clip_apply", [&] {
    const hone_gradient_report result =
        hone::c::clip_gradients(backend_of(context), given(clip, "clip"), scaler, gradients, parameters, count);
    if (report) *report = result;
  });
}

hone_status hone_average_create(const hone_average_options* options, const hone_tensor* parameters, std::int64_t count,
                                hone_average** average) {
  return guarded("hone_average_create", [&] {
    auto& made = given(average, "average");
    made = hone::c::new_average(read_options(options, hone_average_defaults(HONE_EMA)), parameters, count);
  });
}
void hone_average_free(hone_average* average) { delete average; }
hone_status hone_average_copy_only(hone_average* average, std::int64_t tensor) {
  return guarded("hone_average_copy_only",
                 [&] { std::visit([&](auto& state) { state.copy_only(tensor); }, given(average, "average").state); });
}
hone_status hone_average_update(const hone_context* context, hone_average* average, const hone_tensor* parameters,
                                std::int64_t count, std::int32_t finite) {
  return guarded("hone_average_update", [&] {
    hone::c::update_average(backend_of(context), given(average, "average"), parameters, count, finite != 0);
  });
}
hone_status hone_average_swap(const hone_context* context, hone_average* average, const hone_tensor* parameters,
                              std::int64_t count) {
  return guarded("hone_average_swap",
                 [&] { hone::c::swap_average(backend_of(context), given(average, "average"), parameters, count); });
}
hone_status hone_average_copy(const hone_context* context, const hone_average* average, const hone_tensor* to,
                              std::int64_t count) {
  return guarded("hone_average_copy",
                 [&] { hone::c::copy_average(backend_of(context), given(average, "average"), to, count); });
}
hone_status hone_average_save(const hone_average* average, const char* path) {
  return guarded("hone_average_save", [&] {
    std::visit([&](auto const& state) { hone::save_file(state, &given(path, "path")); },
               given(average, "average").state);
  });
}
hone_status hone_average_load(hone_average* average, const char* path) {
  return guarded("hone_average_load", [&] {
    std::visit([&](auto& state) { hone::load_file(state, &given(path, "path")); }, given(average, "average").state);
  });
}
hone_status hone_average_write(const hone_average* average, void* buffer, std::int64_t size, std::int64_t* bytes) {
  return guarded("hone_average_write", [&] {
    const std::int64_t written = hone::c::write_average(given(average, "average"), buffer, size);
    if (bytes) *bytes = written;
  });
}
hone_status hone_average_read(hone_average* average, const void* buffer, std::int64_t size) {
  return guarded("hone_average_read", [&] { hone::c::read_average(given(average, "average"), buffer, size); });
}
hone_status hone_average_updates(const hone_average* average, std::int64_t* updates) {
  return guarded("hone_average_updates", [&] {
    given(updates, "updates") =
        std::visit([](auto const& state) { return state.steps(); }, given(average, "average").state);
  });
}

hone_status hone_schedule_create(const hone_schedule_options* options, hone_schedule** schedule) {
  return guarded("hone_schedule_create", [&] {
    auto& made = given(schedule, "schedule");
    made = hone::c::new_schedule(read_options(options, hone_schedule_defaults(HONE_CONSTANT)));
  });
}
void hone_schedule_free(hone_schedule* schedule) { delete schedule; }
hone_status hone_schedule_rate(const hone_schedule* schedule, std::int64_t step, double* rate) {
  return guarded("hone_schedule_rate",
                 [&] { given(rate, "rate") = hone::c::rate_of(given(schedule, "schedule"), step); });
}

hone_status hone_draw_mixing(const hone_mixing_options* options, std::int64_t seed, std::int64_t step,
                             const hone_draw* draw) {
  return guarded("hone_draw_mixing", [&] {
    hone::c::draw_mixing(read_options(options, hone_mixing_defaults()), seed, step, given(draw, "draw"));
  });
}
hone_status hone_blend(const hone_context* context, const hone_draw* draw, const hone_array* images, void* mixed) {
  return guarded("hone_blend", [&] {
    hone_draw const& by = given(draw, "draw");
    hone::c::blend_images(backend_of(context), by, given(images, "images"), mixed);
  });
}

hone_status hone_calibrate(const hone_context* context, const hone_array* logits, hone_vector labels,
                           const std::int64_t* ignore, std::int64_t bins, double temperature,
                           hone_calibration* calibration) {
  return guarded("hone_calibrate", [&] {
    auto& result = given(calibration, "calibration");
    result = hone::c::calibrate(backend_of(context), given(logits, "logits"), labels, ignore, bins, temperature);
  });
}

}  // extern "C"
