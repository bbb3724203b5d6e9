// SPDX-License-Identifier: MIT
// Every function that allocates, with the n-th allocation failing, for n = 1, 2, … until it succeeds: a failure changes
// nothing, and the call that succeeds gives the result of a call without failures.
#include "failing_memory.hpp"

#include <hone/hone.hpp>

#include <support/folder.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr hone::index rows = 24, columns = 40;

/// The bytes of numbers, behind those of others.
template <class T>
void add_bytes(std::string& to, std::vector<T> const& numbers) {
  to.append(reinterpret_cast<char const*>(numbers.data()), numbers.size() * sizeof(T));
  to += '|';
}

/// A call, and the bytes of everything that it may change.
struct room {
  std::function<void()> call;
  std::function<std::string()> state;
};

/// On a thread of its own, whose scratch memory is new. Whether memory failed.
bool fails_at(room const& r, int n) {
  bool failed = false;
  std::thread([&] {
    fail_allocation(n);
    try {
      r.call();
    } catch (std::bad_alloc const&) {
      failed = true;
    }
    fail_allocation(0);
  }).join();
  return failed;
}

template <class Make>
void survives(const char* name, Make const& make) {
  INFO(std::string(name));
  const room whole = make(), tried = make();
  REQUIRE_FALSE(fails_at(whole, 0));
  const std::string before = tried.state(), after = whole.state();
  CHECK(before != after);  // or there would be nothing to see
  int n = 1;
  for (; n < 500 && fails_at(tried, n); ++n) {
    INFO("allocation ", n);
    CHECK(tried.state() == before);
  }
  CHECK(n > 1);
  CHECK(n < 500);
  CHECK(tried.state() == after);
}

std::vector<float> waves(hone::index n, float shift = 0) {
  std::vector<float> x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 3 * std::sin(0.7f * static_cast<float>(i) + shift);
  return x;
}
std::vector<int> labels() {
  std::vector<int> l(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < l.size(); ++i) l[i] = static_cast<int>(i) * 7 % int(columns);
  return l;
}

/// Numbers that verbs are called with; held by the rooms.
struct numbers {
  std::vector<float> z = waves(rows * columns), other = waves(rows * columns, 1), out = waves(rows * columns, 2);
  std::vector<float> losses = waves(rows, 3), weights = std::vector<float>(columns, 0.5f);
  std::vector<int> of_rows = labels();
  float value = 7;

  hone::matrix_view<float> view(std::vector<float>& v) { return {v.data(), rows, columns}; }
  hone::tensor_list<float> list(std::vector<float>& v) {
    hone::tensor_list<float> l;
    l.push_back({v.data(), rows, columns});
    return l;
  }
  std::string state() const {
    std::string s;
    add_bytes(s, z), add_bytes(s, other), add_bytes(s, out), add_bytes(s, losses);
    return s.append(reinterpret_cast<char const*>(&value), sizeof value);
  }
};

/// A room around numbers: body(numbers).
template <class Body>
auto with_numbers(Body body) {
  return [body] {
    auto n = std::make_shared<numbers>();
    return room{[n, body] { body(*n); }, [n] { return n->state(); }};
  };
}
const hone::cpu cpu(1), threads(3);

struct averages {
  numbers n;
  hone::ema_state<float> shadow{n.list(n.z)};
  std::string state() const {
    std::ostringstream s;
    if (!shadow.swapped()) shadow.save(s);
    return n.state() + s.str();
  }
};
template <class Body>
auto with_averages(Body body) {
  return [body] {
    auto a = std::make_shared<averages>();
    return room{[a, body] { body(*a); }, [a] { return a->state(); }};
  };
}

/// A verb that returns something: it is part of the state once it is there. bytes(answer) are its bytes.
template <class Ask, class Bytes>
auto answering(Ask ask, Bytes bytes) {
  return [ask, bytes] {
    auto n = std::make_shared<numbers>();
    auto answer = std::make_shared<std::optional<decltype(ask(*n))>>();
    return room{[n, ask, answer] { *answer = ask(*n); },
                [n, bytes, answer] { return n->state() + (*answer ? "+" + bytes(**answer) : std::string()); }};
  };
}
const auto bytes_of = [](auto const& v) {
  std::string s;
  add_bytes(s, v);
  return s;
};

}  // namespace

