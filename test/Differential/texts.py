"""The nets that write, char-lstm.nn and gpt.nn, beside PyTorch's for 20 steps of their training.

usage: texts.py EXAMPLES FOLDER

The programs are trained as they are, but with batches in the order of the text, from parameters drawn
here. PyTorch reads the same bytes by itself and has the same optimizer, schedule and clipping. Exits 1
if the losses of all steps or the parameters at the end differ by more than CURVE[dtype], relative to the
norm of a tensor.
"""
import gzip
import math
import pathlib
import re
import subprocess
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

from lenet import check, distance, read_safetensors, with_states, write_safetensors

STEPS, BATCH, WINDOW = 20, 16, 64
# Biases of keys have no gradient but rounding, of which Adam makes steps: hence the last bound.
CURVE = {"f64": {"losses": 1e-12, "parameters": 1e-10}, "f32": {"losses": 2e-5, "parameters": 5e-3}}
NUMPY = {"f64": numpy.float64, "f32": numpy.float32}
# In the prelude's own the table is f32.
EMBEDDING = """
layer embedding(index: i64[...], count: int, size: int) {
  param table: f64[count, size] = normal(std = 0.05)
  return gather(table, index)
}
"""


def half_cosine(step, count):
    return 0.5 * (1 + math.cos(math.pi * min(step / count, 1)))


class Writer(nn.Module):
    """char-lstm.nn; the LSTM's two biases are one there."""
    shapes = {"letters.table": (128, 32), "memory.w": (32, 512), "memory.u": (128, 512),
              "memory.b": (512,), "output.w": (128, 128), "output.b": (128,)}

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.empty(128, 32))
        self.memory = nn.LSTM(32, 128, batch_first=True)
        self.output = nn.Linear(128, 128)
        self.memory.bias_hh_l0.requires_grad_(False).zero_()
        self.named = {"letters.table": self.table, "memory.w": self.memory.weight_ih_l0,
                      "memory.u": self.memory.weight_hh_l0, "memory.b": self.memory.bias_ih_l0,
                      "output.w": self.output.weight, "output.b": self.output.bias}

    def forward(self, text):
        return self.output(self.memory(functional.embedding(text, self.table))[0])

    def make_optimizer(self):
        return (torch.optim.Adam(self.named.values(), 1e-2),
                lambda step: half_cosine(step, 1050))


class Block(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.query, self.key, self.value, self.output = (nn.Linear(size, size) for _ in range(4))
        self.wide, self.narrow = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)

    def forward(self, x):
        a = self.norm1(x)
        q, k, v = (f(a).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for f in (self.query, self.key, self.value))
        found = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(found.transpose(1, 2).flatten(2))
        return x + self.narrow(functional.gelu(self.wide(self.norm2(x))))


class Gpt(nn.Module):
    """gpt.nn"""
    size, depth, heads, count = 64, 2, 4, 1750

    def __init__(self):
        super().__init__()
        self.bytes = nn.Parameter(torch.empty(128, self.size))
        self.places = nn.Parameter(torch.empty(WINDOW, self.size))
        self.blocks = nn.ModuleList(Block(self.size, self.heads) for _ in range(self.depth))
        self.norm = nn.LayerNorm(self.size)
        self.named = {"bytes": self.bytes, "places": self.places,
                      "norm.scale": self.norm.weight, "norm.shift": self.norm.bias}
        for number, block in enumerate(self.blocks, 1):
            for layer in ("norm1", "norm2"):
                self.named[f"block{number}.{layer}.scale"] = getattr(block, layer).weight
                self.named[f"block{number}.{layer}.shift"] = getattr(block, layer).bias
            for layer in ("query", "key", "value", "output", "wide", "narrow"):
                inner = "" if layer in ("wide", "narrow") else "attention."
                self.named[f"block{number}.{inner}{layer}.w"] = getattr(block, layer).weight
                self.named[f"block{number}.{inner}{layer}.b"] = getattr(block, layer).bias
        self.shapes = {name: tuple(turned(name, p).shape) for name, p in self.named.items()}

    def forward(self, text):
        x = functional.embedding(text, self.bytes) + self.places
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.bytes.T

    def make_optimizer(self):
        groups = [{"params": [p for n, p in self.named.items() if n.endswith(".w")],
                   "weight_decay": 0.1},
                  {"params": [p for n, p in self.named.items() if not n.endswith(".w")],
                   "weight_decay": 0}]
        return (torch.optim.AdamW(groups, 3e-3),
                lambda step: min((step + 1) / 50, 1) * half_cosine(step, self.count))


