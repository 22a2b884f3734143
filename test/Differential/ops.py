"""The ops in PyTorch, and the cases that their definitions give.

An op's examples stand in its ODS record: "(x: f64[3, 4] in 0.5..2) -> log(x)". Each becomes cases
in f64 and f32, with fixed sizes and with a symbol for each size; where sizes stand in attributes,
those are drawn as well. An op is in OPS, or in WITHOUT_COUNTERPART with the reason.
"""
import ast
import math
import re

import torch

from cases import Case, FLOATS, Input
from windows import WINDOW_OPS, drawn_window_example

WITHOUT_COUNTERPART = {
    "scan": "a loop: 'repeat' stands in the cases of functions that use it",
    "yield": "the end of a scan's body",
    "grad": "every case with a gradient uses it",
    "constant": "a literal, in the source of many cases",
    "uniform": "its numbers are Philox's of (seed, step, stream), which PyTorch does not give; "
               "test/reference/ops.py computes them",
    "normal": "as uniform",
}


def axes(axis, x):
    return list(range(x.dim())) if axis is None else [axis] if isinstance(axis, int) else list(axis)


def reduction(function):
    """Over several axes, one at a time from the last."""
    def reduce(x, axis=None, keepdims=False):
        for one in sorted((a % x.dim() for a in axes(axis, x)), reverse=True):
            x = function(x, one, keepdims)
        return x
    return reduce


def kept(function):
    """For sums of integers, which PyTorch widens."""
    return reduction(lambda x, axis, keepdims: function(x, dim=axis, keepdim=keepdims).to(x.dtype))


def integers(axis):
    return [axis] if isinstance(axis, int) else list(axis)


def permuted(x, permutation=None):
    return x.permute(permutation if permutation is not None else list(range(x.dim()))[::-1])


def squeezed(x, axis=None):
    return x.squeeze() if axis is None else x.squeeze(tuple(integers(axis)))


def expanded(x, axis):
    rank = x.dim() + len(integers(axis))
    for one in sorted(a % rank for a in integers(axis)):
        x = x.unsqueeze(one)
    return x


def parts(starts, stops, steps):
    return tuple(slice(*part) for part in zip(starts, stops, steps))


def updated(x, update, starts, stops, steps):
    y = x.clone()
    y[parts(starts, stops, steps)] = update
    return y


def padded(x, low, high, value=0.0):
    widths = [w for pair in reversed(list(zip(low, high))) for w in pair]
    return torch.nn.functional.pad(x, widths, value=value)


def places(indices, size):
    return torch.where(indices < 0, indices + size, indices).clamp(0, size - 1)


def gathered(x, indices, axis=0):
    axis %= x.dim()
    flat = x.index_select(axis, places(indices, x.shape[axis]).flatten())
    return flat.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1:])


def scattered(x, indices, updates, axis=0):
    axis %= x.dim()
    flat = updates.reshape(*x.shape[:axis], indices.numel(), *x.shape[axis + 1:])
    return x.index_add(axis, places(indices, x.shape[axis]).flatten(), flat)


def counted(shape, axis=0, dtype=torch.int64):
    sizes = [-1 if a == axis % len(shape) else 1 for a in range(len(shape))]
    return torch.arange(shape[axis]).reshape(sizes).expand(shape).to(dtype)


def size(x, axis=None):
    return torch.tensor(math.prod(x.shape[a] for a in axes(axis, x)))


def floor_divide(x, y):
    return torch.floor(x / y) if x.is_floating_point() else torch.floor_divide(x, y)


def cumsum(x, axis=-1, reverse=False, exclusive=False):
    if reverse:
        return cumsum(x.flip(axis), axis, False, exclusive).flip(axis)
    return x.cumsum(axis, dtype=x.dtype) - (x if exclusive else 0)


def ordered(x, axis=-1, descending=False):
    return x.sort(dim=axis, descending=descending, stable=True)


