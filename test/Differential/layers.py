"""The layers of the prelude in PyTorch.

A row of the table: a call of a layer, its inputs, its parameters and states, and the same in PyTorch.
Parameters are drawn as inputs are, and differentiated. `training` runs a step of a training instead
of the forward function, and compares what the states are after it.
"""
import re

import torch
from torch.nn import functional as F

from cases import Case, FLOATS
from functions import parse_inputs

# (call, inputs, parameters and states, PyTorch of inputs and parameters by name, options)
LAYERS = [
    ("dense(x, units = 3)", "x: f64[N, 4]", "w: f64[4, 3], b: f64[3]",
     lambda x, w, b: x @ w + b, {}),
    ("dense(x, units = 3)", "x: f64[N, 2, 4]", "w: f64[4, 3], b: f64[3]",
     lambda x, w, b: x @ w + b, {}),
    ("linear(x, units = 3)", "x: f64[N, 4]", "w: f64[4, 3]", lambda x, w: x @ w, {}),
    ("embedding(x, count = 7, size = 3)", "x: i64[N, 2] in 0..6", "table: f32[7, 3]",
     lambda x, table: F.embedding(x, table), {}),
    ("layer_norm(x)", "x: f64[N, 6]", "scale: f64[6], shift: f64[6]",
     lambda x, scale, shift: F.layer_norm(x, [6], scale, shift), {}),
    ("layer_norm(x, epsilon = 0.1)", "x: f64[N, 2, 6]", "scale: f64[6], shift: f64[6]",
     lambda x, scale, shift: F.layer_norm(x, [6], scale, shift, 0.1), {}),
]


class LayerCase(Case):
    """One layer in a model of its own, as its instance `a`."""

    def __init__(self, call, inputs, kept, function, states=(), training=False, **options):
        declared, parameters = list(parse_inputs(inputs)), list(parse_inputs(kept))
        self.arguments = [i for i in declared]
        self.parameters = [p for p in parameters if p.name not in states]
        self.states = [p for p in parameters if p.name in states]
        self.training = training
        super().__init__(re.match(r"\w+", call)[0], call, declared + parameters, function,
                         label=f"({inputs}) -> {call} with {kept}", **{"least": 1, **options})

    def wrt(self):
        return [i for i in [*self.arguments, *self.parameters] if i.dtype in FLOATS]

    def symbols(self):
        return sorted({d for i in self.arguments for d in i.dims if isinstance(d, str)})

    def entry(self, name):
        return name + "_steps" if self.training else name

    def source(self, name):
        arguments = ", ".join(f"{i.name}: {i.type()}" for i in self.arguments)
        value = f"value = {self.text} as a\n  "
        if self.training:
            return self.training_source(name, arguments, value)
        by = [i.name for i in self.arguments if i.dtype in FLOATS]
        lines = [f"d_{name} = grad(sum(sin(value)), wrt = {name})\n  " for name in by]
        lines.append(", ".join(f"d_{p.name}" for p in self.parameters)
                     + " = grad(sum(sin(value)), wrt = params)\n  ")
        results = ["value", *(f"d_{i.name}" for i in self.wrt())]
        return (f"model {name}({arguments}) {{\n  {value}{''.join(lines)}"
                f"return {', '.join(results)}\n}}\n")

    def training_source(self, name, arguments, value):
        names = ", ".join(i.name for i in self.arguments)
        types = ", ".join(f"zeros({[8 if isinstance(d, str) else d for d in i.dims]}, {i.dtype})"
                          for i in self.arguments)
        records = [f"  record d_{i.name} = grad(loss, wrt = "
                   f"{i.name if i in self.arguments else f'{name}.a.{i.name}'})\n"
                   for i in self.wrt()]
        return (f"data {name}_data {{\n  return {types}\n}}\n"
                f"model {name}({arguments}) {{\n  {value}return value\n}}\n"
                f"train {name} on {name}_data({names}) {{\n  record value = {name}({names})\n"
                f"  loss = sum(sin(value))\n{''.join(records)}"
                "  optimizer = sgd(lr = 0)\n  steps = 1\n}\n")

    def given(self, inputs):
        return {**{i.name: inputs[i.name] for i in self.arguments},
                **{f"a.{p.name}": inputs[p.name] for p in [*self.parameters, *self.states]}}

    def found(self, results, inputs):
        names = ["value", *(f"d_{i.name}" for i in self.wrt())]
        if self.training:
            results = {name: results[name][0] for name in names}
        elif len(self.parameters) == 1:  # a list of one tensor
            last = list(results)[-1]
            results[last] = results[last][0]
        return {**dict(zip(names, results.values())),
                **{s.name: inputs[f"a.{s.name}"] for s in self.states if self.training}}

    def expected(self, values):
        """The function gives the value, in training followed by the states after the step."""
        leaves = {i.name: v.double() if v.is_floating_point() else v
                  for i, v in zip(self.inputs, values)}
        wrt = [leaves[i.name].requires_grad_() for i in self.wrt()]
        outputs = self.function(*leaves.values())
        value, *states = outputs if isinstance(outputs, tuple) else (outputs,)
        gradients = torch.autograd.grad(torch.sin(value).sum(), wrt)
        return {"value": value, **{f"d_{i.name}": g for i, g in zip(self.wrt(), gradients)},
                **{s.name: new for s, new in zip(self.states, states)}}


def compared():
    return {re.match(r"\w+", call)[0] for call, *_ in LAYERS}


def layer_cases():
    for call, inputs, kept, function, options in LAYERS:
        for dtype in ("f64", "f32"):
            if dtype == "f64" or "f64" in inputs:
                yield LayerCase(call, inputs.replace("f64", dtype), kept.replace("f64", dtype),
                                function, **options)
