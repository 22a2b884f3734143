"""ResNet-18 for PyTorch and JAX, its parts named as in resnet18.nn."""
import jax_layers as layers

# Channels and filters of each block.
BLOCKS = ((64, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512))


def module():
    from torch import nn

    class Filtered(nn.Module):
        def __init__(self, channels, filters, kernel=3, stride=1):
            super().__init__()
            self.conv = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False)
            self.norm = nn.BatchNorm2d(filters)

        def forward(self, x):
            return self.norm(self.conv(x))

    class Block(nn.Module):
        def __init__(self, channels, filters):
            super().__init__()
            stride = 1 if channels == filters else 2
            self.first = Filtered(channels, filters, stride=stride)
            self.second = Filtered(filters, filters)
            self.straight = Filtered(channels, filters, 1, 2) if stride == 2 else nn.Identity()

        def forward(self, x):
            found = self.second(nn.functional.relu(self.first(x)))
            return nn.functional.relu(found + self.straight(x))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = Filtered(3, 64, 7, 2)
            for index, (channels, filters) in enumerate(BLOCKS):
                setattr(self, f"block{index + 1}", Block(channels, filters))
            self.output = nn.Linear(512, 1000)

        def forward(self, x):
            x = nn.functional.max_pool2d(nn.functional.relu(self.first(x)), 3, 2, 1)
            for index in range(len(BLOCKS)):
                x = getattr(self, f"block{index + 1}")(x)
            return self.output(x.mean((2, 3)))

    return Net()


def function(p, x, statistics):
    def filtered(name, x, stride=1):
        padding = p[f"{name}_conv_w"].shape[-1] // 2
        y = layers.convolution(p, f"{name}_conv", x, stride, padding)
        return layers.batch_norm(p, f"{name}_norm", y, statistics)

    x = layers.max_pool(layers.relu(filtered("first", x, 2)), 3, 2, 1)
    for index, (channels, filters) in enumerate(BLOCKS):
        name, stride = f"block{index + 1}", 1 if channels == filters else 2
        y = filtered(f"{name}_second", layers.relu(filtered(f"{name}_first", x, stride)))
        x = layers.relu(y + (filtered(f"{name}_straight", x, 2) if stride == 2 else x))
    return layers.dense(p, "output", x.mean((2, 3)))
