"""The layers of the prelude in PyTorch.

A row of the table: a call of a layer, its inputs, its parameters and states, and the same in PyTorch.
Parameters are drawn as inputs are, and differentiated. `training` runs a step of a training instead
of the forward function, and compares what the states are after it.
"""
import re

import torch
from torch.nn import functional as F

from cases import Case, FLOATS
from functions import SHORT_BOUNDS, covered, dtypes_of, parse_inputs

AFFINE = ("scale: f64[3], shift: f64[3], running_mean: f64[3], running_variance: f64[3] in 0.5..2")
RUNNING = ["running_mean", "running_variance"]


def batch_norm(training, epsilon=1e-5, momentum=0.1):
    def function(x, scale, shift, mean, variance):
        mean, variance = mean.clone(), variance.clone()
        value = F.batch_norm(x, mean, variance, scale, shift, training, momentum, epsilon)
        return value, mean, variance
    return function


def heads(features, context):
    """The parameters of the four projections."""
    sizes = {"query": features, "key": context, "value": context, "output": features}
    return ", ".join(f"{name}.w: f64[{size}, {features}], {name}.b: f64[{features}]"
                     for name, size in sizes.items())


def attention(causal):
    def function(x, context, qw, qb, kw, kb, vw, vb, ow, ob):
        layer = torch.nn.functional.multi_head_attention_forward
        mask = torch.ones(x.shape[1], x.shape[1]).triu(1).bool() if causal else None
        rows, others = x.transpose(0, 1), context.transpose(0, 1)
        value, _ = layer(rows, others, others, x.shape[2], 2, None, torch.cat([qb, kb, vb]), None,
                         None, False, 0, ow.T, ob, need_weights=False, attn_mask=mask,
                         use_separate_proj_weight=True, q_proj_weight=qw.T, k_proj_weight=kw.T,
                         v_proj_weight=vw.T)
        return value.transpose(0, 1)
    return function


def recurrent(function):
    """PyTorch's has two biases; the second is that inside the reset of gru."""
    def run(x, w, u, b, inner=None):
        second = torch.zeros_like(b)
        if inner is not None:
            second = torch.cat([second[:-len(inner)], inner])
        initial = torch.zeros(1, x.shape[0], u.shape[0], dtype=x.dtype)
        state = (initial, initial) if function is torch.lstm else initial
        outputs, *last = function(x, state, [w.T, u.T, b, second], True, 1, 0.0, False, False, True)
        return outputs, *(part[0] for part in last)
    return run


def backward(function):
    def run(x, *kept):
        outputs, *last = function(x.flip(1), *kept)
        return outputs.flip(1), *last
    return run


