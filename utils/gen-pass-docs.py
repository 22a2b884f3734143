#!/usr/bin/env python3
"""Writes docs/passes.md: every pass of nnc-opt, by the room it lives in, from the Passes.td files.

usage: gen-pass-docs.py MLIR_TBLGEN MLIR_INCLUDE PAGE [--check]

With --check nothing is written: exit 1 if the page is missing or stale.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The order in which a program meets them.
ROOMS = {
    "Autodiff": "Differentiation",
    "Transforms": "From nn to nn",
    "Codegen": "From nn to code",
    "Codegen/GPU": "From buffers to GPU kernels",
}
INTRODUCTION = """\
<!-- Generated from the Passes.td files by utils/gen-pass-docs.py; do not edit. -->
# Passes

What `nnc-opt` can run, one pass at a time. `nnc compile` runs them in the order that
lib/Driver/Compiler.cpp and lib/Codegen/Pipeline.cpp list.

`nnc compile --check-passes`, and so `run`, `train` and `test`, compares each with the interpreter
before it compiles: on small inputs drawn at random, each entry is interpreted as it is written and
again after each pass from nn to nn; then it is compiled and run without the passes that only make
code better, with the first of them, with the first two, and so on. The first pass after which a
result differs by more than rounding may change it is named, with exit status 1:

```
net.nn:4:3: error: codegen-fuse-siblings changes output 'logits' of entry 'net': expected 0.25, found 0.75 at [0, 3]
```
"""


def room_section(tblgen, include, room):
    definitions = ROOT / "include/nnc" / room / "Passes.td"
    if not definitions.exists():
        return ""
    command = [tblgen, "-gen-pass-doc", "-I", include, "-I", ROOT / "include", definitions]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    text = re.sub(r"<!--.*?-->\n?", "", text).strip()
    return f"## {ROOMS[room]}\n\n{text}\n" if text else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tblgen")
    parser.add_argument("include")
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    sections = [room_section(arguments.tblgen, arguments.include, room) for room in ROOMS]
    page = "\n".join([INTRODUCTION, *filter(None, sections)])
    if not arguments.check:
        arguments.page.write_text(page, encoding="utf-8")
        return
    if not arguments.page.exists() or arguments.page.read_text(encoding="utf-8") != page:
        sys.exit(f"{arguments.page} is stale; build the target docs")


if __name__ == "__main__":
    main()
