"""Exports torchvision models as ONNX, with random weights and batch norm statistics of their own, and stores what ONNX
Runtime makes of one input beside each. Takes JSON {folder, models, size}, prints {version, files: [{name, file,
input, output}]} as its last line; numbers are raw float32 files."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torchvision_cpu import models

warnings.filterwarnings("ignore")


def network(name):
    torch.manual_seed(1)
    extra = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    model = getattr(models, name)(weights=None, **extra).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    return model


def export(name, exporter, task):
    file = Path(task["folder"]) / f"{name}-{exporter}.onnx"
    example = torch.randn(1, 3, task["size"], task["size"], generator=torch.Generator().manual_seed(2))
    if exporter == "dynamo":
        torch.onnx.export(network(name), (example,), str(file), dynamo=True, external_data=False, verbose=False)
    else:
        torch.onnx.export(network(name), (example,), str(file), dynamo=False, opset_version=17)
    session = onnxruntime.InferenceSession(str(file))
    output = session.run(None, {session.get_inputs()[0].name: example.numpy()})[0]
    example.numpy().tofile(f"{file}.in")
    np.asarray(output, np.float32).tofile(f"{file}.out")
    return {"name": f"{name}, {exporter}", "file": str(file), "input": f"{file}.in", "output": f"{file}.out"}


task = json.loads(sys.argv[1])
files = [export(name, exporter, task) for name in task["models"] for exporter in ("script", "dynamo")]
version = f"torch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}"
print(json.dumps({"version": version, "files": files}))
