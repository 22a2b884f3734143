"""Trains a net in PyTorch as an example does, from the same parameters and batches, and compares losses:
torch_curve.py resnet20|vit PARAMETERS.safetensors LOG.jsonl DATA_FOLDER BATCH TOLERANCE.

The batches are the rows of the files in order, as with neither `shuffle` nor augmentation; the dtype is
that of the parameters. The difference of each step's losses must be within TOLERANCE times the loss.
"""
import json
import math
import pathlib
import sys

import numpy
import torch
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "reference"))
from reference import read_safetensors

torch.set_num_threads(1)


def read_parameters(path):
    """The tensors of a safetensors file that are parameters: no states of layers or optimizers."""
    found = {name: torch.from_numpy(array.copy()) for name, array in read_safetensors(path).items()
             if array.dtype.kind == "f"}
    states = "running_mean", "running_variance", "velocity", "m", "v", "steps"
    return {n: t.requires_grad_() for n, t in found.items() if n.split(".")[-1] not in states}


def read_batches(folder, batch, steps, dtype):
    """The first batches of an epoch, and from its beginning again; channels standardized over all rows."""
    content = b"".join((pathlib.Path(folder) / f"data_batch_{part}.bin").read_bytes()
                       for part in range(1, 6))
    records = numpy.frombuffer(content, numpy.uint8).reshape(-1, 3073)
    image = records[:, 1:].reshape(-1, 3, 32, 32) / 255
    mean, deviation = (f(image, axis=(0, 2, 3), keepdims=True) for f in (numpy.mean, numpy.std))
    image = torch.from_numpy((image - mean) / deviation).to(dtype)
    label = torch.from_numpy(records[:, 0].astype(numpy.int64))
    starts = range(0, len(label), batch)
    for step in range(steps):
        rows = slice(starts[step % len(starts)], starts[step % len(starts)] + batch)
        yield image[rows], label[rows]


def dense(p, name, x):
    return x @ p[f"{name}.w"] + p[f"{name}.b"]


def filtered(p, name, x, stride=1):
    y = F.conv2d(x, p[f"{name}.w"], stride=stride, padding=1)
    return F.batch_norm(y, None, None, p[f"{name}.norm.scale"], p[f"{name}.norm.shift"], training=True)


def resnet20(p, x):
    x = F.relu(filtered(p, "first", x))
    for stage in ("large", "middle", "small"):
        for block in "abc":
            name = f"{stage}.{block}"
            if f"{name}.first.w" not in p:
                continue
            stride = 2 if block == "a" and stage != "large" else 1
            found = filtered(p, f"{name}.second", F.relu(filtered(p, f"{name}.first", x, stride)))
            kept = x[:, :, ::stride, ::stride]
            x = F.relu(found + F.pad(kept, (0, 0, 0, 0, 0, found.shape[1] - x.shape[1])))
    return dense(p, "output", x.mean(dim=(2, 3)))


def attention(p, name, x, heads=4):
    q, k, v = (dense(p, f"{name}.{part}", x).unflatten(2, (heads, -1)).transpose(1, 2)
               for part in ("query", "key", "value"))
    mixed = F.scaled_dot_product_attention(q, k, v)
    return dense(p, f"{name}.output", mixed.transpose(1, 2).flatten(2))


def vit(p, x):
    def norm(name, x):
        return F.layer_norm(x, x.shape[-1:], p[f"{name}.scale"], p[f"{name}.shift"])

    patches = F.unfold(x, 4, stride=4).transpose(1, 2)
    words = dense(p, "embed", patches)
    x = torch.cat([p["answer"].expand(len(x), -1, -1), words], dim=1) + p["place"]
    for name in (f"block{index}" for index in range(1, 5)):
        if f"{name}.norm1.scale" in p:
            x = x + attention(p, f"{name}.attention", norm(f"{name}.norm1", x))
            x = x + dense(p, f"{name}.narrow", F.gelu(dense(p, f"{name}.widen", norm(f"{name}.norm2", x))))
    return dense(p, "output", norm("norm", x[:, 0]))


def one_cycle(step, count, rise=0.3, start=25):
    """The part that rises."""
    return 1 + (1 / start - 1) * 0.5 * (1 + math.cos(math.pi * step / (rise * count - 1)))


# The net, its optimizer, and the factor of the learning rate at each step.
NETS = {
    "resnet20": (resnet20, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-4),
                 lambda step: one_cycle(step, 15640)),
    "vit": (vit, lambda p: torch.optim.AdamW(p, 1e-3, weight_decay=0.05),
            lambda step: (step + 1) / 500 * 0.5 * (1 + math.cos(math.pi * step / 39100))),
}


def main():
    name, parameters, log, folder, batch, tolerance = sys.argv[1:]
    net, make, factor = NETS[name]
    p = read_parameters(parameters)
    lines = (json.loads(line) for line in pathlib.Path(log).read_text().splitlines())
    losses = [line["loss"] for line in lines if "loss" in line]
    optimizer = make(list(p.values()))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    worst = 0
    batches = read_batches(folder, int(batch), len(losses), next(iter(p.values())).dtype)
    for found, (image, label) in zip(losses, batches):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(p, image), label)
        loss.backward()
        optimizer.step()
        schedule.step()
        worst = max(worst, abs(found - loss.item()) / loss.item())
    print(f"{len(losses)} steps, loss {losses[0]:.6g} to {losses[-1]:.6g}, "
          f"largest difference {worst:.1e}")
    if not losses or not worst <= float(tolerance):
        sys.exit(f"expected differences of at most {tolerance}")


main()
