"""Runs the model on a picture with LiteRT: python run.py picture.png"""

import sys
from pathlib import Path

import numpy as np

from picture import FOLDER, print_scores, read_picture

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    import tensorflow

    Interpreter = tensorflow.lite.Interpreter


def quantised(x, details):
    """Real numbers as the integers of a tensor; float tensors take them as they are."""
    scale, zero_point = details["quantization"]
    if not np.issubdtype(details["dtype"], np.integer):
        return x.astype(details["dtype"])
    limits = np.iinfo(details["dtype"])
    return np.clip(np.round(x / scale + zero_point), limits.min, limits.max).astype(details["dtype"])


def real(y, details):
    """The other way round."""
    scale, zero_point = details["quantization"]
    return (y.astype(np.float32) - zero_point) * scale if scale else y


interpreter = Interpreter(model_path=str(next(Path(FOLDER).glob("*.tflite"))))
interpreter.allocate_tensors()
into, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
interpreter.set_tensor(into["index"], quantised(read_picture(sys.argv[1]), into))
interpreter.invoke()
print_scores(real(interpreter.get_tensor(out["index"]), out))
