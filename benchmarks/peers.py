"""How a benchmark reaches what it compares: plain C, OpenBLAS, and nnc itself.

A peer is made by a `prepare(case, threads)`, which compiles, within `compiling()` so that it is known
how long that takes; only its runs are timed.
"""
import contextlib
import ctypes
import glob
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import time

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "benchmarks"
RELEASE = ROOT / "build" / "release"
C_TYPES = {"float32": (ctypes.c_float, "float"), "float64": (ctypes.c_double, "double")}
FLAGS = ["-std=gnu11", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]


class Peer:
    """What is timed: `run()` does the work once, or `many(count)` does it so often.

    `records()` does it from the start that all have in common, and returns arrays by name; where
    it is left out, run does. `size` is how many bytes were compiled, where that is known.
    """

    def __init__(self, run=None, records=None, many=None, size=None):
        self.run = run or (lambda: many(1))
        self.records = records or self.run
        self.many = many or self.call_often
        self.size = size

    def call_often(self, count):
        for _ in range(count):
            self.run()


compile_seconds = 0.0


@contextlib.contextmanager
def compiling():
    """Adds the processor time of what is within, other processes too, to `compile_seconds`."""
    global compile_seconds
    begin = sum(os.times()[:4])
    yield
    compile_seconds += sum(os.times()[:4]) - begin


def compile_c(name, dtype=None):
    """benchmarks/c/NAME.c as a library, its REAL being `dtype`."""
    BUILD.mkdir(parents=True, exist_ok=True)
    library = BUILD / (f"{name}-{dtype}.so" if dtype else f"{name}.so")
    source = ROOT / "benchmarks" / "c" / f"{name}.c"
    if library.exists() and library.stat().st_mtime > source.stat().st_mtime:
        return ctypes.CDLL(library)
    # gcc calls the C library's vector functions by itself, clang when told to.
    compiler = ["gcc"] if shutil.which("gcc") else ["clang-22", "-fveclib=libmvec"]
    defines = [f"-DREAL={C_TYPES[dtype][1]}"] if dtype else []
    subprocess.run(
        [*compiler, *FLAGS, *defines, source, "-o", library, "-lmvec", "-lm"], check=True
    )
    return ctypes.CDLL(library)


