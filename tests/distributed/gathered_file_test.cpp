// SPDX-License-Identifier: MIT
#include <hone/average/ema.hpp>
#include <hone/average/swa.hpp>
#include <hone/cpu/tensors/swap.hpp>
#include <hone/cpu/tensors/update.hpp>
#include <hone/distributed/gathered_file.hpp>

#include "../support/folder.hpp"
#include "../support/message.hpp"
#include "../support/ranks.hpp"
#include "../support/same_bytes.hpp"

#include <doctest/doctest.h>

#if !defined(_WIN32)
#include <sys/resource.h>
#include <csignal>
#endif

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

using hone::index;
using support::error_of;

std::string bytes_of(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
// A model of a weight that is cut by rows, a vector that is cut unevenly, a buffer that every rank has, and an empty
// tensor.
constexpr index rows = 300, columns = 1100, length = 1013, buffer = 5;
constexpr index of_file[] = {columns, length, buffer, 0};

struct whole_model {
  std::vector<float> weight, vector, running;

  explicit whole_model(unsigned seed) : weight(rows * columns), vector(length), running(buffer) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (auto* numbers : {&weight, &vector, &running})
      for (float& x : *numbers) x = normal(random);
  }
};

// The part of rank r of n. Uneven: rank 1 has nothing of the weight.
struct model_part {
  index row, row_count, first, size;
  std::vector<float> weight, vector, running;

  model_part(int r, int n) {
    const auto row_of = [&](index k) {
      return k == 0 ? index(0) : k < 2 ? rows / 3 : k == 2 ? rows / 3 : rows * k / n;
    };
    const auto place_of = [&](index k) { return length * k * k / (index(n) * n); };
    row = n == 1 ? 0 : row_of(r), row_count = (r + 1 == n ? rows : row_of(r + 1)) - row;
    first = place_of(r), size = place_of(r + 1) - first;
  }
  void take(whole_model const& whole) {
    weight.assign(whole.weight.begin() + row * columns, whole.weight.begin() + (row + row_count) * columns);
    vector.assign(whole.vector.begin() + first, whole.vector.begin() + first + size);
    running = whole.running;
  }
  hone::sharded_list<float> places() {
    hone::sharded_list<float> list;
    list.push_back({weight.data(), row_count, columns}, hone::shard{row * columns, rows * columns});
    list.push_back(vector, hone::shard{first, length});
    list.push_back(running, hone::shard{});
    list.push_back({running.data(), 0}, hone::shard{0, 0});
    return list;
  }
  hone::tensor_list<float> list() { return places().tensors(); }
};
hone::tensor_list<float> list_of(whole_model& whole) {
  return {{whole.weight.data(), rows, columns},
          {whole.vector.data(), length},
          {whole.running.data(), buffer},
          {whole.running.data(), 0}};
}

template <class Average>
void updates(Average const& average, hone::ema_state<float>& whole, std::vector<whole_model>& steps) {
  for (whole_model& m : steps) hone::update(hone::cpu(2), average, whole, list_of(m));
}

