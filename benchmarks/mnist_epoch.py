"""An epoch of LeNet on MNIST as whole processes: starting, compiling, reading the files, 938 steps of 64
images with Adam, reading the unseen images. Each peer is a program of its own, written as its examples
are: mnist_epoch.nn, mnist/with_torch.py, mnist/with_jax.py.
"""
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TITLE = "LeNet on MNIST, one epoch, whole process"
THREADS = (1, 2)


def folder():
    """Where MNIST is, or None."""
    place = pathlib.Path(os.environ.get("NNC_MNIST_DIR") or ROOT.parent / "shared" / "data" / "mnist")
    return place if (place / "train-images-idx3-ubyte.gz").exists() else None


def commands(threads):
    here = ROOT / "benchmarks"
    return {
        "nnc": [ROOT / "build/release/bin/nnc", "train", here / "mnist_epoch.nn",
                "--threads", str(threads)],
        "PyTorch": [sys.executable, here / "mnist" / "with_torch.py", str(threads)],
        "JAX": [sys.executable, here / "mnist" / "with_jax.py"],
    }


class Best:
    """The least time of several runs, with the least processor time and peak memory."""

    def __init__(self):
        self.wall = self.processor = self.memory = float("inf")
        self.accuracies = []

    def add(self, wall, usage, output):
        self.wall = min(self.wall, wall)
        self.processor = min(self.processor, usage.ru_utime + usage.ru_stime)
        self.memory = min(self.memory, usage.ru_maxrss / 1024)
        self.accuracies.append(float(re.search(r"accuracy (?:= )?(0\.\d+)", output)[1]))


def run_once(command, threads, best):
    processors = sorted(ALL_PROCESSORS)[-threads:]
    environment = {**os.environ, "NNC_MNIST_DIR": str(folder()), "OMP_NUM_THREADS": str(threads)}
    begin = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command], env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, processors))
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = status
    if status != 0:
        sys.exit(f"{command[0]} ended with {status}:\n{output}")
    best.add(wall, usage, output)


def table(best):
    base = best["nnc"].wall
    lines = ["| | time | x nnc | processor time | peak memory | accuracy |", "|---|---:|---:|---:|---:|---:|"]
    for name, peer in sorted(best.items(), key=lambda item: item[1].wall):
        lines.append(f"| {name} | {peer.wall:.2f} s | {peer.wall / base:.2f} | {peer.processor:.2f} s "
                     f"| {peer.memory:,.0f} MiB | {100 * min(peer.accuracies):.1f} % |")
    return "\n".join(lines)


def parts(rounds):
    """Markdown for each number of threads, by title."""
    for threads in THREADS:
        if threads > len(ALL_PROCESSORS) or not folder():
            continue
        best = {name: Best() for name in commands(threads)}
        for _ in range(rounds):
            for name, command in commands(threads).items():
                run_once(command, threads, best[name])
        yield f"{TITLE}, {threads} thread{'s' if threads > 1 else ''}", table(best)


# run.py keeps to one processor; a child may use those that the machine has.
ALL_PROCESSORS = range(os.cpu_count())
