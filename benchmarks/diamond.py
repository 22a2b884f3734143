"""The diamond classifier: 500 points, 3 -> 4 -> 1, sigmoid, 20,000 steps of gradient descent.

Accuracy and the log of the squared error are recorded at each step.
"""
import ctypes

import numpy

import peers

TITLE = "diamond classifier, 500 x 3 -> 4 -> 1, 20,000 steps"
STEPS = 20000
RATE = 1e-3
CASES = ("float32", "float64")
# Rounding differs between the peers and grows over the steps.
TOLERANCE = {"float32": 5e-3, "float64": 1e-8}


def start(dtype):
    """The points, their classes, and the first weights."""
    random = numpy.random.default_rng(1)
    points = random.uniform(-1, 1, (500, 2))
    y = (numpy.abs(points).sum(axis=1, keepdims=True) < 1).astype(dtype)
    x = numpy.column_stack([numpy.ones(500), points]).astype(dtype)
    w1, w2 = random.uniform(-1, 1, (3, 4)), random.uniform(-1, 1, (4, 1))
    return x, y, w1.astype(dtype), w2.astype(dtype)


def prepare_numpy(dtype, threads):
    x, y, first_w1, first_w2 = start(dtype)

    def sigmoid(z):
        return 1 / (1 + numpy.exp(-z))

    def run():
        w1, w2 = first_w1, first_w2
        accuracy, log_loss = numpy.empty(STEPS, dtype), numpy.empty(STEPS, dtype)
        for step in range(STEPS):
            hidden = sigmoid(x @ w1)
            d_output = sigmoid(hidden @ w2) - y
            accuracy[step] = numpy.mean(numpy.abs(d_output) < 0.5)
            log_loss[step] = numpy.log(numpy.sum(d_output * d_output))
            d_hidden = d_output * w2.T * hidden * (1 - hidden)
            w1, w2 = w1 - RATE * (x.T @ d_hidden), w2 - RATE * (hidden.T @ d_output)
        return {"accuracy": accuracy, "log_loss": log_loss}

    return peers.Peer(run)


def prepare_jax(dtype, threads):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    x, y, first_w1, first_w2 = map(jnp.asarray, start(dtype))

    def predict(weights):
        return jax.nn.sigmoid(jax.nn.sigmoid(x @ weights[0]) @ weights[1])

    def loss(weights):
        scores = jax.nn.sigmoid(x @ weights[0]) @ weights[1]
        prediction = jax.nn.sigmoid(scores)
        entropy = jnp.sum(jnp.logaddexp(0, scores) - y * scores)
        return entropy, prediction

    def step(weights, _):
        (_, prediction), gradient = jax.value_and_grad(loss, has_aux=True)(weights)
        error = prediction - y
        record = jnp.mean(jnp.abs(error) < 0.5, dtype=x.dtype), jnp.log(jnp.sum(error * error))
        return tuple(w - RATE * g for w, g in zip(weights, gradient)), record

    def steps(weights):
        return jax.lax.scan(step, weights, None, length=STEPS)

    with peers.compiling():
        train = jax.jit(steps).lower((first_w1, first_w2)).compile()

    def run():
        _, (accuracy, log_loss) = jax.block_until_ready(train((first_w1, first_w2)))
        return {"accuracy": numpy.asarray(accuracy), "log_loss": numpy.asarray(log_loss)}

    return peers.Peer(run)


def prepare_c(dtype, threads):
    train = peers.compile_c("diamond", dtype).train
    x, y, first_w1, first_w2 = start(dtype)

    def run():
        w1, w2 = first_w1.copy(), first_w2.copy()
        accuracy, log_loss = numpy.empty(STEPS, dtype), numpy.empty(STEPS, dtype)
        arrays = map(peers.pointer, (x, y, w1, w2))
        records = map(peers.pointer, (accuracy, log_loss))
        train(ctypes.c_long(len(x)), *arrays, peers.real(RATE, dtype), ctypes.c_long(STEPS), *records)
        return {"accuracy": accuracy, "log_loss": log_loss}

    return peers.Peer(run)


def prepare_nnc(dtype, threads):
    entry = peers.compile_nnc(peers.program("diamond", dtype), "steps", "diamond_steps", threads)
    x, y, first_w1, first_w2 = map(peers.aligned, start(dtype))
    records = {name: peers.aligned(numpy.empty(STEPS, dtype)) for name in ("accuracy", "log_loss")}
    w1, w2 = peers.aligned(first_w1), peers.aligned(first_w2)
    others = {"key": peers.aligned([0, 0]), "loss": peers.aligned(numpy.empty(STEPS, dtype))}
    arrays = {"x": x, "inside": y, "w1": w1, "w2": w2, **records, **others}
    call = entry.bind(arrays, {"N": len(x), "num_steps": STEPS})

    def run():
        w1[...], w2[...] = first_w1, first_w2
        call()
        return records

    return peers.Peer(run, size=entry.size)


PEERS = {"nnc": prepare_nnc, "NumPy": prepare_numpy, "JAX": prepare_jax, "C": prepare_c}
