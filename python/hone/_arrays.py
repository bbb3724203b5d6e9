# SPDX-License-Identifier: MIT
"""Arrays of every library, read and written in place: by the buffer protocol (NumPy, array.array, memoryview) or by
DLPack (torch, JAX, CuPy's host arrays), in its forms of 0.8 and of 1.x. Nothing is imported for it, nothing is copied."""
from __future__ import annotations

import ctypes as c
import sys
from typing import Any, List, Optional, Sequence, Tuple

from . import _native as n


class _DLTensor(c.Structure):
    _fields_ = [("data", c.c_void_p), ("device_type", c.c_int32), ("device_id", c.c_int32), ("ndim", c.c_int32),
                ("code", c.c_uint8), ("bits", c.c_uint8), ("lanes", c.c_uint16), ("shape", c.POINTER(c.c_int64)),
                ("strides", c.POINTER(c.c_int64)), ("byte_offset", c.c_uint64)]


class _Versioned(c.Structure):
    _fields_ = [("major", c.c_uint32), ("minor", c.c_uint32), ("manager", c.c_void_p), ("deleter", c.c_void_p),
                ("flags", c.c_uint64), ("tensor", _DLTensor)]


_is_valid = c.pythonapi.PyCapsule_IsValid
_is_valid.argtypes, _is_valid.restype = [c.py_object, c.c_char_p], c.c_int
_get_pointer = c.pythonapi.PyCapsule_GetPointer
_get_pointer.argtypes, _get_pointer.restype = [c.py_object, c.c_char_p], c.c_void_p


class _Buffer(c.Structure):
    _fields_ = [("buf", c.c_void_p), ("obj", c.c_void_p), ("len", c.c_ssize_t), ("itemsize", c.c_ssize_t),
                ("readonly", c.c_int), ("ndim", c.c_int), ("format", c.c_char_p), ("shape", c.POINTER(c.c_ssize_t)),
                ("strides", c.POINTER(c.c_ssize_t)), ("suboffsets", c.c_void_p), ("internal", c.c_void_p)]


_get_buffer, _release_buffer = c.pythonapi.PyObject_GetBuffer, c.pythonapi.PyBuffer_Release
_get_buffer.argtypes, _get_buffer.restype = [c.py_object, c.POINTER(_Buffer), c.c_int], c.c_int
_release_buffer.argtypes, _release_buffer.restype = [c.POINTER(_Buffer)], None
_STRIDED_WITH_FORMAT = 0x0018 | 0x0004  # PyBUF_STRIDES | PyBUF_FORMAT, read-only memory too

_DL_TYPES = {(2, 32): n.FLOAT32, (2, 64): n.FLOAT64, (2, 16): n.FLOAT16, (4, 16): n.BFLOAT16, (0, 32): n.INT32,
             (0, 64): n.INT64, (1, 8): n.UINT8}
_KINDS = {"f": n.FLOAT32, "d": n.FLOAT64, "e": n.FLOAT16, "B": n.UINT8}


