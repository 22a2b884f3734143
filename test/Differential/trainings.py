"""Optimizers, schedules and the other settings of a training against torch.optim.

Each row trains one small net for 20 steps in f64, here and in PyTorch, from the same parameters and data,
with the settings of a `train` on the left, and what they mean in PyTorch on the right. The losses of all
steps and the parameters at the end are compared. Lion, which torch.optim lacks, and Muon, whose
iteration torch rounds to bf16, are written down again below.
"""
import math
import re

import numpy
import torch
from torch import optim
from torch.optim import lr_scheduler

from cases import Case, Input

WITHOUT_COUNTERPART = {
    "accumulate_gradient": "the setting 'accumulate'",
    "average_parameter": "the setting 'average'",
}
STEPS = 20


class Lion(optim.Optimizer):
    def __init__(self, params, lr, beta1, beta2, weight_decay):
        super().__init__(params, {"lr": lr})
        self.rule = beta1, beta2, weight_decay

    @torch.no_grad()
    def step(self):
        beta1, beta2, weight_decay = self.rule
        for p in self.param_groups[0]["params"]:
            m = self.state[p].setdefault("m", torch.zeros_like(p))
            direction = (beta1 * m + (1 - beta1) * p.grad).sign()
            p.mul_(1 - self.param_groups[0]["lr"] * weight_decay)
            p.sub_(direction, alpha=self.param_groups[0]["lr"])
            m.lerp_(p.grad, 1 - beta2)


class Muon(optim.Optimizer):
    def __init__(self, params, lr, momentum=0.95, weight_decay=0.1):
        super().__init__(params, {"lr": lr})
        self.momentum, self.weight_decay = momentum, weight_decay

    @torch.no_grad()
    def step(self):
        for p in self.param_groups[0]["params"]:
            lr = self.param_groups[0]["lr"]
            m = self.state[p].setdefault("m", torch.zeros_like(p))
            m.lerp_(p.grad, 1 - self.momentum)
            x = p.grad.lerp(m, self.momentum)
            isTall = x.shape[0] > x.shape[1]
            x = x.T if isTall else x
            x = x / x.norm().clamp(min=1e-7)
            for _ in range(5):
                a = x @ x.T
                x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
            x = x.T if isTall else x
            p.mul_(1 - lr * self.weight_decay)
            p.sub_(x, alpha=lr * max(1, p.shape[0] / p.shape[1]) ** 0.5)


def scheduled(lr, factor):
    """SGD whose learning rate is `lr` times factor(step)."""
    def make(p):
        optimizer = optim.SGD(p.values(), lr=lr)
        return [optimizer], [lr_scheduler.LambdaLR(optimizer, factor)]
    return make


def following(lr, schedule):
    def make(p):
        optimizer = optim.SGD(p.values(), lr=lr)
        return [optimizer], [schedule(optimizer)]
    return make


def plain(kind, **options):
    return lambda p: ([kind(p.values(), **options)], [])


def grouped(*groups):
    """Optimizers for some of the parameters each: (names, kind, options)."""
    return lambda p: ([kind([p[name] for name in names], **options)
                       for names, kind, options in groups], [])


