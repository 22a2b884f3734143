"""Cases: a piece of `.nn` and the same in PyTorch, on inputs of random sizes.

A case becomes one func of a `.nn` file, with the value and, where there is one, the gradient of
sum(sin(value)) by each floating-point input. PyTorch computes both in f64, from the very numbers
that nnc gets; the results of the two are compared element by element.
"""
import math

import torch

# Relative to the value, absolute below 1. In shorter types relative to the largest value of a result: where
# the terms of a sum cancel, its error is that of the terms. f16 and bf16, which nnc like PyTorch computes in
# f32 within an op, are rounded to 11 and 8 bits after each op: the bounds are eight such roundings.
BOUNDS = {"f64": 1e-10, "f32": 2e-5, "f16": 8 * 2**-11, "bf16": 8 * 2**-8}
TORCH_DTYPES = {
    "f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64,
    "i32": torch.int32, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool,
}
FLOATS = ("f64", "f32", "f16", "bf16")
SPECIAL = [math.inf, -math.inf, math.nan, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 700.0, -700.0, 1e-30]


def to_array(tensor):
    """For NumPy, which has no bf16: its bits."""
    isShort = tensor.dtype == torch.bfloat16
    return tensor.contiguous().view(torch.int16).numpy().view("uint16") if isShort else tensor.numpy()


def to_tensor(array):
    isBits = array.dtype == "uint16"
    return torch.from_numpy(array.view("int16")).view(torch.bfloat16) if isBits else torch.from_numpy(array)


class Input:
    """`dims` are integers and names of symbols. Values are drawn from low..high, whole numbers with
    both ends."""

    def __init__(self, name, dtype, dims, low=None, high=None):
        self.name, self.dtype, self.dims = name, dtype, dims
        isFloat = dtype in FLOATS
        self.low = (-1 if isFloat else 0) if low is None else low
        self.isSpecial = False  # values where functions go to infinity, or change their formula
        self.high = (1 if isFloat or dtype == "bool" else 2) if high is None else high

    def type(self):
        return self.dtype + (f"[{', '.join(map(str, self.dims))}]" if self.dims else "")

    def draw(self, sizes, random):
        shape = [sizes.get(dim, dim) for dim in self.dims]
        if self.dtype == "bool":
            return torch.randint(0, 2, shape, generator=random).bool()
        if self.dtype not in FLOATS:
            low, high = (sizes.get(bound, bound) for bound in (self.low, self.high))
            return torch.randint(low, high + 1, shape, generator=random).to(TORCH_DTYPES[self.dtype])
        if self.isSpecial:
            chosen = torch.randint(0, len(SPECIAL), shape, generator=random)
            return torch.tensor(SPECIAL, dtype=TORCH_DTYPES[self.dtype])[chosen]
        values = torch.rand(shape, generator=random, dtype=torch.float64)
        return (self.low + (self.high - self.low) * values).to(TORCH_DTYPES[self.dtype])


