"""From a picture to the model's input, and from its output to names: shared by the programs of this folder."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent


def read_picture(path):
    """The picture as float32 [1, height, width, channels], as preprocessing.json says."""
    how = json.loads((FOLDER / "preprocessing.json").read_text())
    height, width, channels = how["inputShape"]
    image = Image.open(path).convert("L" if channels == 1 else "RGB").resize((width, height))
    pixels = np.asarray(image, np.float32).reshape(height, width, channels)
    if how["channelOrder"] == "bgr":
        pixels = pixels[:, :, ::-1]
    x = (pixels * how["scale"] - np.array(how["mean"])) / np.array(how["std"])
    return x[None].astype(np.float32)


def print_scores(scores, count=5):
    """The highest scores with their labels, as probabilities; values as they are."""
    scores = np.ravel(scores).astype(np.float64)
    kind = json.loads((FOLDER / "model-card.json").read_text())["outputKind"]
    if kind == "logits":
        scores = np.exp(scores - scores.max())
        scores /= scores.sum()
    elif kind == "label-logits":
        scores = 1 / (1 + np.exp(-scores))
    file = FOLDER / "labels.txt"
    labels = file.read_text(encoding="utf-8").splitlines() if file.exists() else None
    order = np.arange(scores.size) if kind == "values" else np.argsort(-scores)
    for index in order[:count]:
        print(f"{scores[index]:8.4f}  {labels[index] if labels else index}")