SGD = plain(optim.SGD, lr=0.3)
# Settings, what makes the optimizers and schedulers, and how PyTorch's loop differs.
TRAININGS = [
    ("sgd(lr = 0.3)", SGD),
    ("sgd(lr = 0.3, weight_decay = 0.1)", plain(optim.SGD, lr=0.3, weight_decay=0.1)),
    ("momentum(lr = 0.1, momentum = 0.8)", plain(optim.SGD, lr=0.1, momentum=0.8)),
    ("momentum(lr = 0.1, weight_decay = 0.1)",
     plain(optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.1)),
    ("nesterov(lr = 0.1, weight_decay = 0.1)",
     plain(optim.SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)),
    ("adagrad(lr = 0.1)", plain(optim.Adagrad, lr=0.1)),
    ("adagrad(lr = 0.1, weight_decay = 0.1)", plain(optim.Adagrad, lr=0.1, weight_decay=0.1)),
    ("rmsprop(lr = 0.03)", plain(optim.RMSprop, lr=0.03, alpha=0.9)),
    ("rmsprop(lr = 0.03, decay = 0.99, weight_decay = 0.1)",
     plain(optim.RMSprop, lr=0.03, weight_decay=0.1)),
    ("adam(lr = 0.03)", plain(optim.Adam, lr=0.03)),
    ("adam(lr = 0.03, beta1 = 0.8, beta2 = 0.9, epsilon = 1e-6, weight_decay = 0.1)",
     plain(optim.Adam, lr=0.03, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.1)),
    ("adamw(lr = 0.03)", plain(optim.AdamW, lr=0.03)),
    ("adamw(lr = 0.03, weight_decay = 0.2)", plain(optim.AdamW, lr=0.03, weight_decay=0.2)),
    ("lion(lr = 0.01, weight_decay = 0.1)",
     plain(Lion, lr=0.01, beta1=0.9, beta2=0.99, weight_decay=0.1)),
    ('muon(lr = 0.03, only = ["a.w"])\noptimizer = adam(lr = 0.03)',
     grouped((["a.w"], Muon, {"lr": 0.03}), (["a.b", "b.w"], optim.Adam, {"lr": 0.03}))),
    # Schedules
    ("sgd(lr = 0.3 * warmup(step, 8))", scheduled(0.3, lambda step: min((step + 1) / 8, 1))),
    ("sgd(lr = 0.3 * step_decay(step, 6, factor = 0.5))",
     following(0.3, lambda o: lr_scheduler.StepLR(o, 6, 0.5))),
    ("sgd(lr = 0.3 * exponential_decay(step, 0.9))",
     following(0.3, lambda o: lr_scheduler.ExponentialLR(o, 0.9))),
    ("sgd(lr = 0.3 * linear_decay(step, 12, low = 0.1))",
     following(0.3, lambda o: lr_scheduler.LinearLR(o, 1, 0.1, 12))),
    ("sgd(lr = 0.3 * cosine_decay(step, 30, low = 0.1))",
     following(0.3, lambda o: lr_scheduler.CosineAnnealingLR(o, 30, 0.03))),
    ("sgd(lr = 0.3 * one_cycle(step, 20))",
     following(0.3, lambda o: lr_scheduler.OneCycleLR(o, 0.3, 20, cycle_momentum=False))),
    ("sgd(lr = 0.3 * warmup(step, 5) * cosine_decay(step, 20))",
     scheduled(0.3, lambda s: min((s + 1) / 5, 1) * (1 + math.cos(math.pi * s / 20)) / 2)),
    # Gradients
    ("sgd(lr = 0.3)\nclip_norm = 0.2", SGD, {"clip_norm": 0.2}),
    ("sgd(lr = 0.3)\nclip_value = 0.05", SGD, {"clip_value": 0.05}),
    # Powers of two leave no trace in sums and products.
    ("momentum(lr = 0.1)\nclip_norm = 0.2\nloss_scale = dynamic_scale(start = 1024, every = 3)",
     plain(optim.SGD, lr=0.1, momentum=0.9), {"clip_norm": 0.2}),
    ("adam(lr = 0.03)\naccumulate = 4", plain(optim.Adam, lr=0.03), {"accumulate": 4}),
    ("momentum(lr = 0.1)\naccumulate = 3\nclip_norm = 0.2",
     plain(optim.SGD, lr=0.1, momentum=0.9), {"accumulate": 3, "clip_norm": 0.2}),
    # Groups, frozen layers, averages
    ("sgd(lr = 0.3)\noptimizer = adam(lr = 0.01, only = [NET.b])",
     grouped((["a.w", "a.b"], optim.SGD, {"lr": 0.3}), (["b.w"], optim.Adam, {"lr": 0.01}))),
    ('adamw(lr = 0.03, weight_decay = 0, only = ["*.b"])\noptimizer = adamw(lr = 0.03)',
     grouped((["a.b"], optim.AdamW, {"lr": 0.03, "weight_decay": 0}),
             (["a.w", "b.w"], optim.AdamW, {"lr": 0.03}))),
    ("sgd(lr = 0.3)\nfrozen = [NET.a.w, NET.b]",
     grouped((["a.b"], optim.SGD, {"lr": 0.3}))),
    ('sgd(lr = 0.3)\nfrozen = "a*"', grouped((["b.w"], optim.SGD, {"lr": 0.3}))),
    ("adam(lr = 0.03)\naverage = 0.9", plain(optim.Adam, lr=0.03), {"average": 0.9}),
]


