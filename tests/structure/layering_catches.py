#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""layering.py lets good headers pass and catches each bad one."""
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
from layering import violations

HEAD = "// SPDX-License-Identifier: MIT\n#pragma once\n"
GOOD = {
    "core/a.hpp": "#include <vector>\n// cpu and Eigen may be spoken of\n/* #include <Eigen/Core>\n*/",
    "core/config.hpp": "#define HONE_ABI v1_2",
    "version.hpp": 'inline constexpr const char* version = "1.2.3";',
    "loss/a.hpp": "#include <hone/core/a.hpp>\n#include <hone/target/a.hpp>\ninline const char* name = \"cpu\";",
    "io/a.hpp": "#include <unistd.h>",
    "cpu/a.hpp": "#include <Eigen/Core>\n#include <hone/loss/a.hpp>\nnamespace hone::inline HONE_ABI { struct cpu; }",
    "cuda/a.cuh": "#include <cuda_runtime.h>\n#include <hone/loss/a.hpp>",
    "cpu/simd/a.hpp": "#include <hone/core/a.hpp>",
    "cpu/memory/a.hpp": "#include <hone/cpu/simd/a.hpp>",
    "cpu/rows/a.hpp": "#include <hone/cpu/memory/a.hpp>\n#include <hone/cpu/run/a.hpp>\n#include <hone/loss/row/a.hpp>",
    "cpu/run/a.hpp": "#include <hone/cpu/memory/a.hpp>",
    "loss/row/a.hpp": "#include <hone/loss/modulation.hpp>\n#include <hone/loss/row/b.hpp>",
    "cpu/evaluate.hpp": "#include <hone/cpu/rows/a.hpp>",
    "c/a.hpp": "#include <hone.h>\n#include <hone/cpu/evaluate.hpp>\n#include <hone/loss/a.hpp>",
    "adapt/a.hpp": "#include <torch/types.h>\n#include <hone/cpu.hpp>\n#include <hone/loss/a.hpp>",
    "hone.hpp": "#include <hone/cpu.hpp>",
    "hone.cuh": "#include <hone/cuda.cuh>",
}
BAD = [  # path, text after the head, what must be said
    ("core/a.hpp", "#include <Eigen/Core>", "only cpu/ includes Eigen"),
    ("loss/a.hpp", "#  include <Eigen/Core>", "only cpu/ includes Eigen"),
    ("cuda/a.cuh", "#include <Eigen/Core>", "only cpu/ includes Eigen"),
    ("cpu/a.hpp", "#include <cuda_runtime.h>", "only cuda/ includes CUDA headers"),
    ("cpu/a.hpp", "#include <cub/cub.cuh>", "only cuda/ includes CUDA headers"),
    ("core/a.hpp", "#include <hone/loss/a.hpp>", "core may not include"),
    ("core/a.hpp", "#include <hone/version.hpp>", "core may not include"),
    ("schedule/a.hpp", "#include <hone/loss/a.hpp>", "schedule may not include"),
    ("large_batch/a.hpp", "#include <hone/target/a.hpp>", "large_batch may not include"),
    ("calibration/a.hpp", "#include <hone/loss/a.hpp>", "calibration may not include"),
    ("target/a.hpp", "#include <hone/loss/a.hpp>", "target may not include"),
    ("loss/a.hpp", "#include <hone/cpu/a.hpp>", "loss may not include"),
    ("cpu/a.hpp", "#include <hone/cuda/a.hpp>", "cpu may not include"),
    ("cpu/a.hpp", "#include <hone/adapt/a.hpp>", "cpu may not include"),
    ("cpu/a.hpp", "#include <hone/hone.hpp>", "cpu may not include"),
    ("cpu/a.hpp", "#include <hone/c/a.hpp>", "cpu may not include"),
    ("c/a.hpp", "#include <hone/adapt/a.hpp>", "c may not include"),
    ("cpu/simd/a.hpp", "#include <hone/cpu/memory/a.hpp>", "cpu/simd may not include"),
    ("cpu/memory/a.hpp", "#include <hone/cpu/run/a.hpp>", "cpu/memory may not include"),
    ("cpu/rows/a.hpp", "#include <hone/cpu/boxes/a.hpp>", "cpu/rows may not include"),
    ("cpu/rows/a.hpp", "#include <hone/cpu/evaluate.hpp>", "cpu/rows may not include"),
    ("cuda/run/a.cuh", "#include <hone/cuda/memory/a.cuh>", "cuda/run may not include"),
    ("loss/row/a.hpp", "#include <hone/loss/element/a.hpp>", "loss/row may not include"),
    ("loss/row/a.hpp", "#include <hone/loss/apart.hpp>", "loss/row may not include"),
    ("cpu/attic/a.hpp", "", "cpu/attic is no room"),
    ("loss/a.hpp", "#include <immintrin.h>", "neither hone's nor standard"),
    ("loss/a.hpp", "#include <unistd.h>", "neither hone's nor standard"),
    ("loss/a.hpp", '#include "b.hpp"', "an include is written"),
    ("loss/a.hpp", "struct cpu;", "loss names a backend: cpu"),
    ("core/a.hpp", "int x = Eigen::half_or_so;", "core names a backend: Eigen"),
    ("average/a.hpp", "__global__ void f();", "average names a backend: __global__"),
    ("cuda/a.cuh", "#if __CUDA_ARCH__ > 800\n#endif", "__CUDA_ARCH__"),
    ("cpu/a.hpp", "#define HONE_X 1", "macros live in core/config.hpp"),
    ("cpu/a.hpp", "using namespace std;", "using namespace"),
    ("cpu/a.hpp", "auto x = Eigen::internal::padd(a, b);", "Eigen's internals are named in"),
    ("cpu/a.hpp", "namespace hone {", "is written hone::inline HONE_ABI"),
    ("cpu/a.hpp", "namespace hone::on_cpu {", "is written hone::inline HONE_ABI"),
    ("cpu/Upper.hpp", "", "snake_case"),
    ("util/a.hpp", "", "util is no layer"),
    ("cpu/a.hpp", "\n" * 299, "at most 300"),
]


