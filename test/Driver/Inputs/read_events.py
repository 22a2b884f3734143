"""Reads the event files of a run as TensorBoard does, and compares them with the run's log.

usage: read_events.py FOLDER LOG.jsonl

With the package `tensorboard` they are read with that too; without it by the lines below alone, which
share nothing with the writer.
"""
import json
import pathlib
import struct
import sys

folder, log = pathlib.Path(sys.argv[1]), [json.loads(line) for line in open(sys.argv[2])]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        assert struct.unpack("<I", data[8:12])[0] == masked(data[:8])
        body = data[12 : 12 + size]
        assert struct.unpack("<I", data[12 + size : 16 + size])[0] == masked(body)
        yield body
        data = data[16 + size :]


def fields(message):
    """The fields of a message: number and value, bytes for those with a length."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            value = message[position : position + size]
            position += size
        yield key >> 3, value


def scalars(path):
    """{tag: [(step, value)]} of a file."""
    events = [dict(fields(record)) for record in records(path.read_bytes())]
    assert events[0][3] == b"brain.Event:2"
    found = {}
    for event in events[1:]:
        assert struct.unpack("<d", event[1])[0] > 1.7e9, "a time of our days"
        value = dict(fields(dict(fields(event[5]))[1]))
        found.setdefault(value[1].decode(), []).append((event[2], struct.unpack("<f", value[2])[0]))
    return found


def scalars_by_tensorboard(path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    found = {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    return found


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


readers = [scalars]
try:
    import tensorboard

    readers.append(scalars_by_tensorboard)
except ImportError:
    pass
for part, prefix in (("training", ""), ("validation", "validation.")):
    lines = [line for line in log if ("validation.loss" in line) == bool(prefix)]
    names = [n for n, v in lines[0].items() if n.startswith(prefix) and isinstance(v, float)]
    expected = {n[len(prefix) :]: [(line["step"], single(line[n])) for line in lines] for n in names}
    path = folder / part / "events.out.tfevents.nnc"
    for reader in readers:
        assert reader(path) == expected, (part, reader)
print(f"{len(readers)} readers agree with the log")
