"""Two convolutions of 3x3 with 32 and 64 filters, a pool, 128-10: a step of gradient descent on 64
images, as PyTorch's example for MNIST has it.
"""
import jax_layers as layers
import networks

TITLE = "CNN 32c3-64c3-pool-128-10, training step, batch 64"
CASES = ("float32",)
TOLERANCE = 1e-4
INPUTS = networks.labelled_images((64, 1, 28, 28), 10)


def module():
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
            self.fc1, self.fc2 = nn.Linear(64 * 12 * 12, 128), nn.Linear(128, 10)

        def forward(self, x):
            x = nn.functional.relu(self.conv1(x))
            x = nn.functional.max_pool2d(nn.functional.relu(self.conv2(x)), 2)
            return self.fc2(nn.functional.relu(self.fc1(x.flatten(1))))

    return Net()


def function(p, x, statistics):
    x = layers.relu(layers.convolution(p, "conv1", x))
    x = layers.max_pool(layers.relu(layers.convolution(p, "conv2", x)), 2)
    x = layers.relu(layers.dense(p, "fc1", x.reshape(len(x), -1)))
    return layers.dense(p, "fc2", x)


NETWORK = networks.Network("cnn", INPUTS, module, function, ("sgd", 0.01))
PEERS, flops = NETWORK.peers(), NETWORK.flops
