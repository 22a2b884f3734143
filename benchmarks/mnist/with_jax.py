"""Epochs of LeNet in JAX, as its own MNIST example is written: parameters in a tree, a jitted update
with an optimizer of jax.example_libraries, batches of a permuted NumPy array."""
import sys

import jax
import jax.numpy as jnp
import numpy
from jax import lax
from jax.example_libraries import optimizers

import idx

SHAPES = {"conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (400, 120), "fc2": (120, 84),
          "fc3": (84, 10)}


def first_parameters(random):
    parameters = {}
    for name, shape in SHAPES.items():
        convolves = name.startswith("conv")
        bound = 1 / numpy.sqrt(numpy.prod(shape[1:] if convolves else shape[:1]))
        units = shape[0] if convolves else shape[1]
        parameters[name] = tuple(jnp.asarray(random.uniform(-bound, bound, s), jnp.float32)
                                 for s in (shape, (units,)))
    return parameters


def convolution(x, layer, padding):
    w, b = layer
    return lax.conv_general_dilated(x, w, (1, 1), [(padding, padding)] * 2) + b[:, None, None]


def pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def predict(p, x):
    x = pool(jax.nn.relu(convolution(x, p["conv1"], 2)))
    x = pool(jax.nn.relu(convolution(x, p["conv2"], 0))).reshape(x.shape[0], -1)
    x = jax.nn.relu(x @ p["fc1"][0] + p["fc1"][1])
    x = jax.nn.relu(x @ p["fc2"][0] + p["fc2"][1])
    return x @ p["fc3"][0] + p["fc3"][1]


def loss_of(p, x, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(predict(p, x)), y[:, None], axis=1))


EPOCHS = int(sys.argv[1])
rate = optimizers.polynomial_decay(2e-3, 938 * EPOCHS, 0)
initialize, apply_gradient, parameters_of = optimizers.adam(rate)


@jax.jit
def update(count, state, x, y):
    gradient = jax.grad(loss_of)(parameters_of(state), x, y)
    return apply_gradient(count, gradient, state)


@jax.jit
def correct(p, x, y):
    return jnp.sum(jnp.argmax(predict(p, x), axis=1) == y)


def main():
    random = numpy.random.default_rng(1)
    state = initialize(first_parameters(random))
    images, labels = idx.load("train")
    count = 0
    for _ in range(EPOCHS):
        order = random.permutation(len(images))
        for start in range(0, len(images), 64):
            rows = order[start:start + 64]
            state = update(count, state, images[rows], labels[rows])
            count += 1
    images, labels = idx.load("t10k")
    p = parameters_of(state)
    right = sum(int(correct(p, images[i:i + 1000], labels[i:i + 1000]))
                for i in range(0, len(images), 1000))
    print(f"accuracy {right / len(images):.4f}")


if __name__ == "__main__":
    main()
