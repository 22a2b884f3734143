"""Every op against NumPy: one line of Python an op.

usage: ops.py EXAMPLES.json      (what nnc-op-examples prints)

Runs each example's inputs through the op's line below and compares the outputs: f64 to 1e-12
relative, narrower floats to a few units in the last place, integers and bools exactly. Exits 1 and
says which examples differ, or which op of the dialect has no line here.
"""
import json
import math
import statistics
import sys

import numpy as np

DTYPES = {
    "f64": np.float64, "f32": np.float32, "f16": np.float16, "i64": np.int64, "i32": np.int32,
    "i8": np.int8, "u8": np.uint8, "bool": np.bool_,
}
TOLERANCES = {"f64": 1e-12, "f32": 2e-6, "f16": 2e-3}


def is_float(x):
    return x.dtype.kind == "f"


def axes(axis):
    return None if axis is None else tuple(axis)


def reduction(function):
    """NumPy widens sums of small integers; here the element type stays."""
    return lambda x, axis=None, keepdims=False: function(x, axis=axes(axis), keepdims=keepdims)


def logsumexp(x, axis=None, keepdims=False):
    for one in sorted(range(x.ndim) if axis is None else [a % x.ndim for a in axis], reverse=True):
        x = np.logaddexp.reduce(x, axis=one, keepdims=True)
    kept = x
    if keepdims:
        return kept
    return np.squeeze(kept, axis=None if axis is None else tuple(axis))


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(x, axis):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def power(x, y):
    """NumPy refuses negative powers of integers; here they are 1 / x^-y towards zero."""
    if is_float(x):
        return np.power(x, y)
    x, y = np.broadcast_arrays(x, y)
    inverse = np.where(x == 1, 1, np.where((x == -1) & (x.dtype.kind == "i"), 1 - 2 * (y % 2), 0))
    return np.where(y < 0, inverse, np.power(x, np.maximum(y, 0))).astype(x.dtype)


def parts(starts, stops, steps):
    return tuple(slice(*part) for part in zip(starts, stops, steps))


def slice_update(x, update, starts, stops, steps):
    y = x.copy()
    y[parts(starts, stops, steps)] = update
    return y


def chosen(indices, size):
    """Negative indices count from the end; those further out are clamped."""
    return np.clip(np.where(indices < 0, indices + size, indices), 0, size - 1)


def scatter_add(x, indices, updates, axis):
    y = np.moveaxis(x.copy(), axis, 0)
    updates = np.moveaxis(
        updates, range(axis, axis + indices.ndim), range(indices.ndim)
    ).reshape(indices.size, *y.shape[1:])
    np.add.at(y, chosen(indices, y.shape[0]).ravel(), updates)
    return np.moveaxis(y, 0, axis)


def einsum(*operands, equation):
    """NumPy has no letter twice in a result: those are put on the diagonal here."""
    left, arrow, result = equation.partition("->")
    distinct = "".join(dict.fromkeys(result))
    if "." in result or distinct == result:
        return np.einsum(equation, *operands)
    values = np.einsum(left + arrow + distinct, *operands)
    sizes = dict(zip(distinct, values.shape))
    y = np.zeros([sizes[label] for label in result], values.dtype)
    for index in np.ndindex(*values.shape):
        y[tuple(index[distinct.index(label)] for label in result)] = values[index]
    return y


