#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the layers of include/hone: who may include whom, what may be named where, how long a header may be.

    layering.py INCLUDE_DIRECTORY      prints a line per violation; status 1 if there is any
"""
import re
import statistics
import sys
from pathlib import Path

# A folder includes itself and these. The arrows point one way: policies know no backend, backends no adapter and no C.
POLICIES = ["target", "loss", "sample", "gradient", "average", "schedule", "large_batch", "precision", "detect",
            "calibration", "distil", "structure", "parity", "distributed"]
MAY_INCLUDE = {
    "core": [],
    "io": ["core"],
    "target": ["core"],
    "loss": ["core", "target"],
    "sample": ["core"],
    "gradient": ["core"],
    "average": ["core", "io"],
    "schedule": ["core"],
    "large_batch": ["core"],
    "precision": ["core", "sample"],
    "detect": ["core", "loss", "sample"],
    "calibration": ["core", "target"],
    "distil": ["core", "io", "target", "loss"],
    "structure": ["core", "sample"],
    "parity": ["core", "loss", "schedule", "structure"],
    "distributed": ["core", "io", "target", "loss", "sample", "gradient", "average", "large_batch", "calibration",
                    "structure"],
    "cpu": ["core", "io", *POLICIES],
    "cuda": ["core", "io", *POLICIES],
    "adapt": ["core", "io", "cpu", "cuda", *POLICIES],
    "c": ["core", "io", "cpu", *POLICIES],
    "version.hpp": ["core"],
}
# The same for the rooms of a folder; "" are the headers that lie in the folder itself.
WINGS = ["boxes", "tensors", "samples", "calibration", "structure"]
OF_REGIONS = ["rows", "elements"]  # wings that share the sums of region losses
ROOMS = {
    "loss": {"row": [], "element": [], "box": [], "region": ["row", "element"], "": ["row", "element", "box", "region"]},
    "parity": {"boxes": [], "regions": [], "schedules": [], "structure": []},
    "cpu": {"simd": [], "memory": ["simd"], "run": ["simd", "memory"],
            **{wing: ["simd", "memory", "run"] for wing in [*WINGS, "regions"]},
            **{wing: ["simd", "memory", "run", "regions"] for wing in OF_REGIONS},
            "": ["memory", "rows", "elements", "boxes"]},
    "cuda": {"simd": [], "run": [], "memory": ["run"],
             **{wing: ["simd", "memory", "run"] for wing in [*WINGS, "regions"]},
             **{wing: ["simd", "memory", "run", "regions"] for wing in OF_REGIONS},
             "": ["rows", "elements", "boxes"]},
}
for backend in ("cpu", "cuda"):  # the verbs over ranks: above all others
    ROOMS[backend]["distributed"] = [*ROOMS[backend]]
SHARED = ["loss/modulation.hpp"]  # of a folder itself, and yet below its rooms
# A header of cpu/ has its twin in cuda/, in the room of the same name, and the reverse; these stand alone.
ALONE = {
    "an operand of CUDA is one number, and the device has its functions":
        ["cpu/simd/" + name for name in ("atan", "bits", "exp", "exp_of_minus", "half_packs", "log", "mask", "math",
                                      "pack", "packet", "partial_moves", "row_product", "share", "transpose")]
        + ["cuda/simd/device_float"],
    "packs and strips: a thread of CUDA reads its numbers as they lie":
        ["cpu/memory/" + name for name in ("box_layout", "convert", "eigen_views", "interleave", "row_layout",
                                           "packed_product", "streaming_store", "transposed_rows")]
        + ["cpu/elements/segments", "cpu/elements/strips", "cuda/elements/cursor"],
    "a launch's arguments, and numbers that only the device knows":
        ["cuda/memory/" + name for name in ("device_scalar", "device_step", "divisor", "job", "row_place", "values",
                                           "vector", "views")],
    "threads of the process": ["cpu/run/" + name for name in ("chunks", "cores", "executor", "float_environment",
                                                              "job_number", "scratch", "shares", "system_thread",
                                                              "threads")],
    "one job is of rows, elements and boxes alike on CUDA": ["cpu/rows/row_job"],
    "devices, kernels and grids": ["cuda/run/" + name for name in ("allocator", "barrier", "dependent", "device", "device_value", "error",
                                                                   "launch", "runtime_answers", "reduce", "resident",
                                                                   "side_stream", "tasks")],
    "strips of targets and weights in the caches":
        ["cpu/rows/" + name for name in ("allowed_classes", "full_target", "gradient_sweep", "group_losses",
                                         "shared_weights", "sparse_target", "sweeps")],
    "where a team of threads holds a row": ["cuda/rows/" + name for name in ("base_weights", "held_numbers", "held_plane",
                                                                            "held_rows", "label_elements", "registers",
                                                                            "row_sums", "shape", "shared_room", "shared_tile",
                                                                            "small_teams", "team")],
    "the CPU sorts a class at a time": ["cuda/rows/sorted_pixels"],
    "CUDA finds values outside the range while it computes": ["cpu/elements/target_range"],
    "suppression differs: a tile of candidates here, keys and ranks there":
        ["cpu/boxes/kept_boxes", "cuda/boxes/nms_kernels", "cuda/boxes/nms_limits"],
    "lists of tensors: cut per call here, once for the device there":
        ["cpu/tensors/" + name for name in ("averages", "scale", "tensors", "transform_lists")]
        + ["cuda/tensors/" + name for name in ("device_list", "device_memory", "gradient_factors", "gradients",
                                               "list_piece", "pairs")],
    "state that stays on the device": ["cuda/tensors/" + name for name in ("advance", "device_ema_state",
                                                                          "device_loss_scaler",
                                                                          "device_report", "device_schedule",
                                                                          "device_units")],
    "a factor, sums and an average for the caller's own kernels": ["cuda/tensors/" + name for name in ("factor_of_report",
                                                                                                    "in_kernel", "multiply",
                                                                                                    "norm_sums")],
    "ranks whose numbers are on the device":
        ["cuda/distributed/" + name for name in ("device_communicator", "device_sharded_list", "device_step_sums",
                                                 "divisors", "exact_value", "gradients", "message", "shard_facts",
                                                 "shard_rows")],
    "mixing by packs; draws on the device": ["cpu/samples/blend_numbers", "cuda/samples/device_draw",
                                             "cuda/samples/draw", "cuda/samples/draw_path"],
    "tiles of columns in the caches, and products of them":
        ["cpu/structure/" + name for name in ("deform_columns", "deform_parts", "pixel_major")],
    "kernels, tiled in shared memory": ["cuda/structure/" + name for name in ("deform_column_gradients", "deform_taps",
                                                                             "deform_weight_gradients")],
    "runs of planes by packs; a team of threads per plane":
        ["cpu/structure/channel_runs", "cpu/structure/plane_cut", "cpu/structure/plane_runs",
         "cuda/structure/channel_kernels", "cuda/structure/plane_team"],
    "CBAM has no verb on CUDA": ["cpu/structure/" + name for name in ("cbam", "cbam_planes", "map_correlation",
                                                                      "mean_and_max")],
    "tiles of pixels by packs; a thread per pixel": ["cpu/structure/pixel_tiles", "cuda/structure/pixel_threads"],
    "products: Eigen's on the CPU, the caller's or hone's own on CUDA": ["cuda/memory/linear_product", "cuda/memory/product_side",
                                                                         "cuda/structure/cublas_product",
                                                                         "cuda/structure/small_product"],
    "packs and blocks of numbers: a thread of CUDA adds its own to an exact sum":
        ["cpu/distributed/" + name for name in ("box_values", "element_values", "exact_block", "row_values")],
    "calibration has no verb on CUDA": ["cpu/calibration/" + name for name in ("logit_row", "reliability",
                                                                              "temperature")],
    "over ranks in host memory": ["cpu/distributed/" + name for name in ("batch_norm", "block_sums", "calibration",
                                                                         "channel_sums", "normalise_run", "replicas",
                                                                         "tensor_norms", "unit_norms")],
}
STANDARD = re.compile(r"[a-z_0-9]+$")  # <vector>: no folder, no suffix
EIGEN = re.compile(r"(Eigen|unsupported/Eigen)/")
CUDA = re.compile(r"(cuda|cub/|thrust/|cooperative_groups|cublas|curand|nv|mma\.h|device_|vector_types|math_constants)"
                  r"|.*\.cuh$")
POSIX = {"io": ["fcntl.h", "sys/stat.h", "unistd.h"]}  # files that survive a crash
BACKEND_NAMES = re.compile(r"\b(cpu|cuda|Eigen|__global__|__shared__)\b")
MEDIAN_LINES, MOST_LINES = 110, 300
EVERY_TIME = ["core/macros_push.hpp", "core/macros_pop.hpp"]  # these are included by every header, see macros.py


def lines_of(text):
    """Without what macros.py writes into every header."""
    return text.count("\n") - (4 if "<hone/core/macros_push.hpp>" in text else 0)


def without_comments(text):
    """The code alone, line numbers kept; string literals are emptied too, except those of includes."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)

    def blank(match):
        kept = match.group(0)
        if kept.startswith('"'):
            line = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
            return kept if "#include" in line else '""'
        return "\n" * kept.count("\n")

    return token.sub(blank, text)


