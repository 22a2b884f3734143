"""How a benchmark reaches what it compares: plain C, JAX, and nnc itself.

A peer is a function without arguments that does the whole work once, from the same start, and
returns its recorded arrays by name. It is made by a `prepare` function, which compiles; only the
calls are timed.
"""
import ctypes
import pathlib
import shutil
import subprocess

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
