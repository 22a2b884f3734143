"""Calls what `nnc compile --emit so` made, with NumPy arrays.

The C header says all there is to know: the order of a call's buffers, which of them are read and
written, their types, and the symbols in their shapes.
"""
import ctypes
import pathlib
import re
import subprocess

import numpy

DTYPES = {
    "f64": numpy.float64, "f32": numpy.float32, "f16": numpy.float16, "bf16": numpy.uint16,
    "i64": numpy.int64, "i32": numpy.int32, "i8": numpy.int8, "u8": numpy.uint8,
    "bool": numpy.bool_,
}
FUNCTION = re.compile(r"/\* ((?:[^*]|\*(?!/))*)\*/\nstatic inline void (\w+)\(([^)]*)\) \{\n(.*?)\n\}",
                      re.DOTALL)
ARRAY = re.compile(r"^ \*   (\w+)\s+(in |out) ?(\w+)(?:\[(.*?)\])?", re.MULTILINE)
STATE = re.compile(r"(\w+)\[\d+\];\s*/\* (param|state) ([^:]+): (\w+)(?:\[(.*?)\])?\s*\*/")


def aligned(shape, dtype):
    """An array that starts on a 64-byte boundary."""
    size = int(numpy.prod(shape, dtype=numpy.int64)) * numpy.dtype(dtype).itemsize
    memory = numpy.zeros(size + 64, numpy.uint8)
    start = -memory.ctypes.data % 64
    return memory[start:start + size].view(dtype).reshape(shape)


def sizes_of(text, symbols):
    """The numbers that the dimensions of a type are: "N, 2 * M"."""
    dims = [dim for dim in (text or "").split(",") if dim.strip()]
    return tuple(int(eval(dim.replace("/", "//"), {}, symbols)) for dim in dims)


class Array:
    """A buffer of a call: its C name, whether it is written, its dtype and dimensions."""

    def __init__(self, name, isResult, dtype, dims):
        self.name, self.isResult, self.dtype, self.dims = name, isResult, dtype, dims


class Entry:
    def __init__(self, library, name, comment, body, states):
        self.name = name
        arrays = {n: Array(n, way == "out", dtype, dims)
                  for n, way, dtype, dims in ARRAY.findall(comment)}
        raw = re.search(r"(\w+)_raw\(buffers, symbols, workspace\)", body)[1] + "_raw"
        self.function = getattr(library, raw)
        self.sizeFunction = getattr(library, raw + "_workspace")
        self.sizeFunction.restype = ctypes.c_int64
        listed = re.search(r"symbols\[\] = \{(.*?)\}", body, re.DOTALL)[1]
        self.symbols = [word.strip() for word in listed.split(",") if word.strip() != "0"]
        listed = re.search(r"buffers\[\] = \{(.*?)\};", body, re.DOTALL)[1]
        self.buffers = []
        for word in listed.replace("(void *)", "").split(","):
            word = word.strip()
            if word.startswith("state->"):
                self.buffers.append(states[word.removeprefix("state->")])
            elif word == "key":
                self.buffers.append(Key("key", False, "i64", "2"))
            else:
                self.buffers.append(arrays[word])

    def call(self, inputs, symbols):
        """The results by name. `inputs` holds arrays by name; states among them are updated. States that
        are not there, those of optimizers, are zero at first, as are the seed and the step."""
        for buffer in self.buffers:
            if isinstance(buffer, (StateArray, Key)) and buffer.name not in inputs:
                inputs[buffer.name] = numpy.zeros(sizes_of(buffer.dims, symbols), DTYPES[buffer.dtype])
        place = {name: aligned(array.shape, array.dtype) for name, array in inputs.items()}
        for name, array in inputs.items():
            place[name][...] = array
        results = {}
        for buffer in self.buffers:
            if buffer.isResult:
                shape = sizes_of(buffer.dims, symbols)
                results[buffer.name] = aligned(shape, DTYPES[buffer.dtype])
        pointers = [
            (results if buffer.isResult else place)[buffer.name].ctypes.data
            for buffer in self.buffers
        ]
        sizes = (ctypes.c_int64 * max(len(self.symbols), 1))(*[symbols[s] for s in self.symbols])
        workspace = aligned((self.sizeFunction(sizes) + 64,), numpy.uint8)
        self.function((ctypes.c_void_p * len(pointers))(*pointers), sizes,
                      ctypes.c_void_p(workspace.ctypes.data))
        for buffer in self.buffers:
            if isinstance(buffer, StateArray):
                inputs[buffer.name] = place[buffer.name]
        return results


class Key(Array):
    """Seed and step."""


class StateArray(Array):
    """A parameter or a state: it lives in the model's struct and is updated in place."""


class Library:
    """The entries of one `.nn` text that are of the given kinds, by name."""

    def __init__(self, text, folder, name, kinds):
        folder = pathlib.Path(folder)
        source = folder / f"{name}.nn"
        source.write_text(text, encoding="utf-8")
        done = subprocess.run(["nnc", "compile", str(source), "-o", str(folder), "--emit", "so",
                               "--entry", ",".join(kinds)],
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr or f"nnc compile ended with {done.returncode}")
        library = ctypes.CDLL(str(folder / f"lib{name}.so"))
        header = (folder / f"{name}.h").read_text(encoding="utf-8")
        # The header breaks long lines of comments nowhere, and gives each member one.
        states = {c: StateArray(full, False, dtype, dims)
                  for c, _, full, dtype, dims in STATE.findall(header)}
        self.roles = {full: role for _, role, full, _, _ in STATE.findall(header)}
        self.entries = {
            function: Entry(library, function, comment, body, states)
            for comment, function, _, body in FUNCTION.findall(header)
            if not function.endswith("_step")
        }
