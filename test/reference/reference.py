"""What the reference programs share: reading what nnc wrote, and comparing numbers.

Each program beside this file computes one example again in plain NumPy, in f64, from the data and
the first weights that nnc used, and compares the whole path. They exit 1 and name the first value
that differs.
"""
import json
import pathlib
import sys

import numpy


def read_arrays(path):
    """Arrays by name, floats as f64: of an .npz, a .safetensors, a folder of .npy files named for
    what they hold, or one .npy file, under the name ""."""
    if pathlib.Path(path).is_dir():
        files = sorted(pathlib.Path(path).glob("*.npy"))
        loaded = {file.stem: numpy.load(file, allow_pickle=False) for file in files}
    elif str(path).endswith(".safetensors"):
        loaded = read_safetensors(path)
    else:
        loaded = numpy.load(path, allow_pickle=False)
    arrays = {"": loaded} if isinstance(loaded, numpy.ndarray) else dict(loaded.items())
    return {
        name: array.astype(numpy.float64) if array.dtype.kind == "f" else array
        for name, array in arrays.items()
    }


def read_safetensors(path):
    """The tensors of a parameter file: a length, a JSON header, then the numbers."""
    with open(path, "rb") as file:
        content = file.read()
    size = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + size]), content[8 + size :]
    types = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4"}
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            array = numpy.frombuffer(data[begin:end], types[entry["dtype"]])
            tensors[name] = array.reshape(entry["shape"])
    return tensors


def read_log(path):
    """The records of a JSONL log of `nnc train`, name -> array with one row a step."""
    records = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            for name, value in json.loads(line).items():
                if name not in ("run", "step", "epoch"):
                    records.setdefault(name, []).append(value)
    return {name: numpy.array(values) for name, values in records.items()}


def read_history(path):
    """What a training recorded at each step: `nnc train --log F.jsonl` or `--history F.npz`."""
    return read_log(path) if str(path).endswith(".jsonl") else read_arrays(path)


def compare(name, found, expected, tolerance):
    """Exits with a message unless `found` is `expected` within `tolerance`, relative above 1."""
    found, expected = (numpy.asarray(a, numpy.float64) for a in (found, expected))
    if found.shape != expected.shape:
        sys.exit(f"{name}: expected shape {expected.shape}, found {found.shape}")
    error = numpy.abs(found - expected) / numpy.maximum(1, numpy.abs(expected))
    # A NaN compares false with everything: ask for what is right, not for what is wrong.
    wrong = numpy.argwhere(~(error <= tolerance))
    if len(wrong):
        first = tuple(int(i) for i in wrong[0])
        sys.exit(
            f"{name}{list(first)}: expected {expected[first]:.17g}, found {found[first]:.17g}, "
            f"{len(wrong)} of {error.size} differ by more than {tolerance}"
        )
    largest = error.max() if error.size else 0.0
    print(f"{name}: {error.size} values agree, largest difference {largest:.1e}")


def require(name, condition, found):
    """Exits with a message unless `condition` holds."""
    if not condition:
        sys.exit(f"{name}: does not hold, found {found}")
    print(f"{name}: {found}")


def sigmoid(z):
    return 1 / (1 + numpy.exp(-z))