def turned(name, value):
    """Weights are [inputs, outputs] here, in PyTorch the other way round."""
    return value.T if re.search(r"\.[wu]$", name) else value


def draw(shapes, dtype):
    random = numpy.random.default_rng(1)
    return {name: (float(name.endswith("scale")) + 0.1 * random.standard_normal(shape)).astype(dtype)
            for name, shape in shapes.items()}


def train_nnc(example, folder, first, dtype):
    """Losses and last parameters of `nnc train`."""
    text = example.read_text().replace(" | shuffle()", "").replace("f32", dtype)
    # Neither validation nor tests: they have no part in the steps.
    text = re.sub(r"^  validation.*\n", "", text, flags=re.M)
    text = re.sub(r"^test .*?^}\n", "", text, flags=re.M | re.S)
    if dtype == "f64":
        text = text.replace("zeros([N, 128])", "zeros([N, 128], f64)") + EMBEDDING
    (folder / "writer.nn").write_text(text)
    write_safetensors(folder / "first.safetensors", with_states(first))
    subprocess.run(["nnc", "train", "writer.nn", "--steps", str(STEPS), "--params",
                    "first.safetensors", "--save", "last.safetensors", "--history", "history.npz"],
                   cwd=folder, check=True, stdout=subprocess.DEVNULL)
    last = read_safetensors(folder / "last.safetensors")
    return numpy.load(folder / "history.npz")["loss"], {name: last[name] for name in first}


def train_torch(peer, first, text):
    with torch.no_grad():
        for name, value in first.items():
            peer.named[name].copy_(turned(name, torch.from_numpy(value)))
    optimizer, factor = peer.make_optimizer()
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    losses = []
    for step in range(STEPS):
        places = WINDOW * numpy.arange(step * BATCH, (step + 1) * BATCH)[:, None]
        rows = torch.from_numpy(text[places + numpy.arange(WINDOW + 1)].astype(numpy.int64))
        optimizer.zero_grad()
        loss = functional.cross_entropy(peer(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(peer.named.values(), 1)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return numpy.array(losses), {name: turned(name, p.detach()).numpy()
                                 for name, p in peer.named.items()}


def main():
    examples, folder = map(pathlib.Path, sys.argv[1:])
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "data").exists():
        (folder / "data").symlink_to(examples.resolve() / "data")
    text = numpy.frombuffer(gzip.open(examples / "data/shakespeare.txt.gz").read(), numpy.uint8)
    ok = True
    for name, kind in (("char-lstm", Writer), ("gpt", Gpt)):
        for dtype in ("f64", "f32"):
            torch.set_default_dtype({"f64": torch.float64, "f32": torch.float32}[dtype])
            peer = kind()
            first = draw(peer.shapes, NUMPY[dtype])
            losses, last = train_nnc(examples / f"{name}.nn", folder, first, dtype)
            expected, expectedLast = train_torch(peer, first, text)
            print(f"{name}, {dtype}: loss {losses[0]:.4f} at first, {losses[-1]:.4f} at the end")
            ok &= check("losses", [abs(a - b) / b for a, b in zip(losses, expected)],
                        CURVE[dtype]["losses"])
            ok &= check("parameters", [distance(last[n], expectedLast[n]) for n in last],
                        CURVE[dtype]["parameters"])
    sys.exit(not ok)


if __name__ == "__main__":
    main()
