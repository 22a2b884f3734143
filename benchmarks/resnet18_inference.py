"""ResNet-18: inference of one image of 224 x 224.

nnc's parameters are prepared once, before what is timed, as ONNX Runtime and OpenVINO do when they
load a network.
"""
import networks
import residual

TITLE = "ResNet-18, inference, batch 1"
CASES = ("float32",)
TOLERANCE = 1e-4


def inputs(random):
    return {"image": random.standard_normal((1, 3, 224, 224), "float32")}


NETWORK = networks.Network("resnet18_inference", inputs, residual.module, program="resnet18")
PEERS, flops = NETWORK.peers(), NETWORK.flops
