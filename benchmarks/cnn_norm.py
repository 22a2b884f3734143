"""Two convolutions of 3x3 with batch normalization and pools, 128-10: a step of Adam on 64 images."""
import jax_layers as layers
import networks

TITLE = "CNN with batch normalization, training step, batch 64"
CASES = ("float32",)
TOLERANCE = 1e-3
INPUTS = networks.labelled_images((64, 1, 28, 28), 10)


def module():
    from torch import nn

    class Filtered(nn.Module):
        def __init__(self, channels, filters):
            super().__init__()
            self.conv = nn.Conv2d(channels, filters, 3, padding=1)
            self.norm = nn.BatchNorm2d(filters)

        def forward(self, x):
            return nn.functional.relu(self.norm(self.conv(x)))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.large, self.small = Filtered(1, 32), Filtered(32, 64)
            self.fc1, self.fc2 = nn.Linear(64 * 7 * 7, 128), nn.Linear(128, 10)

        def forward(self, x):
            x = nn.functional.max_pool2d(self.large(x), 2)
            x = nn.functional.max_pool2d(self.small(x), 2)
            return self.fc2(nn.functional.relu(self.fc1(x.flatten(1))))

    return Net()


def function(p, x, statistics):
    for name in ("large", "small"):
        x = layers.convolution(p, f"{name}_conv", x, padding=1)
        x = layers.max_pool(layers.relu(layers.batch_norm(p, f"{name}_norm", x, statistics)), 2)
    x = layers.relu(layers.dense(p, "fc1", x.reshape(len(x), -1)))
    return layers.dense(p, "fc2", x)


NETWORK = networks.Network("cnn_norm", INPUTS, module, function, ("adam", 1e-3))
PEERS, flops = NETWORK.peers(), NETWORK.flops
