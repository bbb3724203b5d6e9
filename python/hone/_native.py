# SPDX-License-Identifier: MIT
"""The C interface, include/hone.h, by ctypes: its structs, its functions, its errors."""
from __future__ import annotations

import ctypes as c
import os
from pathlib import Path
from typing import Any, Optional

FLOAT32, FLOAT64, FLOAT16, BFLOAT16, INT32, INT64, UINT8 = range(1, 8)
NAMES = {FLOAT32: "float32", FLOAT64: "float64", FLOAT16: "float16", BFLOAT16: "bfloat16", INT32: "int32",
         INT64: "int64", UINT8: "uint8"}
SIZES = {FLOAT32: 4, FLOAT64: 8, FLOAT16: 2, BFLOAT16: 2, INT32: 4, INT64: 8, UINT8: 1}

_library = c.CDLL(os.environ.get("HONE_LIBRARY") or str(Path(__file__).with_name("_hone.so")))

i32, i64, f64, pointer, size_t = c.c_int32, c.c_int64, c.c_double, c.c_void_p, c.c_size_t


class Array(c.Structure):
    _fields_ = [("data", pointer), ("dtype", i32), ("layout", i32), ("rows", i64), ("columns", i64), ("stride", i64)]


class Vector(c.Structure):
    _fields_ = [("data", pointer), ("size", i64), ("dtype", i32)]


class Tensor(c.Structure):
    _fields_ = [("data", pointer), ("rows", i64), ("columns", i64), ("dtype", i32)]


class Options(c.Structure):
    """A struct of options whose first member is its size."""

    def __init__(self, **members: Any) -> None:
        super().__init__(size=c.sizeof(self), **members)


class RowOptions(Options):
    _fields_ = [("size", size_t), ("kind", i32), ("ignores", i32), ("ignore", i64), ("factor", f64), ("smoothing", f64),
                ("leave_one_out", i32), ("unused", i32), ("gamma", f64), ("epsilon", f64), ("z_loss", f64),
                ("distillation", f64), ("temperature", f64), ("class_weights", Vector)]


class ElementOptions(Options):
    _fields_ = [("size", size_t), ("kind", i32), ("ignores", i32), ("ignore", i64), ("smoothing", f64), ("alpha", f64),
                ("gamma", f64), ("gamma_positive", f64), ("gamma_negative", f64), ("clip", f64), ("epsilon", f64),
                ("has_background", i32), ("unused", i32), ("background", i64), ("positive_weights", Vector)]


class BoxOptions(Options):
    _fields_ = [("size", size_t), ("kind", i32), ("format", i32), ("gamma", f64)]


class RegionOptions(Options):
    _fields_ = [("size", size_t), ("kind", i32), ("ignores", i32), ("ignore", i64), ("factor", f64),
                ("cross_entropy", f64), ("smoothing", f64), ("smooth", f64), ("smooth_denominator", f64),
                ("alpha", f64), ("beta", f64), ("gamma", f64), ("squared", i32), ("logarithm", i32),
                ("per_image", i32), ("absent", i32), ("sigmoid", i32), ("unused", i32), ("class_weights", Vector)]


class Targets(Options):
    _fields_ = [("size", size_t), ("labels", Vector), ("mixed_labels", Vector), ("partners", Vector),
                ("lambdas", Vector), ("numbers", c.POINTER(Array)), ("teacher", c.POINTER(Array)),
                ("row_weights", Vector)]


class Outputs(Options):
    _fields_ = [("size", size_t), ("reduction", i32), ("unused", i32), ("count", f64), ("gradient", pointer),
                ("gradient_stride", i64), ("unreduced", pointer)]


class ScalerOptions(Options):
    _fields_ = [("size", size_t), ("initial", f64), ("growth", f64), ("backoff", f64), ("interval", i64),
                ("hysteresis", i64), ("minimum", f64), ("maximum", f64)]


class ScalerState(c.Structure):
    _fields_ = [("scale", f64), ("finite", i64), ("not_finite", i64)]


class ClipOptions(Options):
    _fields_ = [("size", size_t), ("kind", i32), ("units", i32), ("max", f64), ("p", f64), ("clipping", f64),
                ("epsilon", f64), ("excluded", c.POINTER(i64)), ("excluded_count", i64)]


class Report(c.Structure):
    _fields_ = [("norm", f64), ("coefficient", f64), ("factor", f64), ("finite", i32), ("unused", i32)]


class AverageOptions(Options):
    _fields_ = [("size", size_t), ("kind", i32), ("ramp", i32), ("decay", f64), ("ramp_first", f64),
                ("ramp_second", f64), ("update_after", i64), ("cycle", i64), ("least_decay", f64),
                ("from_zero", i32), ("unused", i32)]


