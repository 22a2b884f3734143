"""The functions of the prelude in PyTorch.

A line of the table: an expression of `.nn`, its inputs as the examples of ops write them (with symbols
for sizes), and the same in PyTorch. The first function that the expression calls is what it covers.
"""
import math
import re

import torch
from torch.nn import functional as F

from cases import Case, FLOATS, Input

WITHOUT_COUNTERPART = {
    "uniform_like": "random numbers, see uniform", "normal_like": "random numbers, see normal",
    "dropout": "random in training, else the identity; see drop_elements",
    "drop_elements": "random: test/Syntax/prelude.nn tests how many elements it keeps",
    "glorot_uniform": "random: test/Syntax/initializers.nn tests their spread",
    "glorot_normal": "as glorot_uniform", "he_uniform": "as glorot_uniform",
    "he_normal": "as glorot_uniform", "lecun_uniform": "as glorot_uniform",
    "lecun_normal": "as glorot_uniform",
    "orthogonal": "random: test/Syntax/initializers.nn tests what it promises",
    "count_of": "as fan_in",
    "fan_in": "a number: test/Syntax/initializers.nn", "fan_out": "as fan_in",
    "kernel_size": "as fan_in", "size_of": "as fan_in",
    "orthonormal_rows": "rows have a sign of their own: test/Syntax/initializers.nn",
    "dynamic_quantize_linear": "an error of x / scale moves bytes by one: test/Syntax/quantization.nn",
    "along": "a part of quantize_linear", "framed": "a part of conv_integer",
}

# Parts of functions that are compared.
WITHOUT_COUNTERPART |= dict.fromkeys(
    "span before after padding_of add_bias channels_of overlap cut_before cut_after missing more_of "
    "spread_size spread1d spread2d spread3d".split(), "a part of conv2d and others")
WITHOUT_COUNTERPART |= dict.fromkeys(
    "sum_pool1d sum_pool2d sum_pool3d pad1d pad2d pad3d belongs shares largest_share "
    "interpolation".split(), "a part of pooling and resampling")

X = "x: f64[N, M]"
WIDE = "x: f64[N, M] in -9..9"
PAIR = "prediction: f64[N, M], truth: f64[N, M]"
LOGITS = "logits: f64[N, 5] in -6..6, label: i64[N] in 0..4"
SCORES = "p: f64[N] in 0.01..0.99, truth: f64[N] in 0..1"
BINARY = "p: f64[N] in 0..1, truth: i64[N] in 0..1"
QKV = "q: f64[N, 2, L, 4] in -3..3, k: f64[N, 2, S, 4], v: f64[N, 2, S, 3]"


def over(part, whole):
    """0 where there is nothing to divide by."""
    return part.double() / whole if whole > 0 else torch.zeros([], dtype=torch.float64)


def confusion(logits, label):
    counts = torch.zeros(5, 5, dtype=torch.float64)
    for row, column in zip(label.tolist(), logits.argmax(1).tolist()):
        counts[row, column] += 1
    return counts


def by_class(score):
    """The mean over the classes that occur of score(right, predicted, true) rows; 0 / 0 is 0."""
    def mean(logits, label):
        counts = confusion(logits, label)
        hit, said, real = counts.diagonal(), counts.sum(0), counts.sum(1)
        return score(hit, said, real).nan_to_num(0)[said + real > 0].mean()
    return mean


def area(score, truth):
    """Under the ROC curve, by counting pairs."""
    pairs = [(a > b) + 0.5 * (a == b) for a in score[truth > 0].tolist()
             for b in score[truth == 0].tolist()]
    return torch.tensor(sum(pairs) / len(pairs) if pairs else 0.5, dtype=torch.float64)


