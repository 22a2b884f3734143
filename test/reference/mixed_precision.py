"""Mixed precision as test/Examples/mixed-precision.test trains: 5 -> 7 -> 3, relu, products in f16, parameters and
momentum in f32, a scale of the loss that halves when a gradient is not finite and doubles after some updates.

    mixed_precision.py HISTORY STATE DATA WEIGHTS --scale 65536 --every 3 [--accumulate 2] [--tolerance 2e-3]

HISTORY holds `loss` of each step, STATE the parameters, velocities, scale and count of updates after the last. DATA
holds `x` [N, 5] and `label` [N], WEIGHTS the first parameters. Sums are added up in another order than nnc's, which f16
rounds to one of two neighbours; what overflows, and so the scale, is the same.
"""
import argparse

import numpy

from reference import compare, read_arrays, read_history, require

RATE, MOMENTUM = 0.1, 0.9
half = numpy.float16


def product(x, y):
    """In f16, summed in f32 and rounded once."""
    with numpy.errstate(over="ignore", invalid="ignore"):
        return (x.astype(numpy.float32) @ y.astype(numpy.float32)).astype(half)


def gradients(x, label, p, scale):
    """The loss, and its gradients times the scale as f32."""
    short = {name: value.astype(half) for name, value in p.items()}
    x = x.astype(half)
    before = product(x, short["hidden.w"]) + short["hidden.b"]
    hidden = numpy.maximum(before, half(0))
    logits = (product(hidden, short["out.w"]) + short["out.b"]).astype(numpy.float32)
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - numpy.log(numpy.exp(shifted).sum(axis=1, keepdims=True))
    rows = numpy.arange(len(x))
    d_logits = numpy.exp(logs)
    d_logits[rows, label] -= 1
    with numpy.errstate(over="ignore", invalid="ignore"):
        d_logits = (d_logits * (scale / len(x))).astype(half)
        d_before = product(d_logits, short["out.w"].T) * (before > 0)
        grads = {
            "hidden.w": product(x.T, d_before),
            "hidden.b": d_before.astype(numpy.float32).sum(axis=0).astype(half),
            "out.w": product(hidden.T, d_logits),
            "out.b": d_logits.astype(numpy.float32).sum(axis=0).astype(half),
        }
    return -logs[rows, label].mean(), {n: g.astype(numpy.float32) for n, g in grads.items()}


def train(x, label, p, steps, scale, every, accumulate):
    p = {name: value.astype(numpy.float32) for name, value in p.items()}
    velocity = {name: numpy.zeros_like(value) for name, value in p.items()}
    sums, losses, updates, skipped = None, [], 0, 0
    for step in range(steps):
        loss, grads = gradients(x, label, p, scale)
        losses.append(loss)
        with numpy.errstate(invalid="ignore"):
            sums = grads if step % accumulate == 0 else {n: sums[n] + g for n, g in grads.items()}
        if step % accumulate != accumulate - 1:
            continue
        means = {name: value / accumulate / scale for name, value in sums.items()}
        if not all(numpy.isfinite(value).all() for value in means.values()):
            scale, updates, skipped = max(scale / 2, 1), 0, skipped + 1
            continue
        for name in p:
            velocity[name] = MOMENTUM * velocity[name] + means[name]
            p[name] = p[name] - RATE * velocity[name]
        updates += 1
        if updates == every:
            scale, updates = min(scale * 2, 2.0**24), 0
    return losses, p, velocity, scale, updates, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("history", "state", "data", "weights"):
        parser.add_argument(name)
    for name in ("scale", "every", "accumulate"):
        parser.add_argument(f"--{name}", type=int, default=1)
    parser.add_argument("--tolerance", type=float, default=2e-3)
    arguments = parser.parse_args()
    history, state = read_history(arguments.history), read_arrays(arguments.state)
    data, weights = read_arrays(arguments.data), read_arrays(arguments.weights)
    losses, p, velocity, scale, updates, skipped = train(
        data["x"].astype(numpy.float32), data["label"], weights, len(history["loss"]),
        float(arguments.scale), arguments.every, arguments.accumulate
    )  # fmt: skip
    require("some steps are left out", skipped > 1, skipped)
    compare("loss", history["loss"], losses, arguments.tolerance)
    for name in p:
        compare(name, state[name], p[name], arguments.tolerance)
        compare(f"velocity of {name}", state[f"{name}.velocity"], velocity[name], arguments.tolerance)
    compare("scale", state["loss_scale.scale"], scale, 0)
    compare("updates", state["loss_scale.updates"], updates, 0)
    print(f"{skipped} left out")


if __name__ == "__main__":
    main()
