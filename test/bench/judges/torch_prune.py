"""Prunes torchvision models with Torch-Pruning and prints the seconds of the best run of each as JSON."""

import json
import re
import sys
import time

import torch

# Beside a CPU build of torch, torchvision misses operators that classification models do not use: their names do.
definitions = torch.library.Library("torchvision", "DEF")
while True:
    try:
        import torchvision.models as models

        break
    except RuntimeError as error:
        missing = re.search(r"operator torchvision::(\w+) does not exist", str(error))
        if missing is None:
            raise
        definitions.define(f"{missing.group(1)}(Tensor x) -> Tensor")
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]

import torch_pruning as tp  # noqa: E402


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
