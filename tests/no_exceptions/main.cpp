// SPDX-License-Identifier: MIT
// Built with -fno-exceptions. The argument names the case; status 0 where it went as it should.
#include <hone/hone.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#if HONE_HAS_EXCEPTIONS
#error "this program is built without exceptions"
#endif

namespace {

double evaluate(hone::index gradient_rows) {
  const std::vector<float> logits(12, 0.5f);
  std::vector<float> gradient(12);
  const std::vector<int> labels{0, 1, 2, 0};
  hone::cpu cpu{1};
  return hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), hone::matrix_view{logits.data(), 4, 3},
                        {.gradient = hone::matrix_view{gradient.data(), gradient_rows, 3}});
}

void listen(const char* message) {
  std::printf("the handler heard: %s\n", message);
  std::fflush(stdout);
  std::_Exit(std::strcmp(message, "evaluate: gradient is 3 x 3, prediction is 4 x 3") == 0 ? 0 : 1);
}

void aborted(int) { std::_Exit(0); }

}  // namespace

int main(int count, char** arguments) {
  const std::string_view name = count == 2 ? arguments[1] : "";
  if (name == "good") return evaluate(4) > 0 ? 0 : 1;
  if (name == "handler") hone::set_error_handler(listen);
  if (name == "default") std::signal(SIGABRT, aborted);
  if (name == "returning") {  // hone aborts where the handler comes back
    std::signal(SIGABRT, aborted);
    if (hone::set_error_handler([](const char*) {}) == nullptr) return 1;
  }
  evaluate(3);
  std::printf("hone went on after a bad argument\n");
  return 1;
}
