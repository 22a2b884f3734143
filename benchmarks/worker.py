"""The process that a peer lives in: pools of threads, memory and settings are its own.

It is asked over a pipe to prepare a case, and then again and again to run for a while.
"""
import contextlib
import gc
import importlib
import os
import re
import time
import traceback

# What a peer imports, which is no part of its compiling.
PACKAGES = {"PyTorch": "torch", "torch.compile": "torch._inductor", "JAX": "jax",
            "ONNX Runtime": "onnxruntime", "OpenVINO": "openvino"}
# The most elements of an array that travel for comparison.
SAMPLE = 100_003


def sampled(array):
    import numpy

    flat = numpy.asarray(array).reshape(-1)
    return flat[:: flat.size // SAMPLE + 1].astype("float64")


class Timer:
    """Runs a peer in blocks of at least a millisecond."""

    def __init__(self, peer):
        self.peer = peer
        self.count = 1
        self.count = max(1, int(1e-3 / min(self.best(0)[0] for _ in range(5))))

    def best(self, seconds):
        """The least wall and processor time of one run, of as many as take these seconds. On a busy
        machine they are the processor's, which may take ten times as long."""
        wall = processor = float("inf")
        begun, spent = time.perf_counter(), time.process_time()
        while True:
            begin, used = time.perf_counter(), time.process_time()
            self.peer.many(self.count)
            now, used = time.perf_counter(), time.process_time() - used
            wall = min(wall, (now - begin) / self.count)
            processor = min(processor, used / self.count)
            if time.process_time() - spent >= seconds or now - begun >= 10 * seconds:
                return wall, processor


@contextlib.contextmanager
def nice(value):
    """Of this priority for a while, where one is asked for; threads that are there take it, too."""
    threads = [] if value is None else [int(name) for name in os.listdir("/proc/self/task")]
    before = {thread: os.getpriority(os.PRIO_PROCESS, thread) for thread in threads}
    for thread in threads:
        os.setpriority(os.PRIO_PROCESS, thread, value)
    try:
        yield
    finally:
        for thread, old in before.items():
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, thread, old)


def peak_memory():
    """The most memory that this process has had, in MiB."""
    with open("/proc/self/status", encoding="utf-8") as file:
        return int(re.search(r"VmHWM:\s*(\d+)", file.read())[1]) / 1024


def prepare(module, name, case, threads):
    import peers

    peers.compile_seconds = 0
    peer = module.PEERS[name](case, threads)
    if peer is None:  # It has nothing to do with this case.
        return None, None, None
    records = {key: sampled(value) for key, value in peer.records().items()}
    return peer, records, {"compile": peers.compile_seconds, "size": peer.size}


def serve(pipe, module_name, name, threads):
    """What a process of run.py does."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    if name in PACKAGES:
        importlib.import_module(PACKAGES[name])
    module = importlib.import_module(module_name)
    peer = timer = None
    while True:
        try:
            message, argument = pipe.recv()
        except EOFError:  # run.py was stopped.
            return
        try:
            if message == "prepare":
                peer = timer = None
                gc.collect()
                peer, records, facts = prepare(module, name, argument, threads)
                answer = records, facts
            elif message == "time":
                timer = timer or Timer(peer)
                with nice(argument["nice"]):
                    answer = timer.best(argument["seconds"])
            elif message == "memory":
                answer = peak_memory()
            else:
                return
            pipe.send(("done", answer))
        except Exception:  # The others go on, and the page says that this one failed.
            pipe.send(("failed", traceback.format_exc()))
