# SPDX-License-Identifier: MIT
"""Clipping, loss scaling, averages, schedules and mixing."""
from __future__ import annotations

import contextlib
import ctypes as c
import os
from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Union

from . import _native as n
from ._arrays import MATRIX, View, empty_like, list_of
from ._losses import _choice


class GradientReport(NamedTuple):
    """norm: of all gradients, unscaled and before clipping; coefficient: by which clip_by_global_norm multiplied them;
    factor: coefficient / scale; finite: False if nothing was changed, and the step should be skipped."""

    norm: float
    coefficient: float
    factor: float
    finite: bool


class LossScaler:
    """The factor of a loss whose gradients would underflow in 16 bits: multiply the loss by `scale`, pass the scaler to
    a clip function, and call update(report.finite) after each step."""

    def __init__(self, initial: float = 65536, growth: float = 2, backoff: float = 0.5, interval: int = 2000,
                 hysteresis: int = 1, minimum: float = 2.0**-126, maximum: float = 2.0**127) -> None:
        options = n.ScalerOptions(initial=initial, growth=growth, backoff=backoff, interval=interval,
                                  hysteresis=hysteresis, minimum=minimum, maximum=maximum)
        self._handle = n.Handle("scaler", "scaler_create", c.byref(options))

    @property
    def scale(self) -> float:
        value = c.c_double()
        n.call("scaler_scale", self._handle.pointer, c.byref(value))
        return value.value

    def update(self, finite: bool) -> None:
        n.call("scaler_update", self._handle.pointer, bool(finite))

    def state_dict(self) -> dict:
        state = n.ScalerState()
        n.call("scaler_get_state", self._handle.pointer, c.byref(state))
        return {name: getattr(state, name) for name in ("scale", "finite", "not_finite")}

    def load_state_dict(self, state: dict) -> None:
        n.call("scaler_set_state", self._handle.pointer, c.byref(n.ScalerState(**state)))


def _clip(gradients: Sequence[Any], scaler: Optional[LossScaler], context: Optional[n.Context],
          parameters: Optional[Sequence[Any]] = None, **options: Any) -> GradientReport:
    clip = n.Handle("clip", "clip_create", c.byref(n.ClipOptions(**{"p": 2.0, "clipping": 0.01, "epsilon": 1e-3,
                                                                   **options})))
    keep: List[Any] = []
    tensors, count = list_of(gradients, "gradients", keep, any_order=parameters is None)
    weights = None
    if parameters is not None:
        weights, others = list_of(parameters, "parameters", keep, write=False)
        if others != count:
            raise ValueError(f"gradients are {count} tensors, parameters {others}")
    report = n.Report()
    n.call("clip_apply", n.context_of(context), clip.pointer, scaler._handle.pointer if scaler else None, tensors,
           weights, count, c.byref(report))
    return GradientReport(report.norm, report.coefficient, report.factor, bool(report.finite))


def clip_by_global_norm(gradients: Sequence[Any], max: float, *, p: float = 2, scaler: Optional[LossScaler] = None,
                        context: Optional[n.Context] = None) -> GradientReport:
    """Multiplies all gradients in place by min(1, max / norm), after dividing by the scaler's scale. p: 1, 2 or inf."""
    return _clip(gradients, scaler, context, kind=1, max=max, p=p)


def clip_by_norm(gradients: Sequence[Any], max: float, *, p: float = 2, scaler: Optional[LossScaler] = None,
                 context: Optional[n.Context] = None) -> GradientReport:
    """The same with the norm of each tensor."""
    return _clip(gradients, scaler, context, kind=2, max=max, p=p)


def clip_by_value(gradients: Sequence[Any], limit: float, *, scaler: Optional[LossScaler] = None,
                  context: Optional[n.Context] = None) -> GradientReport:
    """Clamps each number to ±limit."""
    return _clip(gradients, scaler, context, kind=3, max=limit)


