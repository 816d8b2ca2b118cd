"""Runs the model on a picture with Keras: python run.py picture.png"""

import sys
from pathlib import Path

import keras

from picture import FOLDER, print_scores, read_picture

files = [file for file in Path(FOLDER).iterdir() if file.suffix in (".keras", ".h5")]
model = keras.models.load_model(files[0], compile=False)
print_scores(model.predict(read_picture(sys.argv[1]), verbose=0))
