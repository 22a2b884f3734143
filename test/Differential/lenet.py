"""LeNet's training beside PyTorch's, step by step for 100 steps.

usage: lenet.py examples/mnist.nn FOLDER

The model of mnist.nn is trained with Adam from parameters drawn here, on 6400 images in batches of 64:
of MNIST where NNC_MNIST_DIR says where it is, else the digits that ship, enlarged. Exits 1 if PyTorch
computes anything else:

f64: `nnc train` and PyTorch each make their 100 steps. The losses of all steps and the parameters at the
end agree to CURVE.

f32: from each of the 100 points that nnc comes through, parameters and moments, PyTorch makes the same step
in f64. Loss and moments of each step agree to LOSS and MOMENT, what is added to the parameters to UPDATE,
relative to the norm of a tensor. Whole curves in f32 say less than this: where a unit wakes up in rounding,
Adam divides its first gradient, however small, by its own size, and makes a step of full length of it.
PyTorch's own curve in f32 is up to 11 % away from its curve in f64, or not, by the order of the rows in
its batches; where that happens no bound of rounding holds, neither for PyTorch nor for nnc.
"""
import gzip
import math
import os
import pathlib
import re
import subprocess
import sys

import numpy
import torch
from torch import nn

from compiled import Library

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "reference"))
from reference import read_safetensors

STEPS, BATCH = 100, 64
COUNT = STEPS * BATCH
CURVE, LOSS, MOMENT, UPDATE = 1e-9, 4e-6, 3e-5, 2e-3
RATE = 3e-3
LAYERS = {"conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (400, 120), "fc2": (120, 84),
          "fc3": (84, 10)}
PROGRAM = """
data rows = npz("rows.npz") | batch(64)

train lenet on rows(image, label) {
  loss      = cross_entropy(lenet(image), label)
  optimizer = adam(lr = 3e-3)
  epochs    = 1
}
"""


def read_idx(path):
    with gzip.open(path) as file:
        bytes_ = file.read()
    rank = bytes_[3]
    shape = [int.from_bytes(bytes_[4 + 4 * i:8 + 4 * i], "big") for i in range(rank)]
    return numpy.frombuffer(bytes_, numpy.uint8, offset=4 + 4 * rank).reshape(shape)


def read_images(root):
    """Images of 28 x 28 with values in 0..1, and labels."""
    folder = os.environ.get("NNC_MNIST_DIR")
    if folder:
        image, label = (read_idx(f"{folder}/train-{name}-ubyte.gz")[:COUNT]
                        for name in ("images-idx3", "labels-idx1"))
        return image / 255, label.astype(numpy.int64)
    table = numpy.loadtxt(root / "data/digits.csv.gz", delimiter=",")
    small = table[:, :64].reshape(-1, 8, 8) / 16
    image = numpy.pad(small.repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    rows = numpy.arange(COUNT) % len(table)
    return image[rows], table[rows, 64].astype(numpy.int64)


def first_parameters(dtype):
    """By nnc's names: convolutions [filters, channels, kernel, kernel], dense layers [inputs, units]."""
    random, parameters = numpy.random.default_rng(1), {}
    for name, shape in LAYERS.items():
        isConvolution = len(shape) == 4
        bound = numpy.prod(shape[1:] if isConvolution else shape[:1]) ** -0.5
        parameters[f"{name}.w"] = random.uniform(-bound, bound, shape).astype(dtype)
        parameters[f"{name}.b"] = random.uniform(
            -bound, bound, shape[0 if isConvolution else 1]).astype(dtype)
    return parameters


def with_states(first):
    """The parameters, and the states that Adam begins with."""
    states = {f"{name}.{state}": numpy.zeros_like(value)
              for name, value in first.items() for state in ("m", "v")}
    steps = {f"{name}.steps": numpy.zeros([], value.dtype) for name, value in first.items()}
    return {**first, **states, **steps}


def write_safetensors(path, arrays):
    names = {numpy.dtype("float32"): "F32", numpy.dtype("float64"): "F64"}
    entries, begin = [], 0
    for name, array in arrays.items():
        end = begin + array.nbytes
        entries.append(f'"{name}":{{"dtype":"{names[array.dtype]}","shape":{list(array.shape)},'
                       f'"data_offsets":[{begin},{end}]}}')
        begin = end
    header = ("{" + ",".join(entries) + "}").encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header
                     + b"".join(array.tobytes() for array in arrays.values()))


def write_program(example, folder, dtype, image, label):
    """The text of a training of the example's model, beside its data."""
    model = re.search(r"^model lenet.*?^}", example.read_text(), re.DOTALL | re.MULTILINE)[0]
    text = (model + PROGRAM).replace("f32", dtype)
    (folder / "lenet.nn").write_text(text)
    numpy.savez(folder / "rows.npz", image=image, label=label)
    return text


