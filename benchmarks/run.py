#!/usr/bin/env python3
"""Times nnc beside its peers, in one run, and writes docs/benchmarks.md.

    benchmarks/run.py [--only gemm,mlp] [--threads 1,2] [--rounds 5] [--slice 0.1] [--match 3x3]

The first run installs the peers into build/benchmark-venv. Every peer does the same work from the
same start; what they compute is compared before anything is timed, and with a run in f64. Each peer
is a process of its own, on the same processors. The rounds are interleaved, a while of each peer after
another, so that whatever else the machine does falls on all of them; a peer's time is that of its best
run: with one thread the processor's time, with more that of the clock. What is not timed keeps its
place in benchmarks/results.json, from which the page is written. Whole processes (mnist_epoch) need
MNIST (NNC_MNIST_DIR).
"""
import argparse
import importlib
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCHMARKS = ("gemm", "convolution", "mlp", "lenet", "cnn", "cnn_norm", "resnet18", "gpt",
              "resnet18_inference", "mobilenet", "blocks", "diamond", "linear_regression",
              "mnist_epoch")
REFERENCE = "reference"


def enter_environment():
    """Continues in the benchmarks' own Python environment, made at the first run."""
    venv = ROOT / "build" / "benchmark-venv"
    wanted = (ROOT / "benchmarks" / "requirements.txt").read_text()
    stamp = venv / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        requirements = ROOT / "benchmarks" / "requirements.txt"
        subprocess.run([venv / "bin/pip", "install", "-q", "-r", requirements], check=True)
        stamp.write_text(wanted)
    if pathlib.Path(sys.prefix).resolve() == venv.resolve():
        return
    # Let OpenBLAS choose the kernels of this processor by itself.
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    # How long torch.compile takes is measured without what it remembers.
    os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    python = str(venv / "bin/python3")
    os.execv(python, [python, *sys.argv])


class Worker:
    """A peer in a process of its own."""

    def __init__(self, module, name, threads):
        import worker

        os.environ["OMP_NUM_THREADS"] = os.environ["NNC_NUM_THREADS"] = str(threads)
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=worker.serve, args=(theirs, module, name, threads), daemon=True
        )
        self.process.start()
        theirs.close()

    def ask(self, message, argument=None):
        """The answer, or None and the trace of what went wrong."""
        try:
            self.pipe.send((message, argument))
            state, answer = self.pipe.recv()
        except (EOFError, OSError):
            return None, "the process ended"
        return (answer, None) if state == "done" else (None, answer)

    def end(self):
        try:
            self.pipe.send(("end", None))
        except OSError:
            pass
        self.process.join()


def distance(found, expected):
    """The largest difference, as a part of the largest value."""
    import numpy

    largest = max(numpy.abs(expected).max(), 1e-30)
    error = numpy.abs(found.reshape(expected.shape) - expected).max() / largest
    return float(error) if error == error else float("inf")


def furthest(records, reference):
    """The largest distance of what both have."""
    errors = [distance(records[name], value) for name, value in reference.items() if name in records]
    return max(errors, default=None)


def check_agreement(title, results, tolerance):
    """Stops unless all peers computed the same values."""
    reference_name, reference = next(iter(results.items()))
    for name, records in results.items():
        for record, expected in reference.items():
            # Accuracy jumps by a whole point when one point lies on the edge.
            limit = 0.01 if record == "accuracy" else tolerance
            error = distance(records[record], expected)
            if not error <= limit:
                sys.exit(f"{title}: {name} disagrees with {reference_name} on {record}: {error:.1e}, "
                         f"expected at most {limit:.1e}")