def einsum(*operands, equation):
    """PyTorch has no letter twice in a result; one operand more, an identity, does the same. It widens
    the trace of integers."""
    left, arrow, result = equation.partition("->")
    if "." in result:
        return torch.einsum(equation, *operands).to(operands[0].dtype)
    operands, free, letters = list(operands), iter("zyxwv"), []
    for letter in result:
        if letter in letters:
            size = next(x.shape[labels.index(letter)]
                        for x, labels in zip(operands, left.split(",")) if letter in labels)
            other = next(free)
            left += f",{letter}{other}"
            operands.append(torch.eye(size, dtype=operands[0].dtype))
            letter = other
        letters.append(letter)
    return torch.einsum(left + arrow + "".join(letters), *operands).to(operands[0].dtype)


OPS = {
    "neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "square": torch.square,
    "relu": torch.relu, "exp": torch.exp, "expm1": torch.expm1, "log": torch.log,
    "log1p": torch.log1p, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal, "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh,
    "sigmoid": torch.sigmoid, "softplus": lambda x: torch.nn.functional.softplus(x, threshold=800),
    "erf": torch.erf, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
    "logical_not": torch.logical_not,
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
    "floor_divide": floor_divide, "mod": torch.remainder,
    "maximum": torch.maximum, "minimum": torch.minimum,
    "logical_and": torch.logical_and, "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor,
    "equal": torch.eq, "not_equal": torch.ne, "less": torch.lt, "less_equal": torch.le,
    "greater": torch.gt, "greater_equal": torch.ge,
    "where": torch.where, "cast": lambda x, dtype: x.to(dtype), "stop_gradient": torch.detach,
    "sum": kept(torch.sum), "prod": kept(torch.prod),
    "mean": lambda x, axis=None, keepdims=False: x.mean(axes(axis, x), keepdim=keepdims)
            if x.dim() else x,
    "max": lambda x, axis=None, keepdims=False: x.amax(axes(axis, x), keepdim=keepdims),
    "min": lambda x, axis=None, keepdims=False: x.amin(axes(axis, x), keepdim=keepdims),
    "logsumexp": lambda x, axis=None, keepdims=False:
        x.logsumexp(axes(axis, x), keepdim=keepdims),
    "any": reduction(torch.any), "all": reduction(torch.all),
    "argmax": lambda x, axis=-1, keepdims=False: x.argmax(axis, keepdim=keepdims),
    "argmin": lambda x, axis=-1, keepdims=False: x.argmin(axis, keepdim=keepdims),
    "softmax": lambda x, axis=-1: torch.softmax(x, axis),
    "log_softmax": lambda x, axis=-1: torch.log_softmax(x, axis),
    "matmul": torch.matmul, "einsum": einsum,
    "cumsum": cumsum, "sort": lambda x, **how: ordered(x, **how)[0],
    "argsort": lambda x, **how: ordered(x, **how)[1],
    "reshape": torch.reshape, "broadcast_to": lambda x, shape: x.broadcast_to(shape),
    "transpose": permuted, "expand_dims": expanded, "squeeze": squeezed,
    "slice": lambda x, starts, stops, steps: x[parts(starts, stops, steps)],
    "slice_update": updated, "concat": lambda *xs, axis=0: torch.cat(xs, axis), "pad": padded,
    "gather": gathered, "scatter_add": scattered,
    "reverse": lambda x, axis: x.flip(integers(axis)),
    "one_hot": lambda i, depth, dtype=torch.float32:
        (i[..., None] == torch.arange(depth)).to(dtype),
    "size": size,
    "full": lambda shape, value, dtype=torch.float32: torch.full(shape, value, dtype=dtype),
    "iota": counted, **WINDOW_OPS,
}

