"""The official TensorFlow Lite converter and interpreter, to compare with.

{"convert": folder, "models": [name, ...]}: makes networks of keras.applications with random weights, saves each as
.keras and converts it in every precision; prints the files with the seconds that each conversion took.
{"time": [[path, path], ...], "rounds": n}: runs the files of each pair in turns, on one thread, and prints for each pair
the milliseconds of the quickest run of each file, and how far their outputs are apart.
"""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

calibration_images = 4
attempts = 6
rng = np.random.default_rng(5)


def network(name):
    import keras

    keras.utils.set_random_seed(5)
    model = getattr(keras.applications, name)(weights=None)
    for layer in model.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        width = layer.gamma.shape
        statistics = [rng.uniform(0.5, 1.5, width), rng.normal(0, 0.2, width), rng.normal(0, 0.2, width)]
        layer.set_weights([*statistics, rng.uniform(0.5, 1.5, width)])
    return model


def images(shape):
    for _ in range(calibration_images):
        yield [rng.uniform(-1, 1, (1, *shape)).astype(np.float32)]


def converter_for(model, precision):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if precision == "fp32":
        return converter
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.representative_dataset = lambda: images(model.inputs[0].shape[1:])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter


def convert(folder, name):
    model = network(name)
    source = os.path.join(folder, f"{name}.keras")
    model.save(source)
    files = {}
    for precision in ("fp32", "fp16", "int8-dynamic", "int8"):
        start = time.perf_counter()
        content = converter_for(model, precision).convert()
        seconds = time.perf_counter() - start
        path = os.path.join(folder, f"{name}-{precision}-official.tflite")
        with open(path, "wb") as file:
            file.write(content)
        files[precision] = {"path": path, "bytes": len(content), "seconds": seconds}
    return {"name": name, "source": source, "files": files}


class Runner:
    def __init__(self, path):
        self.interpreter = tf.lite.Interpreter(model_path=path, num_threads=1)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        self.output = self.interpreter.get_output_details()[0]
        self.quickest = float("inf")

    def run(self, image):
        scale, zero = self.input["quantization"]
        if self.input["dtype"] == np.int8:
            image = np.clip(np.round(image / scale + zero), -128, 127).astype(np.int8)
        self.interpreter.set_tensor(self.input["index"], image)
        start = time.perf_counter()
        self.interpreter.invoke()
        self.quickest = min(self.quickest, time.perf_counter() - start)

    def answer(self):
        values = self.interpreter.get_tensor(self.output["index"]).astype(np.float64)
        scale, zero = self.output["quantization"]
        return (values - zero) * scale if self.output["dtype"] == np.int8 else values


def compare(pair, rounds):
    quickest, apart = [float("inf")] * 2, 0.0
    # Where memory happens to lie makes a difference: each attempt opens the files anew, in another order.
    for attempt in range(attempts):
        order = (0, 1) if attempt % 2 == 0 else (1, 0)
        runners = {place: Runner(pair[place]) for place in order}
        image = rng.uniform(-1, 1, runners[0].input["shape"]).astype(np.float32)
        for _ in range(rounds // attempts):
            for place in order:
                runners[place].run(image)
        quickest = [min(quickest[place], runners[place].quickest) for place in (0, 1)]
        apart = max(apart, float(np.abs(runners[0].answer() - runners[1].answer()).max()))
    return {"milliseconds": [seconds * 1000 for seconds in quickest], "apart": apart}


task = json.loads(sys.argv[1])
version = f"TensorFlow {tf.__version__}"
if "convert" in task:
    print(json.dumps({"version": version, "models": [convert(task["convert"], name) for name in task["models"]]}))
else:
    print(json.dumps({"pairs": [compare(pair, task["rounds"]) for pair in task["time"]]}))
