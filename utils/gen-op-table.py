#!/usr/bin/env python3
"""Writes the table of ops as C++ initialisers, from the JSON form of the ODS records.

usage: gen-op-table.py NNOps.json OpTable.inc
The table is what the language, the gradient checks, the tests and the documentation know of an op.
"""
import json
import sys

ATTRIBUTE_KINDS = {
    "DenseI64ArrayAttr": "Integers",
    "NN_Shape": "Shape",
    "NN_Dim": "Dimension",
    "F64Attr": "Float",
    "NN_Integer": "Integer",
    "BoolAttr": "Bool",
    "TypeAttr": "Dtype",
    "ElementsAttr": "Literal",
}


def dtype_default(text):
    for pattern, name in (("Float32Type", "f32"), ("IntegerType", "i64")):
        if pattern in text:
            return name
    return text


def attribute(records, name, reference):
    """(name, kind, optional, default) of one attribute argument."""
    record = records[reference]
    optional = "OptionalAttr" in record["!superclasses"]
    default = record.get("defaultValue") if "DefaultValuedAttr" in record["!superclasses"] else None
    base = reference
    while records[base].get("baseAttr"):
        base = records[base]["baseAttr"]["def"]
    if base not in ATTRIBUTE_KINDS:
        sys.exit(f"gen-op-table.py: attribute {name}: no kind for {base}")
    text = "" if default is None else dtype_default(default)
    return name, ATTRIBUTE_KINDS[base], optional or default is not None, text


def operands_and_attributes(records, op):
    operands, attributes = [], []
    for argument, name in op["arguments"]["args"]:
        reference = argument["def"]
        kinds = records[reference]["!superclasses"]
        if "Attr" in kinds:
            attributes.append(attribute(records, name, reference))
        else:
            operands.append((name, "Variadic" in kinds))
    return operands, attributes


def quoted(text):
    return json.dumps(text)


def entry(records, record):
    op = records[record]
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
    lines.append(f'  {boolean[bool(op["nnDifferentiable"])]}}},')
    return "\n".join(lines)


def main():
    records = json.load(open(sys.argv[1]))
    ops = sorted((records[name]["opName"], name) for name in records["!instanceof"]["NN_Op"])
    with open(sys.argv[2], "w") as out:
        for _, record in ops:
            out.write(entry(records, record) + "\n")


main()
