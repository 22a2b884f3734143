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
}
INTRODUCTION = """\
<!-- Generated from the Passes.td files by utils/gen-pass-docs.py; do not edit. -->
# Passes

What `nnc-opt` can run, one pass at a time. `nnc compile` runs them in the order that
lib/Driver/Pipeline.cpp lists.
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
