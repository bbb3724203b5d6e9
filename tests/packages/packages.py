#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The text of docs/packages.md works as it is written, from an empty folder.

    packages.py WORK_FOLDER WAY...    WAY: installed fetchcontent cpm vcpkg meson bazel single release conan debian

writes the files of the page's ways into new folders below WORK_FOLDER and runs its commands. `hone` is a copy of this tree
there, and git finds it in place of https://example.com/hone.git. A way whose tool is missing is skipped, and says so. CXX
names the compiler.
"""
import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
URL = "https://example.com/hone.git"
COPIED = ["CHANGELOG.md", "CITATION.cff", "CMakeLists.txt", "LICENSE", "README.md", "cmake", "docs", "include", "packaging"]
BLOCK = re.compile(r"<!-- package: (?:(\S+) )?(\S+) -->\n```\w+\n(.*?)^```$", re.S | re.M)


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def run(command, folder, **more):
    environment = {**os.environ, "GIT_CONFIG_COUNT": "3", "GIT_CONFIG_KEY_0": f"url.{folder}/hone/.git.insteadOf",
                   "GIT_CONFIG_VALUE_0": URL, "GIT_CONFIG_KEY_1": "protocol.file.allow", "GIT_CONFIG_VALUE_1": "always",
                   "GIT_CONFIG_KEY_2": "advice.detachedHead", "GIT_CONFIG_VALUE_2": "false", "CMAKE_GENERATOR": "Ninja", **more}
    if not shutil.which("ninja"):
        del environment["CMAKE_GENERATOR"]
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{command}\nended with {done.returncode}:\n{(done.stdout + done.stderr)[-6000:]}")
    return done.stdout + done.stderr


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skipped(f"there is no {tool}")


def page():
    """A dictionary of each way's files; those of no way are everybody's."""
    ways = {}
    for way, name, text in BLOCK.findall((ROOT / "docs/packages.md").read_text(encoding="utf-8")):
        ways.setdefault(way, {})[name] = text
    return ways


def version():
    return re.search(r'version = "([\d.]+)"', (ROOT / "include/hone/version.hpp").read_text(encoding="utf-8"))[1]


def prepare(folder, way, git=True):
    """A new folder with what the page shows for a way, and hone; returns the page's commands."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "hone").mkdir(parents=True)
    for name in COPIED:
        source, to = ROOT / name, folder / "hone" / name
        if source.is_dir():
            shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__", "results", "benchmarks"))
        else:
            shutil.copy(source, to)
    files = {**page()[""], **page().get(way, {})}
    commands = files.pop("commands", "")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    if git:
        need("git")
        when = "2026-01-02T03:04:05Z"
        run("git init -q -b main hone && cd hone && git add -A && git -c user.name=test -c user.email=test@example.com "
            f"commit -q -m test && git -c user.name=test -c user.email=test@example.com tag -a v{version()} -m test", folder,
            GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
    return commands


def expect(what, is_so):
    if not is_so:
        raise Failed(what)


# ---- the ways -----------------------------------------------------------------------------------------------------

COMPONENTS = """cmake_minimum_required(VERSION 3.25)
project(components LANGUAGES CXX)
set(CMAKE_DISABLE_FIND_PACKAGE_Eigen3 TRUE)
find_package(hone REQUIRED COMPONENTS cuda OPTIONAL_COMPONENTS cpu nonsense)
if(NOT TARGET hone::cuda OR TARGET hone::hone OR hone_cpu_FOUND OR hone_nonsense_FOUND)
  message(FATAL_ERROR "without Eigen there is hone::cuda and nothing else")
endif()
find_package(hone QUIET COMPONENTS nonsense)
if(hone_FOUND)
  message(FATAL_ERROR "a component that hone does not have was found")
endif()
"""


def installed(folder):
    need("cmake")
    run(prepare(folder, "installed", git=False), folder)
    run("build/trainer", folder)
    (folder / "components").mkdir()
    (folder / "components/CMakeLists.txt").write_text(COMPONENTS)
    run("cmake -S components -B components/build -DCMAKE_PREFIX_PATH=$PWD/prefix", folder)
    need("pkg-config")
    run(page()["pkg-config"]["commands"].replace("g++", "$CXX"), folder, CXX=os.environ.get("CXX", "g++"))
    run("./trainer", folder)


def fetchcontent(folder):
    need("cmake")
    run(prepare(folder, "fetchcontent") + "build/trainer", folder)


def cpm(folder):
    need("cmake")
    commands = prepare(folder, "cpm")
    (folder / "cmake").mkdir()
    shutil.copy(HERE / "stand_ins/CPM.cmake", folder / "cmake/CPM.cmake")
    run(commands, folder)
    print("CPM.cmake itself: SKIPPED, it is fetched from GitHub alone; a stand-in read the arguments")


def vcpkg(folder):
    need("cmake")
    prepare(folder, "vcpkg", git=False)
    port = folder / "hone/packaging/vcpkg/hone"
    manifest = json.loads((port / "vcpkg.json").read_text(encoding="utf-8"))
    expect("vcpkg.json: its members", {"name", "version-semver", "description", "license", "dependencies"} == set(manifest))
    expect("vcpkg.json: its version", manifest["version-semver"] == version() and manifest["name"] == port.name)
    run(f"cmake -D PORT={port} -D PACKAGES={folder}/packages -P {HERE}/stand_ins/vcpkg.cmake", folder)
    there = {path.relative_to(folder / "packages").as_posix() for path in (folder / "packages").rglob("*") if path.is_file()}
    for name in ("include/hone/hone.hpp", "share/hone/hone-config.cmake", "share/hone/copyright", "share/pkgconfig/hone.pc"):
        expect(f"the port installs no {name}", name in there)
    expect("the port installs elsewhere", {name.split("/")[0] for name in there} == {"include", "share"})
    print("vcpkg itself: SKIPPED, it is fetched from GitHub alone; stand-ins of its functions configured and installed")


def meson(folder):
    need("meson", "pkg-config")
    run(prepare(folder, "meson") + "build/trainer", folder)


def bazel(folder):
    run(prepare(folder, "bazel", git=False), folder)
    targets, calls = [], []

    def rule(kind):
        return lambda **given: (targets if kind.startswith("cc_") else calls).append((kind, given))

    def glob(patterns):
        found = sorted(path.relative_to(here).as_posix() for pattern in patterns for path in here.glob(pattern))
        expect(f"{here}: glob({patterns}) finds nothing", found)
        return found

    for here in (folder / "hone", folder):
        names = {name: rule(name) for name in ("module", "bazel_dep", "local_path_override", "cc_library", "cc_binary", "package")}
        names |= {"glob": glob, "load": lambda label, *symbols: None, "select": lambda choices: choices["//conditions:default"]}
        for name in ("MODULE.bazel", "BUILD.bazel"):
            text = (here / name).read_text(encoding="utf-8")
            ast.parse(text)
            exec(compile(text, str(here / name), "exec"), {"__builtins__": {}, **names})  # Starlark is a part of Python
            used = set(re.findall(r'"@(\w+)', text))
            known = set(re.findall(r'bazel_dep\(name = "(\w+)"', (here / "MODULE.bazel").read_text(encoding="utf-8")))
            expect(f"{here / name} uses {used - known}, which its module does not depend on", used <= known)
    library = next(given for kind, given in targets if given["name"] == "hone")
    expect("//:hone lacks headers", {"include/hone/hone.hpp", "include/hone.h"} <= set(library["hdrs"]))
    expect("the module's version", ("module", {"name": "hone", "version": version()}) in calls)
    print("Bazel itself: SKIPPED, it is no package of Debian or PyPI; its files were read as Starlark")


def own_text(folder, include, door):
    """What a compiler sees of hone's own lines in a door, in their order."""
    eigen = os.environ.get("EIGEN", "/usr/include/eigen3")
    said = run(f"printf '#include <hone/{door}>\\n' | $CXX -std=c++20 -E -I {include} -isystem {eigen} -x c++ -", folder,
               CXX=os.environ.get("CXX", "g++"))
    kept, own = [], False
    for line in said.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            own = marker[1].startswith(f"{include}/hone")
        elif own and line.strip() and not line.startswith("#"):
            kept.append(line.strip())
    return kept


def single(folder):
    commands = prepare(folder, "single", git=False)
    run(commands.replace("g++", "$CXX").replace("-O2", "-O0 -Wall -Wextra -Werror"), folder, CXX=os.environ.get("CXX", "g++"))
    run("./trainer && cp -r single first && python3 hone/packaging/single_header.py single hone.hpp hone.cuh loss.hpp extend.hpp "
        "&& cmp first/hone/hone.hpp single/hone/hone.hpp && ! grep -n '#include <hone/' single/hone/*", folder)
    for door in ("hone.hpp", "loss.hpp"):
        many, one = own_text(folder, "hone/include", door), own_text(folder, "single", door)
        expect(f"{door} is another text in one file", many == one and len(many) > 1000)


def release(folder):
    prepare(folder, "release")
    program = "python3 hone/packaging/release.py"
    said = run(f"{program} one --draft && {program} two --draft && diff -r one two && cd one && sha256sum -c SHA256SUMS", folder)
    name = f"hone-{version()}"
    document = json.loads((folder / f"one/{name}.spdx.json").read_text())
    digest = (folder / "one/SHA256SUMS").read_text().split()[0]
    expect("the SBOM names another archive", document["packages"][0]["checksums"][0]["checksumValue"] in
           (folder / "one/SHA256SUMS").read_text() and digest)
    run(f"tar -tzf one/{name}.tar.gz > list && grep -qx {name}/include/hone/hone.hpp list && "
        f"tar -xzOf one/{name}-single-headers.tar.gz {name}-single-headers/hone/loss.hpp | grep cross_entropy > list", folder)
    refused = [  # a change of the tree, and what is said of it
        ("sed -i 's/^version: .*/version: 9.9.9/' hone/CITATION.cff", "CITATION.cff: 9.9.9"),
        (f"{program} --set 7.8.9 && sed -i 's/7.8.9/7.8.0/' hone/include/hone/version.hpp", "not 7.8.0"),
        ("sed -i '$d' hone/docs/api.txt", "docs/api.txt is not as the headers are")]
    for change, sentence in refused:
        run(f"cd hone && git checkout -q . && cd .. && {change} && ! {program} three --draft > said && "
            f"grep -F -q '{sentence}' said && ! test -e three", folder)
    run(f"cd hone && git checkout -q . && cd .. && {program} --set 7.8.9 && ! {program} three > said && "
        f"grep -q 'has no part \"## 7.8.9\"' said && grep -q 'not committed' said && {program} four --draft", folder)
    part = "## Unreleased\\n\\n## 7.8.9\\n\\n### Removed and changed names\\n\\n* `f`\\n\\n## 7.8.8\\n"
    commit = "git -c user.name=test -c user.email=test@example.com commit -q -a -m test"
    run(f"printf '{part}' > hone/CHANGELOG.md && (cd hone && {commit}) && ! {program} five > said && "
        "grep -q 'names went or changed' said", folder)
    run(f"sed -i 's/7.8.8/6.9.0/' hone/CHANGELOG.md && (cd hone && {commit}) && {program} five", folder)
    return said


EIGEN = """from conan import ConanFile
from conan.tools.files import copy

class Eigen(ConanFile):
    name, version, package_type = "eigen", "3.4.0", "header-library"
    def package(self):
        copy(self, "*", "/usr/include/eigen3", self.package_folder + "/include/eigen3")
    def package_id(self):
        self.info.clear()
    def package_info(self):
        self.cpp_info.includedirs = ["include/eigen3"]
"""


def conan(folder):
    need("conan", "cmake")
    expect("Eigen is not in /usr/include/eigen3", Path("/usr/include/eigen3/Eigen/Core").exists())
    commands = prepare(folder, "conan", git=False)
    (folder / "eigen").mkdir()
    (folder / "eigen/conanfile.py").write_text(EIGEN)
    home = {"CONAN_HOME": str(folder / "conan_home")}
    run("conan profile detect && conan remote disable '*' && conan create eigen", folder, **home)
    run(commands, folder, **home)


def debian(folder):
    need("dpkg-buildpackage", "dh", "lintian")
    prepare(folder, "debian")
    run("hone/packaging/debian/build.sh package", folder)
    deb = next((folder / "package").glob("libhone-dev_*_all.deb"))
    run(f"dpkg -x {deb} root && test -e root/usr/include/hone/hone.hpp -a -e root/usr/share/cmake/hone/hone-config.cmake", folder)


WAYS = {way.__name__: way for way in (installed, fetchcontent, cpm, vcpkg, meson, bazel, single, release, conan, debian)}


def main(work, *ways):
    status = 0
    for way in ways:
        try:
            WAYS[way](Path(work).resolve() / way)
            print(f"{way}: works")
        except Skipped as why:
            print(f"{way}: SKIPPED, {why}")
        except Failed as why:
            print(f"{way}: {why}")
            status = 1
    return status


if __name__ == "__main__":
    if len(sys.argv) < 3 or not set(sys.argv[2:]) <= set(WAYS):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
