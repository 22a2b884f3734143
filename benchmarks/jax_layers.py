"""Layers for JAX, which has none: functions of the parameters, a name in them, and what comes in."""


def relu(x):
    import jax

    return jax.nn.relu(x)


def dense(p, name, x):
    return x @ p[f"{name}_w"] + p[f"{name}_b"]


def convolution(p, name, x, stride=1, padding=0):
    from jax import lax

    y = lax.conv_general_dilated(x, p[f"{name}_w"], (stride, stride), [(padding, padding)] * 2)
    return y + p[f"{name}_b"][:, None, None] if f"{name}_b" in p else y


def max_pool(x, window, stride=None, padding=0):
    import jax.numpy as jnp
    from jax import lax

    shape, strides = (1, 1, window, window), (1, 1, stride or window, stride or window)
    around = [(0, 0), (0, 0), (padding, padding), (padding, padding)]
    return lax.reduce_window(x, -jnp.inf, lax.max, shape, strides, around)


def batch_norm(p, name, x, statistics, momentum=0.1, epsilon=1e-5):
    """In training; the running averages in `statistics` become the next ones."""
    import jax.numpy as jnp
    from jax import lax

    center, spread = jnp.mean(x, (0, 2, 3)), jnp.var(x, (0, 2, 3))
    count = x.size / x.shape[1]
    newest = {"mean": center, "variance": spread * (count / (count - 1))}
    for kind, value in newest.items():
        key = f"{name}_running_{kind}"
        statistics[key] = (1 - momentum) * statistics[key] + momentum * lax.stop_gradient(value)
    factor = p[f"{name}_scale"] * lax.rsqrt(spread + epsilon)
    return (x - center[:, None, None]) * factor[:, None, None] + p[f"{name}_shift"][:, None, None]


def layer_norm(p, name, x, epsilon=1e-5):
    import jax.numpy as jnp
    from jax import lax

    center = jnp.mean(x, -1, keepdims=True)
    spread = jnp.var(x, -1, keepdims=True)
    return (x - center) * lax.rsqrt(spread + epsilon) * p[f"{name}_scale"] + p[f"{name}_shift"]