def same(function, spans):
    """PyTorch's convolution of x with the zeros that "same" means."""
    def run(x, w):
        widths = [n for s in reversed(spans) for n in (s // 2, (s + 1) // 2)]
        return function(F.pad(x, widths), w)
    return run


def same_transposed(function, strides, spans, **how):
    """As Keras: the input's size times the stride, cut out of the middle of all that the windows make."""
    def run(x, w):
        whole = function(x, w, stride=strides, **how)
        for axis, (stride, span) in enumerate(zip(strides, spans), 2):
            over, size = span + 1 - stride, x.shape[axis] * stride
            missing = [0, 0] * (whole.dim() - 1 - axis) + [0, max(-over, 0)]
            whole = F.pad(whole, missing).narrow(axis, max(over, 0) // 2, size)
        return whole
    return run


def interpolated(align):
    return lambda x: F.interpolate(x, scale_factor=(2, 3), mode="bilinear", align_corners=align)


SEQUENCE, IMAGE, VOLUME = "x: f64[N, 4, 9]", "x: f64[N, 4, 9, 8]", "x: f64[N, 2, 6, 5, 7]"

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
    ("selu(x)", WIDE, F.selu), ("gelu(x)", WIDE, F.gelu),
    ("gelu_tanh(x)", WIDE, lambda x: F.gelu(x, approximate="tanh")),
    ("silu(x)", WIDE, F.silu),
    ("mish(x)", WIDE, F.mish), ("softsign(x)", WIDE, F.softsign),
    # PyTorch's own derivative is 1/6 rounded to f32.
    ("hard_sigmoid(x)", WIDE, lambda x: (x / 6 + 0.5).clamp(0, 1)), ("hard_tanh(x)", WIDE, F.hardtanh),
    ("hard_silu(x)", WIDE, F.hardswish),
    # Convolutions
    ("conv1d(x, w)", SEQUENCE + ", w: f64[6, 4, 3]", F.conv1d),
    ("conv1d(x, w, b, stride = 2, padding = 1, dilation = 2, groups = 2)",
     SEQUENCE + ", w: f64[6, 2, 3], b: f64[6]",
     lambda x, w, b: F.conv1d(x, w, b, 2, 1, 2, 2)),
    ("conv2d(x, w, b, padding = 2)", IMAGE + ", w: f64[6, 4, 5, 3], b: f64[6]",
     lambda x, w, b: F.conv2d(x, w, b, padding=2)),
    ("conv2d(x, w, stride = [2, 1], padding = [1, 0], dilation = [1, 2], groups = 4)",
     IMAGE + ", w: f64[8, 1, 2, 3]", lambda x, w: F.conv2d(x, w, None, (2, 1), (1, 0), (1, 2), 4)),
    ("conv2d(x, w, padding = \"same\")", IMAGE + ", w: f64[2, 4, 4, 3]",
     same(F.conv2d, [3, 2])),
    ("conv2d(x, w, stride = 3, padding = \"same\", dilation = 2)", IMAGE + ", w: f64[2, 4, 3, 2]",
     same(lambda x, w: F.conv2d(x, w, None, 3, 0, 2), [4, 2])),
    ("conv2d(x, w, padding = \"valid\")", "x: f64[N, 1, H, 9], w: f64[3, 1, 1, 3]", F.conv2d),
    ("conv3d(x, w, b, stride = 2, padding = 1)", VOLUME + ", w: f64[3, 2, 2, 3, 3], b: f64[3]",
     lambda x, w, b: F.conv3d(x, w, b, 2, 1)),
    ("depthwise_conv2d(x, w, padding = 1)", IMAGE + ", w: f64[8, 1, 3, 3]",
     lambda x, w: F.conv2d(x, w, padding=1, groups=4)),
    ("conv_transpose1d(x, w, b, stride = 2, padding = 1)",
     SEQUENCE + ", w: f64[4, 3, 3], b: f64[3]",
     lambda x, w, b: F.conv_transpose1d(x, w, b, 2, 1)),
    ("conv_transpose2d(x, w, stride = 2, padding = 1, output_padding = 1)",
     IMAGE + ", w: f64[4, 3, 3, 3]", lambda x, w: F.conv_transpose2d(x, w, None, 2, 1, 1)),
    ("conv_transpose2d(x, w, b, stride = [3, 1], dilation = [1, 2], groups = 2)",
     IMAGE + ", w: f64[4, 3, 2, 3], b: f64[6]",
     lambda x, w, b: F.conv_transpose2d(x, w, b, (3, 1), 0, 0, 2, (1, 2))),
    ("conv_transpose3d(x, w, stride = 2)", VOLUME + ", w: f64[2, 3, 2, 3, 2]",
     lambda x, w: F.conv_transpose3d(x, w, None, 2)),
    ("conv_transpose1d(x, w, stride = 3, padding = \"same\")", SEQUENCE + ", w: f64[4, 3, 4]",
     same_transposed(F.conv_transpose1d, [3], [3])),
    ("conv_transpose2d(x, w, stride = [2, 4], padding = \"same\", dilation = [2, 1])",
     IMAGE + ", w: f64[4, 3, 3, 2]",  # an overlap of 3 and a gap of 2
     same_transposed(F.conv_transpose2d, [2, 4], [4, 1], dilation=(2, 1))),
    ("conv_transpose2d(x, w, padding = \"valid\")", IMAGE + ", w: f64[4, 3, 3, 2]",
     F.conv_transpose2d),
    ("conv_transpose3d(x, w, stride = 2, padding = \"same\")", VOLUME + ", w: f64[2, 3, 2, 3, 2]",
     same_transposed(F.conv_transpose3d, [2, 2, 2], [1, 2, 1])),
    # Pooling
    ("max_pool(x, 3, stride = 2, padding = 1)", "x: i32[N, 2, 5, 6] in -9..-1",
     lambda x: F.max_pool2d(x.double(), 3, 2, 1).to(x.dtype)),
    ("max_pool2d(x, 2, padding = 1)", "x: u8[N, 2, 5, 6] in 0..9",
     lambda x: F.max_pool2d(x.double(), 2, padding=1).to(x.dtype)),
    ("max_pool(x, 2)", IMAGE, lambda x: F.max_pool2d(x, 2)),
    ("max_pool(x, 3, stride = 2, padding = 1)", SEQUENCE, lambda x: F.max_pool1d(x, 3, 2, 1)),
    ("max_pool1d(x, 2, dilation = 2)", SEQUENCE, lambda x: F.max_pool1d(x, 2, dilation=2)),
    ("max_pool2d(x, [3, 2], stride = [1, 2], padding = [1, 0], dilation = [2, 1])", IMAGE,
     lambda x: F.max_pool2d(x, (3, 2), (1, 2), (1, 0), (2, 1))),
    ("max_pool3d(x, 2, padding = 1)", VOLUME, lambda x: F.max_pool3d(x, 2, padding=1)),
    ("average_pool(x, 2)", VOLUME, lambda x: F.avg_pool3d(x, 2)),
    ("average_pool1d(x, 3, stride = 2, padding = 1)", SEQUENCE,
     lambda x: F.avg_pool1d(x, 3, 2, 1)),
    ("average_pool2d(x, 3, stride = 2, padding = 1, count_padding = false)", IMAGE,
     lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    ("average_pool3d(x, 2, stride = 1)", VOLUME, lambda x: F.avg_pool3d(x, 2, 1)),
    ("lp_pool(x, 2, p = 3)", "x: f64[N, 4, 9, 8] in 0.1..2", lambda x: F.lp_pool2d(x, 3, 2)),
    ("global_max_pool(x)", IMAGE, lambda x: x.amax((2, 3))),
    ("global_average_pool(x)", VOLUME, lambda x: x.mean((2, 3, 4))),
    ("adaptive_average_pool1d(x, 4)", SEQUENCE, lambda x: F.adaptive_avg_pool1d(x, 4)),
    ("adaptive_average_pool2d(x, [4, 3])", IMAGE, lambda x: F.adaptive_avg_pool2d(x, (4, 3))),
    ("adaptive_average_pool3d(x, [3, 2, 4])", VOLUME,
     lambda x: F.adaptive_avg_pool3d(x, (3, 2, 4))),
    ("adaptive_max_pool1d(x, 4)", SEQUENCE, lambda x: F.adaptive_max_pool1d(x, 4)),
    ("adaptive_max_pool2d(x, [4, 3])", IMAGE, lambda x: F.adaptive_max_pool2d(x, (4, 3))),
    ("adaptive_max_pool3d(x, [3, 2, 4])", VOLUME,
     lambda x: F.adaptive_max_pool3d(x, (3, 2, 4))),
    ("upsample(x, [2, 3])", IMAGE, lambda x: F.interpolate(x, scale_factor=(2, 3))),
    ("upsample_bilinear(x, [2, 3])", IMAGE, interpolated(False)),
    ("upsample_bilinear(x, [2, 3], align_corners = true)", IMAGE, interpolated(True)),
    # Ordering
    ("top_k(x, 3)[0]", "x: f64[N, 7]", lambda x: x.topk(3)[0]),
    ("take_along_axis(x, i)", "x: f64[N, 4, 7], i: i64[N, 4, 3] in 0..6",
     lambda x, i: x.gather(-1, i)),
    # Products, where there are zeros, too
    ("cumprod(x)", "x: f64[N, 7] in -2..2", lambda x: x.cumprod(-1)),
    ("cumprod(x, axis = 1)", "x: f64[N, M, 3] in -2..2", lambda x: x.cumprod(1)),
    ("cumprod(x, axis = 0, reverse = true)", "x: f64[6, M, 2] in -2..2",
     lambda x: x.flip(0).cumprod(0).flip(0)),
    ("cumprod(x, exclusive = true)", "x: f64[5]",
     lambda x: torch.cat([torch.ones_like(x[:1]), x[:-1]]).cumprod(0)),
    ("cumprod(x)", "x: i64[N, 7] in -2..2", lambda x: x.cumprod(-1)),
    ("cumprod(x - stop_gradient(x) * f64(m))", "x: f64[N, 6] in -2..2, m: i64[N, 6] in 0..1",
     lambda x, m: (x - x.detach() * m).cumprod(-1)),
    ("prod(x - stop_gradient(x) * f64(m), axis = 1)", "x: f64[N, 3] in -2..2, m: i64[N, 3] in 0..1",
     lambda x, m: (x - x.detach() * m).prod(1)),
    # Bytes; scales that are powers of two divide exactly.
    ("quantize_linear(x, 0.25, i8(3))", "x: f64[N, M] in -40..40",
     lambda x: ((x / 0.25).round() + 3).clamp(-128, 127).to(torch.int8)),
    ("dequantize_linear(q, s, i8(-3), axis = 0)", "q: i8[N, M] in -9..9, s: f64[N]",
     lambda q, s: (q.double() + 3) * s[:, None]),
    ("matmul_integer(a, b, u8(3), i8(-2))", "a: u8[N, M] in 0..255, b: i8[M, 5] in -128..127",
     lambda a, b: (a.int() - 3) @ (b.int() + 2)),
    ("conv_integer(x, w, u8(7), padding = 1, stride = 2)",
     "x: u8[N, 3, 7, 6] in 0..255, w: i8[4, 3, 3, 3] in -128..127",
     lambda x, w: F.conv2d(x.double() - 7, w.double(), padding=1, stride=2).int()),
    # Losses
    ("mse(prediction, truth)", PAIR, F.mse_loss), ("mae(prediction, truth)", PAIR, F.l1_loss),
    ("huber(3 * prediction, truth)", PAIR, lambda p, t: F.huber_loss(3 * p, t)),
    ("huber(prediction, truth, delta = 0.3)", PAIR, lambda p, t: F.huber_loss(p, t, delta=0.3)),
    ("binary_cross_entropy(p, truth)", SCORES, F.binary_cross_entropy),
    ("binary_cross_entropy_with_logits(9 * p - 5, truth)", SCORES,
     lambda p, t: F.binary_cross_entropy_with_logits(9 * p - 5, t)),
    ("cross_entropy(logits, label)", LOGITS, F.cross_entropy),
    ("cross_entropy(logits, label, smoothing = 0.1)", LOGITS,
     lambda x, l: F.cross_entropy(x, l, label_smoothing=0.1)),
    ("soft_cross_entropy(logits, softmax(t))", "logits: f64[N, M] in -6..6, t: f64[N, M]",
     lambda x, t: F.cross_entropy(x, t.softmax(1))),
    ("nll(log_softmax(logits), label)", LOGITS, lambda x, l: F.nll_loss(x.log_softmax(1), l)),
    ("kl_divergence(log_softmax(logits), softmax(t))", "logits: f64[N, M] in -6..6, t: f64[N, M]",
     lambda x, t: F.kl_div(x.log_softmax(1), t.softmax(1), reduction="batchmean")),
    ("kl_divergence(log_softmax(logits), relu(t))", "logits: f64[N, M] in -6..6, t: f64[N, M]",
     lambda x, t: F.kl_div(x.log_softmax(1), t.relu(), reduction="batchmean")),
    ("hinge(score, 2 * f64(truth) - 1)", "score: f64[N] in -3..3, truth: i64[N] in 0..1",
     lambda s, t: (1 - (2 * t - 1) * s).clamp(min=0).mean()),
    ("multi_class_hinge(logits, label)", LOGITS, F.multi_margin_loss),
    # Parts of layers
    ("standardized(x)", "x: f64[N, 5]", lambda x: F.layer_norm(x, [5])),
    ("blend(x, y, 0.25)", "x: f64[N], y: f64[N]", lambda x, y: x.lerp(y, 0.25)),
    ("split_heads(x, 2)", "x: f64[N, L, 6]",
     lambda x: x.reshape(*x.shape[:2], 2, 3).transpose(1, 2)),
    ("hide_future(x)", "x: f64[N, 3, 5]",
     lambda x: x.masked_fill(~torch.ones(3, 5).tril().bool(), -math.inf)),
    ("scaled_dot_product_attention(q, k, v)", QKV, F.scaled_dot_product_attention),
    ("scaled_dot_product_attention(q, k, v)", "q: f64[2, 3, 4], k: f64[2, 5, 4], v: f64[2, 5, 2]",
     F.scaled_dot_product_attention),
    ("scaled_dot_product_attention(q, k, v, causal = true)", QKV,
     lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True)),
    ("scaled_dot_product_attention(q, k, v, mask = mask)",
     "q: f64[3, L, 4], k: f64[3, 5, 4], v: f64[3, 5, 2], mask: bool[L, 5]",
     lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m)),
    ("scaled_dot_product_attention(q, k, v, mask = x < 0)",  # sees nothing
     "q: f64[3, 2, 4], k: f64[3, 5, 4], v: f64[3, 5, 2], x: f64[2, 5] in 0.5..1",
     lambda q, k, v, x: F.scaled_dot_product_attention(q, k, v, attn_mask=x < 0)),
    ("steps_first(x, backward = true)", "x: f64[N, L, 2]", lambda x: x.transpose(0, 1).flip(0)),
    ("batch_first(x, backward = true)", "x: f64[L, N, 2]", lambda x: x.transpose(0, 1).flip(1)),
    # Metrics
    ("accuracy(logits, label)", LOGITS, lambda x, l: (x.argmax(1) == l).double().mean()),
    ("binary_accuracy(p, round(truth))", SCORES,
     lambda p, t: ((p > 0.5) == (t.round() > 0.5)).double().mean()),
    ("top_k_accuracy(logits, label, k = 2)", LOGITS,
     lambda x, l: (x.topk(2).indices == l[:, None]).any(1).double().mean()),
    ("confusion_matrix(logits, label)", LOGITS, lambda x, l: confusion(x, l).long()),
    ("precision(logits, label)", LOGITS, by_class(lambda hit, said, real: hit / said)),
    ("recall(logits, label)", LOGITS, by_class(lambda hit, said, real: hit / real)),
    ("f1_score(logits, label)", LOGITS, by_class(lambda hit, said, real: 2 * hit / (said + real))),
    ("true_of(x)", "x: f64[4, 4]", torch.diagonal),
    ("ratio(x, y)", "x: f64[N], y: f64[N] in 1..2", torch.div),
    ("mean_of_classes(x, y)", "x: f64[3, 3] in 0.1..2, y: f64[3]", lambda x, y: y.mean()),
    ("binary_precision(p, truth)", BINARY,
     lambda p, t: over(((p > 0.5) & (t > 0)).sum(), (p > 0.5).sum())),
    ("binary_recall(p, truth)", BINARY,
     lambda p, t: over(((p > 0.5) & (t > 0)).sum(), (t > 0).sum())),
    ("binary_f1(p, truth, threshold = 0.3)", BINARY,
     lambda p, t: over(2 * ((p > 0.3) & (t > 0)).sum(), (p > 0.3).sum() + (t > 0).sum())),
    ("auc(round(4 * p), truth)", BINARY, lambda p, t: area((4 * p).round(), t)),
    ("r_squared(prediction, truth)", PAIR,
     lambda p, t: 1 - ((p - t) ** 2).sum() / ((t - t.mean()) ** 2).sum()),
]
WITHOUT_GRADIENT = {"accuracy", "binary_accuracy", "top_k_accuracy", "confusion_matrix", "precision",
                    "recall", "f1_score", "binary_precision", "binary_recall", "binary_f1", "auc",
                    "quantize_linear", "matmul_integer", "conv_integer"}

INPUT = re.compile(r"([\w.]+): (\w+)(?:\[([^\]]*)\])?(?: in (\S+)\.\.(\S+))?(?:, |$)")


def parse_inputs(text):
    for name, dtype, dims, low, high in INPUT.findall(text):
        sizes = [int(d) if d.isdigit() else d for d in dims.split(", ")] if dims else []
        number = float if dtype in FLOATS else int
        yield Input(name, dtype, sizes, number(low) if low else None, number(high) if high else None)


# What is compared in f16 and bf16, too. Of others maxima are not, as values that are equal after rounding
# share a derivative, which PyTorch gives to the first, nor hard_sigmoid and hard_silu, whose x / 6 + 1 / 2 is
# rounded to their edges, nor quotients of what cancels.
SHORT = set("""
    flatten clip relu6 leaky_relu elu gelu silu softsign hard_tanh conv1d conv2d conv3d
    depthwise_conv2d conv_transpose2d average_pool global_average_pool upsample mse mae huber cross_entropy
    binary_cross_entropy_with_logits scaled_dot_product_attention dense linear rms_norm conv
""".split())
SHORT_BOUNDS = {"f16": 16 * 2**-11, "bf16": 16 * 2**-8}  # twice those of a single op

# So large that a matrix unit multiplies them, where there is one.
LARGE = [
    ("conv2d(x, w, padding = 1)", "x: bf16[2, 32, 10, 10], w: bf16[40, 32, 3, 3]",
     lambda x, w: F.conv2d(x, w, padding=1)),
    ("scaled_dot_product_attention(q, k, v)",
     "q: bf16[3, 41, 64], k: bf16[3, 50, 64], v: bf16[3, 50, 24]", F.scaled_dot_product_attention),
]


def dtypes_of(name, inputs, number, rounds):
    """All types that there are, in a short run one in turn."""
    if "f64" not in inputs:
        return ["f64"]
    dtypes = FLOATS if name in SHORT else ["f64", "f32"]
    return dtypes if rounds > 1 else [dtypes[number % len(dtypes)]]


def covered(expression):
    return re.search(r"(\w+)\(", expression)[1]


def compared():
    return {covered(expression) for expression, *_ in FUNCTIONS}


def function_cases(rounds):
    for number, (expression, inputs, function, *bound) in enumerate(FUNCTIONS):
        name = covered(expression)
        for dtype in dtypes_of(name, inputs, number, rounds):
            declared = list(parse_inputs(inputs.replace("f64", dtype)))
            hasGradient = any(i.dtype in FLOATS for i in declared) and name not in WITHOUT_GRADIENT
            yield Case(name, expression, declared, function, gradient=hasGradient,
                       bounds={**SHORT_BOUNDS, **({"f64": bound[0]} if bound else {})}, least=1)
    for expression, inputs, function in LARGE:
        yield Case(covered(expression), expression, list(parse_inputs(inputs)), function, gradient=True,
                   bounds=SHORT_BOUNDS, least=1)