class TrainingCase(Case):
    steps = STEPS

    def __init__(self, settings, make, loop=None):
        self.settings, self.make, self.loop = settings, make, loop or {}
        self.parameters = [Input("a.w", "f64", [4, 2]), Input("a.b", "f64", [2]),
                           Input("b.w", "f64", [2])]
        self.data = [Input("x", "f64", [12, 4]), Input("y", "f64", [12, 2])]
        super().__init__(re.match(r"\w+", settings)[0], settings, self.data + self.parameters, None)

    def kind(self):
        return "steps"

    def entry(self, name):
        return name + "_steps"

    def draw_sizes(self, random, largest):
        return {"N": 12}

    def source(self, name):
        settings = self.settings.replace("NET", name).replace("\n", "\n  ")
        return f"""
data {name}_data {{
  return zeros([12, 4], f64), zeros([12, 2], f64)
}}
model {name}(x: f64[N, 4]) -> f64[N, 2] {{
  return {name}_scale(tanh(dense(x, units = 2) as a)) as b
}}
layer {name}_scale(x: f64[N, 2]) {{
  param w: f64[2] = ones()
  return x * w
}}
train {name} on {name}_data(x, y) {{
  loss = mse({name}(x), y)
  optimizer = {settings}
}}
"""

    def given(self, inputs):
        """The states of optimizers are zero at first, averages the parameters, a scale of the loss what it says."""
        start = re.search(r"start = (\d+)", self.settings)
        return {name: array for name, array in inputs.items()} | {
            f"{p.name}.average": inputs[p.name] for p in self.parameters if "average" in self.loop
        } | ({"loss_scale.scale": numpy.array(start[1], numpy.float32)} if start else {})

    def found(self, results, inputs):
        names = ["average"] if "average" in self.loop else []
        return ({"loss": results["loss"]}
                | {p.name: inputs[p.name] for p in self.parameters}
                | {f"{p.name}.{n}": inputs[f"{p.name}.{n}"] for p in self.parameters for n in names})

    def expected(self, values):
        x, y, *parameters = values
        p = {i.name: v.requires_grad_() for i, v in zip(self.parameters, parameters)}
        average = {name: v.detach().clone() for name, v in p.items()}
        optimizers, schedulers = self.make(p)
        count, losses = self.loop.get("accumulate", 1), []
        for step in range(STEPS):
            loss = torch.nn.functional.mse_loss(
                torch.tanh(x @ p["a.w"] + p["a.b"]) * p["b.w"], y)
            losses.append(loss.detach())
            (loss / count).backward()
            if (step + 1) % count:
                continue
            if "clip_norm" in self.loop:
                torch.nn.utils.clip_grad_norm_(p.values(), self.loop["clip_norm"])
            if "clip_value" in self.loop:
                torch.nn.utils.clip_grad_value_(p.values(), self.loop["clip_value"])
            for part in optimizers + schedulers:
                part.step()
            for name, v in p.items():
                v.grad = None
                average[name].lerp_(v.detach(), 1 - self.loop.get("average", 0))
        return {"loss": torch.stack(losses), **p} | (
            {f"{name}.average": v for name, v in average.items()} if "average" in self.loop else {})


def compared():
    text = "\n".join(settings for settings, *_ in TRAININGS)
    return set(re.findall(r"(\w+)\(", text)) | {"clip_gradient", "clip_factor", "half_cosine",
                                                "is_finite", "orthogonalized", "with_decay"}


def training_cases():
    return [TrainingCase(*row) for row in TRAININGS]
