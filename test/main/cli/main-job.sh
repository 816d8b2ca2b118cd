#!/bin/sh
# The main job as a user would script it: every command with --json, each answer kept in a file of its own.
# usage: main-job.sh <cli.js> <work folder with images/ and digits/>
set -eu
cli=$1
cd "$2"
mkdir answers

secateur() {
  name=$1
  shift
  node "$cli" "$@" --json >"answers/$name.json" 2>"answers/$name.log"
}

secateur zoo zoo list
secateur write zoo write lenet5 model --input 12,12,1 --classes 3 --seed 4
secateur inspect inspect model/model.json
secateur create create project --name Shapes
secateur add-images data add project images --name shapes --channels 1
secateur add-idx data add project digits --val 0.25 --test 0
secateur import import project model/model.json --name lenet --labels dark,light,striped --data shapes
secateur train train project lenet --data shapes --epochs 4 --lr 0.02 --batch 16 --no-flip --pad-crop 0 --name base
secateur prune prune project base --method l1 --macs 0.5 --data shapes --epochs 1 --name slim
secateur evaluate evaluate project slim --data shapes --split val
secateur measure measure project base slim --runs 5
secateur tflite export project slim --format tflite --data shapes --out out/tflite
secateur tfjs export project slim --format tfjs-layers
secateur trash trash project lenet
secateur restore restore project lenet
secateur rename rename project lenet untrained
secateur baseline baseline project base
secateur compare compare project base slim
secateur list list project
