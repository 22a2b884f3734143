"""The functions of the prelude in PyTorch.

A line of the table: an expression of `.nn`, its inputs as the examples of ops write them (with symbols
for sizes), and the same in PyTorch. The first function that the expression calls is what it covers.
"""
import math
import re

import torch
from torch.nn import functional as F

from cases import Case, Input

WITHOUT_COUNTERPART = {
    "uniform_like": "random numbers, see uniform", "normal_like": "random numbers, see normal",
    "dropout": "random in training, else the identity; see drop_elements",
    "drop_elements": "random: test/Syntax/prelude.nn tests how many elements it keeps",
    "glorot_uniform": "random: test/Syntax/prelude.nn tests their spread",
    "glorot_normal": "as glorot_uniform", "he_uniform": "as glorot_uniform",
    "he_normal": "as glorot_uniform", "lecun_uniform": "as glorot_uniform",
    "lecun_normal": "as glorot_uniform",
}

X = "x: f64[N, M]"
WIDE = "x: f64[N, M] in -9..9"
PAIR = "prediction: f64[N, M], truth: f64[N, M]"
LOGITS = "logits: f64[N, 5] in -6..6, label: i64[N] in 0..4"
SCORES = "p: f64[N] in 0.01..0.99, truth: f64[N] in 0..1"


def over(function):
    return lambda x: function(x, dim=1)


# (expression, inputs, PyTorch), and where PyTorch is not exact either, the bound that f64 meets.
FUNCTIONS = [
    # Creation
    ("zeros([3, 2], f64)", "", lambda: torch.zeros(3, 2, dtype=torch.float64)),
    ("ones([3, 2], f64)", "", lambda: torch.ones(3, 2, dtype=torch.float64)),
    ("empty([3, 2], f64)", "", lambda: torch.zeros(3, 2, dtype=torch.float64)),
    ("eye(4, f64)", "", lambda: torch.eye(4, dtype=torch.float64)),
    ("arange(7)", "", lambda: torch.arange(7)),
    ("linspace(-1, 2, 7, f64)", "", lambda: torch.linspace(-1, 2, 7, dtype=torch.float64)),
    ("full_like(x, 2.5)", X, lambda x: torch.full_like(x, 2.5)),
    ("zeros_like(x)", X, torch.zeros_like), ("ones_like(x)", X, torch.ones_like),
    ("empty_like(x)", X, torch.zeros_like),
    # Shapes and statistics
    ("flatten(x)", "x: f64[N, 3, 4]", lambda x: x.flatten(1)),
    ("clip(x, -0.5, 0.25)", X, lambda x: x.clamp(-0.5, 0.25)),
    ("variance(x)", X, lambda x: x.var(correction=0)),
    ("variance(x, axis = 1, keepdims = true)", X, lambda x: x.var(1, correction=0, keepdim=True)),
    ("std(x, axis = 0)", "x: f64[5, M]", lambda x: x.std(0, correction=0)),
    ("norm(x)", "x: f64[3, 4]", torch.linalg.vector_norm),
    ("norm(x, axis = 1)", "x: f64[N, 4]", lambda x: torch.linalg.vector_norm(x, dim=1)),
    # Activations
    ("leaky_relu(x)", WIDE, F.leaky_relu),
    ("leaky_relu(x, slope = 0.2)", WIDE, lambda x: F.leaky_relu(x, 0.2)),
    ("relu6(x)", WIDE, F.relu6), ("elu(x)", WIDE, F.elu),
    ("elu(x, alpha = 0.5)", WIDE, lambda x: F.elu(x, 0.5)),
    ("selu(x)", WIDE, F.selu), ("gelu(x)", WIDE, F.gelu), ("silu(x)", WIDE, F.silu),
    ("mish(x)", WIDE, F.mish), ("softsign(x)", WIDE, F.softsign),
    # PyTorch's own derivative is 1/6 rounded to f32.
    ("hard_sigmoid(x)", WIDE, lambda x: (x / 6 + 0.5).clamp(0, 1)), ("hard_tanh(x)", WIDE, F.hardtanh),
    ("hard_silu(x)", WIDE, F.hardswish),
    # Losses
    ("mse(prediction, truth)", PAIR, F.mse_loss), ("mae(prediction, truth)", PAIR, F.l1_loss),
    ("huber(3 * prediction, truth)", PAIR, lambda p, t: F.huber_loss(3 * p, t)),
    ("huber(prediction, truth, delta = 0.3)", PAIR, lambda p, t: F.huber_loss(p, t, delta=0.3)),
    ("binary_cross_entropy(p, truth)", SCORES, F.binary_cross_entropy),
    ("binary_cross_entropy_with_logits(9 * p - 5, truth)", SCORES,
     lambda p, t: F.binary_cross_entropy_with_logits(9 * p - 5, t)),
    ("cross_entropy(logits, label)", LOGITS, F.cross_entropy),
    ("soft_cross_entropy(logits, softmax(t))", "logits: f64[N, M] in -6..6, t: f64[N, M]",
     lambda x, t: F.cross_entropy(x, t.softmax(1))),
    ("nll(log_softmax(logits), label)", LOGITS, lambda x, l: F.nll_loss(x.log_softmax(1), l)),
    # Metrics
    ("accuracy(logits, label)", LOGITS, lambda x, l: (x.argmax(1) == l).double().mean()),
    ("binary_accuracy(p, round(truth))", SCORES,
     lambda p, t: ((p > 0.5) == (t.round() > 0.5)).double().mean()),
    ("r_squared(prediction, truth)", PAIR,
     lambda p, t: 1 - ((p - t) ** 2).sum() / ((t - t.mean()) ** 2).sum()),
]
WITHOUT_GRADIENT = {"accuracy", "binary_accuracy"}

INPUT = re.compile(r"(\w+): (\w+)(?:\[([^\]]*)\])?(?: in (\S+)\.\.(\S+))?(?:, |$)")


def parse_inputs(text):
    for name, dtype, dims, low, high in INPUT.findall(text):
        sizes = [int(d) if d.isdigit() else d for d in dims.split(", ")] if dims else []
        number = float if dtype.startswith("f") else int
        yield Input(name, dtype, sizes, number(low) if low else None, number(high) if high else None)


def covered(expression):
    return re.search(r"(\w+)\(", expression)[1]


def compared():
    return {covered(expression) for expression, *_ in FUNCTIONS}


def function_cases():
    for expression, inputs, function, *bound in FUNCTIONS:
        name = covered(expression)
        for dtype in ("f64", "f32"):
            if dtype == "f32" and "f64" not in inputs:
                continue
            declared = list(parse_inputs(inputs.replace("f64", dtype)))
            yield Case(name, expression, declared, function, gradient=bool(declared)
                       and name not in WITHOUT_GRADIENT, bounds={"f64": bound[0]} if bound else {},
                       least=1)
