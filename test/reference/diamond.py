"""The diamond classifier of examples/diamond.nn: 3 -> 4 -> 1, sigmoid, batch gradient descent.

    diamond.py HISTORY DATA WEIGHTS [--tolerance 1e-9]

HISTORY holds `accuracy` and `log_loss` before the update of each step. DATA holds `x` [N, 3], its
columns ones and the two coordinates, and `inside` [N, 1]; WEIGHTS the first `w1` [3, 4] and `w2`
[4, 1]. Without arguments it checks itself on data of its own.
"""
import argparse

import numpy

from reference import compare, read_arrays, read_history, require, sigmoid

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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("history", nargs="?")
    parser.add_argument("data", nargs="?")
    parser.add_argument("weights", nargs="?")
    parser.add_argument("--tolerance", type=float, default=1e-9)
    arguments = parser.parse_args()
    if not arguments.history:
        check_itself()
        return
    data, history = read_arrays(arguments.data), read_history(arguments.history)
    weights = read_arrays(arguments.weights)
    steps = len(history["log_loss"])
    accuracies, log_losses, *_ = train(
        data["x"], data["inside"], weights["w1"], weights["w2"], steps=steps
    )
    compare("log_loss", history["log_loss"], log_losses, arguments.tolerance)
    compare("accuracy", history["accuracy"], accuracies, arguments.tolerance)


if __name__ == "__main__":
    main()
