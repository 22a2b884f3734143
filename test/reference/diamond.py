"""The diamond classifier of examples/diamond.nn: 3 -> 4 -> 1, sigmoid, batch gradient descent.

    diamond.py LOG.jsonl DATA.npz WEIGHTS.npz [--tolerance 1e-9]

LOG holds, at each step, `accuracy` and `log_loss` before the update of that step. DATA holds `x`
[N, 3], its columns a bias of ones and the two coordinates, and `y` [N] or [N, 1]; WEIGHTS the first
weights, [3, 4] and [4, 1] (told apart by their shapes). Without arguments it checks itself on data
of its own.
"""
import argparse
import sys

import numpy

from reference import compare, read_arrays, read_log, require, sigmoid

RATE = 1e-3
STEPS = 20000


def predict(x, w1, w2):
    hidden = sigmoid(x @ w1)
    return hidden, sigmoid(hidden @ w2)


def train(x, y, w1, w2, rate=RATE, steps=STEPS):
    """Accuracy and log of the squared error at each step, and the final weights.

    The loss is the summed binary cross-entropy, so the gradient at the last sigmoid's input is
    prediction - truth.
    """
    accuracies, log_losses = numpy.empty(steps), numpy.empty(steps)
    for step in range(steps):
        hidden, prediction = predict(x, w1, w2)
        accuracies[step] = numpy.mean((prediction > 0.5) == (y > 0.5))
        log_losses[step] = numpy.log(numpy.sum((y - prediction) ** 2))
        d_output = prediction - y
        d_hidden = d_output @ w2.T * hidden * (1 - hidden)
        w1, w2 = w1 - rate * (x.T @ d_hidden), w2 - rate * (hidden.T @ d_output)
    return accuracies, log_losses, w1, w2


def make_data(random, n=500):
    points = random.uniform(-1, 1, (n, 2))
    inside = numpy.abs(points).sum(axis=1, keepdims=True) < 1
    return numpy.column_stack([numpy.ones(n), points]), inside.astype(float)


def check_itself():
    random = numpy.random.default_rng(7)
    x, y = make_data(random)
    w1, w2 = random.uniform(-1, 1, (3, 4)), random.uniform(-1, 1, (4, 1))
    accuracies, log_losses, *_ = train(x, y, w1, w2, steps=2000)
    require("starts near chance", accuracies[0] < 0.7, accuracies[0])
    require("log loss falls", log_losses[-1] < log_losses[0], log_losses[-1])


def find_weights(arrays):
    """The two weights among `arrays`, by their shapes."""
    by_shape = {array.shape: array for array in arrays.values()}
    if (3, 4) not in by_shape or (4, 1) not in by_shape:
        sys.exit(f"weights: expected shapes (3, 4) and (4, 1), found {sorted(by_shape)}")
    return by_shape[3, 4], by_shape[4, 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", nargs="?")
    parser.add_argument("data", nargs="?")
    parser.add_argument("weights", nargs="?")
    parser.add_argument("--tolerance", type=float, default=1e-9)
    arguments = parser.parse_args()
    if not arguments.log:
        check_itself()
        return
    data, log = read_arrays(arguments.data), read_log(arguments.log)
    w1, w2 = find_weights(read_arrays(arguments.weights))
    steps = len(log["log_loss"])
    y = data["y"].astype(float).reshape(-1, 1)
    accuracies, log_losses, *_ = train(data["x"], y, w1, w2, steps=steps)
    compare("log_loss", log["log_loss"], log_losses, arguments.tolerance)
    compare("accuracy", log["accuracy"], accuracies, arguments.tolerance)


if __name__ == "__main__":
    main()
