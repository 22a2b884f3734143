"""Convolutions and windows in PyTorch, and random calls of them.

The derivatives that are ops of their own are taken from PyTorch's automatic differentiation.
"""
import torch

CONVOLUTIONS = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d,
                3: torch.nn.functional.conv3d}


def for_axes(values, rank, default):
    """One number an axis, of none, one for all, or a list."""
    values = [values] if isinstance(values, int) else values or [default]
    return list(values) * (rank if len(values) == 1 else 1)


def convolution(x, w, strides=None, low=None, high=None, dilations=None, groups=1):
    rank = x.dim() - 2
    widths = zip(for_axes(low, rank, 0), for_axes(high, rank, 0))
    padded = torch.nn.functional.pad(x, [n for pair in reversed(list(widths)) for n in pair])
    return CONVOLUTIONS[rank](padded, w, None, for_axes(strides, rank, 1), 0,
                              for_axes(dilations, rank, 1), groups)


def derivative(function, like, cotangent):
    """The derivative at zero of a linear function, applied to `cotangent`, itself differentiable."""
    start = torch.zeros(like, dtype=cotangent.dtype, requires_grad=True)
    return torch.autograd.grad(function(start), start, cotangent, create_graph=True)[0]


def input_gradient(y, w, shape, *rest, groups=1, **attributes):
    like = [y.shape[0], w.shape[1] * groups, *shape]
    return derivative(lambda x: convolution(x, w, *rest, groups=groups, **attributes), like, y)


def weight_gradient(x, y, shape, *rest, groups=1, **attributes):
    like = [y.shape[1], x.shape[1] // groups, *shape]
    return derivative(lambda w: convolution(x, w, *rest, groups=groups, **attributes), like, y)


def windows(x, size, strides=None, dilations=None):
    rank = len(size)
    strides = for_axes(strides, rank, 1) if strides else size
    first = x.dim() - rank
    for axis, (n, stride, dilation) in enumerate(zip(size, strides, for_axes(dilations, rank, 1))):
        count = (x.shape[first + axis] - (n - 1) * dilation - 1) // stride + 1
        places = torch.arange(count)[:, None] * stride + torch.arange(n) * dilation
        # The axis becomes windows; the places within one go to the end.
        x = x.index_select(first + axis, places.flatten())
        x = x.unflatten(first + axis, (count, n)).movedim(first + axis + 1, -1)
    return x


def overlap_add(x, shape, strides=None, dilations=None):
    rank = len(shape)
    size = list(x.shape[-rank:])
    like = [*x.shape[:-2 * rank], *shape]
    return derivative(lambda start: windows(start, size, strides, dilations), like, x)


WINDOW_OPS = {
    "convolution": convolution, "convolution_input_gradient": input_gradient,
    "convolution_weight_gradient": weight_gradient, "windows": windows, "overlap_add": overlap_add,
}


def drawn_window_example(op, random):
    """A call of random sizes, in the form of an op's examples."""
    def numbers(low, high, count=1):
        return [int(n) for n in torch.randint(low, high + 1, [count], generator=random)]

    rank = numbers(1, 3)[0] if op != "convolution" else numbers(1, 2)[0]
    size, strides, dilations = numbers(1, 3, rank), numbers(1, 3, rank), numbers(1, 2, rank)
    convolves = op.startswith("convolution")
    low, high = (numbers(0, 4, rank), numbers(0, 4, rank)) if convolves else ([0] * rank, [0] * rank)
    span = [(n - 1) * d + 1 for n, d in zip(size, dilations)]
    input_ = [max(1, s - a - b) + numbers(0, 5)[0] for s, a, b in zip(span, low, high)]
    count = [(n + a + b - s) // t + 1 for n, a, b, s, t in zip(input_, low, high, span, strides)]
    sliding = f"strides = {strides}, dilations = {dilations}"
    batch = numbers(1, 3, 2)
    if op == "windows":
        return f"(x: f64{batch + input_}) -> windows(x, {size}, {sliding})"
    if op == "overlap_add":
        return f"(x: f64{batch + count + size}) -> overlap_add(x, {input_}, {sliding})"
    groups, channels, filters = numbers(1, 3, 3)
    x = f"f64{[batch[0], groups * channels] + input_}"
    w = f"f64{[groups * filters, channels] + size}"
    y = f"f64{[batch[0], groups * filters] + count}"
    sliding += f", low = {low}, high = {high}, groups = {groups}"
    if op == "convolution":
        return f"(x: {x}, w: {w}) -> {op}(x, w, {sliding})"
    if op == "convolution_input_gradient":
        return f"(y: {y}, w: {w}) -> {op}(y, w, {input_}, {sliding})"
    return f"(x: {x}, y: {y}) -> {op}(x, y, {size}, {sliding})"