def aligned(array):
    """A copy of the array that starts on a 64-byte boundary, as compiled entries want it."""
    array = numpy.ascontiguousarray(array)
    memory = numpy.empty(array.nbytes + 64, numpy.uint8)
    begin = -memory.ctypes.data % 64
    copy = memory[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


class Entry:
    """An entry point of a library that nnc made, called with arrays by name.

    Which buffer goes where is read from the wrapper in the header that nnc wrote. If it takes its
    parameters prepared, that is done once when it is bound to arrays.
    """

    def __init__(self, library, header, name, size):
        wrapper = re.search(rf"static inline void {name}\(.*?\n}}", header, re.DOTALL).group()

        def members(array):
            inside = re.search(rf"{array}\[\] = {{(.*?)}};", wrapper, re.DOTALL).group(1)
            return [re.sub(r"\(void \*\)|state->", "", item).strip() for item in inside.split(",")]

        raw = re.search(r"(\w+)\(buffers, symbols, workspace\)", wrapper).group(1)
        self.buffers, self.symbols = members("buffers"), members("symbols")
        # The arrays of the state, with how many elements each has.
        state = re.findall(r"NNC_ALIGNED (\w+) (\w+)\[(\d+)\];", header)
        self.state_sizes = {member: int(count) for _, member, count in state}
        self.call = library[raw]
        self.workspace_size = library[f"{raw}_workspace"]
        self.workspace_size.restype = ctypes.c_int64
        self.repeat = compile_c("harness").repeat_entry
        self.size = size
        self.prepare = None
        if f" {name}_prepare(" in header:
            self.prepare = Entry(library, header, f"{name}_prepare", size)
            self.prepared_bytes = library[f"{raw}_prepared_bytes"]
            self.prepared_bytes.restype = ctypes.c_int64

    def bind(self, arrays, sizes):
        """A function of a number that runs the entry so often on these arrays."""
        values = [int(name) if name.isdigit() else sizes[name] for name in self.symbols]
        symbols = (ctypes.c_int64 * len(values))(*values)
        if self.prepare:
            arrays = {**arrays, "prepared": aligned(numpy.empty(self.prepared_bytes(symbols),
                                                                numpy.uint8))}
            with compiling():
                self.prepare.bind(arrays, {})()
        pointers = [arrays[name].ctypes.data for name in self.buffers]
        buffers = (ctypes.c_void_p * len(pointers))(*pointers)
        workspace = aligned(numpy.empty(max(self.workspace_size(symbols), 1), numpy.uint8))

        def many(count=1):
            self.repeat(self.call, buffers, symbols, pointer(workspace), ctypes.c_long(count))

        many.arrays = arrays  # The pointers do not keep them alive.
        return many


def compile_nnc(text, kind, entry, threads=1, bind={}, flags=()):
    """The Entry that nnc makes of a program, as `kind` (steps, step, forward, func)."""
    flags = [*flags, *(f"--bind={name}={size}" for name, size in bind.items())]
    mark = hashlib.sha1("\n".join([text, kind, *flags]).encode()).hexdigest()[:12]
    folder = BUILD / f"{entry}-{mark}"
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "net.nn"
    source.write_text(text, encoding="utf-8")
    with compiling():
        subprocess.run(
            [RELEASE / "bin/nnc", "compile", source, "--entry", kind, *flags, "-o", folder],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    # With the pool of threads, which a program takes from libnnc_rt.a.
    library, runtime = folder / "libnet.so", RELEASE / "lib/libnnc_rt.a"
    parts = [folder / "net.o", "-Wl,-u,nnc_set_num_threads", runtime]
    subprocess.run(["cc", "-shared", "-o", library, *parts, "-lm", "-pthread"], check=True)
    # What a program takes of the archive, without that for GPUs.
    whole = folder / "whole.o"
    subprocess.run(["cc", "-r", "-nostdlib", "-o", whole, *parts], check=True)
    loaded = ctypes.CDLL(library)
    loaded.nnc_set_num_threads(ctypes.c_int(threads))
    header = (folder / "net.h").read_text(encoding="utf-8")
    return Entry(loaded, header, entry, code_size(whole))


def code_size(path):
    """Bytes of code and data in an object."""
    output = subprocess.run(["size", path], check=True, capture_output=True, text=True).stdout
    return sum(int(size) for size in output.splitlines()[1].split()[:2])


def program(name, dtype="float32"):
    """The text of NAME.nn, of the benchmarks or the examples, with the type that is asked for."""
    own = ROOT / "benchmarks" / f"{name}.nn"
    path = own if own.exists() else ROOT / "examples" / f"{name}.nn"
    return path.read_text(encoding="utf-8").replace("f64", dtype.replace("float", "f"))


def openblas(threads):
    """cblas_sgemm of the OpenBLAS that NumPy brings."""
    place = pathlib.Path(numpy.__file__).parent.parent / "numpy.libs"
    library = ctypes.CDLL(glob.glob(str(place / "libscipy_openblas64_*"))[0])
    library.scipy_openblas_set_num_threads64_(ctypes.c_int(threads))
    return library.scipy_cblas_sgemm64_


def fma_peak():
    """How many GFLOP/s one core reaches in registers."""
    call = compile_c("harness").multiply_and_add
    call.restype = ctypes.c_double
    result = numpy.full(1, 0.1, "float32")
    best = 0
    for _ in range(200):
        begin = time.thread_time()
        operations = call(ctypes.c_long(200_000), pointer(result))
        best = max(best, operations / (time.thread_time() - begin) / 1e9)
    return best


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def real(value, dtype):
    return C_TYPES[dtype][0](value)


def processor():
    """The name of this machine's processor."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown processor"