def place_of(name):
    """The folder and the room of a header, whose name is relative to include/hone."""
    parts = name.split("/")
    room = parts[1] if len(parts) > 2 and parts[0] in ROOMS else ""
    return parts[0], room


def is_door(name):
    return "/" not in name and name != "version.hpp"


def check_include(place, name):
    """What is wrong with <name> in a header of this folder and room, or None."""
    folder, room = place
    if name.startswith("hone/"):
        name = name.removeprefix("hone/")
        layer, other = place_of(name)
        if layer == folder:
            if folder in ROOMS and room != other and name not in SHARED and other not in ROOMS[folder].get(room, []):
                return f"{folder}/{room} may not include {name}"
        elif layer not in MAY_INCLUDE.get(folder, []) and not (folder == "adapt" and is_door(name)):
            return f"{folder} may not include {name}"
    elif folder == "adapt":
        return None  # the libraries that it adapts
    elif folder == "c" and name == "hone.h":
        return None  # what it implements
    elif EIGEN.match(name):
        if folder != "cpu":
            return f"only cpu/ includes Eigen: {name}"
    elif CUDA.match(name):
        if folder != "cuda":
            return f"only cuda/ includes CUDA headers: {name}"
    elif not STANDARD.match(name) and name not in POSIX.get(folder, []) and folder not in ("cpu", "cuda"):
        return f"neither hone's nor standard: {name}"
    return None