def prepare_case(module, case, workers, threads):
    """What each peer says of itself, by name, after all agree."""
    title = f"{module.TITLE}, {case}"
    results, peers, truth = {}, {}, None
    for name, worker in workers.items():
        answer, trace = worker.ask("prepare", case)
        if answer is None:
            print(f"{title}: {name} failed:\n{trace}", file=sys.stderr, flush=True)
        elif answer[0] is None:
            continue
        elif name == REFERENCE:
            truth = answer[0]
        else:
            results[name], peers[name] = answer
    if results:
        check_agreement(title, {**({REFERENCE: truth} if truth else {}), **results},
                        module.TOLERANCE[case] if isinstance(module.TOLERANCE, dict)
                        else module.TOLERANCE)
    for name, facts in peers.items():
        if truth:
            facts["error"] = furthest(results[name], truth)
    return peers


def time_case(case, workers, peers, arguments, threads):
    """Adds its best time to each peer, from interleaved rounds."""
    for facts in peers.values():
        facts["wall"] = facts["processor"] = float("inf")
    for _ in range(arguments.rounds):
        for name, facts in peers.items():
            answer, trace = workers[name].ask("time", {"seconds": arguments.slice, "nice": arguments.nice})
            if answer is None:
                sys.exit(f"{case}: {name} failed:\n{trace}")
            facts["wall"] = min(facts["wall"], answer[0])
            facts["processor"] = min(facts["processor"], answer[1])
    for name, facts in peers.items():
        facts["time"] = facts["processor" if threads == 1 else "wall"]
        facts["memory"] = workers[name].ask("memory")[0]


def timed(module_name, module, threads, arguments):
    """Results of a benchmark for a number of threads, a case after another."""
    names = [name for name in module.PEERS
             if not arguments.peers or name in arguments.peers or name in ("nnc", REFERENCE)]
    workers = {}
    for case in module.CASES:
        if arguments.match and arguments.match not in str(case):
            continue
        # Where there are few cases, each has new processes, and so a peak of memory of its own.
        if len(module.CASES) <= 2:
            end(workers)
        if not workers:
            workers = {name: Worker(module_name, name, threads) for name in names}
        peers = prepare_case(module, case, workers, threads)
        time_case(case, workers, peers, arguments, threads)
        flops = module.flops(case) if hasattr(module, "flops") else None
        yield {"benchmark": module_name, "case": str(case), "threads": threads, "flops": flops,
               "load": os.getloadavg()[0], "nice": arguments.nice, "peers": peers}
    end(workers)


def end(workers):
    for worker in workers.values():
        worker.end()
    workers.clear()


def show(result):
    """A line for each peer of a result."""
    print(f"{result['benchmark']}, {result['case']}, {result['threads']} threads")
    for name, facts in sorted(result["peers"].items(), key=lambda item: item[1]["time"]):
        rate = f"{result['flops'] / facts['time'] / 1e9:8.1f} GFLOP/s" if result["flops"] else ""
        print(f"  {name:14} {facts['time'] * 1e3:10.3f} ms{rate}", flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slice", type=float, default=0.1, help="seconds of a peer in a round")
    parser.add_argument("--only", default=",".join(BENCHMARKS), help="benchmarks")
    parser.add_argument("--match", help="only cases with this in their name")
    parser.add_argument("--peers", default="", help="only nnc and these")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--nice", type=int, help="the priority of what is timed, -20 is the highest")
    parser.add_argument("--no-write", action="store_true")
    arguments = parser.parse_args()
    arguments.only = arguments.only.split(",")
    arguments.peers = [name for name in arguments.peers.split(",") if name]
    unknown = set(arguments.only) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return arguments


def main():
    arguments = parse_arguments()
    enter_environment()
    import page
    import peers

    results = page.Results(ROOT / "benchmarks" / "results.json")
    results.machine(peers)
    for module_name in arguments.only:
        module = importlib.import_module(module_name)
        for threads in map(int, arguments.threads.split(",")):
            run = module.timed if hasattr(module, "timed") else None
            found = run(threads, arguments) if run else timed(module_name, module, threads, arguments)
            for result in found:
                show(result)
                results.add(result)
                if not arguments.no_write:
                    results.save()
    if not arguments.no_write:
        page.write(ROOT / "docs" / "benchmarks.md", results, BENCHMARKS)


if __name__ == "__main__":
    main()
