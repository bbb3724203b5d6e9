#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/api.py lists what is public and nothing else, misses nothing that the examples use, and lets no name go in silence.

    api_catches.py [COMPILER OPTION...]    with a compiler: it must find every name of the doors of hone/hone.hpp
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
import api

HEADER = r'''// SPDX-License-Identifier: MIT
#pragma once
#include <hone/core/config.hpp>
#define HONE_HD __host__
#define HONE_INNER 1
namespace hone::inline HONE_ABI {
struct forward;
/* struct in_a_comment {}; */
struct options {
  real a = 1, b{2};  ///< "text; with {braces"
  int shape[2] = {3, 4}; bool on = x < 3;
  const char* text = "a;b{";
  void (*call)(int, void*) = nullptr;
  explicit options(int n) : a(n), b{n} { work(); }
  ~options();
  options(options const&) = delete;
  HONE_HD constexpr int f(int x = g({1, 2})) const noexcept { return [&] { return x; }(); }
  friend bool operator==(options const&, options const&) = default;
  friend struct other;
  template <class T> requires std::integral<T> && (sizeof(T) < 8) operator T() const { return {}; }
  struct nested { int deep; };
  using type = std::vector<int>;
 private:
  int hidden_;
  friend int open_friend(options const& o) { return o.hidden_; }
};
class closed {
  int first_;
 public:
  int second() const { return 2; }
 protected:
  int third();
};
enum class mode : unsigned char { off, on = 2 };
template <class T>
concept thing = requires(T t) { { t.size() } -> std::same_as<int>; };
template <thing T, int N = (3 > 2)>
inline constexpr int size_of = sizeof(T);
template <>
inline constexpr int size_of<int> = 4;
template <class T>
struct holder : base<T> {};
template <>
struct holder<int> { int special; };
holder(int) -> holder<int>;
template <class T>
  requires requires(T t) { t.x; }
auto call(T&& t, options o = {}) -> decltype(t.x) { if (t) { return t.x; } }
[[deprecated("use call")]] HONE_INLINE int old(int a,
                                               int b);
inline int closed::second() const { return 3; }
static_assert(thing<options>, "not { a declaration");
struct my_formula { int not_listed; };
#if HONE_INNER
int both();
#else
int both() { ;
#endif
namespace detail { int inner(); }
namespace extend { using detail::inner; }
namespace on_cpu { struct pack { int v; }; }
namespace experimental { int soon(); }
}
namespace other { int foreign(); }
'''
EXPECTED = '''HONE_HD: #define HONE_HD
hone::call: template <class T> requires requires(T t) { t.x; } auto call(T&& t, options o = {}) -> decltype(t.x)
hone::closed: class closed
hone::closed::second: int second() const
hone::both: int both()
hone::extend::inner: using detail::inner
hone::holder: holder(int) -> holder<int>
hone::holder: template <class T> struct holder : base<T>
hone::mode: enum class mode : unsigned char
hone::mode::off: off
hone::mode::on: on = 2
hone::my_formula: struct my_formula
hone::old: [[deprecated("use call")]] int old(int a, int b)
hone::options: struct options
hone::options::a: real a = 1
hone::options::b: real b{2}
hone::options::call: void (*call)(int, void*) = nullptr
hone::options::f: constexpr int f(int x = g({1, 2})) const noexcept
hone::options::nested: struct nested
hone::options::nested::deep: int deep
hone::options::on: bool on = x < 3
hone::options::open_friend: friend int open_friend(options const& o)
hone::options::operator T: template <class T> requires std::integral<T> && (sizeof(T) < 8) operator T() const
hone::options::operator==: friend bool operator==(options const&, options const&) = default
hone::options::options: explicit options(int n)
hone::options::shape: int shape[2] = {3, 4}
hone::options::text: const char* text = "a;b{"
hone::options::type: using type = std::vector<int>
hone::size_of: template <thing T, int N = (3 > 2)> constexpr int size_of
hone::thing: template <class T> concept thing = requires(T t) { { t.size() } -> std::same_as<int>; }
'''
OLD = "[hone/a.hpp]\nhone::f: int f(int a)\nhone::g: int g()\nhone::o: struct o\nhone::o::x: real x = 1\n"
TITLE = "# Changelog\n\n## Unreleased\n\n### Removed and changed names\n\n"
wrong = []


def expect(what, is_so):
    if not is_so:
        wrong.append(what)


