"""The 3x3 and 1x1 convolutions of ResNet-50, forward and both gradients, for batches of 1 and 32.

A case is "KERNEL CHANNELS->FILTERS @SIZE [/STRIDE] bBATCH DIRECTION", SIZE being that of the input.
"""
import re

import numpy

import peers

TITLE = "Convolutions of ResNet-50, float32"
TOLERANCE = 1e-4
SHAPES = (
    "3x3 64->64 @56", "3x3 128->128 @28", "3x3 256->256 @14", "3x3 512->512 @7",
    "3x3 128->128 @56 /2",
    "1x1 64->256 @56", "1x1 256->64 @56", "1x1 128->512 @28", "1x1 512->128 @28",
    "1x1 256->1024 @14", "1x1 1024->256 @14", "1x1 512->2048 @7", "1x1 2048->512 @7",
    "1x1 256->512 @56 /2",
)
DIRECTIONS = ("forward", "input gradient", "weight gradient")
CASES = [f"{shape} b{batch} {direction}"
         for batch in (1, 32) for shape in SHAPES for direction in DIRECTIONS]


class Problem:
    """What a case says, and its arrays."""

    def __init__(self, case):
        form = r"(\d)x\d (\d+)->(\d+) @(\d+)(?: /(\d))? b(\d+) (.*)"
        found = re.fullmatch(form, case).groups()
        kernel, channels, filters, size, stride, batch = (int(text or 1) for text in found[:6])
        self.direction = found[6]
        self.stride, self.padding = stride, kernel // 2
        reach = (size - 1) // stride + 1
        self.x_shape = batch, channels, size, size
        self.w_shape = filters, channels, kernel, kernel
        self.y_shape = batch, filters, reach, reach
        self.flops = 2 * numpy.prod(self.w_shape) * batch * reach * reach

    def arrays(self, dtype="float32"):
        """x, w, and the derivative by the result."""
        random = numpy.random.default_rng(1)
        shapes = self.x_shape, self.w_shape, self.y_shape
        return [random.standard_normal(shape, "float32").astype(dtype) for shape in shapes]


def flops(case):
    return int(Problem(case).flops)


def torch_function(problem, x, w, d):
    import torch

    common = [problem.stride] * 2, [problem.padding] * 2, [1, 1]
    if problem.direction == "forward":
        return lambda: torch.nn.functional.conv2d(x, w, None, *common)
    backward = torch.ops.aten.convolution_backward
    wanted = 0 if problem.direction == "input gradient" else 1
    mask = [wanted == 0, wanted == 1, False]
    return lambda: backward(d, x, w, None, *common, False, [0, 0], 1, mask)[wanted]


def prepare_torch(case, threads, dtype="float32"):
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    problem = Problem(case)
    call = torch_function(problem, *map(torch.from_numpy, problem.arrays(dtype)))
    return peers.Peer(call, lambda: {"result": call().numpy()})


def prepare_reference(case, threads):
    return prepare_torch(case, threads, "float64")


def prepare_nnc(case, threads):
    problem = Problem(case)
    y = f"conv2d(x, w, stride = {problem.stride}, padding = {problem.padding})"
    names = {"forward": "y", "input gradient": "x", "weight gradient": "w"}
    shapes = {"x": problem.x_shape, "w": problem.w_shape, "y": problem.y_shape, "d": problem.y_shape}
    value = y if problem.direction == "forward" else (
        f"grad(sum({y} * d), wrt = {names[problem.direction]})")
    used = "xw" if problem.direction == "forward" else "xwd"
    result = shapes[names[problem.direction]]
    arguments = ", ".join(f"{name}: f32{list(shapes[name])}" for name in used)
    text = f"func layer({arguments}) -> (result: f32{list(result)}) {{\n  result = {value}\n}}\n"
    entry = peers.compile_nnc(text, "func", "layer", threads)
    arrays = dict(zip("xwd", map(peers.aligned, problem.arrays())))
    arrays["result"] = peers.aligned(numpy.empty(result, "float32"))
    many = entry.bind(arrays, {})

    def records():
        many()
        return {"result": arrays["result"]}

    return peers.Peer(None, records, many, entry.size)


PEERS = {"reference": prepare_reference, "nnc": prepare_nnc, "PyTorch": prepare_torch}
