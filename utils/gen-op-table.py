#!/usr/bin/env python3
"""Writes the table of ops as C++ initialisers, from the JSON form of the ODS records.

usage: gen-op-table.py NNOps.json OpTable.inc
The table is what the language, the gradient checks, the tests and the documentation know of an op.
"""
import json
import sys

from op_records import all_ops, load, operands_and_attributes

def quoted(text):
    return json.dumps(text)


def entry(records, op):
    operands, attributes = operands_and_attributes(records, op)
    boolean = {True: "true", False: "false"}
    lines = [f'{{{quoted(op["opName"])}, {quoted(op["nnFamily"])}, {quoted(op["summary"])},']
    lines.append(f'  {quoted(" ".join(op["description"].split()))},')
    lines.append("  {" + ", ".join(f'{{{quoted(n)}, {boolean[v]}}}' for n, v in operands) + "},")
    lines.append("  {" + ", ".join(
        f'{{{quoted(n)}, AttributeKind::{k}, {boolean[o]}, {quoted(d)}}}' for n, k, o, d in attributes) + "},")
    results = [name for _, name in op["results"]["args"]]
    lines.append("  {" + ", ".join(quoted(name) for name in results) + "},")
    lines.append("  {" + ", ".join(quoted(example) for example in op["nnExamples"]) + "},")
    lines.append(f'  {boolean[bool(op["nnDifferentiable"])]}, {boolean[bool(op["nnPromotesOperands"])]}}},')
    return "\n".join(lines)


def main():
    records = load(sys.argv[1])
    with open(sys.argv[2], "w") as out:
        for op in sorted(all_ops(records), key=lambda op: op["opName"]):
            out.write(entry(records, op) + "\n")


main()
