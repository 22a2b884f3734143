"""ResNet-18: a step with momentum on 16 images of 224 x 224."""
import networks
import residual

TITLE = "ResNet-18, training step, batch 16"
CASES = ("float32",)
TOLERANCE = 1e-3
INPUTS = networks.labelled_images((16, 3, 224, 224), 1000)


NETWORK = networks.Network("resnet18", INPUTS, residual.module, residual.function,
                           ("momentum", 0.01))
PEERS, flops = NETWORK.peers(), NETWORK.flops
