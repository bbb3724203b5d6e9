// SPDX-License-Identifier: MIT
#include "recipes.hpp"

#include <cmath>
#include <cstdio>
#include <memory>

namespace demo {
namespace {

// The best of 0.0025, 0.005, 0.01 … for each kind, on training images that were held out (README.md).
constexpr double constant_rate = 0.005, peak_rate = 0.04;
constexpr int tuned_batch = 32;  // the batch that constant_rate is for

std::string format(const char* pattern, auto... values) {
  char text[160];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

template <class Matrix>
auto view_of(Matrix& m) {
  return hone::matrix_view{m.data(), m.rows(), m.cols()};
}

template <class Vector>
auto list_of(Vector& v) {
  return hone::tensor_list<std::remove_reference_t<decltype(*v.data())>>{{v.data(), v.size()}};
}

/// Forward and back; the trainer's network then holds the gradient. Only the loss and its gradient come from hone.
template <class Objective>
double differentiate(trainer& t, const batch& b, const Objective& objective) {
  const matrix<float>& logits = t.net.forward(b.images);
  t.logit_gradient.resizeLike(logits);
  const hone::outputs<float> outputs{.gradient = view_of(t.logit_gradient)};       // hone
  const double loss = hone::evaluate(t.cpu, objective, view_of(logits), outputs);  // hone
  t.net.backward(t.logit_gradient);
  return loss;
}

/// One step of the trainer.
template <class Objective>
double train_step(trainer& t, const batch& b, const Objective& objective, double rate) {
  const double loss = differentiate(t, b, objective);
  t.optimizer.update(t.net.parameters, t.net.gradient, rate);
  return loss;
}

double one_hot(trainer& t, const batch& b, double rate) {
  return train_step(t, b, hone::cross_entropy(hone::classes(b.labels)), rate);  // hone
}

double smoothed(trainer& t, const batch& b, double rate) {
  return train_step(t, b, hone::cross_entropy(hone::smooth(hone::classes(b.labels), 0.1f)), rate);  // hone
}

/// Tests see an average of the parameters; the training does not.
recipe averaged(recipe r) {
  const hone::ema average{.decay = 0.999, .ramp = hone::threshold_ramp()};        // hone
  const auto shadow = std::make_shared<std::optional<hone::ema_state<float>>>();  // hone
  r.begin = [shadow](trainer& t) { shadow->emplace(list_of(t.net.parameters)); };
  r.step = [shadow, average, step = r.step](trainer& t, const batch& b, double rate) {
    const double loss = step(t, b, rate);
    hone::update(t.cpu, average, **shadow, list_of(t.net.parameters));  // hone
    return loss;
  };
  r.swap = [shadow](trainer& t) { hone::swap(t.cpu, **shadow, list_of(t.net.parameters)); };  // hone
  return r;
}

constexpr double largest_norm = 3;  // of all gradients together; the median is 2.3 in the first epoch, then 1.9

struct clipping {
  hone::index steps = 0, clipped = 0;

  double step(trainer& t, const batch& b, double rate) {
    const double loss = differentiate(t, b, hone::cross_entropy(hone::classes(b.labels)));  // hone
    const auto report =
        hone::transform(t.cpu, hone::clip_by_global_norm(largest_norm), list_of(t.net.gradient));  // hone
    if (report.finite) t.optimizer.update(t.net.parameters, t.net.gradient, rate);
    ++steps;
    clipped += report.coefficient < 1 ? 1 : 0;
    return loss;
  }
  std::string note() const {
    return format("%.1f %% of the steps were clipped",
                  100 * static_cast<double>(clipped) / static_cast<double>(std::max<hone::index>(steps, 1)));
  }
};

/// A scale of 1 that stays.
hone::loss_scaler no_scaling() { return {.initial = 1, .growth = 1, .backoff = 1}; }  // hone

/// Parameters and gradients lie in bfloat16, and the network computes with what is read back from there.
struct half_storage {
  bool with_masters;
  hone::loss_scaler scaler = {};  // hone
  std::vector<Eigen::bfloat16> parameters = {}, gradient = {};
  std::optional<hone::master_weights<float>> masters = {};  // hone
  hone::index skipped = 0;

  void begin(trainer& t) {
    parameters.resize(static_cast<std::size_t>(t.net.parameters.size()));
    gradient.resize(parameters.size());
    store(t);
    if (with_masters) masters.emplace(list_of(parameters));  // hone
  }

  double step(trainer& t, const batch& b, double rate) {
    const double scale = scaler.scale();                                                                    // hone
    const double loss = differentiate(t, b, scale * hone::cross_entropy(hone::classes(b.labels))) / scale;  // hone
    hone::copy(t.cpu, list_of(t.net.gradient), list_of(gradient));                                          // hone
    const auto chain = hone::chain(hone::unscale(scale), hone::clip_by_global_norm(largest_norm));          // hone
    const auto report = hone::transform(t.cpu, chain, list_of(gradient));                                   // hone
    scaler.update(report.finite);                                                                           // hone
    skipped += report.finite ? 0 : 1;
    if (report.finite) update(t, rate);
    return loss;
  }

  std::string note() const {
    return format("the loss scale ended at 2^%g, %jd steps were skipped", std::log2(scaler.scale()),
                  std::intmax_t(skipped));
  }

 private:
  void update(trainer& t, double rate) {
    hone::copy(t.cpu, list_of(gradient), list_of(t.net.gradient));  // hone
    if (!masters) {
      t.optimizer.update(t.net.parameters, t.net.gradient, rate);
      return store(t);
    }
    const auto& master = masters->tensors()[0];  // hone
    t.optimizer.update(Eigen::Map<Eigen::VectorXf>(master.data, master.size), t.net.gradient, rate);
    hone::refresh(t.cpu, *masters, list_of(parameters));                // hone
    hone::copy(t.cpu, list_of(parameters), list_of(t.net.parameters));  // hone
  }
  /// Rounds the network's parameters.
  void store(trainer& t) {
    hone::copy(t.cpu, list_of(t.net.parameters), list_of(parameters));  // hone
    hone::copy(t.cpu, list_of(parameters), list_of(t.net.parameters));  // hone
  }
};

/// Lets an object with state do the steps of a recipe.
template <class Stepper>
recipe stepping(recipe r, Stepper stepper) {
  const auto shared = std::make_shared<Stepper>(std::move(stepper));
  r.step = [shared](trainer& t, const batch& b, double rate) { return shared->step(t, b, rate); };
  r.note = [shared] { return shared->note(); };
  if constexpr (requires(trainer& t) { shared->begin(t); }) r.begin = [shared](trainer& t) { shared->begin(t); };
  return r;
}

}  // namespace

std::vector<recipe> all_recipes(const plan& plan) {
  const double rate = plan.rate.value_or(constant_rate), peak = plan.rate.value_or(peak_rate);
  const hone::index small = plan.batch, large = plan.large_batch, steps = plan.steps_per_epoch(small) * plan.epochs;
  const auto always = [](double x) { return [x](hone::index) { return x; }; };
  const hone::warmup_cosine schedule{.peak = peak, .warmup = steps / 20, .total = steps};  // hone
  const auto scheduled = [schedule](hone::index step) { return schedule.rate(step); };     // hone

  // A batch that is many times as large: the rate is not tuned again.
  const double root = hone::sqrt_scaled_rate(rate, large, tuned_batch);                      // hone
  const double linear = hone::linear_scaled_rate(rate, large, tuned_batch);                  // hone
  const auto warming = hone::warmup(hone::constant{linear},                                  // hone
                                    {.start = rate, .steps = plan.steps_per_epoch(large)});  // hone
  const auto warmed = [warming](hone::index step) { return warming.rate(step); };            // hone
  const std::string batches = format("batches of %jd, ", std::intmax_t(large));

  const recipe baseline{"baseline", format("one-hot labels, constant rate %g", rate), "", small, always(rate), one_hot};
  const auto adding = [&baseline](const char* name, const std::string& summary, const char* against) {
    recipe r = baseline;
    r.name = name, r.summary = summary, r.against = against;
    return r;
  };
  const std::string halves = "clipped, parameters and gradients in bfloat16, ";
  return {
      baseline,
      {"smoothing", format("labels smoothed by 0.1, constant rate %g", rate), "baseline", small, always(rate),
       smoothed},
      {"schedule", format("one-hot labels, warm-up to %g and cosine", peak), "baseline", small, scheduled, one_hot},
      {"refined", format("labels smoothed by 0.1, warm-up to %g and cosine", peak), "", small, scheduled, smoothed},
      averaged(adding("ema", "the baseline, tested with an average of its parameters (decay 0.999)", "baseline")),
      stepping(adding("clipping", format("the baseline, gradients clipped to norm %g", largest_norm), "baseline"),
               clipping{}),
      stepping(adding("bfloat16", halves + "float masters, loss scaling", "clipping"), half_storage{true}),
      stepping(adding("bfloat16_unscaled", halves + "float masters, no loss scaling", "bfloat16"),
               half_storage{true, no_scaling()}),
      stepping(adding("bfloat16_alone", halves + "loss scaling, no masters", "bfloat16"), half_storage{false}),
      {"large", batches + format("rate %g as for batches of %d", rate, tuned_batch), "", large, always(rate), one_hot},
      {"large_sqrt", batches + format("rate %g by the square-root rule", root), "large", large, always(root), one_hot},
      {"large_linear", batches + format("rate %g by the linear rule", linear), "large_sqrt", large, always(linear),
       one_hot},
      {"large_warmup", batches + format("rate %g by the linear rule, warm-up over an epoch", linear), "large_linear",
       large, warmed, one_hot},
  };
}

std::vector<recipe_group> recipe_groups() {
  recipe_group all{"all", {}};
  for (const recipe& r : all_recipes({1, 1, 1, 1})) all.recipes.push_back(r.name);
  return {all,
          {"refinements", {"baseline", "smoothing", "schedule", "refined", "ema", "clipping"}},
          {"large_batch",
           {"baseline", "large", "large_sqrt", "large_linear", "large_warmup"},
           {"large", "large_sqrt", "large_linear", "large_warmup"},
           "Goyal et al. 2017"},
          {"low_precision", {"clipping", "bfloat16", "bfloat16_unscaled", "bfloat16_alone"}}};
}

}  // namespace demo
