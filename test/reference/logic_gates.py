"""The logic gates of examples/logic-gates.nn: single sigmoid units with weights set by hand.

    logic_gates.py [--or F.npy] [--and F.npy] [--nand F.npy] [--xor F.npy]

Each file holds the outputs that nnc computed for the inputs (0,0), (0,1), (1,0), (1,1). Without
arguments it checks that the weights make the truth tables.
"""
import argparse

import numpy

from reference import compare, read_arrays, sigmoid

INPUTS = numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
# Two weights and a bias.
WEIGHTS = {"or": (20, 20, -10), "nand": (-10, -10, 14), "and": (10, 10, -19)}
TRUTH = {"or": [0, 1, 1, 1], "nand": [1, 1, 1, 0], "and": [0, 0, 0, 1], "xor": [0, 1, 1, 0]}


def gate(name, x):
    w = numpy.array(WEIGHTS[name], float)
    return sigmoid(x @ w[:2] + w[2])


def outputs(x):
    """The output of each gate; XOR is AND of OR and NAND."""
    result = {name: gate(name, x) for name in WEIGHTS}
    result["xor"] = gate("and", numpy.column_stack([result["or"], result["nand"]]))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in TRUTH:
        parser.add_argument(f"--{name}")
    parser.add_argument("--tolerance", type=float, default=1e-6)
    arguments = parser.parse_args()
    for name, expected in outputs(INPUTS).items():
        compare(f"truth table of {name}", expected > 0.5, numpy.array(TRUTH[name]) == 1, 0)
        path = getattr(arguments, name)
        if path:
            found = read_arrays(path)[""]
            compare(name, found.reshape(-1), expected, arguments.tolerance)


if __name__ == "__main__":
    main()