template <class Average>
void check_shards(Average const& average, hone::ema_start start) {
  std::vector<whole_model> steps;
  steps.reserve(6);
  for (unsigned k = 0; k < 6; ++k) steps.emplace_back(k);
  hone::ema_state<float> whole(list_of(steps[0]), start);
  whole.copy_only(2);
  updates(average, whole, steps);
  const support::folder folder;
  hone::save_file(whole, folder.file("whole"));
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      model_part part(ranks.rank(), n);
      part.take(steps[0]);
      hone::ema_state<float> mine(part.list(), start);
      mine.copy_only(2);
      for (whole_model const& m : steps) {
        part.take(m);
        hone::update(hone::cpu(1), average, mine, part.list());
      }
      CHECK(support::same_bytes(mine.tensors()[0].data, whole.tensors()[0].data + part.row * columns,
                                part.weight.size() * sizeof(float)));
      CHECK(support::same_bytes(mine.tensors()[1].data, whole.tensors()[1].data + part.first,
                                part.vector.size() * sizeof(float)));
      hone::save_file(ranks, mine, part.places(), folder.file("parts"), of_file);
      if (ranks.rank() == 0) CHECK(bytes_of(folder.file("parts")) == bytes_of(folder.file("whole")));
      ranks.barrier();

      hone::ema_state<float> other(part.list(), start);  // the parameters of the last step
      other.copy_only(2);
      hone::load_file(ranks, other, part.places(), folder.file("whole"));  // the file of one process
      CHECK(other.steps() == whole.steps());
      CHECK(other.counted() == whole.counted());
      for (std::size_t i = 0; i < 4; ++i)
        CHECK(support::same_bytes(other.tensors()[i].data, mine.tensors()[i].data,
                                  std::size_t(mine.tensors()[i].size) * sizeof(float)));
      if (ranks.rank() != 0) return;
      hone::ema_state<float> read(list_of(steps[0]), start);
      read.copy_only(2);
      hone::load_file(read, folder.file("parts"));
      for (std::size_t i = 0; i < 4; ++i)
        CHECK(support::same_bytes(read.tensors()[i].data, whole.tensors()[i].data,
                                  std::size_t(whole.tensors()[i].size) * sizeof(float)));
    });
}

TEST_CASE("fault 22: an average kept shard by shard has the bits of the whole one, and its file has the same bytes") {
  check_shards(hone::ema{.decay = 0.9, .ramp = hone::exponential_ramp(3)}, {});
  check_shards(hone::ema{.decay = 0.9, .ramp = hone::inverse_power_ramp(1, 0.5), .update_after = 1}, {});
  check_shards(hone::ema{.decay = 0.9, .ramp = hone::threshold_ramp(), .cycle = 4}, {.from_zero = true});
  check_shards(hone::ema{.decay = 0.9, .ramp = hone::linear_ramp(4, 0.1), .least_decay = 0.2}, {.steps = 7});
  check_shards(hone::ema{.decay = 0.5}, {.from_zero = true});
  check_shards(hone::swa{}, {});
}

// A model in every way that a list can be cut: rows, columns (fewer and more than a piece of 1 MiB has), a flat shard
// of a matrix, a whole tensor, one that the last rank alone has, and one that is tied. With 4 ranks and more, all
// shards have two replicas.
struct mesh_part {
  struct tensor_of {
    index rows, columns;
    std::vector<float> whole = {}, own = {};
  };
  std::vector<tensor_of> tensors{{700, 1100}, {900, 700}, {3, 300001}, {60, 50}, {1, 77}, {5, 4}, {0, 0}};
  static constexpr index of_file[] = {0, 0, 0, 50, 0, 0, 0};

