// SPDX-License-Identifier: MIT
// Files of teacher outputs: round trips, the byte format, and damaged files.
#include <hone/hone.hpp>

#include <support/folder.hpp>
#include <support/message.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#if !defined(_WIN32)
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#endif
#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

namespace {

using support::noise;
namespace fs = std::filesystem;
using support::folder;

std::string bytes_of(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write(std::string const& path, std::string const& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

const hone::index rows = 7, classes = 12;
std::vector<float> some_logits() {
  std::vector<float> z;
  for (const double x : noise(0, rows * classes)) z.push_back(static_cast<float>(x));
  return z;
}
void store(std::string const& path, std::vector<float> const& z, hone::index K, hone::index k, double T) {
  hone::teacher_writer writer(path, {.classes = K, .k = k, .temperature = T});
  const hone::index n = hone::index(z.size()) / K;
  writer.append(hone::matrix_view{z.data(), n / 2, K});
  writer.append(hone::matrix_view{z.data() + n / 2 * K, n - n / 2, K});
  CHECK(writer.rows() == n);
  writer.finish();
}

/// Softmax at T, the k likeliest classes of it in their order, and the sum of the others.
struct bins {
  std::vector<int> classes;
  std::vector<double> p;
  double rest = 0;

  bins(float const* z, hone::index K, hone::index k, double T) {
    std::vector<double> all;
    double total = 0;
    for (hone::index c = 0; c < K; ++c) all.push_back(std::exp(double(z[c]) / T)), total += all.back();
    std::vector<int> order(static_cast<std::size_t>(K));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int a, int b) {
      const double x = all[std::size_t(a)], y = all[std::size_t(b)];
      return x > y || (x == y && a < b);
    });
    for (std::size_t j = std::size_t(k); j < all.size(); ++j) rest += all[std::size_t(order[j])] / total;
    classes.assign(order.begin(), order.begin() + k);
    std::sort(classes.begin(), classes.end());
    for (const int c : classes) p.push_back(all[std::size_t(c)] / total);
  }
};

}  // namespace

TEST_CASE("a teacher file returns what was stored, for any rows in any order") {
  const folder here;
  const std::vector<float> z = some_logits();
  for (const hone::index k : {1, 3, 12})
    for (const double T : {1.0, 3.0}) {
      store(here.file("teacher"), z, classes, k, T);
      CHECK(here.files() == 1);
      const hone::teacher_reader reader(here.file("teacher"));
      CHECK(reader.rows() == rows);
      CHECK(reader.classes() == classes);
      CHECK(reader.k() == k);
      CHECK(reader.temperature() == T);
      const std::vector<int> wanted{6, 0, 3, 3};
      hone::top_k_batch batch;
      reader.gather(wanted, batch);
      CHECK(batch.rows == 4);
      CHECK(batch.columns == classes);
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const bins b(z.data() + wanted[i] * classes, classes, k, T);
        double total = std::exp(double(batch.rest[i]));
        for (std::size_t j = 0; j < std::size_t(k); ++j) {
          const std::size_t at = i * std::size_t(k) + j;
          CHECK(batch.classes[at] == b.classes[j]);
          CHECK(std::abs(double(batch.log_probabilities[at]) - std::log(b.p[j])) < 5e-3);
          total += std::exp(double(batch.log_probabilities[at]));
        }
        CHECK(total == doctest::Approx(1).epsilon(1e-6));
        CHECK(std::exp(double(batch.rest[i])) == doctest::Approx(b.rest).epsilon(2e-3));
      }
      hone::top_k_batch all, alike;
      reader.range(0, rows, all);
      std::vector<hone::index> every(static_cast<std::size_t>(rows));
      std::iota(every.begin(), every.end(), hone::index(0));
      reader.gather(every, alike);
      CHECK(all.classes == alike.classes);
      CHECK(all.log_probabilities == alike.log_probabilities);
      CHECK(all.rest == alike.rest);
      reader.range(rows, 0, all);
      CHECK(all.rows == 0);
    }
}

