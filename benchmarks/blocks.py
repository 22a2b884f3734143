"""Four blocks of a transformer on 128 vectors of 256, which look back: inference of one sequence.

nnc's parameters are prepared once, before what is timed, as ONNX Runtime and OpenVINO do when they
load a network.
"""
import networks
import transformer

TITLE = "4 GPT blocks, d 256, T 128, inference, batch 1"
CASES = ("float32",)
TOLERANCE = 1e-4


def inputs(random):
    return {"x": random.standard_normal((1, 128, 256), "float32")}


def module():
    return transformer.blocks(count=4, features=256, heads=4)


NETWORK = networks.Network("blocks", inputs, module)
PEERS, flops = NETWORK.peers(), NETWORK.flops
