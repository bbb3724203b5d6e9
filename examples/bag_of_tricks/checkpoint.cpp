// SPDX-License-Identifier: MIT
#include "checkpoint.hpp"

#include "record.hpp"
#include "report_file.hpp"

#include <cstring>
#include <fstream>
#include <sstream>

namespace ladder {
namespace {

void write(std::ostream& to, const void* data, std::size_t bytes) {
  const std::uint64_t size = bytes;
  to.write(reinterpret_cast<const char*>(&size), sizeof size);
  to.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
}
template <class Numbers>
void write(std::ostream& to, const Numbers& numbers) {
  write(to, numbers.data(), static_cast<std::size_t>(numbers.size()) * sizeof *numbers.data());
}

/// Takes from a file what write() put there.
class reader {
 public:
  reader(const std::filesystem::path& file, const std::string& bytes, const std::string& key)
      : file_(file), stream_(bytes) {
    std::string found(static_cast<std::size_t>(size()), '\0');
    take(found.data(), found.size());
    if (found != key) fail("of another plan or training; use another --work folder");
  }

  template <class Numbers>
  void exactly(Numbers& numbers) {
    const std::size_t bytes = static_cast<std::size_t>(numbers.size()) * sizeof *numbers.data();
    if (size() != bytes) fail("damaged");
    take(numbers.data(), bytes);
  }
  void any(std::vector<double>& numbers) {
    numbers.resize(static_cast<std::size_t>(size() / sizeof(double)));
    take(numbers.data(), numbers.size() * sizeof(double));
  }
  std::istream& stream() { return stream_; }
  void end() {
    if (stream_.peek() != std::char_traits<char>::eof()) fail("damaged");
  }
  [[noreturn]] void fail(const std::string& why) const { throw record_error(file_.string() + ": " + why); }

 private:
  std::uint64_t size() {
    std::uint64_t bytes = 0;
    take(&bytes, sizeof bytes);
    if (bytes > std::uint64_t(1) << 30) fail("damaged");
    return bytes;
  }
  void take(void* to, std::size_t bytes) {
    stream_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    if (static_cast<std::size_t>(stream_.gcount()) != bytes) fail("ends early");
  }

  std::filesystem::path file_;
  std::istringstream stream_;
};

}  // namespace

std::optional<std::string> contents_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

void save_checkpoint(const std::filesystem::path& file, const std::string& key, const training_state& state) {
  std::ostringstream to;
  write(to, key);
  write(to, state.net->parameters());
  write(to, state.net->statistics());
  write(to, state.velocity);
  write(to, state.loss);
  write(to, state.watched_error);
  write(to, &state.seconds, sizeof state.seconds);
  if (state.average) state.average->save(to);  // hone
  demo::write_report(file.string(), to.str());
}

bool load_checkpoint(const std::filesystem::path& file, const std::string& key, training_state& state) {
  const std::optional<std::string> bytes = contents_of(file);
  if (!bytes) return false;
  reader from(file, *bytes, key);
  from.exactly(state.net->parameters());
  from.exactly(state.net->statistics());
  from.exactly(state.velocity);
  from.any(state.loss);
  from.any(state.watched_error);
  std::vector<double> seconds;
  from.any(seconds);
  if (seconds.size() != 1 || state.loss.size() != state.watched_error.size()) from.fail("damaged");
  state.seconds = seconds[0];
  if (state.average) state.average->load(from.stream());  // hone
  from.end();
  return true;
}

void save_network(const std::filesystem::path& file, const std::string& key, network& net) {
  std::ostringstream to;
  write(to, key);
  write(to, net.parameters());
  write(to, net.statistics());
  demo::write_report(file.string(), to.str());
}

void load_network(const std::filesystem::path& file, const std::string& key, network& net) {
  const std::optional<std::string> bytes = contents_of(file);
  if (!bytes) throw record_error(file.string() + ": not there, though its training is recorded as done");
  reader from(file, *bytes, key);
  from.exactly(net.parameters());
  from.exactly(net.statistics());
  from.end();
}

}  // namespace ladder
