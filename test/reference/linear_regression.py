"""Linear regression by gradient descent, as examples/linear-regression.nn does it.

    linear_regression.py HISTORY DATA [--stochastic] [--tolerance 1e-10]

HISTORY holds `squared_error` and `path`, the parameters, before the update of each step; a step of
--stochastic is one observation. DATA holds `x` [N, 3], its first column ones, and `y` [N]. Without
arguments it checks itself on data of its own.
"""
import argparse

import numpy

from reference import compare, read_arrays, read_history, require

RATE = 1e-3
STEPS = 2000
START = numpy.array([3.0, 3.0, 3.0])


def train(x, y, steps, batch):
    """The squared errors and parameters at each of `steps` steps, and the final parameters."""
    theta = START
    errors, path = numpy.empty(steps), numpy.empty((steps, theta.size))
    for step in range(steps):
        first = step * batch % len(x)
        rows, targets = x[first : first + batch], y[first : first + batch]
        error = targets - rows @ theta
        errors[step], path[step] = numpy.sum(error**2), theta
        theta = theta + RATE * numpy.mean(error[:, None] * rows, axis=0)
    return errors, path, theta


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
    x = numpy.column_stack([numpy.ones(100), random.uniform(0, 10, (100, 2))])
    y = x @ [1.5, 2, 5] + random.normal(0, 0.5, 100)
    errors, _, theta = train(x, y, STEPS, len(x))
    compare("first squared error", errors[0], numpy.sum((y - 3 * x.sum(axis=1)) ** 2), 1e-12)
    require("squared error falls", errors[-1] < errors[0] / 100, errors[-1])
    check_result(x, y, theta, False)
    check_result(x, y, train(x, y, 300 * len(x), 1)[2], True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("history", nargs="?")
    parser.add_argument("data", nargs="?")
    parser.add_argument("--stochastic", action="store_true")
    parser.add_argument("--tolerance", type=float, default=1e-10)
    arguments = parser.parse_args()
    if not arguments.history:
        check_itself()
        return
    data, history = read_arrays(arguments.data), read_history(arguments.history)
    x, y = data["x"], data["y"]
    steps, batch = (STEPS * len(x), 1) if arguments.stochastic else (STEPS, len(x))
    errors, path, theta = train(x, y, steps, batch)
    compare("squared_error", history["squared_error"], errors, arguments.tolerance)
    compare("path", history["path"], path, arguments.tolerance)
    check_result(x, y, theta, arguments.stochastic)


if __name__ == "__main__":
    main()
