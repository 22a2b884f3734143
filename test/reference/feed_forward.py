"""The feed-forward network 3 -> 4 -> 4 -> 3 of examples/feed-forward.nn.

    feed_forward.py [--y Y.npy] [--z2 Z2.npy] [--a2 A2.npy] [--rows ROWS.npy]

Each file holds what nnc computed: the output and the intermediates of the single input, and the
outputs of the six rows. Without arguments it compares its own results with the published figures.
"""
import argparse

import numpy

from reference import compare, read_arrays, sigmoid

W1 = numpy.array([[2, -1, 1, 4], [-1, 2, -3, 1], [3, -2, -1, 5]], float)
W2 = numpy.array([[3, 1, -2, 1], [-2, 4, 1, -4], [-1, -3, 2, -5], [3, 1, 1, 1]], float)
W3 = numpy.array([[-1, 3, -2], [1, -1, -3], [3, -2, 2], [1, 2, 1]], float)
INPUT = numpy.array([[0.5, 0.8, 0.2]])
ROWS = numpy.array(
    [[0.1, 0.9, 0.6], [0.2, 0.2, 0.3], [0.6, 0.1, 0.9],
     [0.5, 0.5, 0.4], [0.9, 0.1, 0.9], [0.1, 0.8, 0.7]]
)  # fmt: skip

Z2 = [[0.8, 0.7, -2.1, 3.8]]
A2 = [[0.68997448, 0.66818777, 0.10909682, 0.97811873]]
Y = [[0.72780576, 0.26927918, 0.00291506]]
Y_OF_ROWS = [
    [0.62054212, 0.37682531, 0.00263257],
    [0.69267581, 0.30361576, 0.00370844],
    [0.36618794, 0.63016955, 0.00364252],
    [0.57199769, 0.4251982, 0.00280411],
    [0.38373781, 0.61163804, 0.00462415],
    [0.52510443, 0.4725011, 0.00239447],
]


def forward(x):
    """The input of the first hidden layer, its output, and the network's output."""
    z2 = x @ W1
    a2 = sigmoid(z2)
    scores = sigmoid(a2 @ W2) @ W3
    shifted = numpy.exp(scores - scores.max(axis=1, keepdims=True))
    return z2, a2, shifted / shifted.sum(axis=1, keepdims=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("y", "z2", "a2", "rows"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--tolerance", type=float, default=1e-6)
    arguments = parser.parse_args()
    z2, a2, y = forward(INPUT)
    y_of_rows = forward(ROWS)[2]
    for name, expected, published in (
        ("z2", z2, Z2), ("a2", a2, A2), ("y", y, Y), ("rows", y_of_rows, Y_OF_ROWS)
    ):  # fmt: skip
        compare(f"{name}, as published", expected, published, 5e-9)
        path = getattr(arguments, name)
        if path:
            found = read_arrays(path)[""]
            compare(name, found.reshape(expected.shape), expected, arguments.tolerance)


if __name__ == "__main__":
    main()