class View:
    """The memory of an array: address, dtype, shape and strides, in numbers; `owner` keeps it alive."""

    def __init__(self, x: Any, name: str, types: Tuple[int, ...] = tuple(n.NAMES)) -> None:
        self.name, self.x, self._types = name, x, types
        self._buffer: Optional[_Buffer] = None
        if isinstance(x, (int, float, complex, str, list, tuple)) or x is None:
            raise ValueError(f"{name} is a {type(x).__name__}, must be an array: of NumPy, torch, array.array, "
                             "or of another library with __dlpack__")
        if hasattr(x, "__dlpack__") and not hasattr(type(x), "__array_interface__"):
            self._by_dlpack()
        else:
            self._by_buffer()

    def __del__(self) -> None:
        if self._buffer is not None:
            _release_buffer(c.byref(self._buffer))

    def _by_buffer(self) -> None:
        b = _Buffer()
        try:
            _get_buffer(self.x, c.byref(b), _STRIDED_WITH_FORMAT)
        except (TypeError, BufferError, ValueError) as wrong:
            if hasattr(self.x, "__dlpack__"):
                return self._by_dlpack()
            raise ValueError(f"{self.name} is a {type(self.x).__name__} without memory to read: {wrong}") from wrong
        self._buffer = b
        form = (b.format or b"B").decode().lstrip("@=<" if sys.byteorder == "little" else "@=>!")
        integer = {4: n.INT32, 8: n.INT64}.get(b.itemsize) if form in ("i", "l", "q") else None
        self.dtype = self._known(_KINDS.get(form, integer), form)
        self.data, self.readonly = b.buf or 0, bool(b.readonly)
        self.shape = tuple(b.shape[i] for i in range(b.ndim))
        strides = [b.strides[i] for i in range(b.ndim)] if b.strides else _compact(self.shape, b.itemsize)
        if any(s % b.itemsize for s in strides) or self.data % b.itemsize:
            raise ValueError(f"{self.name} at {self.data:#x} has strides of {tuple(strides)} bytes: they must be "
                             f"multiples of its {b.itemsize}")
        self.strides = tuple(s // b.itemsize for s in strides)

    def _by_dlpack(self) -> None:
        x, name = self.x, self.name
        device = tuple(int(d) for d in x.__dlpack_device__())
        if device[0] not in (1, 3):  # the host, and memory of the host that CUDA has pinned
            raise ValueError(f"{name} is on device {device}, must be in the memory of the host")
        try:
            try:
                capsule = x.__dlpack__(max_version=(1, 0))
            except TypeError:  # the protocol of 0.8
                capsule = x.__dlpack__()
        except (BufferError, RuntimeError) as wrong:
            raise ValueError(f"{name} cannot be viewed: {wrong}") from wrong
        self.capsule, self.readonly = capsule, False  # the capsule keeps the memory alive, and frees its own struct
        if _is_valid(capsule, b"dltensor_versioned"):
            versioned = c.cast(_get_pointer(capsule, b"dltensor_versioned"), c.POINTER(_Versioned)).contents
            if versioned.major > 1:
                raise ValueError(f"{name} speaks DLPack {versioned.major}.{versioned.minor}, must be below 2.0")
            tensor, self.readonly = versioned.tensor, bool(versioned.flags & 1)
        else:
            tensor = c.cast(_get_pointer(capsule, b"dltensor"), c.POINTER(_DLTensor)).contents
        found = _DL_TYPES.get((tensor.code, tensor.bits)) if tensor.lanes == 1 else None
        self.dtype = self._known(found, f"of DLPack's code {tensor.code} with {tensor.bits} bits")
        self.data = (tensor.data or 0) + tensor.byte_offset
        self.shape = tuple(tensor.shape[i] for i in range(tensor.ndim))
        self.strides = (tuple(tensor.strides[i] for i in range(tensor.ndim)) if tensor.strides
                        else tuple(_compact(self.shape, 1)))

    def _known(self, dtype: Optional[int], said: str) -> int:
        if dtype is not None and dtype in self._types:
            return dtype
        names = [n.NAMES[t] for t in self._types]
        choice = " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        hint = ": NumPy has x.astype, torch x.to" if hasattr(self.x, "dtype") else ""
        is_now = n.NAMES[dtype] if dtype else repr(said)
        raise ValueError(f"{self.name} has numbers {is_now}, must be {choice}{hint}")

    def size(self) -> int:
        product = 1
        for extent in self.shape:
            product *= extent
        return product

    def is_compact(self) -> bool:
        expected = _compact(self.shape, 1)
        return self.size() == 0 or all(e == 1 or s == w for e, s, w in zip(self.shape, self.strides, expected))

    def is_dense(self) -> bool:
        """Whether the numbers lie side by side, in any order of the dimensions (channels_last, Fortran)."""
        expected = 1
        for stride, extent in sorted((s, e) for e, s in zip(self.shape, self.strides) if e != 1):
            if stride != expected:
                return self.size() == 0
            expected *= extent
        return True

    def writable(self) -> "View":
        if self.readonly:
            raise ValueError(f"{self.name} is read-only, and would be written")
        return self


def _compact(shape: Sequence[int], each: int) -> List[int]:
    strides = [each] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * max(shape[i + 1], 1)
    return strides


MATRIX, IMAGES = 0, 1


def array_of(v: View) -> n.Array:
    """rows x classes, with any distance of rows, or transposed; or N x C x …, contiguous."""
    shape, strides = v.shape, v.strides
    if len(shape) == 1:
        shape, strides = (shape[0], 1), (strides[0], 1)
    if len(shape) == 2:
        rows, columns = shape
        if columns <= 1 or strides[1] == 1:
            stride = strides[0] if rows > 1 else columns
            if stride >= columns:
                return n.Array(v.data, v.dtype, MATRIX, rows, columns, stride)
        if (rows <= 1 or strides[0] == 1) and strides[1] == rows:
            return n.Array(v.data, v.dtype, IMAGES, 1, columns, rows)
        raise ValueError(f"{v.name} of shape {shape} has strides {strides}: one of both must be 1, and columns that are "
                         "contiguous must lie side by side")
    if len(shape) < 2 or not v.is_compact():
        raise ValueError(f"{v.name} of shape {shape} has strides {strides}: must be rows x classes, or contiguous "
                         "N x C x H x W")
    return n.Array(v.data, v.dtype, IMAGES, shape[0], shape[1], v.size() // max(shape[0] * shape[1], 1))


LABELS, WEIGHTS = (n.INT32, n.INT64), (n.FLOAT32, n.FLOAT64)


def vector_of(x: Any, name: str, keep: List[Any], types: Tuple[int, ...] = WEIGHTS) -> n.Vector:
    """Contiguous labels or weights of any shape, in their order; none for None."""
    if x is None:
        return n.Vector()
    v = View(x, name, types)
    if not v.is_compact():
        raise ValueError(f"{name} of shape {v.shape} has strides {v.strides}, must be contiguous")
    keep.append(v)
    return n.Vector(v.data or c.addressof(_NOTHING), v.size(), v.dtype)


_NOTHING = c.c_double()  # the address of an empty vector


def list_of(tensors: Sequence[Any], name: str, keep: List[Any], write: bool = True,
            any_order: bool = False) -> Tuple[Any, int]:
    """A list of contiguous tensors; with any_order, of tensors whose numbers lie side by side."""
    tensors = list(tensors)
    made = (n.Tensor * max(len(tensors), 1))()
    for i, x in enumerate(tensors):
        v = View(x, f"tensor {i} of {name}")
        if write:
            v.writable()
        if not (v.is_compact() or (any_order and v.is_dense())):
            raise ValueError(f"{v.name} of shape {v.shape} has strides {v.strides}, must be contiguous")
        keep.append(v)
        rows = v.shape[0] if v.shape else 1
        made[i] = n.Tensor(v.data, rows, v.size() // rows if rows else 0, v.dtype)
    return made, len(tensors)


def empty_like(x: Any, name: str) -> Any:
    """An array of the library, shape, dtype and order of x."""
    library = type(x).__module__.partition(".")[0]
    module = sys.modules.get(library)
    if module is None or not hasattr(module, "empty_like"):
        raise ValueError(f"{name} is of {library or 'no library'}: hone makes arrays of NumPy and torch; pass one to "
                         "write into")
    return module.empty_like(x)
