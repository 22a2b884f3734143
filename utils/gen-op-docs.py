#!/usr/bin/env python3
"""Writes docs/ops: a page for each family of ops, and the index, from the ODS records.

usage: gen-op-docs.py NNOps.json DIRECTORY [--check]

NNOps.json is what `llvm-tblgen --dump-json NNOps.td` prints; the build keeps it up to date. With
--check nothing is written: exit 1 if a page is missing, stale or left over.
"""
import argparse
import pathlib
import re
import sys
import textwrap

from op_records import all_ops, load, operands_and_attributes

FAMILIES = {
    "Elementwise": "Ops on each element, with broadcasting",
    "Reduction": "Ops that reduce axes",
    "Linear": "Products of matrices and other tensors",
    "Order": "Sums so far, and sorting",
    "Shape": "Ops that move elements",
    "Creation": "Ops that make tensors",
    "Random": "Random numbers",
    "Control": "Loops and differentiation",
}
KINDS = {
    "Integers": "integers",
    "Shape": "shape",
    "Dimension": "dimension",
    "Float": "float",
    "Integer": "integer",
    "Bool": "bool",
    "Dtype": "dtype",
    "Literal": "literal",
    "String": "string",
}
NOTICE = "<!-- Generated from the definitions of the ops by utils/gen-op-docs.py; do not edit. -->\n"


def cell(text):
    """Text for one cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def signature(op, operands, attributes):
    """`name(x, y, axis = 0) -> z`, as one writes a call."""
    arguments = [name + ("…" if variadic else "") for name, variadic in operands]
    for name, _, optional, default in attributes:
        if default:
            arguments.append(f"{name} = {default}")
        else:
            arguments.append(f"[{name}]" if optional else name)
    results = ", ".join(name for _, name in op["results"]["args"])
    return f"{op['opName']}({', '.join(arguments)})" + (f" -> {results}" if results else "")


def example(text, number):
    """The example `(x: f64[3] in 0.5..2) -> log(x)` as a func of the language."""
    parameters, call = text.split(" -> ", 1)
    parameters = re.sub(r" in -?[\d.]+?\.\.-?[\d.]+", "", parameters)
    return f"func example{number}{parameters} {{\n  return {call}\n}}"


def attribute_table(attributes):
    lines = ["| attribute | kind | default |", "|---|---|---|"]
    for name, kind, optional, default in attributes:
        if default:
            default = f"`{default}`"
        else:
            default = "may be left out" if optional else "required"
        lines.append(f"| `{name}` | {KINDS[kind]} | {default} |")
    return "\n".join(lines)


def op_section(records, op):
    operands, attributes = operands_and_attributes(records, op)
    summary = op["summary"]
    parts = [f"## {op['opName']}", summary[0].upper() + summary[1:] + "."]
    parts.append(f"```\n{signature(op, operands, attributes)}\n```")
    parts.append(textwrap.dedent(op["description"]).strip())
    if attributes:
        parts.append(attribute_table(attributes))
    if op["nnExamples"]:
        numbers = range(1, 1 + len(op["nnExamples"]))
        examples = "\n".join(map(example, op["nnExamples"], numbers))
        parts.append(f"```nn\n{examples}\n```")
    parts.append("Gradient: " + ("yes." if op["nnDifferentiable"] else "none."))
    return "\n\n".join(parts)


def family_page(records, family, ops):
    rows = ["| op | what it is | gradient |", "|---|---|---|"]
    for op in ops:
        gradient = "yes" if op["nnDifferentiable"] else ""
        name = op["opName"]
        rows.append(f"| [{name}](#{name}) | {cell(op['summary'])} | {gradient} |")
    sections = [op_section(records, op) for op in ops]
    title = f"# {FAMILIES.get(family, family)}"
    return "\n\n".join([NOTICE + title, "\n".join(rows), *sections]) + "\n"


def index_page(families):
    lines = []
    for family, ops in families.items():
        names = ", ".join(f"[{op['opName']}]({family.lower()}.md#{op['opName']})" for op in ops)
        lines.append(f"**[{FAMILIES.get(family, family)}]({family.lower()}.md)**: {names}.")
    count = sum(map(len, families.values()))
    introduction = (
        f"The {count} ops of the nn dialect. A function of the language has the name of its op: "
        "positional arguments fill the operands, then the attributes, in the order shown; either may "
        "be given by name."
    )
    return "\n\n".join([NOTICE + "# Ops", introduction, *lines]) + "\n"


def pages(records):
    """The text of each page by its file name."""
    families = {}
    for op in all_ops(records):
        families.setdefault(op["nnFamily"], []).append(op)
    order = [family for family in FAMILIES if family in families]
    order += sorted(set(families) - set(order))
    families = {family: families[family] for family in order}
    result = {"README.md": index_page(families)}
    for family, ops in families.items():
        result[f"{family.lower()}.md"] = family_page(records, family, ops)
    return result


def problems(directory, expected):
    found = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.md")}
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name not in expected:
            yield f"{name} is left over"
        elif found[name] != expected[name]:
            yield f"{name} is stale"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records")
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    expected = pages(load(arguments.records))
    if arguments.check:
        wrong = list(problems(arguments.directory, expected))
        for problem in wrong:
            print(f"{arguments.directory}: {problem}; build the target docs", file=sys.stderr)
        sys.exit(1 if wrong else 0)
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for name, text in expected.items():
        (arguments.directory / name).write_text(text, encoding="utf-8")
    for path in arguments.directory.glob("*.md"):
        if path.name not in expected:
            path.unlink()


if __name__ == "__main__":
    main()
