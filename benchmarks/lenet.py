"""LeNet on 28 x 28 images: a step of Adam on a batch of 64."""
import jax_layers as layers
import networks

TITLE = "LeNet, training step, batch 64"
CASES = ("float32",)
TOLERANCE = 1e-3
INPUTS = networks.labelled_images((64, 1, 28, 28), 10)


def module():
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
            self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

        def forward(self, x):
            relu, pool = nn.functional.relu, nn.functional.max_pool2d
            x = pool(relu(self.conv2(pool(relu(self.conv1(x)), 2))), 2)
            return self.fc3(relu(self.fc2(relu(self.fc1(x.flatten(1))))))

    return Net()


def function(p, x, statistics):
    x = layers.max_pool(layers.relu(layers.convolution(p, "conv1", x, padding=2)), 2)
    x = layers.max_pool(layers.relu(layers.convolution(p, "conv2", x)), 2)
    x = layers.relu(layers.dense(p, "fc1", x.reshape(len(x), -1)))
    return layers.dense(p, "fc3", layers.relu(layers.dense(p, "fc2", x)))


NETWORK = networks.Network("lenet", INPUTS, module, function, ("adam", 1e-3))
PEERS, flops = NETWORK.peers(), NETWORK.flops