TEST_CASE("the loss of a stored teacher matches that of the teacher within half precision") {
  const folder here;
  const std::vector<float> t = some_logits();
  std::vector<float> z(t.size());
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = t[i] / 2 + static_cast<float>(noise(hone::index(i) + 300)) / 4;
  store(here.file("teacher"), t, classes, classes, 2);
  hone::top_k_batch batch;
  hone::teacher_reader(here.file("teacher")).range(0, rows, batch);
  const hone::cpu cpu(1);
  const hone::matrix_view student{z.data(), rows, classes};
  const double exact = hone::evaluate(cpu, hone::distillation(hone::matrix_view{t.data(), rows, classes}, 2), student);
  CHECK(hone::evaluate(cpu, hone::top_k_distillation(batch), student) == doctest::Approx(exact).epsilon(2e-3));
}

TEST_CASE("a teacher file has the bytes of the documented format on every machine") {
  const folder here;
  // Two classes at the same probability and one at none: logits 0, 0 and -inf, T = 1.
  const std::vector<float> z{0, -std::numeric_limits<float>::infinity(), 0};
  hone::teacher_writer writer(here.file("t"), {.classes = 3, .k = 2});
  writer.append(hone::matrix_view{z.data(), 1, 3});
  writer.finish();
  const std::string b = bytes_of(here.file("t"));
  const auto at = [&](std::size_t i) { return int(static_cast<unsigned char>(b[i])); };
  REQUIRE(b.size() == 64 + 4 + 2 * 2 + 2 * 2 + 4);
  CHECK(b.substr(0, 8) == "hone.tkd");
  CHECK(at(8) == 1);
  CHECK(at(12) == 2);
  CHECK(at(16) == 1);
  CHECK(at(24) == 3);
  CHECK(at(32) == 2);
  CHECK((at(46) == 0xf0 && at(47) == 0x3f));  // 1.0
  CHECK((at(66) == 0x80 && at(67) == 0xff));  // -inf
  const unsigned half = hone::to_half(static_cast<float>(-std::log(2.0)));
  CHECK((at(68) == int(half & 0xff) && at(69) == int(half >> 8)));
  CHECK((at(72) == 0 && at(74) == 2));  // the classes
}

TEST_CASE("a teacher file takes 70000 classes, breaks ties by class number, and clamps far logits") {
  const folder here;
  const hone::index K = 70000;
  std::vector<float> z(std::size_t(K), 1.0f);
  z[69999] = 2e5f;
  store(here.file("t"), z, K, 3, 1);
  hone::top_k_batch batch;
  hone::teacher_reader(here.file("t")).range(0, 1, batch);
  CHECK(batch.classes == std::vector<std::int32_t>{0, 1, 69999});
  CHECK(batch.log_probabilities == std::vector<float>{-65504, -65504, 0});
  CHECK(batch.rest[0] == doctest::Approx(-199999 + std::log(69997.0)).epsilon(1e-6));
}

TEST_CASE("a damaged, truncated or foreign teacher file throws, and the batch stays unchanged") {
  const folder here;
  store(here.file("t"), some_logits(), classes, 3, 1);
  const std::string whole = bytes_of(here.file("t"));
  const auto opens = [&](std::string const& bytes) {
    write(here.file("bad"), bytes);
    return support::message([&] { hone::teacher_reader reader(here.file("bad")); });
  };
  const auto says = [](std::string const& said, const char* text) {
    CHECK_MESSAGE(said.find(text) != std::string::npos, said);
  };
  says(opens(""), "the file ends after 0 bytes, in its header");
  says(opens(whole.substr(0, 63)), "the file ends after 63 bytes, in its header");
  says(opens(whole.substr(0, whole.size() - 1)), "which is not 7 rows of 20 and the header");
  says(opens(whole + "x"), "which is not 7 rows of 20 and the header");
  std::string bad = whole;
  bad[0] = 'x';
  says(opens(bad), "the bytes are no file of teacher outputs");
  bad = whole, bad[8] = 9;
  says(opens(bad), "the file has version 9, must be 1");
  for (std::size_t i = 12; i < 64; ++i) {
    bad = whole, bad[i] = static_cast<char>(bad[i] ^ 4);
    says(opens(bad), "the header is damaged: its checksum is ");
  }
  for (std::size_t i = 64 + 3 * 20; i < 64 + 4 * 20; ++i) {  // row 3
    bad = whole, bad[i] = static_cast<char>(bad[i] ^ 4);
    write(here.file("bad"), bad);
    const hone::teacher_reader reader(here.file("bad"));
    hone::top_k_batch batch;
    reader.range(0, 3, batch);
    const auto before = batch.log_probabilities;
    says(support::message([&] { reader.range(2, 2, batch); }), "row 3 is damaged: its checksum is ");
    CHECK(batch.log_probabilities == before);
    CHECK(batch.rows == 3);
  }
  const hone::teacher_reader reader(here.file("t"));
  hone::top_k_batch batch;
  const std::vector<hone::index> beyond{0, 7}, below{-1};
  const std::vector<std::uint64_t> huge{~std::uint64_t(0)};
  says(support::message([&] { reader.gather(beyond, batch); }), "gather: row 1 of the batch is 7, must be in [0, 7)");
  says(support::message([&] { reader.gather(below, batch); }), "gather: row 0 of the batch is -1, must be in [0, 7)");
  says(support::message([&] { reader.gather(huge, batch); }), "gather: row 0 of the batch is ");
  says(support::message([&] { reader.range(5, 3, batch); }), "range: 3 rows from row 5 on, the file has 7");
  says(support::message([&] { reader.range(-1, 1, batch); }), "range: 1 rows from row -1 on");
  CHECK(batch.rows == 0);
  CHECK_THROWS_AS(hone::teacher_reader(here.file("none")), hone::io_error);
}

