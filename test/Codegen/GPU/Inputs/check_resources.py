"""Reads what --emit sass-stats prints: no kernel spills or takes more registers than MOST."""
import sys

lines = sys.stdin.read().splitlines()[1:]
assert lines, "no kernels"
for line in lines:
    name, registers, spilled, *_ = line.split()
    assert int(spilled) == 0, f"{name} spills {spilled} bytes"
    assert int(registers) <= int(sys.argv[1]), f"{name} takes {registers} registers"
