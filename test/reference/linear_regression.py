"""Linear regression by gradient descent, as examples/linear-regression.nn does it.

    linear_regression.py LOG.jsonl DATA.npz [--stochastic] [--tolerance 1e-10]

LOG holds, at each step, `loss` and `theta` before the update of that step (for --stochastic: at
each pass over the observations); DATA holds `x` [N, 2] or, with its column of ones, [N, 3], and
`y` [N]. Without arguments it checks itself on data of its own.
"""
import argparse

import numpy

from reference import compare, read_arrays, read_log, require

RATE = 1e-3
STEPS = 2000
START = numpy.array([3.0, 3.0, 3.0])


def with_ones(x):
    """The observations with a first column of ones, for the intercept."""
    return x if x.shape[1] == 3 else numpy.column_stack([numpy.ones(len(x)), x])


def batch(x, y, theta=START, rate=RATE, steps=STEPS):
    """The losses and parameters at each of `steps` steps, and the final parameters."""
    losses, path = numpy.empty(steps), numpy.empty((steps, theta.size))
    for step in range(steps):
        error = y - x @ theta
        losses[step], path[step] = numpy.sum(error**2), theta
        theta = theta + rate * numpy.mean(error[:, None] * x, axis=0)
    return losses, path, theta


def stochastic(x, y, theta=START, rate=RATE, passes=STEPS):
    """As `batch`, one observation at a time; the losses and parameters at each pass."""
    losses, path = numpy.empty(passes), numpy.empty((passes, theta.size))
    for step in range(passes):
        losses[step], path[step] = numpy.sum((y - x @ theta) ** 2), theta
        for row, target in zip(x, y):
            theta = theta + rate * (target - row @ theta) * row
    return losses, path, theta


def check_result(x, y, theta, is_stochastic):
    """What the issue promises of the trained parameters."""
    if is_stochastic:
        best = numpy.linalg.lstsq(x, y, rcond=None)[0]
        distance = numpy.abs(theta - best).max()
        require("within 0.1 of the least-squares solution", distance <= 0.1, distance)
    else:
        distance = numpy.abs(theta[1:] - [2, 5]).max()
        require("slopes within 0.2 of 2 and 5", distance <= 0.2, distance)


def check_itself():
    random = numpy.random.default_rng(1)
    x = with_ones(random.uniform(0, 10, (100, 2)))
    y = x @ [1.5, 2, 5] + random.normal(0, 0.5, 100)
    losses, path, theta = batch(x, y)
    compare("first loss", losses[0], numpy.sum((y - 3 * x.sum(axis=1)) ** 2), 1e-12)
    require("loss falls", losses[-1] < losses[0] / 100, losses[-1])
    check_result(x, y, theta, False)
    check_result(x, y, stochastic(x, y, passes=300)[2], True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", nargs="?")
    parser.add_argument("data", nargs="?")
    parser.add_argument("--stochastic", action="store_true")
    parser.add_argument("--tolerance", type=float, default=1e-10)
    arguments = parser.parse_args()
    if not arguments.log:
        check_itself()
        return
    data, log = read_arrays(arguments.data), read_log(arguments.log)
    x, y = with_ones(data["x"]), data["y"].reshape(-1)
    run = stochastic if arguments.stochastic else batch
    losses, path, theta = run(x, y)
    compare("loss", log["loss"], losses, arguments.tolerance)
    compare("theta", log["theta"].reshape(len(path), -1), path, arguments.tolerance)
    check_result(x, y, theta, arguments.stochastic)


if __name__ == "__main__":
    main()
