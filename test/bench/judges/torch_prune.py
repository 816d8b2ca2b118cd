"""Prunes torchvision models with Torch-Pruning and prints the seconds of the best run of each as JSON."""

import json
import sys
import time

import torch
import torch_pruning as tp
from torchvision_cpu import models


def seconds(name):
    model = getattr(models, name)(weights=None).eval()
    example = torch.zeros(1, 3, 224, 224)
    classifiers = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    start = time.perf_counter()
    pruner = tp.pruner.MagnitudePruner(
        model,
        example,
        importance=tp.importance.MagnitudeImportance(p=1),
        global_pruning=True,
        pruning_ratio=0.5,
        ignored_layers=classifiers,
    )
    pruner.step()
    return time.perf_counter() - start


task = json.loads(sys.argv[1])
best = {name: min(seconds(name) for _ in range(task["runs"])) for name in task["models"]}
print(json.dumps({"seconds": best, "version": f"Torch-Pruning {tp.__version__}"}))
