// SPDX-License-Identifier: MIT
/// How loss layers of hone are saved, printed and described, as dlib asks of a loss layer.
#pragma once

#include <hone/core/config.hpp>

#include <dlib/serialize.h>

#include <iosfwd>
#include <string>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt::detail {

/// Has serialize(item, ostream) and deserialize(item, istream) beside its type, as dlib's objects do.
template <class Factory>
concept saved_by_dlib = requires(Factory const& from, Factory& to, std::ostream& out, std::istream& in) {
  serialize(from, out);
  deserialize(to, in);
};

/// Returns Factory::name, or "objective".
template <class Factory>
std::string name_of() {
  if constexpr (requires { std::string(Factory::name); })
    return Factory::name;
  else
    return "objective";
}

/// The base of all loss layers: the factory of their objective.
template <class Layer, class Factory>
class saved_loss {
  static_assert(std::is_empty_v<Factory> || saved_by_dlib<Factory>,
                "dlib_loss: a factory that has members needs serialize and deserialize beside it, as dlib's layers do");

 public:
  Factory const& factory() const noexcept { return factory_; }
  Factory& factory() noexcept { return factory_; }

  friend void serialize(Layer const& item, std::ostream& out) {
    dlib::serialize(version(), out);
    if constexpr (saved_by_dlib<Factory>) serialize(item.factory(), out);
  }
  /// Throws dlib::serialization_error if the stream holds another loss, and changes nothing then.
  friend void deserialize(Layer& item, std::istream& in) {
    std::string found;
    dlib::deserialize(found, in);
    if (found != version())
      throw dlib::serialization_error("Unexpected version '" + found + "' found while deserializing " + version() +
                                      ".");
    if constexpr (saved_by_dlib<Factory>) {
      Factory read = item.factory();
      deserialize(read, in);
      item.factory() = read;
    }
  }
  friend std::ostream& operator<<(std::ostream& out, Layer const&) {
    return out << Layer::layer_name << "\t(" << name_of<Factory>() << ")";
  }
  friend void to_xml(Layer const&, std::ostream& out) {
    out << "<" << Layer::layer_name << " objective='" << name_of<Factory>() << "'/>\n";
  }

 protected:
  saved_loss() = default;
  explicit saved_loss(Factory factory) : factory_(static_cast<Factory&&>(factory)) {}

 private:
  static std::string version() { return std::string("hone_") + Layer::layer_name + "_1 " + name_of<Factory>(); }

  Factory factory_;
};

}  // namespace hone::inline HONE_ABI::adapt::detail

#include <hone/core/macros_pop.hpp>