def said(tree, twins=False):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in tree.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return list(violations(Path(folder), twins))


def main():
    failures = []
    if found := said({name: HEAD + text + "\n" for name, text in GOOD.items()}):
        failures.append(f"good headers are refused: {found}")
    trees = [({path: HEAD + text + "\n"}, wanted) for path, text, wanted in BAD]
    trees.append(({"cpu/a.hpp": "#pragma once\n"}, "licence"))
    trees.append(({"cpu/a.hpp": HEAD.splitlines()[0] + "\n"}, "no #pragma once"))
    trees.append(({f"cpu/{name}.hpp": HEAD + "\n" * 120 for name in "abc"}, "the median header has 122 lines"))
    trees.append(({}, "no headers"))
    trees.append(({"version.hpp": HEAD + 'version = "1.3.0"\n', "core/config.hpp": HEAD + "#define HONE_ABI v1_2\n"},
                  "HONE_ABI is not v1_3"))
    twins = {"cpu/rows/a.hpp": HEAD, "cuda/rows/a.cuh": HEAD}
    pairs = [({**twins, "cuda/rows/b.cuh": HEAD}, "cuda/rows/b: no cpu/rows/b"),
             ({"cpu/simd/pack.hpp": HEAD, "cuda/simd/pack.cuh": HEAD}, "cpu/simd/pack: has its twin"),
             (twins, "cpu/simd/pack: stands in ALONE, and is not there")]
    for tree, wanted in trees + pairs:
        found = said(tree, twins=(tree, wanted) in pairs)
        if not any(wanted in line for line in found):
            failures.append(f"expected '{wanted}' for {list(tree)}, got {found}")
    print("\n".join(failures) if failures else f"{len(trees + pairs)} violations caught")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
