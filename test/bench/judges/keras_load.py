"""Loads models with Keras and runs them: {"models": [{"path", "inputs": [[...]]}]} in a file named by the task.

Answers one list of outputs for each model, or what Keras said instead. With "keras2", the .h5 files are loaded
by the Keras 2 that TensorFlow carries within.
"""

import json
import os
import sys
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.filterwarnings("ignore")
import numpy as np

task = json.loads(sys.argv[1])
if task.get("keras2"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fixtures/keras"))
    import keras2_layers
    from tensorflow.python.keras import models

    def load(path):
        return models.load_model(path, compile=False, custom_objects=keras2_layers.custom_objects)
else:
    import keras

    def load(path):
        return keras.models.load_model(path, compile=False)


def run(model, inputs):
    values = [
        np.asarray(value, "float32").reshape((1, *(x.shape[1:])))
        for value, x in zip(inputs, model.inputs)
    ]
    outputs = model(values if len(values) > 1 else values[0], training=False)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [np.asarray(y, "float64").ravel().tolist() for y in outputs]


answers = []
with open(task["file"]) as file:
    models_to_run = json.load(file)["models"]
for entry in models_to_run:
    try:
        answers.append({"outputs": run(load(entry["path"]), entry["inputs"])})
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}"[-1500:]})
print(json.dumps({"answers": answers}))
