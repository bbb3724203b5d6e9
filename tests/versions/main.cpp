// SPDX-License-Identifier: MIT
// Loads plugins, whose symbols of equal names become one. Status 0 if each has a hone of its own, and they agree.
#include <dlfcn.h>
#include <cstdio>
#include <vector>

namespace {

using handler = void (*)(char const*);

struct plugin {
  double (*loss_on_threads)(int);
  handler (*exchange_handler)(handler);
};

template <class Function>
bool find(void* library, char const* name, Function*& function) {
  void* const found = library ? dlsym(library, name) : nullptr;
  if (!found) std::fprintf(stderr, "%s\n", dlerror());
  function = reinterpret_cast<Function*>(found);
  return found;
}

int fail(char const* what) { return std::fprintf(stderr, "%s\n", what), 1; }

}  // namespace

int main(int count, char** arguments) {
  std::vector<plugin> plugins;
  for (int i = 1; i < count; ++i) {
    plugin p{};
    void* const library = dlopen(arguments[i], RTLD_NOW | RTLD_GLOBAL);
    if (!find(library, "loss_on_threads", p.loss_on_threads) || !find(library, "exchange_handler", p.exchange_handler))
      return 2;
    plugins.push_back(p);
  }
  if (plugins.size() != 2) return fail("the arguments must be two plugins");

  const handler first = [](char const*) {}, second = [](char const*) { std::puts("second"); };
  plugins[0].exchange_handler(first);
  plugins[1].exchange_handler(second);
  if (plugins[0].exchange_handler(first) != first) return fail("the plugins share one handler of errors");

  const double expected = plugins[0].loss_on_threads(1);
  for (int round = 0; round < 50; ++round)
    for (plugin const& p : plugins)
      if (p.loss_on_threads(2 + round % 3) != expected) return fail("the plugins disagree");
  return expected > 0 ? 0 : 1;
}