def adaptive_clip(gradients: Sequence[Any], parameters: Sequence[Any], clipping: float = 0.01, epsilon: float = 1e-3, *,
                  units: str = "rows", excluded: Sequence[int] = (), scaler: Optional[LossScaler] = None,
                  context: Optional[n.Context] = None) -> GradientReport:
    """Limits the norm of each unit's gradient to `clipping` times the norm of its weights (NFNets). Units are rows, as
    in PyTorch's weights, or columns."""
    left_out = (c.c_int64 * len(excluded))(*excluded)
    return _clip(gradients, scaler, context, parameters, kind=4, clipping=clipping, epsilon=epsilon,
                 units=_choice({"rows": 0, "columns": 1}, units, "units"), excluded=left_out,
                 excluded_count=len(excluded))


def unscale(gradients: Sequence[Any], scaler: Optional[LossScaler] = None,
            context: Optional[n.Context] = None) -> GradientReport:
    """Divides by the scaler's scale, if there is one, and reports the norm and whether it is finite."""
    return _clip(gradients, scaler, context, kind=0)


class _Average:
    def __init__(self, parameters: Sequence[Any], **options: Any) -> None:
        keep: List[Any] = []
        tensors, count = list_of(parameters, "parameters", keep, write=False)
        self._handle = n.Handle("average", "average_create", c.byref(n.AverageOptions(**options)), tensors, count)

    def _call(self, name: str, tensors: Sequence[Any], what: str, context: Optional[n.Context], *more: Any,
              write: bool = True) -> None:
        keep: List[Any] = []
        made, count = list_of(tensors, what, keep, write)
        n.call(name, n.context_of(context), self._handle.pointer, made, count, *more)

    @property
    def updates(self) -> int:
        """The number of updates, without skipped ones."""
        count = c.c_int64()
        n.call("average_updates", self._handle.pointer, c.byref(count))
        return count.value

    def update(self, parameters: Sequence[Any], finite: bool = True, context: Optional[n.Context] = None) -> None:
        """Updates the averages once; with finite=False, not at all, for the optimiser skipped the step."""
        self._call("average_update", parameters, "parameters", context, bool(finite), write=False)

    def copy_only(self, tensor: int) -> None:
        """Makes later updates copy this tensor, such as a running mean."""
        n.call("average_copy_only", self._handle.pointer, tensor)

    def swap(self, parameters: Sequence[Any], context: Optional[n.Context] = None) -> None:
        """Exchanges averages and parameters; a second call exchanges them back, bit by bit."""
        self._call("average_swap", parameters, "parameters", context)

    @contextlib.contextmanager
    def swapped(self, parameters: Sequence[Any], context: Optional[n.Context] = None) -> Iterator[None]:
        """with average.swapped(parameters): the model has the averages."""
        parameters = list(parameters)
        self.swap(parameters, context)
        try:
            yield
        finally:
            self.swap(parameters, context)

    def copy_to(self, tensors: Sequence[Any], context: Optional[n.Context] = None) -> None:
        """Copies the averages, rounded to the tensors' type."""
        self._call("average_copy", tensors, "to", context)

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes a file that is complete at any time."""
        n.call("average_save", self._handle.pointer, os.fsencode(path))

    def state_bytes(self) -> bytes:
        """What `save` writes, as bytes, for a checkpoint of your own."""
        size = c.c_int64()
        n.call("average_write", self._handle.pointer, None, 0, c.byref(size))
        buffer = c.create_string_buffer(size.value)
        n.call("average_write", self._handle.pointer, buffer, size.value, None)
        return buffer.raw

    def load_state_bytes(self, state: bytes) -> None:
        """Reads state_bytes of the same shapes; after an error the averages are as they were."""
        state = bytes(state)
        n.call("average_read", self._handle.pointer, c.c_char_p(state), len(state))

    def load(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Reads a file of the same shapes; after an error the averages are as they were."""
        n.call("average_load", self._handle.pointer, os.fsencode(path))