listed = {f"{name}: {how}" for name, how in api.names_in("hone/core/x.hpp", HEADER)}
for line in sorted(set(EXPECTED.splitlines()) ^ listed):
    wrong.append(f"{'extra' if line in listed else 'missing'}: {line}")
for text in ("namespace hone { struct x { int a }; ", "namespace hone { int f( { } }", "namespace hone { int `; }"):
    try:
        list(api.names_in("x.hpp", text))
        wrong.append(f"read in silence: {text}")
    except api.Unread:
        pass

# What went, changed or is new.
for new, changelog, added, refused in (
        (OLD, "", 0, 0),
        (OLD + "hone::h: int h()\n", "", 1, 0),
        (OLD.replace("hone::g: int g()\n", ""), "", 0, 1),
        (OLD.replace("hone::g: int g()\n", ""), TITLE + "* `g` went.\n", 0, 0),
        (OLD.replace("hone::g: int g()\n", ""), TITLE + "* g went.\n", 0, 1),
        (OLD.replace("hone::g: int g()\n", ""), TITLE.replace("Unreleased", "0.1.0") + "* `g` went.\n", 0, 1),
        (OLD.replace("hone::g: int g()\n", ""), TITLE + "* `f`\n\n### Other\n\n* `g`\n", 0, 1),
        (OLD.replace("x = 1", "x = 2"), "", 1, 1),
        (OLD.replace("x = 1", "x = 2"), TITLE + "* `o::x` is 2.\n", 1, 0),
        (OLD.replace("x = 1", "x = 2"), TITLE + "* `o` has other defaults.\n", 1, 0),
        (OLD.replace("int a", "long a"), TITLE + "* `g`\n", 1, 1),
        (OLD.replace("hone/a", "hone/b"), "", 4, 4)):
    got = [len(part) for part in api.complaints(OLD, new, changelog)]
    expect(f"{new!r} with {changelog!r}: {got}, not {[added, refused]}", got == [added, refused])

# Names that programs use are listed.
listing = api.listing(ROOT / "include")
names = {api.name_of(line) for lines in listing.values() for line in lines}
spaces = {name.rsplit("::", 1)[0] for name in names if "operator" not in name} | {"hone::experimental"}
programs = [path for ending in ("*.cpp", "*.hpp", "*.cu", "*.cuh", "*.c") for path in (ROOT / "examples").rglob(ending)]
for path in sorted(programs):
    text = api.without_comments(path.read_text(encoding="utf-8"))
    for name in sorted(set(re.findall(r"(?<![\w:])hone::[a-z]\w*|(?<!\w)hone_[a-z_]+(?=\()", text))):
        if name not in names | spaces and f"struct {name.removeprefix('hone::')}" not in text:
            wrong.append(f"{path.relative_to(ROOT)} uses {name}, which is not listed")

# The page names the namespaces that are listed.
page = (ROOT / "docs/stability.md").read_text(encoding="utf-8")
public = set(re.findall(r"`(\w+)`", page[page.index("* **Names in namespace"):page.index(": functions with the order")]))
found = {space.split("::")[1] for space in spaces if "::" in space and space not in names} - {"experimental"} | {"hone"}
expect(f"docs/stability.md and the headers differ in namespaces: {sorted(public ^ found)}", public == found)

# A compiler finds what is listed.
if len(sys.argv) > 1:
    doors = ["hone/hone.hpp", "hone/distributed/thread_group.hpp", "hone/extend.hpp"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "names.cpp"
        found = sorted({name for door, lines in listing.items() if not re.match(r"hone/(adapt|cuda)|hone\.h|hone/io", door)
                        for line in lines if (name := api.name_of(line)).startswith("hone::") and "operator" not in name
                        and name.rsplit("::", 1)[0] not in names and "#define" not in line})
        lines = [f'#include <{door}>\n' for door in doors]
        lines += [f"namespace n{number} {{ using {name}; }}\n" for number, name in enumerate(found)]
        source.write_text("".join(lines), encoding="utf-8")
        result = subprocess.run([*sys.argv[1:], "-fsyntax-only", source], capture_output=True, text=True)
        if result.returncode:
            wrong += [line for line in result.stderr.splitlines() if "error" in line][:20] or [result.stderr]
        else:
            print(f"the compiler finds {len(found)} names")

print("\n".join(wrong) if wrong else f"{len(names)} names: nothing is missed, and nothing goes in silence")
sys.exit(1 if wrong else 0)
