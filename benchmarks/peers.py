"""How a benchmark reaches what it compares: plain C, JAX, and nnc itself.

A peer is a function without arguments that does the whole work once, from the same start, and
returns its recorded arrays by name. It is made by a `prepare` function, which compiles; only the
calls are timed.
"""
import ctypes
import pathlib
import re
import shutil
import subprocess

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "benchmarks"
C_TYPES = {"float32": (ctypes.c_float, "float"), "float64": (ctypes.c_double, "double")}
FLAGS = ["-std=gnu11", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]


def compile_c(name, dtype):
    """The function `train` of benchmarks/c/NAME.c, compiled for `dtype`."""
    BUILD.mkdir(parents=True, exist_ok=True)
    library = BUILD / f"{name}-{dtype}.so"
    # gcc calls the C library's vector functions by itself, clang when told to.
    compiler = ["gcc"] if shutil.which("gcc") else ["clang-22", "-fveclib=libmvec"]
    source = ROOT / "benchmarks" / "c" / f"{name}.c"
    defines = [f"-DREAL={C_TYPES[dtype][1]}"]
    subprocess.run(
        [*compiler, *FLAGS, *defines, source, "-o", library, "-lmvec", "-lm"], check=True
    )
    return ctypes.CDLL(library).train


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

    Which buffer goes where is read from the wrapper in the header that nnc wrote.
    """

    def __init__(self, library, header, name):
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

    def bind(self, arrays, sizes):
        """A function without arguments that runs the entry on these arrays."""
        symbols = (ctypes.c_int64 * len(self.symbols))(*[sizes[name] for name in self.symbols])
        pointers = [arrays[name].ctypes.data for name in self.buffers]
        buffers = (ctypes.c_void_p * len(pointers))(*pointers)
        workspace = aligned(numpy.empty(max(self.workspace_size(symbols), 1), numpy.uint8))

        def run():
            self.call(buffers, symbols, pointer(workspace))

        run.arrays = arrays  # The pointers do not keep them alive.
        return run


def compile_nnc(name, entry, dtype):
    """The Entry of NAME.nn, of the benchmarks or the examples, with the type that is asked for."""
    folder = BUILD / f"{name}-{dtype}"
    folder.mkdir(parents=True, exist_ok=True)
    own = ROOT / "benchmarks" / f"{name}.nn"
    program = own if own.exists() else ROOT / "examples" / f"{name}.nn"
    text = program.read_text(encoding="utf-8")
    source = folder / f"{name}.nn"
    source.write_text(text.replace("f64", dtype.replace("float", "f")), encoding="utf-8")
    nnc = ROOT / "build" / "release" / "bin" / "nnc"
    subprocess.run(
        [nnc, "compile", source, "--entry", "steps", "--emit", "so", "-o", folder],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    header = (folder / f"{name}.h").read_text(encoding="utf-8")
    return Entry(ctypes.CDLL(folder / f"lib{name}.so"), header, entry)


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