TEST_CASE("losses: a failed allocation changes nothing, and a retry gives the right result") {
  for (hone::cpu const& on : {cpu, threads}) {
    const auto evaluate = [&](auto const& objective_of) {
      return with_numbers([on, objective_of](numbers& n) {
        hone::evaluate(on, objective_of(n), n.view(n.z),
                       {.gradient = n.view(n.out), .unreduced = n.losses.data(), .value = &n.value});
      });
    };
    survives("rows", evaluate([](numbers& n) {
               return hone::cross_entropy(hone::weigh_classes(hone::smooth(hone::classes(n.of_rows), 0.1), n.weights)) +
                      hone::distillation(n.view(n.other), 4);
             }));
    survives("rows over a dense target", evaluate([](numbers& n) {
               return hone::knowledge_distillation(hone::classes(n.of_rows), n.view(n.other), 4);
             }));
    survives("elements", with_numbers([on](numbers& n) {
               hone::evaluate(on, hone::binary_cross_entropy(hone::classes(n.of_rows)), n.view(n.z),
                              {.gradient = n.view(n.out), .value = &n.value});
             }));
    survives("boxes", with_numbers([on](numbers& n) {
               constexpr hone::index boxes = rows * columns / 4;
               hone::evaluate(on, hone::ciou_loss(hone::matrix_view<const float>{n.other.data(), boxes, 4}),
                              hone::matrix_view<float>{n.z.data(), boxes, 4},
                              {.gradient = {n.out.data(), boxes, 4}, .value = &n.value});
             }));
  }
}

TEST_CASE("gradient steps: a failed allocation changes nothing, and a retry gives the right result") {
  survives("transform",
           with_numbers([](numbers& n) { hone::transform(threads, hone::clip_by_global_norm(0.01), n.list(n.z)); }));
  survives("transform with adaptive_clip", with_numbers([](numbers& n) {
             hone::transform(cpu, hone::adaptive_clip(n.list(n.other), {.clipping = 0.01, .excluded = {}}),
                             n.list(n.z));
           }));
  survives("measure", with_numbers([](numbers& n) {
             n.value = float(hone::measure(cpu, hone::clip_by_global_norm(0.01), n.list(n.z)).factor);
           }));
}

TEST_CASE("averages and master weights: a failed allocation changes nothing, and a retry works") {
  survives("creation", answering([](numbers& n) { return hone::ema_state<float>(n.list(n.z)); },
                                 [](hone::ema_state<float> const& made) {
                                   std::ostringstream s;
                                   made.save(s);
                                   return s.str();
                                 }));
  survives("update", with_averages([](averages& a) {
             hone::update(cpu, hone::ema{.decay = 0.5}, a.shadow, a.n.list(a.n.other));
           }));
  survives("swap", with_averages([](averages& a) { hone::swap(cpu, a.shadow, a.n.list(a.n.other)); }));
  survives("copy", with_averages([](averages& a) { hone::copy(cpu, a.shadow, a.n.list(a.n.out)); }));
  survives("copy of tensors", with_numbers([](numbers& n) { hone::copy(cpu, n.list(n.z), n.list(n.out)); }));
  survives("a copy of a state", with_averages([](averages& a) {
             hone::ema_state<float> copied = a.shadow;
             a.n.value = copied.tensors()[0].data[3];
           }));
  survives("load", [] {
    auto a = std::make_shared<averages>();
    hone::update(cpu, hone::ema{.decay = 0.5}, a->shadow, a->n.list(a->n.other));
    std::ostringstream s;
    a->shadow.save(s);
    auto b = std::make_shared<averages>();
    return room{[b, saved = s.str()] {
                  std::istringstream from(saved);
                  b->shadow.load(from);
                },
                [b] { return b->state(); }};
  });
  struct masters {
    std::vector<float> narrow = waves(rows);
    hone::tensor_list<float> list;
    masters() { list.push_back({narrow.data(), rows}); }
  };
  survives("refresh", [] {
    auto m = std::make_shared<masters>();
    auto wide = std::make_shared<hone::master_weights<double>>(m->list);
    wide->tensors()[0].data[5] = 0.25;
    return room{[m, wide] { hone::refresh(cpu, *wide, m->list); }, [m] { return bytes_of(m->narrow); }};
  });
}

