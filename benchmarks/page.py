"""Writes docs/benchmarks.md from what was measured, which benchmarks/results.json keeps."""
import collections
import datetime
import importlib
import importlib.metadata
import json
import math
import os
import subprocess
import textwrap

# How many times faster than the best peer nnc is to be, by benchmark: issue 5.
REACH = {"gemm": 1, "convolution": 1.2, "mlp": 1.3, "lenet": 4, "cnn": 1.8, "cnn_norm": 2.5,
         "resnet18": 1.3, "gpt": 1.2, "resnet18_inference": 1, "mobilenet": 1, "blocks": 1,
         "diamond": 1, "mnist_epoch": 5}
PACKAGES = ("numpy", "torch", "jax", "onnxruntime", "openvino")
INTRODUCTION = (
    "`benchmarks/run.py` on one machine: {machine}.",
    "Every peer computes the same from the same start, which is compared before anything is timed. Each "
    "is a process of its own; they take turns on the same processors, and a peer's time is that of its "
    "best run: with one thread the processor's time, with two that of the clock, which says something on "
    "an idle machine only. {load}",
    "*x nnc* is a time divided by nnc's, *peer / nnc* the same of the best peer. The *error* is the "
    "largest difference from a run in f64, as a part of the largest value. To *compile* is to go from "
    "the program to machine code, in processor time: `nnc compile`, the first run of what torch.compile "
    "returns, JAX's lowering and compiling, the making of a session. *Peak memory* is that of the whole "
    "process, Python and libraries included; nnc's compiler is another process. A *size* is that of code "
    "and data, in the object and in the runtime library.",
    "C is what gcc makes of benchmarks/c with `-O3 -march=native -ffast-math`; OpenBLAS is the one that "
    "NumPy brings. Whole processes (mnist_epoch) start, compile, read the files, train, and read the "
    "unseen images; nnc's program is benchmarks/mnist_epoch.nn, the peers' are in benchmarks/mnist.",
)


class Results:
    """Figures by benchmark, case and threads, older ones among them."""

    def __init__(self, path):
        self.path = path
        self.data = {"machine": {}, "results": []}
        self.read()

    def read(self):
        if self.path.exists():
            self.data["results"] = json.loads(self.path.read_text())["results"]

    def machine(self, peers):
        """Notes where and with what this run is."""
        version = lambda name: f"{name} {importlib.metadata.version(name)}"
        self.data["machine"] = {
            "processor": peers.processor(), "cores": os.cpu_count(), "peak": peers.fma_peak(),
            "versions": [version(name) for name in PACKAGES],
        }

    def add(self, result):
        """Takes a result in; a peer keeps its best time of this build of nnc, as more rounds would."""
        self.read()  # Another run may have added its own.
        result["commit"] = commit()
        result["date"] = datetime.datetime.now().strftime("%Y-%m-%d %H:%M")
        identity = lambda item: (item["benchmark"], item["case"], item["threads"])
        others = [item for item in self.data["results"] if identity(item) != identity(result)]
        for older in self.data["results"]:
            if identity(older) == identity(result) and older.get("commit") == result["commit"]:
                for name, facts in older["peers"].items():
                    if facts["time"] < result["peers"].get(name, {"time": math.inf})["time"]:
                        result["peers"][name] = facts
        self.data["results"] = [*others, result]

    def save(self):
        rounded = json.loads(json.dumps(self.data), parse_float=lambda text: float(f"{float(text):.5g}"))
        self.path.write_text(json.dumps(rounded, indent=1) + "\n")