class Ema(_Average):
    """The exponential moving average of a list of parameters: float32, or float64 of float64 parameters.

    ramp: "none", "exponential" (ramp_first: τ), "inverse_power" (γ and ramp_second: power), "threshold", "linear"
    (ramp_first: updates, ramp_second: the first decay). from_zero: begin at zeros; copy_to corrects the bias."""

    def __init__(self, parameters: Sequence[Any], decay: float = 0.9999, *, ramp: str = "none", ramp_first: float = 0,
                 ramp_second: float = 0, update_after: int = 0, cycle: int = 0, least_decay: float = 0,
                 from_zero: bool = False) -> None:
        ramps = {"none": 0, "exponential": 1, "inverse_power": 2, "threshold": 3, "linear": 4}
        super().__init__(parameters, kind=0, decay=decay, ramp=_choice(ramps, ramp, "ramp"), ramp_first=ramp_first,
                         ramp_second=ramp_second, update_after=update_after, cycle=cycle, least_decay=least_decay,
                         from_zero=from_zero)


class Swa(_Average):
    """The average with the same weight for all updates."""

    def __init__(self, parameters: Sequence[Any]) -> None:
        super().__init__(parameters, kind=1, decay=0.0)


class Schedule:
    """A rate as a function of the step, counted from 0: schedule(step)."""

    def __init__(self, kind: int, *, milestones: Sequence[int] = (), shape: str = "root", **options: Any) -> None:
        at = (c.c_int64 * len(milestones))(*milestones)
        made = n.ScheduleOptions(kind=kind, milestones=at, milestone_count=len(milestones),
                                 shape=_choice({"root": 0, "linear": 1, "cosine": 2}, shape, "shape"),
                                 **{"factor": 0.1, "power": 1.0, "decay_of_peak": 1.0, **options})
        self._handle = n.Handle("schedule", "schedule_create", c.byref(made))

    def __call__(self, step: int) -> float:
        rate = c.c_double()
        n.call("schedule_rate", self._handle.pointer, step, c.byref(rate))
        return rate.value


def constant(value: float, *, warmup: int = 0, start: float = 0) -> Schedule:
    """The same rate at every step. Of all schedules: `warmup` steps from `start` to the first rate come first."""
    return Schedule(0, peak=value, warmup=warmup, start=start)


def cosine(peak: float, total: int, *, floor: float = 0, warmup: int = 0, start: float = 0) -> Schedule:
    """Half a cosine from peak to floor in `total` steps, after the warm-up."""
    return Schedule(1, peak=peak, floor=floor, total=total, warmup=warmup, start=start)


def warmup_cosine(peak: float, total: int, warmup: int, *, floor: float = 0, start: float = 0) -> Schedule:
    """The same, but `total` includes the warm-up."""
    return Schedule(2, peak=peak, floor=floor, total=total, warmup=warmup, start=start)


def one_cycle(start: float, peak: float, total: int, rise: int, *, floor: float = 0) -> Schedule:
    """Half a cosine up in `rise` of `total` steps, then half a cosine down."""
    return Schedule(3, start=start, peak=peak, floor=floor, warmup=rise, total=total)


def step_decay(peak: float, period: int, *, factor: float = 0.1, floor: float = 0, warmup: int = 0,
               start: float = 0) -> Schedule:
    """Multiplied by `factor` after every `period` steps."""
    return Schedule(4, peak=peak, floor=floor, factor=factor, period=period, warmup=warmup, start=start)


def milestones(peak: float, at: Sequence[int], *, factor: float = 0.1, warmup: int = 0, start: float = 0) -> Schedule:
    """Multiplied by `factor` at given steps."""
    return Schedule(5, peak=peak, factor=factor, milestones=at, warmup=warmup, start=start)


def polynomial(peak: float, total: int, *, power: float = 1, floor: float = 0, warmup: int = 0,
               start: float = 0) -> Schedule:
    """floor + (peak - floor) (1 - step / total)^power."""
    return Schedule(6, peak=peak, floor=floor, power=power, total=total, warmup=warmup, start=start)


def exponential(peak: float, factor: float, *, period: int = 1, floor: float = 0, warmup: int = 0,
                start: float = 0) -> Schedule:
    """peak · factor^(step / period)."""
    return Schedule(7, peak=peak, floor=floor, factor=factor, period=period, warmup=warmup, start=start)