# Further examples, of what the definitions do not show.
MORE = {
    "matmul": ["(x: f64[5, 3, 4], y: f64[5, 4, 2]) -> matmul(x, y)",
               "(x: f64[3, 4], y: f64[5, 4, 2]) -> matmul(x, y)",
               "(x: f64[5, 3, 4], y: f64[4]) -> matmul(x, y)",
               "(x: f64[3, 1], y: f64[1, 2]) -> matmul(x, y)"],
    "transpose": ["(x: f64[2, 3, 4, 5]) -> transpose(x, [3, 0, 2, 1])"],
    "softmax": ["(x: f64[2, 3, 4] in -30..30) -> softmax(x, axis = 1)"],
    "log_softmax": ["(x: f64[2, 3, 4] in -30..30) -> log_softmax(x, axis = 1)"],
    "logsumexp": ["(x: f64[2, 3, 4] in -300..300) -> logsumexp(x, axis = -1)"],
    "sigmoid": ["(x: f64[40] in -40..40) -> sigmoid(x)"],
    "softplus": ["(x: f64[40] in -40..40) -> softplus(x)"],
    "tanh": ["(x: f64[40] in -20..20) -> tanh(x)"],
    "erf": ["(x: f64[40] in -6..6) -> erf(x)"],
    "exp": ["(x: f64[40] in -20..2) -> exp(x)"],
    "log": ["(x: f64[40] in 0.001..100) -> log(x)"],
    "sin": ["(x: f64[40] in -50..50) -> sin(x)"],
    "cos": ["(x: f64[40] in -50..50) -> cos(x)"],
    "round": ["(x: f64[40] in -5..5) -> round(x)"],
    "floor": ["(x: f64[40] in -5..5) -> floor(x)"],
    "ceil": ["(x: f64[40] in -5..5) -> ceil(x)"],
    "mod": ["(x: f64[40] in -900..900, y: f64[40] in 0.1..3) -> mod(x, y)",
            "(x: f64[40] in -900..900, y: f64[40] in -3..-0.1) -> mod(x, y)"],
    "add": ["(x: f64[3, 4], y: f64) -> add(x, y)", "(x: f64[5, 1, 4], y: f64[3, 1]) -> add(x, y)"],
    "mul": ["(x: f64, y: f64[4]) -> mul(x, y)", "(x: f64[5, 1, 4], y: f64[3, 1]) -> mul(x, y)"],
    "cast": ["(x: f64[40] in -9..9) -> cast(x, dtype = i64)",
             "(x: f64[40] in -9..9) -> cast(x, dtype = i8)",
             "(x: i64[7] in -9..9) -> cast(x, dtype = bool)"],
    "gather": ["(x: f64[3, 4, 5], i: i64[2] in -3..2) -> gather(x, i, axis = -1)"],
    "scatter_add": ["(x: f64[3, 5], i: i64[4], u: f64[3, 4]) -> scatter_add(x, i, u, axis = 1)"],
    "cumsum": ["(x: f64[2, 3, 40]) -> cumsum(x, axis = 1)", "(x: f64[40]) -> cumsum(x)"],
    "sort": ["(x: f64[3, 40]) -> sort(x)", "(x: f64[2, 33, 3]) -> sort(x, axis = 1)"],
    "argsort": ["(x: f64[3, 40]) -> argsort(x)", "(x: f64[2, 33]) -> argsort(x, descending = true)"],
    "einsum": ["(x: f64[5, 3, 4], y: f64[5, 4, 2]) -> einsum(\"bij,bjk->bik\", x, y)",
               "(x: f64[3, 4], y: f64[5]) -> einsum(\"ij,k\", x, y)"],
    "concat": ["(a: f64[2, 3], b: f64[2, 1], c: f64[2, 5]) -> concat(a, b, c, axis = 1)"],
    "sum": ["(x: f64[2, 3, 4, 5]) -> sum(x, axis = [1, 2])"],
    "max": ["(x: f64[2, 3, 4, 5]) -> max(x, axis = [1, 2])"],
    "mean": ["(x: f64[2, 3, 4, 5]) -> mean(x, axis = [0, 2, 3])"],
    "prod": ["(x: f64[2, 3] in -2..2) -> prod(x, axis = 0)"],
}

