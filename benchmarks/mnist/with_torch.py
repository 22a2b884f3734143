"""Epochs of LeNet in PyTorch, as its own MNIST example is written: a module, train(), test(). Batches are
rows of one tensor, which is faster than a DataLoader that collects them image by image."""
import sys

import torch
import torch.nn.functional as F
from torch import nn, optim

import idx


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def train(model, data, target, optimizer, scheduler):
    model.train()
    for rows in torch.randperm(len(data)).split(64):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(data[rows]), target[rows])
        loss.backward()
        optimizer.step()
        scheduler.step()


def test(model, data, target):
    model.eval()
    correct = 0
    with torch.no_grad():
        for rows in torch.arange(len(data)).split(1000):
            correct += (model(data[rows]).argmax(1) == target[rows]).sum().item()
    return correct / len(data)


def main():
    epochs = int(sys.argv[2])
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(1)
    model = Net()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    scheduler = optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=938 * epochs)
    images, labels = map(torch.from_numpy, idx.load("train"))
    for _ in range(epochs):
        train(model, images, labels, optimizer, scheduler)
    print(f"accuracy {test(model, *map(torch.from_numpy, idx.load('t10k'))):.4f}")


if __name__ == "__main__":
    main()