  hone::sharded_list<float> at(int rank, int n) {
    const index copies = n >= 4 ? 2 : 1, replica = rank % copies, r = rank / copies, parts = n / copies;
    hone::sharded_list<float> list;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      tensor_of& t = tensors[i];
      // Uneven: the first of several ranks has nothing, and a replica's cuts are others.
      const auto cut = [&](index of, index k) {
        return k == 0 ? index(0) : k == parts ? of : k == 1 ? replica * (of / 7) : of * k / parts;
      };
      const auto own = [&](index r0, index r1, index c0, index c1) {
        t.own.clear();
        for (index y = r0; y < r1; ++y)
          for (index x = c0; x < c1; ++x) t.own.push_back(t.whole[std::size_t(y * t.columns + x)]);
        return hone::tensor<float>{t.own.data(), r1 - r0, c1 - c0};
      };
      const index size = t.rows * t.columns;
      if (i == 0) {
        list.push_back(own(cut(t.rows, r), cut(t.rows, r + 1), 0, t.columns),
                       hone::row_shard{cut(t.rows, r), t.rows, replica});
      } else if (i == 1 || i == 2) {
        list.push_back(own(0, t.rows, cut(t.columns, r), cut(t.columns, r + 1)),
                       hone::column_shard{cut(t.columns, r), t.columns, replica});
      } else if (i == 3) {
        t.own.assign(t.whole.begin() + cut(size, r), t.whole.begin() + cut(size, r + 1));
        list.push_back(t.own, hone::shard{cut(size, r), size, replica});
      } else if (i == 4) {
        list.push_back(own(0, t.rows, 0, t.columns), hone::replicated);
      } else if (i == 5) {
        const bool has = rank + 1 == n;
        list.push_back(own(0, has ? t.rows : 0, 0, t.columns), hone::replica{0});
      } else {
        list.push_back(list[4], hone::tied);
      }
    }
    return list;
  }
  hone::tensor_list<float> list() {
    hone::tensor_list<float> result;
    for (tensor_of& t : tensors) {
      result.push_back(t.rows > 0 ? hone::tensor<float>{t.whole.data(), t.rows, t.columns} : hone::tensor<float>{});
    }
    return result;
  }
  explicit mesh_part(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (tensor_of& t : tensors) {
      t.whole.resize(std::size_t(t.rows * t.columns));
      for (float& x : t.whole) x = uniform(random);
    }
  }
};

TEST_CASE("fault 22: the file of rows, columns, flat shards, replicas and tied tensors has the bytes of the whole") {
  const support::folder folder;
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      mesh_part model(3), after(4);
      hone::ema_state<float> whole(model.list());
      hone::update(hone::cpu(1), hone::ema{.decay = 0.75}, whole, after.list());
      auto places = model.at(ranks.rank(), n);
      hone::ema_state<float> mine(places.tensors());
      hone::update(hone::cpu(1), hone::ema{.decay = 0.75}, mine, after.at(ranks.rank(), n).tensors());
      hone::save_file(ranks, mine, places, folder.file("parts"), mesh_part::of_file);
      if (ranks.rank() == 0) {
        hone::save_file(whole, folder.file("whole"));
        CHECK((bytes_of(folder.file("parts")) == bytes_of(folder.file("whole"))));
      }
      hone::ema_state<float> other(places.tensors());
      hone::load_file(ranks, other, places, folder.file("whole"), mesh_part::of_file);
      CHECK(other.steps() == 1);
      for (std::size_t i = 0; i < places.size(); ++i)
        CHECK(support::same_bytes(other.tensors()[i].data, mine.tensors()[i].data,
                                  std::size_t(mine.tensors()[i].size) * sizeof(float)));
      ranks.barrier();
    });
}

TEST_CASE("columns that overlap, or that no rank has, are refused on all ranks") {
  const support::folder folder;
  on_ranks(3, [&](auto const& ranks) {
    std::vector<float> numbers(8, 1);
    const auto message = [&](index first, index of) {
      hone::sharded_list<float> list;
      list.push_back({numbers.data(), 4, 2}, hone::column_shard{first, of});
      const hone::ema_state<float> state(list.tensors());
      return error_of([&] { hone::save_file(ranks, state, list, folder.file("average")); });
    };
    const index r = ranks.rank();
    CHECK(message(2 * r, 6) == "");
    CHECK(message(r == 2 ? 3 : 2 * r, 6) == "save_file: tensor 0 has 6 columns, rank 1 and rank 2 have that at 3");
    CHECK(message(r == 0 ? 6 : 2 * r, 8) == "save_file: tensor 0 has 8 columns, no rank has those from 0 to 2");
  });
}

// Every rank of n has 10 numbers of 10 n, which are its rank, in a state that has made `steps` updates.
struct simple_part {
  std::vector<float> numbers;
  hone::tensor_list<float> list;
  hone::ema_state<float> state;
  hone::sharded_list<float> places;

