# SPDX-License-Identifier: MIT
"""The recipe for Conan 2: `conan create packaging/conan`. It packs the hone in whose folder it lies."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout


class Hone(ConanFile):
    name = "hone"
    description = "Refinements of neural network training for any C++ trainer"
    license = "MIT"
    topics = ("loss", "training", "neural-network", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        text = load(self, os.path.join(self._root, "include", "hone", "version.hpp"))
        self.version = re.search(r'version = "([\d.]+)"', text)[1]

    def export_sources(self):
        copy(self, "include/*", self._root, self.export_sources_folder)
        copy(self, "LICENSE", self._root, self.export_sources_folder)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("eigen/[>=3.4.0 <6]", transitive_headers=True)

    def validate(self):
        if self.settings.get_safe("compiler.cppstd"):
            check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        for pattern in ("*.h", "*.hpp", "*.cuh", "hone.cpp"):
            copy(self, pattern, os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "hone")
        self.cpp_info.set_property("pkg_config_name", "hone")
        cpu, cuda = self.cpp_info.components["cpu"], self.cpp_info.components["cuda"]
        cpu.set_property("cmake_target_name", "hone::hone")
        cpu.requires = ["eigen::eigen"]
        cuda.set_property("cmake_target_name", "hone::cuda")
        for component in (cpu, cuda):
            component.bindirs = component.libdirs = []
        if self.settings.os in ("Linux", "FreeBSD"):
            cpu.system_libs = ["pthread"]