TEST_CASE("files: a failed allocation changes nothing, and a retry gives the right result") {
  const support::folder folder;
  const auto all_files = [path = folder.path](std::string const& name) {
    std::string s;
    for (auto const& entry : std::filesystem::directory_iterator(path)) {
      if (!entry.path().filename().string().starts_with(name)) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      s.append(std::istreambuf_iterator<char>(file), {}) += '|';
    }
    return s;
  };
  int made = 0;
  survives("save_file", [&] {
    const std::string name = "state" + std::to_string(made++);
    auto a = std::make_shared<averages>();
    return room{[a, path = folder.file(name.c_str())] { hone::save_file(a->shadow, path); },
                [=] { return all_files(name); }};
  });
  survives("load_file", [&] {
    auto a = std::make_shared<averages>();
    hone::update(cpu, hone::ema{.decay = 0.5}, a->shadow, a->n.list(a->n.other));
    const std::string path = folder.file("loaded");
    hone::save_file(a->shadow, path);
    auto b = std::make_shared<averages>();
    return room{[b, path] { hone::load_file(b->shadow, path); }, [b] { return b->state(); }};
  });
  survives("teacher_writer", [&] {
    const std::string name = "teacher" + std::to_string(made++);
    auto n = std::make_shared<numbers>();
    return room{[n, path = folder.file(name.c_str())] {
                  hone::teacher_writer writer(path, {.classes = columns, .k = 3});
                  writer.append(n->view(n->z));
                  writer.finish();
                },
                [=] { return all_files(name); }};
  });
  struct writing {
    numbers n;
    std::string path;
    hone::teacher_writer writer{path, {.classes = columns, .k = 3}};
    explicit writing(std::string to) : path(std::move(to)) {}
  };
  survives("teacher_writer::append", [&] {
    auto w = std::make_shared<writing>(folder.file(("append" + std::to_string(made++)).c_str()));
    return room{[w] { w->writer.append(w->n.view(w->n.z)); }, [w] { return std::to_string(w->writer.rows()); }};
  });
  survives("teacher_writer::finish", [&] {
    const std::string name = "finish" + std::to_string(made++);
    auto w = std::make_shared<writing>(folder.file(name.c_str()));
    w->writer.append(w->n.view(w->n.z));
    return room{[w] { w->writer.finish(); }, [=] { return all_files(name); }};
  });
}

TEST_CASE("samples and teachers: a failed allocation changes nothing, and a retry works") {
  survives("blend", with_numbers([](numbers& n) {
             hone::blend(cpu, hone::mixup{.alpha = 0.2}.draw(1, 2, rows), n.view(n.z), n.view(n.out));
           }));
  survives("blend in place", with_numbers([](numbers& n) {
             hone::blend(cpu, hone::mixup{.alpha = 0.2}.draw(1, 2, rows), n.view(n.z), n.view(n.z));
           }));
  survives("average_teachers", with_numbers([](numbers& n) {
             hone::average_teachers(cpu, {n.view(n.z), n.view(n.other)}, 4, n.view(n.z));
           }));
}

TEST_CASE("detections: a failed allocation changes nothing, and a retry gives the right result") {
  constexpr hone::index boxes = rows * columns / 4;
  static const std::vector<float> scores = waves(boxes, 5);
  static const std::vector<int> classes(boxes, 1);
  const auto view = [](numbers& n) { return hone::matrix_view<const float>{n.z.data(), boxes, 4}; };
  survives("nms", answering([=](numbers& n) { return hone::nms(threads, view(n), scores); }, bytes_of));
  survives("batched_nms",
           answering([=](numbers& n) { return hone::batched_nms(threads, view(n), scores, classes); }, bytes_of));
  static const std::vector<hone::anchor_size> anchors = {{10, 13}, {16, 30}};
  static const std::vector<hone::labelled_box> labelled = {{.x = 0.3, .y = 0.4, .width = 0.25, .height = 0.45}};
  const hone::anchor_level level{.rows = 8, .columns = 8, .stride = 16, .anchors = anchors};
  survives("yolov5::match and objectness_targets", answering(
                                                       [=](numbers&) {
                                                         const auto m =
                                                             hone::yolov5::match(level, labelled, {.ratio = 9});
                                                         const std::vector<float> ious(m.size(), 0.5f);
                                                         return hone::yolov5::objectness_targets(level, m, ious);
                                                       },
                                                       bytes_of));
}

TEST_CASE("calibration: a failed allocation changes nothing, and a retry gives the right result") {
  survives("fit_temperature", answering([](numbers& n) { return hone::fit_temperature(cpu, n.view(n.z), n.of_rows); },
                                        [](auto const& fit) { return std::to_string(double(fit.temperature)); }));
  survives("reliability", answering([](numbers& n) { return hone::reliability(cpu, n.view(n.z), n.of_rows); },
                                    [](auto const& d) { return std::to_string(d.expected_calibration_error()); }));
  survives("static_calibration_error",
           answering([](numbers& n) { return hone::static_calibration_error(cpu, n.view(n.z), n.of_rows); },
                     [](double error) { return std::to_string(error); }));
}

#if defined(__linux__)
TEST_CASE("quota_of_process allocates no memory and closes its files") {
  const support::folder folder;
  const std::string group = "/a_group_with_a_name_that_is_too_long_for_a_short_string";
  std::filesystem::create_directories(folder.path.string() + group);
  std::ofstream(folder.file("cgroup")) << "0::" << group << "\n";
  std::ofstream(folder.path.string() + group + "/cpu.max") << "200000 100000\n";
  const auto open_files = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto before = open_files();
  const std::string membership = folder.file("cgroup"), mounts = folder.path.string();
  fail_allocation(1);
  const std::int64_t cores = hone::on_cpu::quota_of_process(membership.c_str(), mounts.c_str());
  fail_allocation(0);
  CHECK(cores == 2);
  CHECK(open_files() == before);
}
#endif
