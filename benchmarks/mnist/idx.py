"""MNIST for PyTorch and JAX: images with a channel, standardized, and labels, as NumPy arrays."""
import gzip
import os

import numpy


def read(path):
    with gzip.open(path) as file:
        content = file.read()
    rank = content[3]
    shape = numpy.frombuffer(content, ">i4", rank, 4)
    return numpy.frombuffer(content, numpy.uint8, offset=4 + 4 * rank).reshape(shape)


def load(kind):
    folder = os.environ["NNC_MNIST_DIR"]
    images = read(f"{folder}/{kind}-images-idx3-ubyte.gz")
    labels = read(f"{folder}/{kind}-labels-idx1-ubyte.gz")
    scaled = images[:, None].astype(numpy.float32) / 255
    return (scaled - numpy.float32(0.1307)) / numpy.float32(0.3081), labels.astype(numpy.int64)
