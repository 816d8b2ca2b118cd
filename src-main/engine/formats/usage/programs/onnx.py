"""Runs the model on a picture with ONNX Runtime: python run.py picture.png"""

import sys
from pathlib import Path

import onnxruntime

from picture import FOLDER, print_scores, read_picture

session = onnxruntime.InferenceSession(str(next(Path(FOLDER).glob("*.onnx"))))
# ONNX has channels before rows and columns.
x = read_picture(sys.argv[1]).transpose(0, 3, 1, 2)
print_scores(session.run(None, {session.get_inputs()[0].name: x})[0])
