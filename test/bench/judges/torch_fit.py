"""Trains a network with a PyTorch loop (channels last) and prints the images a second of the best epoch as JSON."""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional


def conv(inputs, filters, kernel, stride):
    return nn.Sequential(
        nn.Conv2d(inputs, filters, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(filters),
    )


class Block(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.first = conv(inputs, filters, 3, stride)
        self.second = conv(filters, filters, 3, 1)
        self.shortcut = conv(inputs, filters, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = self.second(functional.relu(self.first(x)))
        return functional.relu(y + self.shortcut(x))


def resnet20(classes):
    blocks = [conv(3, 16, 3, 1), nn.ReLU()]
    inputs = 16
    for filters in (16, 32, 64):
        for block in range(3):
            blocks.append(Block(inputs, filters, 2 if block == 0 and filters > 16 else 1))
            inputs = filters
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


def mobilenetv2(classes):
    """torchvision's, with the first two strides 1 and without dropout."""
    from torchvision_cpu import models

    rows = [
        [1, 16, 1, 1],
        [6, 24, 2, 1],
        [6, 32, 3, 2],
        [6, 64, 4, 2],
        [6, 96, 3, 1],
        [6, 160, 3, 2],
        [6, 320, 1, 1],
    ]
    model = models.MobileNetV2(classes, inverted_residual_setting=rows, dropout=0)
    model.features[0][0].stride = (1, 1)
    return model


networks = {"resnet20-cifar-b": resnet20, "mobilenetv2-cifar": mobilenetv2}
task = json.loads(sys.argv[1])
batch = task["batchSize"]
images = batch * task["batches"]
model = networks[task["architecture"]](task["classes"]).to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True)
x = torch.rand(images, 3, task["size"], task["size"]).to(memory_format=torch.channels_last)
y = torch.randint(0, task["classes"], (images,))
seconds = []
for _ in range(task["epochs"] + 1):
    start = time.perf_counter()
    for i in range(0, images, batch):
        optimizer.zero_grad()
        functional.cross_entropy(model(x[i : i + batch]), y[i : i + batch]).backward()
        optimizer.step()
    seconds.append(time.perf_counter() - start)
best = min(seconds[1:])
print(json.dumps({"imagesPerSecond": images / best, "version": f"PyTorch {torch.__version__}"}))
