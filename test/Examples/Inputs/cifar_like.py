"""Writes CIFAR-10's six binary files, with stripes instead of photographs: cifar_like.py FOLDER COUNT.

A class is a colour and a direction of stripes; where they begin, how light the ground is, and noise
differ. The test file has COUNT records, each of the five others a fifth of four times as many.
"""
import colorsys
import pathlib
import sys

import numpy

folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
random = numpy.random.default_rng(1)
row, column = numpy.mgrid[0:32, 0:32] / 32


def record(label):
    angle = numpy.pi * (label % 5) / 5
    colour = numpy.array(colorsys.hsv_to_rgb(label / 10, 0.8, 1))
    place = row * numpy.sin(angle) + column * numpy.cos(angle)
    stripe = 0.5 + 0.5 * numpy.sin(2 * numpy.pi * (5 * place + random.uniform()))
    ground = random.uniform(0, 0.5)
    image = ground + (colour[:, None, None] - ground) * stripe + random.normal(0, 0.1, (3, 32, 32))
    return bytes([label]) + (255 * image.clip(0, 1)).astype(numpy.uint8).tobytes()


folder.mkdir(parents=True, exist_ok=True)
for name in (*(f"data_batch_{part}" for part in range(1, 6)), "test_batch"):
    size = count if name == "test_batch" else 4 * count // 5
    records = b"".join(record(index % 10) for index in range(size))
    (folder / f"{name}.bin").write_bytes(records)
