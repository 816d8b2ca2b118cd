"""Makes networks of keras.applications with random weights, or runs TensorFlow Lite files.

{"make": folder, "models": [name, ...]}: saves each as .h5 and .keras, and prints what Keras computes from them for
one input of a formula. {"run": [[path, scale, offset], ...]}: prints what tf.lite.Interpreter computes from such.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# oneDNN of TensorFlow 2.21 divides by zero in some 1 x 1 convolutions of one image, on some processors.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fixtures/keras"))
from common import flat, randomise, wave  # noqa: E402


def make(folder, names):
    import keras

    answers = {}
    for i, name in enumerate(names):
        keras.utils.clear_session()
        model = getattr(keras.applications, name)(weights=None, classifier_activation=None)
        randomise(model, i)
        raw = name.startswith("EfficientNet")
        scale, offset = (127.0, 127.0) if raw else (1.0, 0.0)
        for suffix in (".h5", ".keras"):
            model.save(os.path.join(folder, name + suffix))
        loaded = keras.models.load_model(os.path.join(folder, name + ".keras"), compile=False)
        x = wave((1, *model.inputs[0].shape[1:]), scale, offset)
        output = flat(loaded(x, training=False))
        answers[name] = {"scale": scale, "offset": offset, "output": output}
    return answers


def run(paths):
    import tensorflow as tf

    answers = []
    for path, scale, offset in paths:
        interpreter = tf.lite.Interpreter(model_path=path)
        interpreter.allocate_tensors()
        details = interpreter.get_input_details()[0]
        interpreter.set_tensor(details["index"], wave(tuple(details["shape"]), scale, offset))
        interpreter.invoke()
        answers.append(flat(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])))
    return answers


task = json.loads(sys.argv[1])
if "make" in task:
    print(json.dumps({"models": make(task["make"], task["models"])}))
else:
    print(json.dumps({"outputs": run(task["run"])}))
