"""A transformer of 6 blocks, 384 features, 6 heads: a step of Adam on 4 texts of 256 bytes."""
import jax_layers as layers
import networks
import transformer

TITLE = "GPT, 6 layers, d 384, T 256, training step, batch 4"
CASES = ("float32",)
TOLERANCE = 1e-4
BLOCKS, FEATURES, HEADS, LENGTH, BYTES = 6, 384, 6, 256, 128


def inputs(random):
    return {"text": random.integers(0, BYTES, (4, LENGTH)),
            "next": random.integers(0, BYTES, (4, LENGTH))}


def module():
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.bytes = nn.Parameter(0.05 * torch.randn(BYTES, FEATURES))
            self.places = nn.Parameter(0.05 * torch.randn(LENGTH, FEATURES))
            for index in range(BLOCKS):
                setattr(self, f"block{index + 1}", transformer.block(FEATURES, HEADS))
            self.norm = nn.LayerNorm(FEATURES)

        def forward(self, text):
            x = nn.functional.embedding(text, self.bytes) + self.places
            for index in range(BLOCKS):
                x = getattr(self, f"block{index + 1}")(x)
            return self.norm(x) @ self.bytes.T

    return Net()


def function(p, text, statistics):
    x = p["bytes"][text] + p["places"]
    for index in range(BLOCKS):
        x = transformer.jax_block(p, f"block{index + 1}", x, HEADS)
    return layers.layer_norm(p, "norm", x) @ p["bytes"].T


NETWORK = networks.Network("gpt", inputs, module, function, ("adam", 1e-4))
PEERS, flops = NETWORK.peers(), NETWORK.flops