class Case:
    """`text` is an expression, or statements that end by giving `value` (or the names in `results`)."""

    steps = 1  # of a training

    def __init__(self, covers, text, inputs, function, results=("value",), gradient=True, bounds=None,
                 least=0, label=None):
        self.covers, self.text, self.inputs, self.function = covers, text, inputs, function
        self.results, self.gradient = results, gradient
        self.bounds = {**BOUNDS, **(bounds or {})}
        self.least = least
        self.label = label or f"({', '.join(f'{i.name}: {i.type()}' for i in inputs)}) -> {text}"
        self.dtype = next((i.dtype for i in inputs if i.dtype in FLOATS), "")

    def symbols(self):
        return sorted({dim for i in self.inputs for dim in i.dims if isinstance(dim, str)})

    def wrt(self):
        return [i for i in self.inputs if i.dtype in FLOATS] if self.gradient else []

    def source(self, name):
        arguments = ", ".join(f"{i.name}: {i.type()}" for i in self.inputs)
        body = self.text if "\n" in self.text or self.results != ("value",) else f"value = {self.text}"
        lines = [line.strip() for line in body.strip().split("\n")]
        wrt = self.wrt()
        if wrt:
            loss = " + ".join(f"sum(sin({result}))" for result in self.results)
            targets = ", ".join(f"d_{i.name}" for i in wrt)
            by = ", ".join(i.name for i in wrt)
            lines.append(f"{targets} = grad({loss}, wrt = {f'[{by}]' if len(wrt) > 1 else by})")
        lines.append("return " + ", ".join([*self.results, *(f"d_{i.name}" for i in wrt)]))
        return f"func {name}({arguments}) {{\n  " + "\n  ".join(lines) + "\n}\n"

    def expected(self, values):
        """What PyTorch gives, by the names of the results; None where it refuses the sizes."""
        leaves = [value.double() if value.is_floating_point() else value for value in values]
        wrt = [leaf.requires_grad_() for leaf, i in zip(leaves, self.inputs)
               if self.gradient and i.dtype in FLOATS]
        outputs = self.function(*leaves)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        named = dict(zip(self.results, outputs))
        if wrt:
            loss = sum(torch.sin(output).sum() for output in outputs)
            gradients = (
                torch.autograd.grad(loss, wrt, allow_unused=True, materialize_grads=True)
                if loss.requires_grad else [torch.zeros_like(leaf) for leaf in wrt])
            named |= {f"d_{i.name}": g for i, g in zip(self.wrt(), gradients)}
        return named

    def kind(self):
        """The kind of entry to compile."""
        return "func"

    def entry(self, name):
        """The function to call."""
        return name

    def given(self, inputs):
        """The arrays of the call by the names of its buffers."""
        return inputs

    def found(self, results, inputs):
        """The results by name, of what the call gave and of the inputs that it updated."""
        return dict(zip([*self.results, *(f"d_{i.name}" for i in self.wrt())], results.values()))

    def draw_sizes(self, random, largest):
        """Sizes for the symbols: of any kind, a zero among them, larger than a vector register."""
        def one():
            kind = int(torch.randint(0, 8, [], generator=random))
            if kind == 0:
                return self.least
            high = largest if kind == 1 else 6
            return max(int(torch.randint(1, high + 1, [], generator=random)), self.least)

        while True:
            sizes = {symbol: one() for symbol in self.symbols()}
            # Sums of more elements have larger errors of rounding.
            if math.prod(sizes.values()) <= 4096:
                return sizes


def difference(found, expected, bound):
    """(largest error, None), or (error, what is wrong)."""
    if list(found.shape) != list(expected.shape):
        return math.inf, f"expected shape {list(expected.shape)}, found {list(found.shape)}"
    found = to_tensor(found)
    if not expected.is_floating_point():
        if found.dtype != expected.dtype:
            return math.inf, f"expected {expected.dtype}, found {found.dtype}"
        error = (found != expected).double()
    elif not found.is_floating_point():
        return math.inf, f"expected a floating-point result, found {found.dtype}"
    else:
        isShort = found.dtype != torch.float64
        if found.dtype == torch.float16:
            expected = expected.half()  # may be infinite
        found, expected = found.double(), expected.detach().double()
        scale = expected.abs().clamp(min=1)
        if isShort and scale.numel() and scale.isfinite().all():
            scale = scale.max()
        error = (found - expected).abs() / scale
        same = (found == expected) | (found.isnan() & expected.isnan())
        error = torch.where(same, 0.0, error).nan_to_num(math.inf)
    if error.numel() == 0:
        return 0.0, None
    worst = float(error.max())
    if worst <= (bound if expected.is_floating_point() else 0):
        return worst, None
    place = int(error.argmax())
    at = [int(i) for i in torch.unravel_index(torch.tensor(place), error.shape)]
    return worst, (f"at {at} expected {expected.flatten()[place].item()!r}, "
                   f"found {found.flatten()[place].item()!r}")
