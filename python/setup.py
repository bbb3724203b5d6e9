# SPDX-License-Identifier: MIT
"""Compiles hone's C interface, ../include/hone/c/hone.cpp, to hone/_hone.so, which ctypes loads: no Python header is
needed, and one wheel serves every Python. CXX chooses the compiler, HONE_CXXFLAGS more flags (-march=native), HONE_EIGEN
the folder of Eigen's headers; HONE_LIBRARY is a library to take in place of compiling one. ccache is used where it is."""
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py
from wheel.bdist_wheel import bdist_wheel

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parent / "include"


def eigen():
    """The folder of Eigen's headers."""
    folders = [os.environ.get("HONE_EIGEN", ""), "/usr/include/eigen3", "/usr/local/include/eigen3",
               "/opt/homebrew/include/eigen3"]
    try:
        said = subprocess.run(["pkg-config", "--variable=includedir", "eigen3"], capture_output=True, text=True, check=False)
        folders += [said.stdout.strip(), said.stdout.strip() + "/eigen3"]
    except OSError:
        pass
    for folder in folders:
        if folder and (Path(folder) / "Eigen/Core").exists():
            return folder
    raise SystemExit("hone: Eigen 3.4 or 5 is needed (Debian: libeigen3-dev), or HONE_EIGEN=FOLDER that has Eigen/Core")


class build_library(build_py):
    def run(self):
        super().run()
        source = INCLUDE / "hone/c/hone.cpp"
        if not source.exists():
            raise SystemExit(f"hone: {source} is not there: install from hone's repository, with `pip install ./python`")
        to = Path(self.build_lib) / "hone/_hone.so"
        to.parent.mkdir(parents=True, exist_ok=True)
        if os.environ.get("HONE_LIBRARY"):  # compiled already
            shutil.copyfile(os.environ["HONE_LIBRARY"], to)
            return
        compiler, flags = shlex.split(os.environ.get("CXX", "g++")), shlex.split(os.environ.get("HONE_CXXFLAGS", ""))
        launcher = ["ccache"] if shutil.which("ccache") and Path(compiler[0]).name != "ccache" else []
        with tempfile.TemporaryDirectory() as folder:  # an object and a library, for ccache keeps objects alone
            for command in ([*launcher, *compiler, "-std=c++20", "-O2", "-fPIC", "-pthread", "-fvisibility=hidden", *flags,
                             "-I", str(INCLUDE), "-isystem", eigen(), "-c", str(source), "-o", f"{folder}/hone.o"],
                            [*compiler, "-shared", "-pthread", *flags, f"{folder}/hone.o", "-o", str(to)]):
                print(shlex.join(command), flush=True)
                subprocess.run(command, check=True)


class any_python(bdist_wheel):
    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class with_library(Distribution):
    def has_ext_modules(self):
        return True


header = (INCLUDE / "hone.h").read_text(encoding="utf-8") if INCLUDE.exists() else '#define HONE_VERSION "0"'
setup(version=re.search(r'HONE_VERSION "([^"]+)"', header)[1], distclass=with_library,
      cmdclass={"build_py": build_library, "bdist_wheel": any_python})