# Ops of integers, with the range of values to draw.
INTEGERS = {
    "neg": "-9..9", "abs": "-9..9", "sign": "-9..9", "square": "-9..9", "relu": "-9..9",
    "add": "-9..9", "sub": "-9..9", "mul": "-9..9", "maximum": "-9..9", "minimum": "-9..9",
    "floor_divide": "1..9", "mod": "1..9", "equal": "-2..2", "not_equal": "-2..2",
    "less": "-2..2", "less_equal": "-2..2", "greater": "-2..2", "greater_equal": "-2..2",
    "sum": "-3..3", "prod": "-2..2", "max": "-9..9", "min": "-9..9", "argmax": "-9..9",
    "argmin": "-9..9", "matmul": "-3..3", "transpose": "-9..9", "concat": "-9..9",
    "reverse": "-9..9", "where": "-9..9", "gather": "-9..9", "pad": "-9..9",
    "cumsum": "-9..9", "sort": "-5..5", "argsort": "-5..5", "einsum": "-3..3",
}

# Ops whose attributes hold sizes of their operands, with what draws a call.
SIZED = {"reshape", "broadcast_to", "slice", "slice_update", "full", "iota", *WINDOW_OPS}

# Ops of which PyTorch says something else at special values, and what that is.
NOT_SPECIAL = {
    "sign": "PyTorch gives 0 for NaN", "cast": "PyTorch leaves NaN as an integer open",
}

EXAMPLE = re.compile(r"\((.*)\) -> (\w+)\((.*)\)$")
INPUT = re.compile(r"(\w+): (\w+)(?:\[([^\]]*)\])?(?: in (\S+)\.\.(\S+))?(?:, |$)")
DTYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64, "i32": torch.int32,
          "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool}


def split_arguments(text):
    """At the commas outside brackets and strings."""
    depth, words, quoted = 0, [""], False
    for c in text:
        depth += (c == "[") - (c == "]")
        quoted ^= c == '"'
        if c == "," and depth == 0 and not quoted:
            words.append("")
        else:
            words[-1] += c
    return [word.strip() for word in words if word.strip()]


def parse_call(text, names, attributes):
    """Operands' names, and attributes by name, of the arguments of a call."""
    operands, values = [], {}
    for word in split_arguments(text):
        name, equals, value = word.rpartition(" = ")
        if not equals and word in names:
            operands.append(word)
            continue
        if value in names:
            operands.append(value)
            continue
        key = name or attributes[len(values)]
        values[key] = DTYPES[value] if value in DTYPES else ast.literal_eval(
            value.replace("true", "True").replace("false", "False"))
    return operands, values


def make_case(example, attributes, isDifferentiable, symbolic=False):
    inputs, op, call = EXAMPLE.match(example).groups()
    declared = []
    for name, dtype, dims, low, high in INPUT.findall(inputs):
        sizes = [int(dim) for dim in dims.split(",")] if dims else []
        if symbolic:
            sizes = [chr(ord("A") + s % 26) if s > 1 else s for s in sizes]
        number = float if dtype in FLOATS else int
        declared.append(Input(name, dtype, sizes, number(low) if low else None,
                              number(high) if high else None))
    operands, values = parse_call(call, [i.name for i in declared], attributes)
    order = [[i.name for i in declared].index(name) for name in operands]
    isFloat = any(i.dtype in FLOATS for i in declared) and op not in ("cast",) or (
        op == "cast" and values.get("dtype") in (torch.float64, torch.float32)
        and declared[0].dtype in FLOATS)

    def function(*tensors):
        return OPS[op](*(tensors[place] for place in order), **values)

    return Case(op, f"{op}({call})", declared, function, gradient=isDifferentiable and isFloat,
                least=2 if op == "squeeze" else 0)


