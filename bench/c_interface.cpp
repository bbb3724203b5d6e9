// SPDX-License-Identifier: MIT
#include "c_interface.hpp"

#include "work.hpp"

#include <limits>
#include <sstream>

struct hone_bench {
  bench::registry works;
};

namespace {

bench::work& at(hone_bench* b, std::int64_t k) { return b->works.works[static_cast<std::size_t>(k)]; }
bench::work const& at(hone_bench const* b, std::int64_t k) { return b->works.works[static_cast<std::size_t>(k)]; }

}  // namespace

hone_bench* hone_bench_make(char const* threads) {
  bench::settings s;
  s.threads.clear();
  std::istringstream list(threads);
  for (std::string number; std::getline(list, number, ',');) s.threads.push_back(std::stoi(number));
  auto* const made = new hone_bench{bench::registry(std::move(s))};
  bench::add_all(made->works);
  return made;
}

void hone_bench_free(hone_bench* b) { delete b; }

std::int64_t hone_bench_works(hone_bench const* b) { return static_cast<std::int64_t>(b->works.works.size()); }
char const* hone_bench_name(hone_bench const* b, std::int64_t work) { return at(b, work).name.c_str(); }
std::int64_t hone_bench_threads(hone_bench const* b, std::int64_t work) { return at(b, work).threads; }

std::int64_t hone_bench_open(hone_bench* b, std::int64_t work) {
  at(b, work).data->open();
  return static_cast<std::int64_t>(at(b, work).data->arrays().size());
}

hone_bench_array hone_bench_array_of(hone_bench const* b, std::int64_t work, std::int64_t array) {
  bench::array const& a = at(b, work).data->arrays()[static_cast<std::size_t>(array)];
  return {a.name.c_str(), a.type,           a.data,  static_cast<std::int64_t>(a.shape.size()),
          a.shape.data(), a.strides.data(), a.output};
}

double hone_bench_call(hone_bench* b, std::int64_t work, char const* who) {
  for (bench::contender const& c : at(b, work).contenders)
    if (c.who == who) return c.run();
  return std::numeric_limits<double>::quiet_NaN();
}

void hone_bench_add(hone_bench* b, std::int64_t work, char const* who, double (*run)()) { at(b, work).add(who, run); }

void hone_bench_note(hone_bench* b, char const* key, char const* value) { b->works.notes.emplace_back(key, value); }

int hone_bench_run(hone_bench* b, int argc, char** argv) { return bench::run(b->works, argc, argv); }
