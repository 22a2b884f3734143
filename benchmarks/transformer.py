"""The block of a transformer for PyTorch and JAX, its parts named as in blocks.nn and gpt.nn."""
import jax_layers as layers


def block(features, heads):
    import torch
    from torch import nn

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key = nn.Linear(features, features), nn.Linear(features, features)
            self.value, self.output = nn.Linear(features, features), nn.Linear(features, features)

        def forward(self, x):
            n, length, _ = x.shape
            split = lambda y: y.view(n, length, heads, features // heads).transpose(1, 2)
            q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
            mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.output(mixed.transpose(1, 2).reshape(n, length, features))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(features), nn.LayerNorm(features)
            self.attention = Attention()
            self.wide = nn.Linear(features, 4 * features)
            self.narrow = nn.Linear(4 * features, features)

        def forward(self, x):
            x = x + self.attention(self.norm1(x))
            return x + self.narrow(nn.functional.gelu(self.wide(self.norm2(x))))

    return Block()


def blocks(count, features, heads):
    """Several blocks as a module, block1 and so on."""
    from collections import OrderedDict

    from torch import nn

    return nn.Sequential(OrderedDict(
        (f"block{index + 1}", block(features, heads)) for index in range(count)))


def jax_block(p, name, x, heads):
    import jax
    import jax.numpy as jnp

    n, length, features = x.shape
    a = layers.layer_norm(p, f"{name}_norm1", x)
    q, k, v = (layers.dense(p, f"{name}_attention_{part}", a)
               .reshape(n, length, heads, features // heads) for part in ("query", "key", "value"))
    mixed = jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(x.shape)
    x = x + layers.dense(p, f"{name}_attention_output", mixed)
    wide = layers.dense(p, f"{name}_wide", layers.layer_norm(p, f"{name}_norm2", x))
    return x + layers.dense(p, f"{name}_narrow", jax.nn.gelu(wide, approximate=False))