# (call, inputs, parameters and states, PyTorch of inputs and parameters by name, options)
LAYERS = [
    ("dense(x, units = 3)", "x: f64[N, 4]", "w: f64[4, 3], b: f64[3]",
     lambda x, w, b: x @ w + b, {}),
    ("dense(x, units = 3)", "x: f64[N, 2, 4]", "w: f64[4, 3], b: f64[3]",
     lambda x, w, b: x @ w + b, {}),
    ("linear(x, units = 3)", "x: f64[N, 4]", "w: f64[4, 3]", lambda x, w: x @ w, {}),
    ("embedding(x, count = 7, size = 3)", "x: i64[N, 2] in 0..6", "table: f32[7, 3]",
     lambda x, table: F.embedding(x, table), {}),
    ("embedding(x, count = 7, size = 3, dtype = f64)", "x: i64[N, 2] in 0..6", "table: f64[7, 3]",
     lambda x, table: F.embedding(x, table), {}),
    ("layer_norm(x)", "x: f64[N, 6]", "scale: f64[6], shift: f64[6]",
     lambda x, scale, shift: F.layer_norm(x, [6], scale, shift), {}),
    ("layer_norm(x, epsilon = 0.1)", "x: f64[N, 2, 6]", "scale: f64[6], shift: f64[6]",
     lambda x, scale, shift: F.layer_norm(x, [6], scale, shift, 0.1), {}),
    ("rms_norm(x)", "x: f64[N, 3, 6]", "scale: f64[6]",
     lambda x, scale: F.rms_norm(x, [6], scale, 1e-5), {}),
    ("batch_norm(x)", "x: f64[N, 3, 4, 2]", AFFINE, batch_norm(False), {"states": RUNNING}),
    ("batch_norm(x)", "x: f64[N, 3]", AFFINE, batch_norm(False, 1e-5), {"states": RUNNING}),
    ("batch_norm(x)", "x: f64[N, 3, 4, 2]", AFFINE, batch_norm(True),
     {"states": RUNNING, "training": True}),
    ("batch_norm(x, momentum = 0.3, epsilon = 0.01)", "x: f64[N, 3]", AFFINE,
     batch_norm(True, 0.01, 0.3), {"states": RUNNING, "training": True}),
    ("group_norm(x, groups = 2)", "x: f64[N, 4, 3, 2]", "scale: f64[4], shift: f64[4]",
     lambda x, scale, shift: F.group_norm(x, 2, scale, shift), {}),
    ("instance_norm(x)", "x: f64[N, 3, 4, 5]", "scale: f64[3], shift: f64[3]",
     lambda x, scale, shift: F.instance_norm(x, weight=scale, bias=shift), {}),
    ("multi_head_attention(x, context, heads = 2)",
     "x: f64[N, L, 4], context: f64[N, S, 6]", heads(4, 6), attention(False), {}),
    ("multi_head_attention(x, x, heads = 2, causal = true)", "x: f64[N, 5, 4]", heads(4, 4),
     lambda x, *kept: attention(True)(x, x, *kept), {}),
    ("rnn(x, units = 3)", "x: f64[N, L, 2]", "w: f64[2, 3], u: f64[3, 3], b: f64[3]",
     recurrent(torch.rnn_tanh), {"results": ["value", "last"]}),
    ("lstm(x, units = 3)", "x: f64[N, L, 2]", "w: f64[2, 12], u: f64[3, 12], b: f64[12]",
     recurrent(torch.lstm), {"results": ["value", "last", "cell"]}),
    ("gru(x, units = 3)", "x: f64[N, L, 2]", "w: f64[2, 9], u: f64[3, 9], b: f64[9], inner_b: f64[3]",
     recurrent(torch.gru), {"results": ["value", "last"]}),
    ("rnn(x, units = 3, backward = true)", "x: f64[N, L, 2]",
     "w: f64[2, 3], u: f64[3, 3], b: f64[3]", backward(recurrent(torch.rnn_tanh)),
     {"results": ["value", "last"]}),
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
                         label=f"({inputs}) -> {call} with {kept}", **{"least": 1, "bounds": SHORT_BOUNDS, **options})

    def wrt(self):
        return [i for i in [*self.arguments, *self.parameters] if i.dtype in FLOATS]

    def symbols(self):
        return sorted({d for i in self.arguments for d in i.dims if isinstance(d, str)})

    def kind(self):
        return "steps" if self.training else "forward"

    def entry(self, name):
        return name + "_steps" if self.training else name

    @staticmethod
    def local(parameter):
        """The name of its gradient in the source."""
        return "d_" + parameter.name.replace(".", "_")

    def loss(self):
        return " + ".join(f"sum(sin({result}))" for result in self.results)

    def source(self, name):
        arguments = ", ".join(f"{i.name}: {i.type()}" for i in self.arguments)
        value = f"{', '.join(self.results)} = {self.text} as a\n  "
        if self.training:
            return self.training_source(name, arguments, value)
        by = [i.name for i in self.arguments if i.dtype in FLOATS]
        lines = [f"d_{name} = grad({self.loss()}, wrt = {name})\n  " for name in by]
        lines.append(", ".join(self.local(p) for p in self.parameters)
                     + f" = grad({self.loss()}, wrt = params)\n  ")
        results = [*self.results, *(self.local(i) for i in self.wrt())]
        return (f"model {name}({arguments}) {{\n  {value}{''.join(lines)}"
                f"return {', '.join(results)}\n}}\n")

    def training_source(self, name, arguments, value):
        names = ", ".join(i.name for i in self.arguments)
        types = ", ".join(f"zeros({[8 if isinstance(d, str) else d for d in i.dims]}, {i.dtype})"
                          for i in self.arguments)
        records = [f"  record {self.local(i)} = grad(loss, wrt = "
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
        names = [*self.results, *(f"d_{i.name}" for i in self.wrt())]
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
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        count = len(self.results)
        values, states = outputs[:count], outputs[count:]
        gradients = torch.autograd.grad(sum(torch.sin(value).sum() for value in values), wrt)
        return {**dict(zip(self.results, values)), **{f"d_{i.name}": g for i, g in zip(self.wrt(), gradients)},
                **{s.name: new for s, new in zip(self.states, states) if self.training}}


LAYERS += [
    ("conv(x, filters = 6, kernel = 3, stride = 2, padding = 1, groups = 2)", "x: f64[N, 4, 9, 8]",
     "w: f64[6, 2, 3, 3], b: f64[6]",
     lambda x, w, b: F.conv2d(x, w, b, 2, 1, 1, 2), {}),
    ("conv_sequence(x, filters = 2, kernel = 4, dilation = 2)", "x: f64[N, 3, 9]",
     "w: f64[2, 3, 4], b: f64[2]", lambda x, w, b: F.conv1d(x, w, b, dilation=2), {}),
    ("conv_volume(x, filters = 2, kernel = [1, 2, 3])", "x: f64[N, 3, 4, 5, 6]",
     "w: f64[2, 3, 1, 2, 3], b: f64[2]", F.conv3d, {}),
    ("depthwise_conv(x, kernel = 3, padding = 1)", "x: f64[N, 3, 5, 6]",
     "w: f64[3, 1, 3, 3], b: f64[3]", lambda x, w, b: F.conv2d(x, w, b, padding=1, groups=3), {}),
    ("conv_transpose(x, filters = 4, kernel = 3, stride = 2, output_padding = 1)",
     "x: f64[N, 3, 5, 6]", "w: f64[3, 4, 3, 3], b: f64[4]",
     lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 0, 1), {}),
    ("conv_transpose(x, filters = 4, kernel = 4, stride = 2, padding = \"same\")",
     "x: f64[N, 3, 5, 6]", "w: f64[3, 4, 4, 4], b: f64[4]",
     lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1), {}),
]


def compared():
    return {re.match(r"\w+", call)[0] for call, *_ in LAYERS}


def layer_cases(rounds):
    for number, (call, inputs, kept, function, options) in enumerate(LAYERS):
        for dtype in dtypes_of(covered(call), inputs, number, rounds):
            yield LayerCase(call, inputs.replace("f64", dtype), kept.replace("f64", dtype), function,
                            **options)
