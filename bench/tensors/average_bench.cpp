// SPDX-License-Identifier: MIT
// An exponential average of a model's parameters.
#include "../streams.hpp"
#include "model.hpp"
#include "twin_tensors.hpp"
#include "works.hpp"

#include <optional>

namespace bench::tensors_of_a_model {
namespace {

constexpr float decay = 0.9999f;

template <class T>
struct averaged : tensors {
  using tensors::tensors;
  hone::tensor_list<T> parameters;
  std::optional<hone::ema_state<float>> shadow;  ///< its tensors are the arrays shadow/0 and so on
  float *own = nullptr, *beside = nullptr;

 private:
  void fill() override {
    random_numbers random;
    parameters = list<T>(random, "parameters");
    shadow.emplace(parameters);
    for (std::size_t k = 0; k < sizes.size(); ++k) {
      show("shadow/" + std::to_string(k), shadow->tensors()[k].data, sizes[k]);
      random.normal(shadow->tensors()[k].data, sizes[k], 0, 0.1f);
    }
    own = zeros("own"), beside = zeros("beside");
  }
};

template <class T>
void add(registry& r, std::string const& name) {
  const auto d = std::make_shared<averaged<T>>(resnet50(r));
  const index n = total(d->sizes);
  for (const int threads : r.settings.threads) {
    const hone::cpu cpu(threads);
    work& w = r.add(name, threads, double(n) * (8 + sizeof(T)), d);
    w.add("hone", [=] {
      hone::update(cpu, hone::ema{.decay = decay}, *d->shadow, d->parameters);
      return 0.0;
    });
    w.add("twin", [=, all = stretches(d->sizes)] {
      return over_stretches(cpu, all, [&](stretch const& s) {
        twin_average(d->shadow->tensors()[s.tensor].data + s.begin,
                     reinterpret_cast<twin_number<T> const*>(d->parameters[s.tensor].data) + s.begin, s.end - s.begin,
                     decay);
        return 0.0;
      });
    });
    if constexpr (std::is_same_v<T, float>)
      w.add("limit", [=] { return streams::in_place<1>(cpu, std::array{d->own, d->beside}, n); });
  }
}

}  // namespace

void add_average(registry& r) {
  add<float>(r, "tensors/ema/resnet50");
  add<Eigen::bfloat16>(r, "tensors/ema/bfloat16/resnet50");
}

}  // namespace bench::tensors_of_a_model