  simple_part(int rank, int n, index steps = 3)
      : numbers(10, float(rank)), list{{numbers.data(), 10}}, state(list, {.steps = steps}) {
    places.push_back(numbers, hone::shard{10 * index(rank), 10 * index(n)});
  }
  hone::sharded_list<float> placed(hone::shard where) {
    hone::sharded_list<float> result;
    result.push_back(numbers, where);
    return result;
  }
};

TEST_CASE(
    "fault 24: shards that do not cover the whole exactly once are refused on all ranks, and the old file stays") {
  const support::folder folder;
  const std::string path = folder.file("average");
  for (const int n : {2, 3, 4, 8})
    on_ranks(n, [&](auto const& ranks) {
      const int r = ranks.rank();
      simple_part part(r, n);
      hone::save_file(ranks, part.state, part.places, path);
      const std::string before = r == 0 ? bytes_of(path) : "", all = std::to_string(10 * n);
      const auto refused = [&](hone::ema_state<float>& state, hone::sharded_list<float> const& shards,
                               std::string const& reason) {
        CHECK(error_of([&] { hone::save_file(ranks, state, shards, path); }) == "save_file: " + reason);
        CHECK(error_of([&] { hone::load_file(ranks, state, shards, path); }) == "load_file: " + reason);
        CHECK(state.steps() == 3);
        if (r == 0) CHECK(bytes_of(path) == before);
        if (r == 0) CHECK(folder.files() == 1);
      };
      const std::string of_one = "rank 1 of " + std::to_string(n) + " failed";
      const auto shards_of = [&](hone::shard last) { return r == 1 ? part.placed(last) : part.places; };
      const index whole = index(10) * n;
      refused(part.state, shards_of({0, whole}), "tensor 0 has " + all + " numbers, rank 0 and rank 1 have that at 0");
      refused(part.state, shards_of({9, whole}), "tensor 0 has " + all + " numbers, rank 0 and rank 1 have that at 9");
      if (n == 2)
        refused(part.state, part.placed({r == 0 ? 0 : 11, 21}),
                "tensor 0 has 21 numbers, no rank has those from 10 to 11");
      if (n == 2)
        refused(part.state, part.placed({index(10) * r, 21}),
                "tensor 0 has 21 numbers, no rank has those from 20 to 21");
      const std::string last = std::to_string(whole - 9);
      refused(part.state, shards_of({whole - 9, whole}),
              r == 1 ? ("tensor 0 of parameters is numbers [" + last)
                           .append(", ")
                           .append(last)
                           .append(" + 10) of ")
                           .append(all)
                           .append(", must lie within")
                     : of_one);
      refused(part.state, shards_of({10, whole + 1}),
              "the whole of tensor 0 is 1 x " + all + ", averaged, on rank 0 and 1 x " + std::to_string(whole + 1) +
                  ", averaged, on rank 1");
      refused(part.state, r == 1 ? hone::sharded_list<float>() : part.places,
              r == 1 ? "parameters has 0 tensors, the state has 1" : of_one);
      refused(part.state, part.placed(r == 0 ? hone::shard{0, 10} : hone::shard{}),
              "tensor 0 is cut by numbers on rank 0 and replicated on rank 1");
    });
}

TEST_CASE("fault 24: ranks of different numbers of updates, and a swapped one, do not save; a swap is undone") {
  const support::folder folder;
  const std::string path = folder.file("average");
  on_ranks(4, [&](auto const& ranks) {
    const int r = ranks.rank();
    simple_part late(r, 4, r == 2 ? 4 : 3);
    CHECK(error_of([&] { hone::save_file(ranks, late.state, late.places, path); }) ==
          (r == 2 ? "save_file: the state has made 4 updates, that of rank 0 3" : "save_file: rank 2 of 4 failed"));
    simple_part part(r, 4);
    std::vector<float> model(10, 99);
    const hone::tensor_list<float> parameters{{model.data(), 10}};
    if (r == 3) hone::swap(hone::cpu(1), part.state, parameters);
    CHECK(
        error_of([&] { hone::save_file(ranks, part.state, part.places, path); }) ==
        (r == 3 ? "save_file: the state holds the parameters, swap them back first" : "save_file: rank 3 of 4 failed"));
    if (r == 0) CHECK(folder.files() == 0);
    if (r == 3) hone::swap(hone::cpu(1), part.state, parameters);
    hone::save_file(ranks, part.state, part.places, path);
    hone::load_file(ranks, part.state, part.places, path);
    CHECK(part.state.tensors()[0].data[9] == float(r));
    CHECK(model[0] == 99);
  });
}

