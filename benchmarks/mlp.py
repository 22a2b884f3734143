"""A perceptron 784-128-10: a step of gradient descent on 128 images."""
import networks

TITLE = "MLP 784-128-10, training step, batch 128"
CASES = ("float32",)
TOLERANCE = 1e-4
INPUTS = networks.labelled_images((128, 784), 10)


def module():
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(784, 128), nn.Linear(128, 10)

        def forward(self, x):
            return self.fc2(nn.functional.relu(self.fc1(x)))

    return Net()


def function(p, x, statistics):
    import jax

    h = jax.nn.relu(x @ p["fc1_w"] + p["fc1_b"])
    return h @ p["fc2_w"] + p["fc2_b"]


NETWORK = networks.Network("mlp", INPUTS, module, function, ("sgd", 0.01))
PEERS, flops = NETWORK.peers(), NETWORK.flops
