"""MobileNetV2: inference of one image of 224 x 224.

nnc's parameters are prepared once, before what is timed, as ONNX Runtime and OpenVINO do when they
load a network.
"""
import networks

TITLE = "MobileNetV2, inference, batch 1"
CASES = ("float32",)
TOLERANCE = 1e-3
# Channels, filters and stride of each block; without a stride x is added.
BLOCKS = ((16, 24, 2), (24, 24, 0), (24, 32, 2), (32, 32, 0), (32, 32, 0), (32, 64, 2), (64, 64, 0),
          (64, 64, 0), (64, 64, 0), (64, 96, 1), (96, 96, 0), (96, 96, 0), (96, 160, 2),
          (160, 160, 0), (160, 160, 0), (160, 320, 1))


def inputs(random):
    return {"image": random.standard_normal((1, 3, 224, 224), "float32")}


def module():
    from torch import nn

    class Filtered(nn.Module):
        def __init__(self, channels, filters, kernel=1, stride=1, groups=1):
            super().__init__()
            self.conv = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups,
                                  bias=False)
            self.norm = nn.BatchNorm2d(filters)

        def forward(self, x):
            return self.norm(self.conv(x))

    class Inverted(nn.Module):
        def __init__(self, channels, filters, stride):
            super().__init__()
            wide = 6 * channels
            self.expand = Filtered(channels, wide)
            self.depthwise = Filtered(wide, wide, 3, stride, wide)
            self.project = Filtered(wide, filters)

        def forward(self, x):
            wide = nn.functional.relu6(self.expand(x))
            return self.project(nn.functional.relu6(self.depthwise(wide)))

    class Residual(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.inner = Inverted(channels, channels, 1)

        def forward(self, x):
            return x + self.inner(x)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.depthwise = Filtered(3, 32, 3, 2), Filtered(32, 32, 3, 1, 32)
            self.project = Filtered(32, 16)
            for index, (channels, filters, stride) in enumerate(BLOCKS):
                made = Inverted(channels, filters, stride) if stride else Residual(channels)
                setattr(self, f"block{index + 1}", made)
            self.last, self.output = Filtered(320, 1280), nn.Linear(1280, 1000)

        def forward(self, x):
            relu6 = nn.functional.relu6
            x = self.project(relu6(self.depthwise(relu6(self.first(x)))))
            for index in range(len(BLOCKS)):
                x = getattr(self, f"block{index + 1}")(x)
            return self.output(relu6(self.last(x)).mean((2, 3)))

    return Net()


NETWORK = networks.Network("mobilenet", inputs, module)
PEERS, flops = NETWORK.peers(), NETWORK.flops
