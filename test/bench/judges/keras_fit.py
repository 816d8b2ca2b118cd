"""Trains a network with Keras' fit, runs it with predict, and prints the images a second of the best epoch as JSON."""

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

task = json.loads(sys.argv[1])
images = task["batchSize"] * task["batches"]
# The very network that is measured beside it, without a softmax at its end.
model = keras.models.load_model(task["model"], compile=False)
model.compile(
    keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
x = np.random.rand(images, task["size"], task["size"], 3).astype("float32")
y = np.random.randint(0, task["classes"], images)
data = tf.data.Dataset.from_tensor_slices((x, y)).batch(task["batchSize"]).prefetch(2)


def best(run):
    seconds = []
    for _ in range(task["epochs"] + 1):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return images / min(seconds[1:])


training = best(lambda: model.fit(data, epochs=1, verbose=0))
evaluation = best(lambda: model.predict(x, batch_size=256, verbose=0))
version = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"
print(json.dumps({"imagesPerSecond": training, "evaluation": evaluation, "version": version}))