TEST_CASE("fault 24: where rank 0 cannot write or read, all ranks throw and none waits") {
  const support::folder folder;
  on_ranks(3, [&](auto const& ranks) {
    simple_part part(ranks.rank(), 3);
    const auto failed = [&](auto const& call, std::string const& function, std::string const& reason) {
      const std::string error = error_of(call);
      INFO(error);
      CHECK((ranks.rank() == 0 ? error.find(reason) != std::string::npos : error == function + ": rank 0 of 3 failed"));
    };
    const auto load = [&](char const* name) {
      return [&, name] { hone::load_file(ranks, part.state, part.places, folder.file(name)); };
    };
    const auto save = [&](char const* name) {
      return [&, name] { hone::save_file(ranks, part.state, part.places, folder.file(name)); };
    };
    failed(save("no/such/folder"), "save_file", "open");
    failed(load("none"), "load_file", "open");
    save("average")();
    const auto change = [&](auto const& by) {
      if (ranks.rank() == 0) {
        std::string bytes = bytes_of(folder.file("average"));
        by(bytes);
        std::ofstream(folder.file("damaged"), std::ios::binary) << bytes;
      }
      ranks.barrier();
      failed(load("damaged"), "load_file", "damaged");
      CHECK(part.state.tensors()[0].data[0] == float(ranks.rank()));
      ranks.barrier();
    };
    part.state.tensors()[0].data[0] = float(ranks.rank());
    change([](std::string& b) { b[b.size() - 50] ^= 1; });  // the checksum is wrong
    change([](std::string& b) { b.resize(b.size() - 60); });
    change([](std::string& b) { b.resize(20); });
    change([](std::string& b) { b += "x"; });
    change([](std::string& b) { b.clear(); });
    load("average")();
  });
}

#if !defined(_WIN32)
TEST_CASE("fault 24: a disk that is full in the middle is an error of all ranks, and the old file stays") {
  const support::folder folder;
  const std::string path = folder.file("average");
  for (const int n : {1, 2, 4})
    on_ranks(n, [&](auto const& ranks) {
      const index size = 1 << 20;
      std::vector<float> numbers(std::size_t(size), float(ranks.rank()));
      const hone::tensor_list<float> list{{numbers.data(), size}};
      const hone::ema_state<float> state(list), next(list, {.steps = 1});
      hone::sharded_list<float> shards;
      shards.push_back(numbers, hone::shard{size * ranks.rank(), size * n});
      hone::save_file(ranks, state, shards, path);
      const std::string before = ranks.rank() == 0 ? bytes_of(path) : "";
      ::rlimit whole{};
      void (*handler)(int) = nullptr;
      if (ranks.rank() == 0) {
        ::getrlimit(RLIMIT_FSIZE, &whole);
        ::rlimit some = whole;
        some.rlim_cur = 3 << 20;
        handler = std::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &some);
      }
      const std::string error = error_of([&] { hone::save_file(ranks, next, shards, path); });
      if (ranks.rank() == 0) {
        ::setrlimit(RLIMIT_FSIZE, &whole);
        std::signal(SIGXFSZ, handler);
        CHECK(error.find("write") != std::string::npos);
        CHECK((bytes_of(path) == before));
        CHECK(folder.files() == 1);
      } else {
        CHECK(error == "save_file: rank 0 of " + std::to_string(n) + " failed");
      }
      ranks.barrier();
    });
}
#endif

}  // namespace
