"""LeNet on MNIST as whole processes, for an epoch and until 99 % of the unseen images are read: starting,
compiling, reading the files, steps of 64 images with Adam at a rate that falls, reading the unseen images.
Each peer is a program of its own, written as its examples are: mnist_epoch.nn, mnist/with_torch.py,
mnist/with_jax.py.
"""
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TITLE = "LeNet on MNIST, whole process"
# By case: how many epochs, and what accuracy they are to reach.
CASES = {"one epoch": (1, 0.97), "to 99 %": (5, 0.99)}
ROUNDS = 3


def folder():
    """Where MNIST is, or None."""
    place = pathlib.Path(os.environ.get("NNC_MNIST_DIR") or ROOT.parent / "shared" / "data" / "mnist")
    return place if (place / "train-images-idx3-ubyte.gz").exists() else None


def commands(case, threads):
    here, epochs = ROOT / "benchmarks", CASES[case][0]
    return {
        "nnc": [ROOT / "build/release/bin/nnc", "train", program(epochs), "--threads", threads],
        "PyTorch": [sys.executable, here / "mnist" / "with_torch.py", threads, epochs],
        "JAX": [sys.executable, here / "mnist" / "with_jax.py", epochs],
    }


def program(epochs):
    """mnist_epoch.nn for so many epochs."""
    text = (ROOT / "benchmarks" / "mnist_epoch.nn").read_text()
    text = text.replace("count = 938", f"count = {938 * epochs}")
    path = ROOT / "build" / "benchmarks" / f"mnist_{epochs}.nn"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(re.sub(r"epochs( +)= 1", rf"epochs\1= {epochs}", text))
    return path


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
    processors = range(os.cpu_count())[-threads:]
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


def timed(threads, arguments):
    """Results for a number of threads, each from a few interleaved rounds."""
    if threads > os.cpu_count() or not folder():
        return
    for case in CASES:
        if not arguments.match or arguments.match in case:
            yield timed_case(case, threads, min(arguments.rounds, ROUNDS))


def timed_case(case, threads, rounds):
    best = {name: Best() for name in commands(case, threads)}
    for _ in range(rounds):
        for name, command in commands(case, threads).items():
            run_once(command, threads, best[name])
    facts = {}
    for name, peer in best.items():
        if min(peer.accuracies) < CASES[case][1]:
            sys.exit(f"{TITLE}, {case}: {name} reads {min(peer.accuracies):.2%}")
        facts[name] = {"time": peer.processor if threads == 1 else peer.wall,
                       "processor": peer.processor, "memory": peer.memory,
                       "accuracy": min(peer.accuracies)}
    return {"benchmark": "mnist_epoch", "case": case, "threads": threads, "flops": None,
            "load": os.getloadavg()[0], "peers": facts}