def check_header(path, relative):
    text = path.read_text(encoding="utf-8")
    folder, room = place = place_of(relative.as_posix())
    door = is_door(relative.as_posix())
    if not door and folder not in MAY_INCLUDE:
        yield 1, f"{folder} is no layer"
        return
    if room not in ROOMS.get(folder, [""]):
        yield 1, f"{folder}/{room} is no room"
        return
    if not text.startswith("// SPDX-License-Identifier: MIT\n"):
        yield 1, "the first line is not the licence"
    if "#pragma once" not in text and relative.as_posix() not in EVERY_TIME:
        yield 1, "no #pragma once"
    if not re.fullmatch(r"[a-z][a-z0-9_]*\.(hpp|cuh)", path.name):
        yield 1, "a header is named in snake_case"
    if (lines := lines_of(text)) > MOST_LINES:
        yield MOST_LINES + 1, f"{lines} lines, at most {MOST_LINES}"
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        if include := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line):
            wrong = "an include is written <hone/...>"
            if include[1] == "<":
                wrong = None if door else check_include(place, include[2])  # of doors doors.py knows
            if relative.as_posix() == "core/config.hpp" and " " in include[2]:
                wrong = None  # not a file: it ends the compilation
            if wrong:
                yield number, wrong
        elif re.match(r"\s*#\s*define\b", line):
            if relative.as_posix() != "core/config.hpp":
                yield number, "macros live in core/config.hpp"
        elif re.match(r"namespace hone\b(?!::inline HONE_ABI\b)", line):
            yield number, "namespace hone is written hone::inline HONE_ABI"
        elif re.search(r"\busing\s+namespace\b", line):
            yield number, "a header has no using namespace"
        elif "__CUDA_ARCH__" in line and relative.as_posix() != "core/config.hpp":
            yield number, "no __CUDA_ARCH__ in a body"
        elif "Eigen::internal" in line and relative.as_posix() != "cpu/simd/packet.hpp":
            yield number, "Eigen's internals are named in cpu/simd/packet.hpp only"
        elif folder in ("core", *POLICIES) and (name := BACKEND_NAMES.search(line)):
            yield number, f"{folder} names a backend: {name[0]}"


def check_twins(headers):
    """A header of a backend's room without the other backend's header of that name, or a reason to stand alone."""
    names = {header.with_suffix("").as_posix() for header in headers}
    alone = {name: reason for reason, those in ALONE.items() for name in those}
    twin = {"cpu": "cuda", "cuda": "cpu"}
    for name in sorted(names):
        folder, _, after = name.partition("/")
        if folder not in twin or not after:
            continue
        has_twin = f"{twin[folder]}/{after}" in names
        if has_twin and name in alone:
            yield f"{name}: has its twin, and need not stand in ALONE"
        elif not has_twin and name not in alone:
            yield f"{name}: no {twin[folder]}/{after}, and no reason in ALONE"
    if any(name.startswith("cpu/") for name in names) and any(name.startswith("cuda/") for name in names):
        yield from (f"{name}: stands in ALONE, and is not there" for name in sorted(set(alone) - names))


def violations(root, twins=True):
    headers = sorted(p for p in root.rglob("*") if p.suffix in (".hpp", ".cuh"))
    if not headers:
        yield f"{root}: no headers"
        return
    for path in headers:
        for number, wrong in check_header(path, path.relative_to(root)):
            yield f"{path}:{number}: {wrong}"
    if twins:
        yield from check_twins([path.relative_to(root) for path in headers])
    file, config = root / "version.hpp", root / "core/config.hpp"
    if file.exists() and config.exists():
        version = "_".join(re.search(r'version = "(\d+)\.(\d+)', file.read_text(encoding="utf-8")).groups())
        if f"HONE_ABI v{version}\n" not in config.read_text(encoding="utf-8"):
            yield f"{root}: HONE_ABI is not v{version}"
    median = statistics.median(lines_of(p.read_text(encoding="utf-8")) for p in headers)
    if median > MEDIAN_LINES:
        yield f"{root}: the median header has {median} lines, at most {MEDIAN_LINES}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = list(violations(Path(sys.argv[1])))
    print("\n".join(found) if found else "the layers hold")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
