// SPDX-License-Identifier: MIT
// hone_instructions                    lists the works, on small shapes: name, contender, bytes that must move
// hone_instructions WORK WHO CALLS     does one of them, for bench/instructions.py and bench/bytes.py, which count
#include "work.hpp"

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  bench::registry r({.threads = {1}, .most_rows = 1024, .most_columns = 1000});
  bench::add_all(r);
  if (argc != 4) {
    for (bench::work const& w : r.works)
      for (bench::contender const& c : w.contenders)
        std::printf("%s %s %.0f\n", w.name.c_str(), c.who.c_str(), w.bytes);
    return 0;
  }
  for (bench::work& w : r.works)
    for (bench::contender const& c : w.contenders)
      if (w.name == argv[1] && c.who == argv[2]) {
        w.data->open();
        for (int i = std::atoi(argv[3]); i > 0; --i) c.run();
        return 0;
      }
  std::fprintf(stderr, "hone_instructions: no %s %s\n", argv[1], argv[2]);
  return 2;
}
