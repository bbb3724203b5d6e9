# SPDX-License-Identifier: MIT
"""libhone_bench.so (bench/c_interface.hpp) and its arrays as tensors of PyTorch, without copies."""
import ctypes
import math

import torch


class Array(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("type", ctypes.c_char_p), ("data", ctypes.c_void_p),
                ("dimensions", ctypes.c_int64), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("output", ctypes.c_int64)]

    def tensor(self):
        type = getattr(torch, self.type.decode())
        shape, strides = (list(numbers[:self.dimensions]) for numbers in (self.shape, self.strides))
        memory = (ctypes.c_byte * (shape[0] * strides[0] * type.itemsize)).from_address(self.data)
        return torch.frombuffer(memory, dtype=type).as_strided(shape, strides)


RUN = ctypes.CFUNCTYPE(ctypes.c_double)


class Library:
    def __init__(self, path, threads):
        self.c = c = ctypes.CDLL(path)
        handle, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64
        for name, result, arguments in (("make", handle, [text]), ("free", None, [handle]),
                                        ("works", number, [handle]), ("name", text, [handle, number]),
                                        ("threads", number, [handle, number]), ("open", number, [handle, number]),
                                        ("array_of", Array, [handle, number, number]),
                                        ("call", ctypes.c_double, [handle, number, text]),
                                        ("add", None, [handle, number, text, RUN]),
                                        ("note", None, [handle, text, text]),
                                        ("run", ctypes.c_int, [handle, ctypes.c_int, ctypes.POINTER(text)])):
            function = getattr(c, f"hone_bench_{name}")
            function.restype, function.argtypes = result, arguments
        self.handle = c.hone_bench_make(threads.encode())
        self.callbacks = []  # they must outlive run()

    def works(self):
        return [Work(self, k) for k in range(self.c.hone_bench_works(self.handle))]

    def note(self, key, value):
        self.c.hone_bench_note(self.handle, key.encode(), value.encode())

    def run(self, arguments):
        texts = [text.encode() for text in arguments]
        return self.c.hone_bench_run(self.handle, len(texts), (ctypes.c_char_p * (len(texts) + 1))(*texts))


class Work:
    def __init__(self, library, number):
        self.library, self.number = library, number
        self.name = library.c.hone_bench_name(library.handle, number).decode()
        self.threads = library.c.hone_bench_threads(library.handle, number)

    def arrays(self):
        """Tensors by name; name/0, name/1 and so on are a list."""
        c, handle, found = self.library.c, self.library.handle, {}
        for k in range(c.hone_bench_open(handle, self.number)):
            array = c.hone_bench_array_of(handle, self.number, k)
            name, _, part = array.name.decode().partition("/")
            if part:
                found.setdefault(name, []).append(array.tensor())
            else:
                found[name] = array.tensor()
        return found

    def call(self, who):
        value = self.library.c.hone_bench_call(self.library.handle, self.number, who.encode())
        return None if math.isnan(value) else value

    def add(self, who, run):
        self.library.callbacks.append(RUN(run))
        self.library.c.hone_bench_add(self.library.handle, self.number, who.encode(), self.library.callbacks[-1])