def special_case(op, example, attributes, dtype):
    """The first example of an elementwise op on 60 infinities, zeros and the like."""
    case = make_case(re.sub(r"\[[\d, ]*\]", "[60]", example.replace("f64", dtype)), attributes, False)
    function = case.function
    for i in case.inputs:
        i.isSpecial = True
    # What overflows in this dtype is infinite.
    case.function = lambda *tensors: rounded(function(*tensors), DTYPES[dtype])
    return case


def rounded(value, dtype):
    return value.to(dtype).double() if value.is_floating_point() else value


def numbers(random, low, high, count=1):
    return [int(n) for n in torch.randint(low, high + 1, [count], generator=random)]


def drawn_example(op, random):
    """A call of an op whose attributes hold sizes."""
    if op in WINDOW_OPS:
        return drawn_window_example(op, random)
    rank = numbers(random, 1, 3)[0]
    shape = numbers(random, 1, 7, rank)
    if op == "reshape":
        order = torch.randperm(rank, generator=random).tolist()
        to = [shape[i] for i in order]
        return f"(x: f64{shape}) -> reshape(x, {to + [1] if rank < 3 else [-1, to[0]]})"
    if op == "broadcast_to":
        taken = [1 if n else s for n, s in zip(numbers(random, 0, 1, rank), shape)]
        return f"(x: f64{taken}) -> broadcast_to(x, {numbers(random, 1, 3) + shape})"
    if op == "full":
        return f"() -> full({shape}, {numbers(random, -9, 9)[0]}.5, dtype = f64)"
    if op == "iota":
        return f"() -> iota({shape}, axis = {numbers(random, -rank, rank - 1)[0]}, dtype = f64)"
    starts = [numbers(random, 0, s)[0] for s in shape]
    stops = [numbers(random, start, s)[0] for start, s in zip(starts, shape)]
    steps = numbers(random, 1, 3, rank)
    if op == "slice":
        return f"(x: f64{shape}) -> slice(x, {starts}, {stops}, {steps})"
    part = [-(-(stop - start) // step) for start, stop, step in zip(starts, stops, steps)]
    return (f"(x: f64{shape}, u: f64{part}) -> "
            f"slice_update(x, u, {starts}, {stops}, {steps})")


def op_cases(records, random, rounds):
    """The cases of `records`: (op, family, names of attributes, examples, differentiable)."""
    for turn, (op, family, attributes, examples, isDifferentiable) in enumerate(records):
        if op not in OPS:
            continue
        texts = list(examples) + MORE.get(op, [])
        if op in SIZED:
            texts += [drawn_example(op, random) for _ in range(4 * rounds)]
        for number, text in enumerate(texts):
            variants = [(dtype, symbolic) for dtype in ("f64", "f32") for symbolic in (False, True)]
            if rounds == 1:  # one of them in turn
                variants = [variants[(turn + number) % 4]]
            for dtype, symbolic in variants:
                if rounds == 1 or ((dtype == "f64" or "f64" in text)
                                   and not (symbolic and op in SIZED)):
                    yield make_case(text.replace("f64", dtype), attributes, isDifferentiable,
                                    symbolic and op not in SIZED)
        if "f64" in texts[0] and op not in WINDOW_OPS:
            for dtype in ("f16", "bf16") if rounds > 1 else [("f16", "bf16")[turn % 2]]:
                yield make_case(texts[0].replace("f64", dtype), attributes, isDifferentiable)
        if family == "Elementwise" and op not in NOT_SPECIAL and "f64" in texts[0]:
            for dtype in ("f64", "f32"):
                yield special_case(op, texts[0], attributes, dtype)
        if op in INTEGERS:
            for text in texts:
                for dtype in ("i64", "i32") if rounds > 1 else ("i64",):
                    typed = re.sub(r"( in [-\d.]+)?(?=, \w+:|\))", "", text.split(" -> ")[0])
                    typed = re.sub(r"f64(\[[^\]]*\])?",
                                   lambda m: f"{dtype}{m[1] or ''} in {INTEGERS[op]}", typed)
                    yield make_case(f"{typed} -> {text.split(' -> ')[1]}", attributes, False,
                                    symbolic=True)