def wsd(peak: float, total: int, warmup: int, decay: int, *, floor: float = 0, start: float = 0,
        shape: str = "root") -> Schedule:
    """Warm-up, a plateau, decay: shape is root, linear or cosine. `total` includes all three."""
    return Schedule(8, peak=peak, floor=floor, start=start, warmup=warmup, decay=decay, total=total, shape=shape)


def inverse_square_root(peak: float, warmup: int, *, start: float = 0) -> Schedule:
    """The schedule of the Transformer."""
    return Schedule(9, peak=peak, warmup=warmup, start=start)


def cosine_restarts(peak: float, period: int, *, factor: float = 1, decay: float = 1, floor: float = 0,
                    warmup: int = 0, start: float = 0) -> Schedule:
    """Half a cosine per cycle; each is `factor` times as long as the one before and begins at `decay` times its peak."""
    return Schedule(10, peak=peak, floor=floor, period=period, factor=factor, decay_of_peak=decay, warmup=warmup,
                    start=start)


class Draw:
    """What is mixed with what. lambdas, partners, boxes and cut are memoryviews, one number (boxes: four) per row:
    numpy.asarray(draw.lambdas) views them. cut[i]: the partner is pasted into the box; otherwise row i is blended."""

    def __init__(self, rows: int, height: int, width: int) -> None:
        self.height, self.width = height, width
        self._arrays = ((c.c_float * rows)(), (c.c_int64 * rows)(), (c.c_int64 * (4 * rows))(), (c.c_uint8 * rows)())
        lambdas, partners, boxes, cut = self._arrays
        self.lambdas, self.cut = memoryview(lambdas).cast("B").cast("f"), memoryview(cut).cast("B")
        self.partners, self.boxes = (memoryview(a).cast("B").cast("q") for a in (partners, boxes))
        self._draw = n.Draw(*(c.addressof(a) for a in self._arrays), rows, height, width)


def draw_mixing(seed: int, step: int, rows: int, height: int = 1, width: int = 1, *, mixup_alpha: float = 0.8,
                cutmix_alpha: float = 1, probability: float = 1, switch_probability: float = 0.5, per: str = "batch",
                partners: str = "others") -> Draw:
    """Draws mixup or cutmix for the rows of one step; an alpha of 0 leaves one out. The same seed and step give the same
    draw on every machine. per: "batch", "pair" or "sample"; partners: "others", "any" or "pairs"."""
    if rows < 0:
        raise ValueError(f"rows is {rows}, must not be negative")
    draw = Draw(rows, height, width)
    options = n.MixingOptions(mixup_alpha=mixup_alpha, cutmix_alpha=cutmix_alpha, probability=probability,
                              switch_probability=switch_probability,
                              per=_choice({"batch": 0, "pair": 1, "sample": 2}, per, "per"),
                              partners=_choice({"others": 0, "any": 1, "pairs": 2}, partners, "partners"))
    n.call("draw_mixing", c.byref(options), seed, step, c.byref(draw._draw))
    return draw


def blend(draw: Draw, images: Any, mixed: Any = None, context: Optional[n.Context] = None) -> Any:
    """Mixes images, N × … contiguous, float or uint8, by a draw; into `mixed`, which may be the images, or a new array."""
    view = View(images, "images")
    if mixed is None:
        mixed = empty_like(images, "images")
    to = View(mixed, "mixed").writable()
    for v in (view, to):
        if not v.shape or not v.is_compact():
            raise ValueError(f"{v.name} of shape {v.shape} has strides {v.strides}, must be contiguous")
    if (view.shape, view.dtype) != (to.shape, to.dtype):
        raise ValueError(f"mixed is {n.NAMES[to.dtype]} of shape {to.shape}, images are {n.NAMES[view.dtype]} of shape "
                         f"{view.shape}")
    features = view.size() // view.shape[0] if view.shape[0] else 0
    array = n.Array(view.data, view.dtype, MATRIX, view.shape[0], features, features)
    if draw._draw.rows != view.shape[0]:
        raise ValueError(f"images are {view.shape[0]}, the draw is of {draw._draw.rows}")
    n.call("blend", n.context_of(context), c.byref(draw._draw), c.byref(array), to.data)
    return mixed
