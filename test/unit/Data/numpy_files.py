"""The other side of NumpyTest.cpp: array files by NumPy, and NumPy's view of ours.

usage: numpy_files.py write DIR    writes arrays of every type, order and rank
       numpy_files.py check DIR    fails unless every array in DIR is as expected

A file's name says what is in it: TYPE_SHAPE[_anything].npy, with a shape such as 2x3 or "scalar".
Element i, in row-major order, is (7 i mod 11), less 5 in a signed type, plus 1/4 in a float; a bool
is whether that is below 4. Archives (.npz) hold arrays under such names.
"""
import json
import pathlib
import struct
import sys

import numpy

TYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1"]
SHAPES = [(), (0,), (5,), (1, 7), (3, 4), (2, 3, 4), (3, 0, 2)]
SAFETENSORS = {"F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "I8": "i1",
               "U8": "u1", "BOOL": "b1"}


def array(dtype, shape):
    index = numpy.arange(int(numpy.prod(shape)))
    values = index * 7 % 11
    if dtype == "b1":
        values = values < 4
    elif dtype[0] in "fi":
        values = values - 5
    return (values + 0.25 if dtype[0] == "f" else values).reshape(shape).astype(dtype)


def name_of(dtype, shape):
    return f"{dtype}_{'x'.join(map(str, shape)) or 'scalar'}"


def expected(name):
    dtype, shape = name.split("_")[:2]
    return array(dtype, () if shape == "scalar" else tuple(map(int, shape.split("x"))))


def write(folder):
    everything = {name_of(t, s): array(t, s) for t in TYPES for s in SHAPES}
    for name, values in everything.items():
        for byte_order in "<>":
            for order in "CF":
                ordered = numpy.asarray(values, values.dtype.newbyteorder(byte_order), order=order)
                suffix = {"<": "little", ">": "big"}[byte_order] + order
                numpy.save(folder / f"{name}_{suffix}.npy", ordered)
    for version in [(1, 0), (2, 0), (3, 0)]:
        with open(folder / f"f8_3x4_version{version[0]}.npy", "wb") as file:
            numpy.lib.format.write_array(file, array("f8", (3, 4)), version)
    numpy.savez(folder / "stored.npz", **everything)
    numpy.savez_compressed(folder / "deflated.npz", **everything)
    write_safetensors(folder / "all.safetensors")


def write_safetensors(path):
    header, data = {"__metadata__": {"made by": "NumPy ü"}}, b""
    for code, dtype in SAFETENSORS.items():
        for shape in SHAPES:
            part = array(dtype, shape).tobytes()
            header[name_of(dtype, shape)] = {"dtype": code, "shape": list(shape),
                                             "data_offsets": [len(data), len(data) + len(part)]}
            data += part
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def compare(what, name, values):
    wanted = expected(name)
    same = values.dtype == wanted.dtype and values.shape == wanted.shape
    if not same or values.tobytes() != wanted.tobytes():
        sys.exit(f"{what}: expected {wanted!r}, found {values!r}")


def check(folder):
    for path in sorted(folder.glob("*.npy")):
        compare(path, path.stem, numpy.load(path))
    for path in sorted(folder.glob("*.npz")):
        with numpy.load(path) as archive:
            for name in archive.files:
                compare(f"{path}:{name}", name, archive[name])
    for path in sorted(folder.glob("*.safetensors")):
        check_safetensors(path)


def check_safetensors(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8:8 + length]), content[8 + length:]
    if length % 8 or header.pop("__metadata__") != {"made by": "nnc ü"}:
        sys.exit(f"{path}: header {header}")
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = numpy.dtype(SAFETENSORS[entry["dtype"]])
        if begin % dtype.itemsize:
            sys.exit(f"{path}: {name} is not aligned")
        compare(f"{path}:{name}", name,
                numpy.frombuffer(data[begin:end], dtype).reshape(entry["shape"]))


{"write": write, "check": check}[sys.argv[1]](pathlib.Path(sys.argv[2]))
