"""LeNet on 28 x 28 images: 20 steps of Adam on one batch of 64, the loss recorded at each.

PyTorch and JAX as their own MNIST examples write it: modules and an optimizer, a jitted step.
"""
import numpy

import peers

TITLE = "LeNet training step, batch 64, 20 steps"
STEPS, BATCH, RATE = 20, 64, 1e-3
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
TOLERANCE = {"float32": 1e-3}

# By nnc's names: convolutions [filters, channels, kernel, kernel], dense layers [inputs, units].
SHAPES = {
    "conv1.w": (6, 1, 5, 5),
    "conv1.b": (6,),
    "conv2.w": (16, 6, 5, 5),
    "conv2.b": (16,),
    "fc1.w": (400, 120),
    "fc1.b": (120,),
    "fc2.w": (120, 84),
    "fc2.b": (84,),
    "fc3.w": (84, 10),
    "fc3.b": (10,),
}


def start(dtype):
    """The batch, its labels, and the first parameters, scaled by the number of inputs."""
    random = numpy.random.default_rng(1)
    image = random.normal(size=(BATCH, 1, 28, 28)).astype(dtype)
    label = random.integers(0, 10, BATCH)
    parameters = {}
    for name, shape in SHAPES.items():
        inputs = numpy.prod(shape[1:]) if name.startswith("conv") else shape[0]
        bound = 1 / numpy.sqrt(inputs)
        parameters[name] = random.uniform(-bound, bound, shape).astype(dtype)
    return image, label, parameters


def prepare_torch(dtype, threads=1):
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    image, label, parameters = start(dtype)
    image, label = torch.from_numpy(image), torch.from_numpy(label)
    convolutions = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
    dense = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)
    pool = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))
    net = nn.Sequential(convolutions[0], pool, convolutions[1], pool, nn.Flatten(), dense[0],
                        nn.ReLU(), dense[1], nn.ReLU(), dense[2])
    named = dict(zip(("conv1", "conv2", "fc1", "fc2", "fc3"), (*convolutions, *dense)))
    criterion = nn.CrossEntropyLoss()

    def run():
        with torch.no_grad():
            for name, module in named.items():
                weight = torch.from_numpy(parameters[f"{name}.w"])
                module.weight.copy_(weight if name.startswith("conv") else weight.T)
                module.bias.copy_(torch.from_numpy(parameters[f"{name}.b"]))
        optimizer = torch.optim.Adam(net.parameters(), RATE, (BETA1, BETA2), EPSILON)
        losses = numpy.empty(STEPS, dtype)
        for step in range(STEPS):
            optimizer.zero_grad()
            loss = criterion(net(image), label)
            loss.backward()
            optimizer.step()
            losses[step] = loss.item()
        return {"loss": losses}

    return run


def prepare_jax(dtype):
    import jax
    import jax.numpy as jnp
    from jax import lax
    from jax.example_libraries import optimizers

    image, label, parameters = start(dtype)
    image, label = jnp.asarray(image), jnp.asarray(label)
    parameters = jax.tree.map(jnp.asarray, parameters)

    def convolution(x, p, name, padding):
        y = lax.conv_general_dilated(x, p[f"{name}.w"], (1, 1), [(padding, padding)] * 2)
        return y + p[f"{name}.b"][:, None, None]

    def pool(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def loss_of(p):
        x = pool(jax.nn.relu(convolution(image, p, "conv1", 2)))
        x = pool(jax.nn.relu(convolution(x, p, "conv2", 0))).reshape(BATCH, -1)
        x = jax.nn.relu(x @ p["fc1.w"] + p["fc1.b"])
        x = jax.nn.relu(x @ p["fc2.w"] + p["fc2.b"])
        logits = x @ p["fc3.w"] + p["fc3.b"]
        return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(BATCH), label])

    initialize, update, parameters_of = optimizers.adam(RATE, BETA1, BETA2, EPSILON)

    @jax.jit
    def step(count, state):
        loss, gradient = jax.value_and_grad(loss_of)(parameters_of(state))
        return update(count, gradient, state), loss

    def run():
        state = initialize(parameters)
        losses = []
        for count in range(STEPS):
            state, loss = step(count, state)
            losses.append(float(loss))
        return {"loss": numpy.array(losses, dtype)}

    return run


def prepare_nnc(dtype):
    entry = peers.compile_nnc("lenet", "lenet_steps", dtype)
    image, label, parameters = start(dtype)
    first = {name.replace(".", "_"): value for name, value in parameters.items()}
    for name, count in entry.state_sizes.items():
        first.setdefault(name, numpy.zeros(count, dtype))
    state = {name: peers.aligned(value) for name, value in first.items()}
    arrays = {"image": peers.aligned(image), "label": peers.aligned(label),
              "loss": peers.aligned(numpy.empty(STEPS, dtype)), **state}
    call = entry.bind(arrays, {"N": BATCH, "num_steps": STEPS})

    def run():
        for name, value in first.items():
            state[name][...] = value
        call()
        return {"loss": arrays["loss"]}

    return run


PEERS = {"nnc": prepare_nnc, "PyTorch": prepare_torch, "JAX": prepare_jax}
