#!/usr/bin/env python3
"""Times nnc beside its peers, in one run, and writes docs/benchmarks.md.

    benchmarks/run.py [--rounds 7] [--only diamond] [--dtype float32,float64] [--no-write]

The first run installs the peers into build/benchmark-venv. Every peer does the same work from the
same start; what they record is compared before anything is timed. The rounds are interleaved, one
call of each peer after another, so that whatever else the machine does falls on all of them; the
time of a peer is its best call. `--only mnist_epoch` times whole processes, and needs MNIST
(NNC_MNIST_DIR). What is not timed keeps its place in the page.
"""
import argparse
import importlib
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCHMARKS = ("diamond", "linear_regression", "lenet", "mnist_epoch")


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
    # One core for everybody: threads are the subject of benchmarks of their own.
    os.environ["OMP_NUM_THREADS"] = os.environ["NNC_NUM_THREADS"] = "1"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    # Let OpenBLAS choose the kernels of this processor by itself.
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    python = str(venv / "bin/python3")
    os.execv(python, [python, *sys.argv])


def check_agreement(title, results, tolerance):
    """Stops unless all peers recorded the same values."""
    import numpy

    reference_name, reference = next(iter(results.items()))
    for name, records in results.items():
        for record, expected in reference.items():
            found = records[record].reshape(expected.shape).astype(float)
            error = numpy.abs(found - expected) / numpy.maximum(1, numpy.abs(expected))
            # Accuracy jumps by a whole point when one point lies on the edge.
            limit = 0.01 if record == "accuracy" else tolerance
            if not error.max() <= limit:
                sys.exit(
                    f"{title}: {name} disagrees with {reference_name} on {record}: "
                    f"{error.max():.1e}, expected at most {limit:.1e}"
                )


def measure(runs, rounds):
    """The best time in seconds of each peer over interleaved rounds."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - begin)
    return best


def table(best):
    """The times as a Markdown table, with each as a multiple of nnc's (of C's without nnc)."""
    base = "nnc" if "nnc" in best else "C"
    lines = [f"| | time | x {base} |", "|---|---:|---:|"]
    for name, seconds in sorted(best.items(), key=lambda item: item[1]):
        lines.append(f"| {name} | {seconds * 1e3:,.2f} ms | {seconds / best[base]:.2f} |")
    return "\n".join(lines)


def timed_in_process(module, dtypes, rounds):
    """Title and table of a benchmark whose peers are functions, for each dtype."""
    for dtype in dtypes:
        if dtype not in module.TOLERANCE:
            continue
        title = f"{module.TITLE}, {dtype}"
        runs = {}
        for name, prepare in module.PEERS.items():
            run = prepare(dtype)
            if run is not None:
                runs[name] = run
        check_agreement(title, {name: run() for name, run in runs.items()}, module.TOLERANCE[dtype])
        yield title, table(measure(runs, rounds))


def write_page(path, introduction, parts):
    """Puts the parts, by title, into the page, in place of older ones."""
    text = path.read_text() if path.exists() else ""
    older = dict(re.findall(r"^## (.*?)\n\n(.*?)\n*(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    sections = [f"## {title}\n\n{body}\n" for title, body in {**older, **parts}.items()]
    path.write_text("\n".join([introduction, *sections]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=BENCHMARKS)
    parser.add_argument("--dtype", default="float32,float64")
    parser.add_argument("--no-write", action="store_true")
    arguments = parser.parse_args()
    enter_environment()
    import jax

    import peers

    jax.config.update("jax_enable_x64", True)
    parts = {}
    for module_name in [arguments.only] if arguments.only else BENCHMARKS:
        module = importlib.import_module(module_name)
        found = (module.parts(arguments.rounds) if hasattr(module, "parts") else
                 timed_in_process(module, arguments.dtype.split(","), arguments.rounds))
        for title, body in found:
            title = title[0].upper() + title[1:]
            print(f"## {title}\n\n{body}\n", flush=True)
            parts[title] = body
    introduction = (
        "<!-- Written by benchmarks/run.py; do not edit. -->\n# Benchmarks\n\n"
        f"`benchmarks/run.py` on one machine ({peers.processor()}, {os.cpu_count()} cores): best of "
        "several interleaved calls. C is what gcc makes of benchmarks/c with "
        "`-O3 -march=native -ffast-math`. Compiling is not part of the time, for any of them, except of "
        "whole processes (`benchmarks/run.py --only mnist_epoch`), where all is: starting, compiling, "
        "reading the files, training, and reading the unseen images; nnc's program is "
        "benchmarks/mnist_epoch.nn, the peers' are in benchmarks/mnist.\n"
    )
    if not arguments.no_write:
        write_page(ROOT / "docs" / "benchmarks.md", introduction, parts)


if __name__ == "__main__":
    main()