#if !defined(_WIN32)  // no limits of a process, no modes, no pipes in folders
namespace {

// With its body as a child whose files grow to `limit` bytes at most; whether it says that all was right.
template <class Body>
bool on_a_full_disk(::rlim_t limit, Body const& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit few{limit, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &few);
    bool right = false;
    try {
      right = body();
    } catch (...) {
      right = false;
    }
    std::_Exit(right ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status == 0;
}

}  // namespace

TEST_CASE("a teacher file is readable, with the rows of earlier appends, if an append meets a full disk") {
  const std::vector<float> z = some_logits();
  for (const ::rlim_t limit : {64u + 20, 64u + 20 * 3 + 1, 64u + 20 * 4 + 19, 64u + 20 * 6}) {
    const auto fit = hone::index((limit - 64) / 20);  // rows of 20 bytes
    for (const hone::index first : {hone::index(0), hone::index(1), fit}) {
      CAPTURE(fit);
      CAPTURE(first);
      const folder here;
      CHECK(on_a_full_disk(limit, [&] {
        hone::teacher_writer writer(here.file("t"), {.classes = classes, .k = 3});
        writer.append(hone::matrix_view{z.data(), first, classes});
        for (int again = 0; again < 2; ++again) {
          bool full = false;
          try {
            writer.append(hone::matrix_view{z.data() + first * classes, rows - first, classes});
          } catch (hone::io_error const&) {
            full = true;
          }
          if (!full || writer.rows() != first) return false;
        }
        writer.finish();
        return true;
      }));
      CHECK(here.files() == 1);
      const hone::teacher_reader reader(here.file("t"));
      CHECK(reader.rows() == first);
      hone::top_k_batch batch;
      reader.range(0, first, batch);
      store(here.file("all"), z, classes, 3, 1);
      CHECK(bytes_of(here.file("t")).substr(64) == bytes_of(here.file("all")).substr(64, std::size_t(first) * 20));
    }
  }
}

TEST_CASE("rows appended after a full disk follow the rows already stored") {
  const std::vector<float> z = some_logits();
  const folder here;
  CHECK(on_a_full_disk(64 + 20 * 4 + 3, [&] {
    hone::teacher_writer writer(here.file("t"), {.classes = classes, .k = 3});
    writer.append(hone::matrix_view{z.data(), 3, classes});
    try {
      writer.append(hone::matrix_view{z.data() + 3 * classes, 4, classes});
    } catch (hone::io_error const&) {
      writer.append(hone::matrix_view{z.data() + 3 * classes, 1, classes});
      writer.finish();
      return true;
    }
    return false;
  }));
  hone::top_k_batch batch;
  hone::teacher_reader(here.file("t")).range(0, 4, batch);
  CHECK(batch.rows == 4);
}

TEST_CASE("opening a teacher file allocates no memory for the sizes its header claims") {
  const folder here;
  hone::detail::teacher_header header{0, hone::index(1) << 30, hone::index(1) << 30, 1};
  unsigned char head[64];
  header.write(head);
  write(here.file("t"), std::string(reinterpret_cast<char const*>(head), sizeof head));
  const auto kibibytes = [] {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
  };
  const long before = kibibytes();
  const hone::teacher_reader reader(here.file("t"));
  hone::top_k_batch batch;
  reader.gather(std::vector<int>{}, batch);
  reader.range(0, 0, batch);
  CHECK(batch.rows == 0);
  CHECK(batch.k == hone::index(1) << 30);
  CHECK(kibibytes() - before < 100'000);  // a record would take 6 GiB
}

TEST_CASE("teacher files follow symbolic links, keep file modes, and reject pipes") {
  const folder here;
  const std::vector<float> z = some_logits();
  store(here.file("t"), z, classes, 3, 1);
  fs::create_symlink("t", here.path / "link");
  fs::permissions(here.file("t"), fs::perms::owner_read | fs::perms::owner_write);
  store(here.file("link"), z, classes, 2, 1);
  CHECK(fs::is_symlink(here.file("link")));
  CHECK(fs::status(here.file("t")).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(hone::teacher_reader(here.file("t")).k() == 2);
  REQUIRE(::mkfifo(here.file("pipe").c_str(), 0666) == 0);
  CHECK_THROWS_AS(hone::teacher_reader(here.file("pipe")), hone::io_error);
  CHECK_THROWS_AS(hone::teacher_writer(here.file("pipe"), {.classes = 5, .k = 1}), hone::io_error);
  CHECK(fs::is_fifo(here.file("pipe")));
  CHECK(here.files() == 3);
}

#endif

TEST_CASE("reading rows of a file truncated after opening throws, and the batch stays empty") {
  const folder here;
  store(here.file("t"), some_logits(), classes, 3, 1);
  const hone::teacher_reader reader(here.file("t"));
  fs::resize_file(here.file("t"), 64 + 2 * 20 + 5);
  hone::top_k_batch batch;
  const std::string said = support::message([&] { reader.range(1, 2, batch); });
  CHECK_MESSAGE(said.find("the file ends in the middle of row 2") != std::string::npos, said);
  CHECK(batch.rows == 0);
}

TEST_CASE("teacher_writer: invalid arguments and logits throw, and no partial file remains") {
  const folder here;
  const std::vector<float> good = some_logits();
  std::vector<float> z = good;
  const hone::matrix_view logits{z.data(), rows, classes};
  const auto says = [](std::string const& text, auto const& call) {
    const std::string said = support::message(call);
    CHECK_MESSAGE(said.find(text) != std::string::npos, said);
  };
  says("teacher_writer: classes is 0", [&] { hone::teacher_writer(here.file("t"), {.classes = 0, .k = 1}); });
  says("teacher_writer: k is 0", [&] { hone::teacher_writer(here.file("t"), {.classes = 5, .k = 0}); });
  says("teacher_writer: k is 6", [&] { hone::teacher_writer(here.file("t"), {.classes = 5, .k = 6}); });
  for (const double T : {0.0, -1.0, std::nan("")})
    says("teacher_writer: temperature is ",
         [&] { hone::teacher_writer(here.file("t"), {.classes = 5, .k = 1, .temperature = T}); });
  CHECK(here.files() == 0);
  CHECK_THROWS_AS(hone::teacher_writer(here.file("no/folder"), {.classes = 5, .k = 1}), hone::io_error);
  {
    hone::teacher_writer writer(here.file("t"), {.classes = classes, .k = 3});
    writer.append(logits);
    CHECK(!fs::exists(here.file("t")));
    CHECK(here.files() == 1);
  }
  CHECK(here.files() == 0);  // not finished: nothing is left

  store(here.file("t"), z, classes, 3, 1);
  const std::string whole = bytes_of(here.file("t"));
  hone::teacher_writer writer(here.file("again"), {.classes = classes, .k = 3});
  says("teacher_writer::append: logits is 7 x 11, the file has 12 classes",
       [&] { writer.append(hone::matrix_view{z.data(), rows, 11}); });
  for (const float x : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    z[5 * classes + 3] = x;
    says("teacher_writer::append: row 5 has a logit that is NaN or +inf", [&] { writer.append(logits); });
  }
  std::copy(good.begin(), good.end(), z.begin());
  std::fill_n(z.begin() + 2 * classes, classes, -std::numeric_limits<float>::infinity());
  says("teacher_writer::append: row 2 has a logit that is NaN or +inf, or none above -inf",
       [&] { writer.append(logits); });
  std::copy(good.begin(), good.end(), z.begin());
  CHECK(writer.rows() == 0);
  writer.append(logits);
  writer.finish();
  CHECK(bytes_of(here.file("again")) == whole);
  says("is finished", [&] { writer.append(logits); });
  says("is finished", [&] { writer.finish(); });
}
