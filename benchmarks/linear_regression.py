"""Linear regression: 100 observations of 2 variables, 2,000 steps of batch gradient descent.

The loss and the three parameters are recorded at each step.
"""
import ctypes

import numpy

import peers

TITLE = "linear regression, 100 x 3, 2,000 steps"
STEPS = 2000
RATE = 1e-3
CASES = ("float32", "float64")
TOLERANCE = {"float32": 1e-3, "float64": 1e-10}


def start(dtype):
    """The observations with a column of ones, their values, and the first parameters."""
    random = numpy.random.default_rng(1)
    x = numpy.column_stack([numpy.ones(100), random.uniform(0, 10, (100, 2))])
    y = x @ [1.5, 2, 5] + random.normal(0, 0.5, 100)
    return x.astype(dtype), y.astype(dtype), numpy.full(3, 3, dtype)


def prepare_numpy(dtype, threads):
    x, y, first = start(dtype)

    def run():
        theta = first
        losses, path = numpy.empty(STEPS, dtype), numpy.empty((STEPS, 3), dtype)
        for step in range(STEPS):
            error = y - x @ theta
            losses[step], path[step] = error @ error, theta
            theta = theta + RATE * (error @ x) / len(x)
        return {"loss": losses, "path": path}

    return peers.Peer(run)


def prepare_jax(dtype, threads):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    x, y, first = map(jnp.asarray, start(dtype))

    def step(theta, _):
        error = y - x @ theta
        return theta + RATE * (error @ x) / len(x), (error @ error, theta)

    with peers.compiling():
        train = jax.jit(lambda theta: jax.lax.scan(step, theta, None, length=STEPS)).lower(first).compile()

    def run():
        _, (losses, path) = jax.block_until_ready(train(first))
        return {"loss": numpy.asarray(losses), "path": numpy.asarray(path)}

    return peers.Peer(run)


def prepare_c(dtype, threads):
    train = peers.compile_c("linear_regression", dtype).train
    x, y, first = start(dtype)

    def run():
        theta = first.copy()
        losses, path = numpy.empty(STEPS, dtype), numpy.empty((STEPS, 3), dtype)
        arrays = map(peers.pointer, (x, y, theta))
        records = map(peers.pointer, (losses, path))
        train(ctypes.c_long(len(x)), *arrays, peers.real(RATE, dtype), ctypes.c_long(STEPS), *records)
        return {"loss": losses, "path": path}

    return peers.Peer(run)


def prepare_nnc(dtype, threads):
    entry = peers.compile_nnc(peers.program("linear-regression", dtype), "steps", "line_steps", threads)
    x, y, first = map(peers.aligned, start(dtype))
    theta, losses = peers.aligned(first), peers.aligned(numpy.empty(STEPS, dtype))
    path = peers.aligned(numpy.empty((STEPS, 3), dtype))
    others = {"key": peers.aligned([0, 0]), "loss": peers.aligned(numpy.empty(STEPS, dtype))}
    arrays = {"x": x, "y": y, "theta": theta, "squared_error": losses, "path": path, **others}
    call = entry.bind(arrays, {"N": len(x), "num_steps": STEPS})

    def run():
        theta[...] = first
        call()
        return {"loss": losses, "path": path}

    return peers.Peer(run, size=entry.size)


PEERS = {"nnc": prepare_nnc, "NumPy": prepare_numpy, "JAX": prepare_jax, "C": prepare_c}
