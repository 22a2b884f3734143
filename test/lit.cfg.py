# How the lit tests run: nnc, nnc-opt, FileCheck, not and split-file are on PATH; the substitutions
# and features below are all there is.
#
#   %torch     python3 with PyTorch, which utils/setup-torch installs
#   %python    python3 with NumPy          %cc %cxx   the compilers of this build
#   %root      the source tree             %cmake     the cmake of this build
#   %examples  the examples folder         %libdir    where libnnc_rt is
#   %builddir  the build tree              %mlir_include  MLIR's TableGen files
#
# Features, for REQUIRES: the names of the tools that exist (nnc, nnc-opt), sanitize, gnuplot, g++,
# chromium, valgrind, qemu-aarch64, aarch64-linux-gnu-gcc, ptxas, torch, mnist (the files are here), and what the
# processor can run (x86-64-v2, x86-64-v3, x86-64-v4).

import os
import shutil
import subprocess

import lit.formats

config.name = "nnc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".nn", ".test"]
config.excludes = ["Inputs", "fuzz", "reference", "unit", "CMakeLists.txt"]
config.test_source_root = os.path.join(config.nnc_source_dir, "test")
config.test_exec_root = os.path.join(config.nnc_build_dir, "test")

# A test that hangs fails; lit can end it where python3-psutil is installed.
if lit_config.maxIndividualTestTimeIsSupported[0]:
    lit_config.maxIndividualTestTime = 300

config.environment["PATH"] = os.pathsep.join(
    [config.nnc_tools_dir, config.llvm_tools_dir, os.environ["PATH"]]
)
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "CCACHE_DIR", "CUDA_HOME", "NNC_PTXAS", "TERM"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
# A test says what it wants of colours and threads; nothing leaks in from the caller's shell.
config.environment["LC_ALL"] = "C.UTF-8"

config.substitutions += [
    ("%python", config.python),
    ("%root", config.nnc_source_dir),
    ("%examples", os.path.join(config.nnc_source_dir, "examples")),
    ("%builddir", config.nnc_build_dir),
    ("%libdir", config.nnc_lib_dir),
    ("%mlir_include", config.mlir_include),
    ("%cmake", config.cmake),
    ("%cxx", config.cxx),
    ("%cc", config.cc),
]

for tool in ("nnc", "nnc-opt", "nnc-op-examples"):
    if os.path.exists(os.path.join(config.nnc_tools_dir, tool)):
        config.available_features.add(tool)
# MNIST may not be shipped; it is where the variable says, or in a folder beside the project.
mnist = os.environ.get("NNC_MNIST_DIR") or os.path.join(
    config.nnc_source_dir, "..", "shared", "data", "mnist")
if os.path.exists(os.path.join(mnist, "train-images-idx3-ubyte.gz")):
    config.available_features.add("mnist")
    config.environment["NNC_MNIST_DIR"] = os.path.abspath(mnist)

torch = os.path.join(config.nnc_source_dir, ".venv-torch", "bin", "python3")
if os.path.exists(torch):
    config.available_features.add("torch")
    config.substitutions.append(("%torch", torch))
if config.sanitize:
    config.available_features.add("sanitize")


def has_thread_sanitizer():
    """Whether %cc can link with -fsanitize=thread."""
    command = [config.cc, "-fsanitize=thread", "-x", "c", "-", "-o", os.devnull]
    return subprocess.run(command, input=b"int main(void) { return 0; }", check=False,
                          capture_output=True).returncode == 0


if has_thread_sanitizer():
    config.available_features.add("thread-sanitizer")
for program in ("gnuplot", "g++", "chromium", "valgrind", "qemu-aarch64", "aarch64-linux-gnu-gcc"):
    if shutil.which(program):
        config.available_features.add(program)
# As nnc finds it, and without it if NNC_PTXAS is empty.
if os.environ.get("NNC_PTXAS", "any") and (shutil.which("ptxas") or os.access(
        os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin", "ptxas"), os.X_OK)):
    config.available_features.add("ptxas")


def processor_features():
    """The x86-64 levels that this processor can run, from the flags the kernel reports."""
    try:
        with open("/proc/cpuinfo") as file:
            flags = next(set(line.split()) for line in file if line.startswith("flags"))
    except (OSError, StopIteration):
        return
    v2 = {"cx16", "popcnt", "sse4_1", "sse4_2", "ssse3"}
    v3 = v2 | {"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
    v4 = v3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
    if v2 <= flags:
        yield "x86-64-v2"
    if v3 <= flags:
        yield "x86-64-v3"
    if v4 <= flags:
        yield "x86-64-v4"


config.available_features.update(processor_features())