def each(value, rank, otherwise=1):
    """A number for each spatial axis."""
    value = [otherwise] if value is None else value
    return list(value) * (rank // len(value))


def convolution_products(x_shape, w_shape, strides, low, high, dilations, groups):
    """The indices of x, w and y that each product of a convolution is about."""
    rank = len(x_shape) - 2
    strides, dilations = each(strides, rank), each(dilations, rank)
    low, high = each(low, rank, 0), each(high, rank, 0)
    sizes = [(n + a + b - d * (k - 1) - 1) // s + 1 for n, a, b, k, d, s in zip(
        x_shape[2:], low, high, w_shape[2:], dilations, strides)]
    per_group = w_shape[0] // groups
    for n, f, *o in np.ndindex(x_shape[0], w_shape[0], *sizes):
        for c, *k in np.ndindex(*w_shape[1:]):
            at = [i * s + j * d - a for i, s, j, d, a in zip(o, strides, k, dilations, low)]
            if all(0 <= i < size for i, size in zip(at, x_shape[2:])):
                yield (n, f // per_group * w_shape[1] + c, *at), (f, c, *k), (n, f, *o)


def sums_of_products(like, shape, products):
    """Sums in double of products (index of the sum, factor, factor), rounded once."""
    sums = np.zeros(shape, np.float64 if is_float(like) else like.dtype)
    for index, left, right in products:
        sums[index] += sums.dtype.type(left) * right
    return sums.astype(like.dtype)


def convolution(x, w, strides=None, low=None, high=None, dilations=None, groups=1):
    products = list(convolution_products(x.shape, w.shape, strides, low, high, dilations, groups))
    shape = [1 + max(index[axis] for _, _, index in products) for axis in range(x.ndim)]
    return sums_of_products(x, shape, ((k, x[i], w[j]) for i, j, k in products))


def input_gradient(y, w, shape, strides=None, low=None, high=None, dilations=None, groups=1):
    shape = [y.shape[0], w.shape[1] * groups, *shape]
    products = convolution_products(shape, w.shape, strides, low, high, dilations, groups)
    return sums_of_products(y, shape, ((i, y[k], w[j]) for i, j, k in products))


def weight_gradient(x, y, shape, strides=None, low=None, high=None, dilations=None, groups=1):
    shape = [y.shape[1], x.shape[1] // groups, *shape]
    products = convolution_products(x.shape, shape, strides, low, high, dilations, groups)
    return sums_of_products(x, shape, ((j, x[i], y[k]) for i, j, k in products))


def windows(x, size, strides=None, dilations=None):
    rank = len(size)
    dilations = each(dilations, rank)
    spans = [(n - 1) * d + 1 for n, d in zip(size, dilations)]
    view = np.lib.stride_tricks.sliding_window_view(x, spans, tuple(range(x.ndim - rank, x.ndim)))
    strides = size if strides is None else each(strides, rank)
    return view[(..., *(slice(None, None, s) for s in strides), *(slice(None, None, d) for d in dilations))]


def overlap_add(x, shape, strides=None, dilations=None):
    rank = len(shape)
    size = list(x.shape[-rank:])
    y = np.zeros([*x.shape[:-2 * rank], *shape], x.dtype)
    numbers = windows(np.arange(y.size).reshape(y.shape), size, strides, dilations)
    np.add.at(y.reshape(-1), numbers, x)
    return y


def cumsum(x, axis, reverse, exclusive):
    if reverse:
        return np.flip(cumsum(np.flip(x, axis), axis, False, exclusive), axis)
    y = np.cumsum(x, axis, dtype=x.dtype)
    if not exclusive:
        return y
    y = np.roll(y, 1, axis)
    np.moveaxis(y, axis, 0)[:1] = 0
    return y


def argsort(x, axis, descending):
    """Stable, and NaN greater than any number."""
    if not descending:
        return np.argsort(x, axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(backwards, axis)


def iota(shape, axis, dtype):
    counts = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return np.broadcast_to(counts, shape).astype(DTYPES[dtype])


def philox(counter, key):
    """Philox 4x32-10 on Python integers."""
    low = 0xFFFFFFFF
    for _ in range(10):
        left, right = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [
            (right >> 32) ^ counter[1] ^ key[0], right & low,
            (left >> 32) ^ counter[3] ^ key[1], left & low,
        ]
        key = [(key[0] + 0x9E3779B9) & low, (key[1] + 0xBB67AE85) & low]
    return counter


def random(key, shape, dtype, stream, compute):
    """`compute` of a fraction k/2^b, given as (k, 2^-b), for each element."""
    low = 0xFFFFFFFF
    seed, step = (int(word) for word in key)
    values = []
    for index in range(math.prod(shape)):
        words = philox([index & low, index >> 32, stream & low, step & low],
                       [seed & low, seed >> 32 & low])
        if dtype == "f64":
            values.append(compute((words[0] << 32 | words[1]) >> 11, 2.0**-53))
        else:
            values.append(compute(words[0] >> 8, 2.0**-24))
    return np.array(values).reshape(shape).astype(DTYPES[dtype])


def uniform(key, shape, low, high, dtype, stream):
    return random(key, shape, dtype, stream, lambda k, unit: low + (high - low) * (k * unit))


def normal(key, shape, mean, std, dtype, stream):
    quantile = statistics.NormalDist(mean, std).inv_cdf
    return random(key, shape, dtype, stream, lambda k, unit: quantile((k + 0.5) * unit))


OPS = {
    # Elementwise
    "neg": lambda x: -x,
    "abs": lambda x: np.abs(x),
    "sign": lambda x: np.sign(x),
    "square": lambda x: x * x,
    "relu": lambda x: np.maximum(x, x.dtype.type(0)),
    "exp": lambda x: np.exp(x),
    "expm1": lambda x: np.expm1(x),
    "log": lambda x: np.log(x),
    "log1p": lambda x: np.log1p(x),
    "sqrt": lambda x: np.sqrt(x),
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "sin": lambda x: np.sin(x),
    "cos": lambda x: np.cos(x),
    "tanh": lambda x: np.tanh(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(x.dtype.type(0), x),
    "erf": lambda x: np.vectorize(math.erf)(x).astype(x.dtype),
    "floor": lambda x: np.floor(x),
    "ceil": lambda x: np.ceil(x),
    "round": lambda x: np.round(x),
    "logical_not": lambda x: ~x,
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "floor_divide": lambda x, y: np.floor(x / y) if is_float(x) else x // y,
    "mod": lambda x, y: np.mod(x, y),
    "pow": power,
    "maximum": lambda x, y: np.maximum(x, y),
    "minimum": lambda x, y: np.minimum(x, y),
    "logical_and": lambda x, y: x & y,
    "logical_or": lambda x, y: x | y,
    "logical_xor": lambda x, y: x ^ y,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "where": lambda condition, x, y: np.where(condition, x, y),
    "cast": lambda x, dtype: x.astype(DTYPES[dtype]),
    "stop_gradient": lambda x: x,
    # Reductions
    "sum": reduction(lambda x, **how: x.sum(dtype=x.dtype, **how)),
    "prod": reduction(lambda x, **how: x.prod(dtype=x.dtype, **how)),
    "mean": reduction(lambda x, **how: x.mean(**how)),
    "max": reduction(lambda x, **how: x.max(**how)),
    "min": reduction(lambda x, **how: x.min(**how)),
    "any": reduction(lambda x, **how: x.any(**how)),
    "all": reduction(lambda x, **how: x.all(**how)),
    "logsumexp": logsumexp,
    "argmax": lambda x, axis, keepdims=False: x.argmax(axis=axis, keepdims=keepdims),
    "argmin": lambda x, axis, keepdims=False: x.argmin(axis=axis, keepdims=keepdims),
    "softmax": softmax,
    "log_softmax": log_softmax,
    # Contractions
    "matmul": lambda x, y: x @ y,
    "einsum": einsum,
    "convolution": convolution,
    "convolution_input_gradient": input_gradient,
    "convolution_weight_gradient": weight_gradient,
    "windows": windows,
    "overlap_add": overlap_add,
    # Order
    "cumsum": cumsum,
    "sort": lambda x, axis, descending: np.take_along_axis(x, argsort(x, axis, descending), axis),
    "argsort": argsort,
    # Shapes
    "reshape": lambda x, shape: x.reshape(shape),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape),
    "transpose": lambda x, permutation=None: x.transpose(permutation),
    "expand_dims": lambda x, axis: np.expand_dims(x, tuple(axis)),
    "squeeze": lambda x, axis=None: np.squeeze(x, axes(axis)),
    "slice": lambda x, starts, stops, steps: x[parts(starts, stops, steps)],
    "slice_update": slice_update,
    "concat": lambda *xs, axis: np.concatenate(xs, axis),
    "pad": lambda x, low, high, value: np.pad(x, list(zip(low, high)), constant_values=value),
    "gather": lambda x, indices, axis: np.take(x, chosen(indices, x.shape[axis]), axis),
    "scatter_add": scatter_add,
    "reverse": lambda x, axis: np.flip(x, tuple(axis)),
    "one_hot": lambda i, depth, dtype: (i[..., None] == np.arange(depth)).astype(DTYPES[dtype]),
    "size": lambda x, axis=None: np.prod([x.shape[a] for a in axis or range(x.ndim)], dtype=np.int64),
    # Creation
    "full": lambda shape, value, dtype: np.full(shape, value, DTYPES[dtype]),
    "iota": iota,
    "uniform": uniform,
    "normal": normal,
}


def tensor(entry):
    values = [float(value) if isinstance(value, str) else value for value in entry["values"]]
    return np.array(values, DTYPES[entry["dtype"]]).reshape(entry["shape"])


def difference(found, expected, dtype):
    """What is wrong with `found`, None if nothing is."""
    expected = np.asarray(expected)
    if found.shape != expected.shape:
        return f"shape {list(found.shape)}, expected {list(expected.shape)}"
    if found.dtype != expected.dtype:
        return f"dtype {found.dtype}, expected {expected.dtype}"
    if found.dtype.kind != "f":
        same = found == expected
    else:
        tolerance = TOLERANCES[dtype]
        same = np.isclose(found, expected, rtol=tolerance, atol=tolerance * 1e-2, equal_nan=True)
    if same.all():
        return None
    place = tuple(int(i) for i in np.argwhere(~same)[0])
    return f"{found[place]!r} at {list(place)}, expected {expected[place]!r}"


def main(arguments):
    with open(arguments[0], encoding="utf-8") as file:
        examples = json.load(file)
    problems = 0
    for example in examples:
        name = example["op"]
        if name not in OPS:
            problems += 1
            print(f"error: op {name} has no reference in ops.py")
            continue
        inputs = [tensor(entry) for entry in example["inputs"]]
        with np.errstate(all="ignore"):
            expected = OPS[name](*inputs, **example["attributes"])
        output = example["outputs"][0]
        wrong = difference(tensor(output), expected, output["dtype"])
        if wrong:
            problems += 1
            print(f"error: {example['example']}: {wrong}")
            for entry in example["inputs"]:
                print(f"  {entry['values']}")
    ops = {example["op"] for example in examples}
    for name in sorted(OPS.keys() - ops):
        problems += 1
        print(f"error: op {name} has a reference in ops.py but no example")
    print(f"{len(ops)} ops, {len(examples)} runs, {problems} problems")
    return 1 if problems or not examples else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