def commit():
    """The last change of nnc's sources before it was built."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    built = int(os.path.getmtime(os.path.join(root, "build", "release", "bin", "nnc")))
    found = subprocess.run(["git", "log", "-1", f"--before={built}", "--format=%h", "--", "lib",
                            "include", "tools"], capture_output=True, text=True, cwd=root)
    return found.stdout.strip()


def best_peer(result):
    """The name and time of the fastest other one."""
    others = {name: facts["time"] for name, facts in result["peers"].items() if name != "nnc"}
    name = min(others, key=others.get, default=None)
    return name, others.get(name)


def ratio(result):
    """How many times faster nnc is than the best peer, None if either is missing."""
    _, time = best_peer(result)
    return time / result["peers"]["nnc"]["time"] if time and "nnc" in result["peers"] else None


def duration(seconds):
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            break
    return f"{seconds * factor:.3g} {unit}" if seconds * factor < 1000 else f"{seconds * factor:,.0f} {unit}"


# The columns of a table of peers: title, and text for what is known of one, or None.
COLUMNS = (
    ("time", lambda facts, nnc: duration(facts["time"])),
    ("x nnc", lambda facts, nnc: f"{facts['time'] / nnc['time']:.2f}" if nnc else None),
    ("error", lambda facts, nnc: f"{facts['error']:.0e}" if facts.get("error") else None),
    ("compile", lambda facts, nnc: duration(facts["compile"]) if facts.get("compile") else None),
    ("size", lambda facts, nnc: f"{facts['size'] / 1024:,.0f} KiB" if facts.get("size") else None),
    ("processor time", lambda facts, nnc: duration(facts["processor"])
     if facts.get("accuracy") else None),
    ("peak memory", lambda facts, nnc: f"{facts['memory']:,.0f} MiB" if facts.get("memory") else None),
    ("accuracy", lambda facts, nnc: f"{100 * facts['accuracy']:.1f} %" if facts.get("accuracy") else None),
)


def table(titles, rows):
    lines = [f"| {' | '.join(titles)} |", "|---" + "|---:" * (len(titles) - 1) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def peer_table(result):
    """A row for each peer, fastest first, with the columns that somebody fills."""
    peers = sorted(result["peers"].items(), key=lambda item: item[1]["time"])
    nnc = result["peers"].get("nnc")
    cells = [[text(facts, nnc) for _, text in COLUMNS] for _, facts in peers]
    used = [index for index in range(len(COLUMNS)) if any(row[index] for row in cells)]
    rows = [[name, *(row[index] or "" for index in used)] for (name, _), row in zip(peers, cells)]
    return table(["", *(COLUMNS[index][0] for index in used)], rows)


def case_table(results, peak):
    """A row for each case: nnc, the best peer, and how nnc stands to it and to the machine."""
    rows, ratios = [], []
    for result in results:
        name, time = best_peer(result)
        nnc = result["peers"].get("nnc")
        if not nnc or not time:
            continue
        rate = result["flops"] / nnc["time"] / 1e9
        ratios.append(time / nnc["time"])
        error = f"{nnc['error']:.0e}" if nnc.get("error") else ""
        rows.append([result["case"], duration(nnc["time"]), f"{rate:.1f}",
                     f"{100 * rate / peak / result['threads']:.0f} %", f"{name} {duration(time)}",
                     f"{ratios[-1]:.2f}", error])
    titles = ["", "nnc", "GFLOP/s", "of peak", "best peer", "peer / nnc", "error"]
    return f"{table(titles, rows)}\n\nGeometric mean of peer / nnc: {mean(ratios):.2f}."


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def summary(groups, title_of):
    """Where nnc stands to the best peer, by benchmark and number of threads."""
    rows = []
    for (name, threads), results in groups.items():
        ratios = [value for value in map(ratio, results) if value]
        if not ratios:
            continue
        peers = collections.Counter(best_peer(result)[0] for result in results)
        reach = f"{REACH[name]:g}" if name in REACH else ""
        worst = f"{min(ratios):.2f}" if len(ratios) > 1 else ""
        rows.append([title_of(name), str(threads), peers.most_common(1)[0][0], f"{mean(ratios):.2f}",
                     worst, reach])
    titles = ["work", "threads", "best peer", "peer / nnc", "worst case", "wanted"]
    return table(titles, rows)


def section(title, results, peak):
    if len(results) > 2:
        return f"## {title}\n\n{case_table(results, peak)}\n"
    parts = []
    for result in results:
        whole = f"{title}, {result['case']}" if result["case"] else title
        parts.append(f"## {whole[0].upper()}{whole[1:]}\n\n{peer_table(result)}\n")
    return "\n".join(parts)


def describe(data):
    """The machine and the versions of all."""
    machine = data["machine"]
    commits = sorted({result["commit"] for result in data["results"] if result.get("commit")})
    return (f"{machine['processor']}, {machine['cores']} cores, {machine['peak']:.1f} GFLOP/s of fused "
            f"multiplications and additions in f32 a core; nnc {' and '.join(commits)}, "
            f"{', '.join(machine['versions'])}")


def load(results):
    """How busy the machine was, and when."""
    loads = [result["load"] for result in results]
    dates = [result["date"] for result in results]
    first = " Some of it was timed with priority." if any(item.get("nice") for item in results) else ""
    return (f"On this page the machine's load was {min(loads):.1f} to {max(loads):.1f} meanwhile, "
            f"from {min(dates)} to {max(dates)}.{first}") if results else ""


def write(path, results, order):
    """Writes the page; benchmarks stand in this order."""
    data = results.data
    groups = collections.defaultdict(list)
    for result in sorted(data["results"], key=lambda item: (order.index(item["benchmark"]),
                                                            item["threads"])):
        groups[result["benchmark"], result["threads"]].append(result)
    title_of = lambda name: importlib.import_module(name).TITLE
    machine = data["machine"]
    text = [paragraph.format(machine=describe(data), load=load(data["results"]))
            for paragraph in INTRODUCTION]
    parts = ["<!-- Written by benchmarks/run.py; do not edit. -->\n# Benchmarks\n",
             *(textwrap.fill(paragraph, 110) + "\n" for paragraph in text),
             f"## Summary\n\n{summary(groups, title_of)}\n"]
    for (name, threads), found in groups.items():
        title = f"{title_of(name)}, {threads} thread{'s' if threads > 1 else ''}"
        parts.append(section(title, found, machine["peak"]))
    path.write_text("\n".join(parts))
