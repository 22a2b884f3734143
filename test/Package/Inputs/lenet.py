"""What the test of examples/embed/lenet.c needs beside the compilers.

    lenet.py data DIGITS FOLDER [COUNT]  IDX files, plain and gzipped, of the digits of a CSV, or of the
                                         first COUNT, enlarged
    lenet.py program EXAMPLE FILE        mnist.nn without what the host leaves out: shuffling, shifting
    lenet.py compare LOSSES HISTORY      the losses of the program are the bits of those of `nnc train`
    lenet.py close LOSSES OTHERS BOUND   the losses of two programs differ by at most the bound
"""
import gzip
import pathlib
import sys

import numpy

SIDE = 28


def write_idx(folder, name, array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = bytes([0, 0, 8, array.ndim]) + sizes + array.astype(numpy.uint8).tobytes()
    (folder / name).write_bytes(content)
    (folder / f"{name}.gz").write_bytes(gzip.compress(content))


def write_data(digits, folder, count=1797):
    table = numpy.loadtxt(digits, delimiter=",", max_rows=int(count))
    training = int(int(count) * 0.835)
    small = (table[:, :64] * 255 / 16).reshape(-1, 8, 8)
    images = numpy.pad(small.repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    assert images.shape[1:] == (SIDE, SIDE)
    folder = pathlib.Path(folder)
    for name, rows in (("train", slice(training)), ("t10k", slice(training, None))):
        write_idx(folder, f"{name}-images-idx3-ubyte", images[rows])
        write_idx(folder, f"{name}-labels-idx1-ubyte", table[rows, 64])


def write_program(example, path):
    example = pathlib.Path(example)
    text = example.read_text()
    folder = example.parent.resolve().as_posix()
    for part, other in (("  | random_shift(2)\n", ""), ("  | shuffle()\n", ""),
                        ('import "', f'import "{folder}/')):
        assert text.count(part) == 1
        text = text.replace(part, other)
    pathlib.Path(path).write_text(text[:text.index("\ntest ")] + "\n")


def compare(losses, history):
    found = numpy.fromfile(losses, numpy.float32)
    expected = numpy.load(history)["loss"].astype(numpy.float32)
    if not numpy.array_equal(found.view(numpy.uint32), expected.view(numpy.uint32)):
        sys.exit(f"the losses differ: {found} {expected}")
    print(f"{len(found)} losses, the same bits")


def compare_closely(losses, others, bound):
    found, expected = (numpy.fromfile(path, numpy.float32) for path in (losses, others))
    worst = abs(found - expected).max()
    if len(found) != len(expected) or worst > float(bound):
        sys.exit(f"the losses differ by {worst}: {found} {expected}")
    print(f"{len(found)} losses, differences up to {worst:.1e}")


{"data": write_data, "program": write_program, "compare": compare, "close": compare_closely}[sys.argv[1]](*sys.argv[2:])