class ScheduleOptions(Options):
    _fields_ = [("size", size_t), ("kind", i32), ("shape", i32), ("start", f64), ("peak", f64), ("floor", f64),
                ("warmup", i64), ("total", i64), ("period", i64), ("decay", i64), ("factor", f64), ("power", f64),
                ("decay_of_peak", f64), ("milestones", c.POINTER(i64)), ("milestone_count", i64)]


class MixingOptions(Options):
    _fields_ = [("size", size_t), ("mixup_alpha", f64), ("cutmix_alpha", f64), ("probability", f64),
                ("switch_probability", f64), ("per", i32), ("partners", i32)]


class Draw(c.Structure):
    _fields_ = [("lambdas", pointer), ("partners", pointer), ("boxes", pointer), ("cut", pointer), ("rows", i64),
                ("height", i64), ("width", i64)]


class Calibration(c.Structure):
    _fields_ = [("expected_error", f64), ("maximum_error", f64), ("accuracy", f64), ("mean_confidence", f64),
                ("negative_log_likelihood", f64), ("brier_score", f64), ("count", i64)]


_P = c.POINTER
_ARGUMENTS = {
    "context_create": [i32, _P(pointer)],
    "row_loss_create": [_P(RowOptions), _P(pointer)],
    "element_loss_create": [_P(ElementOptions), _P(pointer)],
    "box_loss_create": [_P(BoxOptions), _P(pointer)],
    "region_loss_create": [_P(RegionOptions), _P(pointer)],
    "evaluate": [pointer, pointer, _P(Array), _P(Targets), _P(Outputs), _P(f64)],
    "scaler_create": [_P(ScalerOptions), _P(pointer)],
    "scaler_scale": [pointer, _P(f64)],
    "scaler_update": [pointer, i32],
    "scaler_get_state": [pointer, _P(ScalerState)],
    "scaler_set_state": [pointer, _P(ScalerState)],
    "clip_create": [_P(ClipOptions), _P(pointer)],
    "clip_apply": [pointer, pointer, pointer, _P(Tensor), _P(Tensor), i64, _P(Report)],
    "average_create": [_P(AverageOptions), _P(Tensor), i64, _P(pointer)],
    "average_copy_only": [pointer, i64],
    "average_update": [pointer, pointer, _P(Tensor), i64, i32],
    "average_swap": [pointer, pointer, _P(Tensor), i64],
    "average_copy": [pointer, pointer, _P(Tensor), i64],
    "average_save": [pointer, c.c_char_p],
    "average_load": [pointer, c.c_char_p],
    "average_write": [pointer, pointer, i64, _P(i64)],
    "average_read": [pointer, pointer, i64],
    "average_updates": [pointer, _P(i64)],
    "schedule_create": [_P(ScheduleOptions), _P(pointer)],
    "schedule_rate": [pointer, i64, _P(f64)],
    "draw_mixing": [_P(MixingOptions), i64, i64, _P(Draw)],
    "blend": [pointer, _P(Draw), _P(Array), pointer],
    "calibrate": [pointer, _P(Array), Vector, _P(i64), i64, f64, _P(Calibration)],
}
for _name, _arguments in _ARGUMENTS.items():
    getattr(_library, f"hone_{_name}").argtypes = _arguments
for _name in ("context", "loss", "scaler", "clip", "average", "schedule"):
    getattr(_library, f"hone_{_name}_free").argtypes = [pointer]
    getattr(_library, f"hone_{_name}_free").restype = None
_library.hone_version.restype = _library.hone_last_error.restype = c.c_char_p


def version() -> str:
    """The version of the library."""
    return _library.hone_version().decode()


def call(name: str, *arguments: Any) -> None:
    """Calls hone_NAME. A wrong argument is a ValueError with the library's sentence, a file an OSError."""
    status = getattr(_library, f"hone_{name}")(*arguments)
    if status:
        error = {1: ValueError, 2: MemoryError, 3: OSError}.get(status, RuntimeError)
        raise error(_library.hone_last_error().decode(errors="replace"))


class Handle:
    """An opaque handle, freed with its Python object."""

    def __init__(self, kind: str, create: str, *arguments: Any) -> None:
        self._kind, self.pointer = kind, pointer()
        call(create, *arguments, c.byref(self.pointer))

    def __del__(self) -> None:
        if getattr(self, "pointer", None) and _library is not None:
            getattr(_library, f"hone_{self._kind}_free")(self.pointer)
            self.pointer = pointer()


class Context:
    """The threads on which calls run: all cores without a number. Results do not depend on it."""

    def __init__(self, threads: Optional[int] = None) -> None:
        self.handle = Handle("context", "context_create", 0 if threads is None else threads or -1)


def context_of(context: Optional[Context]) -> Any:
    return context.handle.pointer if context else None
