"""torchvision's `models`, beside a CPU build of torch as well."""

import re
import sys

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