def train_nnc(folder, first):
    """Losses and last parameters of `nnc train`."""
    write_safetensors(folder / "first.safetensors", with_states(first))
    subprocess.run(["nnc", "train", "lenet.nn", "--params", "first.safetensors", "--save",
                    "last.safetensors", "--history", "history.npz"],
                   cwd=folder, check=True, stdout=subprocess.DEVNULL)
    last = read_safetensors(folder / "last.safetensors")
    return numpy.load(folder / "history.npz")["loss"], {name: last[name] for name in first}


class Peer:
    """The same net and optimizer in PyTorch, in f64, with nnc's names and orders of axes."""

    def __init__(self):
        layers = (nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5), nn.Linear(400, 120),
                  nn.Linear(120, 84), nn.Linear(84, 10))
        conv1, conv2, fc1, fc2, fc3 = layers
        self.net = nn.Sequential(conv1, nn.ReLU(), nn.MaxPool2d(2), conv2, nn.ReLU(), nn.MaxPool2d(2),
                                 nn.Flatten(), fc1, nn.ReLU(), fc2, nn.ReLU(), fc3).double()
        self.parameters = {f"{name}.{kind}": tensor for name, layer in zip(LAYERS, layers)
                           for kind, tensor in (("w", layer.weight), ("b", layer.bias))}
        self.optimizer = torch.optim.Adam(self.net.parameters(), RATE)

    @staticmethod
    def turned(name, value):
        return value.T if re.match(r"fc\d\.w", name) else value

    def move_to(self, state):
        """Continues from parameters, and moments if they are there."""
        def tensor(name, key):
            return self.turned(name, torch.from_numpy(state[key]).double()).contiguous()

        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensor(name, name))
                if f"{name}.m" in state:
                    self.optimizer.state[parameter] = {
                        "step": torch.tensor(float(state[f"{name}.steps"])),
                        "exp_avg": tensor(name, f"{name}.m"), "exp_avg_sq": tensor(name, f"{name}.v")}

    def step(self, image, label):
        """The loss before it."""
        self.optimizer.zero_grad()
        logits = self.net(torch.from_numpy(image).double())
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(label))
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def state(self):
        state = {}
        for name, parameter in self.parameters.items():
            kept = self.optimizer.state[parameter]
            for key, value in ((name, parameter.detach()), (f"{name}.m", kept["exp_avg"]),
                               (f"{name}.v", kept["exp_avg_sq"])):
                state[key] = self.turned(name, value).numpy().copy()
        return state


def batches(image, label):
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        yield image[rows], label[rows]


def distance(found, expected):
    """Of two tensors, relative; 0 if both are 0."""
    def size(x):
        return math.sqrt(numpy.square(x, dtype=numpy.float64).sum())  # norm() would start BLAS's threads

    return size(found - expected) / max(size(expected), 1e-300)


def check(what, found, bound):
    worst = max(found) if not any(map(math.isnan, found)) else math.nan
    isRight = worst <= bound
    print(f"{what}: {len(found)} distances, the largest {worst:.1e}"
          + ("" if isRight else f": error: expected at most {bound:.0e}"))
    return isRight


def compare_curves(example, folder, image, label, first):
    write_program(example, folder, "f64", image, label)
    losses, last = train_nnc(folder, first)
    peer = Peer()
    peer.move_to(first)
    expected = [peer.step(*batch) for batch in batches(image, label)]
    print(f"loss {expected[0]:.3f} at first, {expected[-1]:.3f} at the end")
    state = peer.state()
    return [check("f64, losses", [distance(a, b) for a, b in zip(losses, expected, strict=True)], CURVE),
            check("f64, parameters", [distance(last[n], state[n]) for n in first], CURVE)]


def compare_steps(example, folder, image, label, first):
    text = write_program(example, folder, "f32", image, label)
    entry = Library(text, folder, "lenet", ["steps"]).entries["lenet_steps"]
    peer, state = Peer(), with_states(first)
    found = {"losses": [], "first moments": [], "second moments": [], "updates": []}
    for rows, labels in batches(image, label):
        before = {name: value.copy() for name, value in state.items()}
        peer.move_to(before)
        expected = peer.step(rows, labels)
        state = {**before, "image": rows, "label": labels}
        loss = entry.call(state, {"N": BATCH, "num_steps": 1})["loss"]
        found["losses"].append(distance(loss[0], expected))
        after = peer.state()
        for name in first:
            found["first moments"].append(distance(state[f"{name}.m"], after[f"{name}.m"]))
            found["second moments"].append(distance(state[f"{name}.v"], after[f"{name}.v"]))
            found["updates"].append(distance(state[name] - before[name], after[name] - before[name]))
        del state["image"], state["label"]
    bounds = {"losses": LOSS, "first moments": MOMENT, "second moments": MOMENT, "updates": UPDATE}
    return [check(f"f32, {what}", found[what], bound) for what, bound in bounds.items()]


def main():
    example, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    images, label = read_images(example.parent)
    image = ((images - 0.1307) / 0.3081)[:, None]
    isRight = compare_curves(example, folder, image, label, first_parameters(numpy.float64))
    isRight += compare_steps(example, folder, image.astype(numpy.float32), label,
                             first_parameters(numpy.float32))
    return 0 if all(isRight) else 1


if __name__ == "__main__":
    sys.exit(main())
