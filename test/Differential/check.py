"""Compares ops and functions of the prelude with PyTorch; see cases.py.

usage: check.py NNOps.json PRELUDE [--count N] [--seed S] [--only PATTERN] [--keep FOLDER]

Prints the largest errors and each case that differs, with what reproduces it. Exits 1 if a case
differs, or if an op or a function of the prelude is neither compared nor listed with a reason.
`--count` is the number of comparisons to reach; `--seed` gives other shapes and values.
"""
import argparse
import concurrent.futures
import pathlib
import re
import sys
import tempfile
import time

import torch

import functions
import layers
import ops
import trainings
from cases import difference, to_array
from compiled import Library

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "utils"))
import op_records


def read_ops(path):
    records = op_records.load(path)
    for op in op_records.all_ops(records):
        _, attributes = op_records.operands_and_attributes(records, op)
        yield (op["opName"], op["nnFamily"], [name for name, *_ in attributes], op["nnExamples"],
               bool(op["nnDifferentiable"]))


def declared_functions(prelude):
    """The funcs, layers and optimizers that the prelude declares."""
    for path in sorted(pathlib.Path(prelude).glob("*.nn")):
        for kind, name in re.findall(r"^(func|layer|optimizer) (\w+)\(", path.read_text(), re.MULTILINE):
            yield name


def uncovered(records, prelude):
    for name, *_ in records:
        known = (name in ops.OPS) + (name in ops.WITHOUT_COUNTERPART)
        if known != 1:
            yield f"op {name} is {'both ' if known else 'n'}either compared nor listed"
    names = set(declared_functions(prelude))
    compared = functions.compared() | layers.compared() | trainings.compared()
    listed = functions.WITHOUT_COUNTERPART | trainings.WITHOUT_COUNTERPART
    for name in sorted(names - compared - listed.keys()):
        yield f"function {name} of the prelude is neither compared nor listed"
    for name in sorted(listed.keys() & compared):
        yield f"function {name} is compared and listed as without counterpart"
    for name in sorted(listed.keys() - names):
        yield f"function {name} is listed, but not in the prelude"


class Tally:
    def __init__(self):
        self.runs, self.failed, self.worst = 0, 0, {}

    def add(self, case, dtype, error):
        self.runs += 1
        if error > self.worst.get(dtype, (-1, ""))[0]:
            self.worst[dtype] = (error, case.covers)

    def fail(self, case, sizes, what):
        self.failed += 1
        where = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        print(f"error: {case.label}{' with ' + where if where else ''}: {what}")


def run_case(case, entry, random, largest, tally):
    """One run of a compiled case on new sizes and values."""
    for attempt in range(20):
        sizes = case.draw_sizes(random, largest)
        values = [i.draw(sizes, random) for i in case.inputs]
        inputs = {i.name: to_array(value) for i, value in zip(case.inputs, values)}
        try:
            expected = case.expected([value.clone() for value in values])
            break
        except (RuntimeError, IndexError, ValueError) as refusal:  # the maximum of nothing
            reason = refusal
    else:
        tally.fail(case, sizes, f"PyTorch refuses: {reason}")
        return
    inputs = case.given(inputs)
    found = case.found(entry.call(inputs, {**sizes, "num_steps": case.steps}), inputs)
    bound, largestError = case.bounds.get(case.dtype, 0), 0.0
    for name, value in expected.items():
        error, wrong = difference(found[name], value, bound)
        largestError = max(largestError, error)
        if wrong:
            tally.fail(case, sizes, f"{name}: {wrong}")
            break
    tally.add(case, case.dtype, largestError if largestError < float("inf") else 0)


def compile_cases(numbered, folder, name):
    """The entries of the cases; of one at a time if together they do not compile."""
    text = "\n".join(case.source(f"case{number}") for number, case in numbered)
    try:
        kinds = sorted({case.kind() for _, case in numbered})
        entries = Library(text, folder, name, kinds).entries
        return {number: entries[case.entry(f"case{number}")] for number, case in numbered}, {}
    except RuntimeError as failure:
        if len(numbered) == 1:
            return {}, {numbered[0][0]: str(failure)}
    found, failed = {}, {}
    half = len(numbered) // 2
    for part, suffix in ((numbered[:half], "a"), (numbered[half:], "b")):
        more, wrong = compile_cases(part, folder, name + suffix)
        found |= more
        failed |= wrong
    return found, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ops")
    parser.add_argument("prelude")
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep")
    flags = parser.parse_args()
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(flags.seed)
    records = list(read_ops(flags.ops))
    tally = Tally()
    for message in uncovered(records, flags.prelude):
        tally.failed += 1
        print(f"error: {message}")

    rounds = max(flags.count // 600, 1)
    cases = [*ops.op_cases(records, random, rounds), *functions.function_cases(rounds),
             *layers.layer_cases(rounds), *trainings.training_cases()]
    if flags.only:
        cases = [case for case in cases if re.search(flags.only, f"{case.covers} {type(case).__name__} {case.label}")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = flags.keep or temporary
        numbered = list(enumerate(cases))
        count = -(-len(numbered) // 40)
        parts = [numbered[start::count] for start in range(count)]
        start = time.time()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(compile_cases, parts, [folder] * len(parts),
                                    [f"part{n}" for n in range(len(parts))]))
        compiling = time.time() - start
        entries = {}
        for found, failed in results:
            entries |= found
            for number, message in failed.items():
                tally.fail(cases[number], {}, f"does not compile\n{message}")
        number = 0
        while entries and (tally.runs < flags.count or number % len(cases)):
            case, entry = cases[number % len(cases)], entries.get(number % len(cases))
            number += 1
            if entry:
                run_case(case, entry, random, 40, tally)
        for dtype, (error, covers) in sorted(tally.worst.items()):
            if dtype:
                print(f"{dtype}: largest error {error:.1e} ({covers})")
        print(f"{len(cases)} functions compiled in {compiling:.0f} s, {tally.runs} cases, "
              f"{tally.failed} problems")
    return 1 if tally.failed or not tally.runs else 0


if __name__ == "__main__":
    sys.exit(main())
