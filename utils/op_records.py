"""Reads the ODS records of the nn ops from what `llvm-tblgen --dump-json NNOps.td` prints.

The op table and the op documentation are generated from these.
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
    "StrAttr": "String",
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
        sys.exit(f"op_records.py: attribute {name}: no kind for {base}")
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


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def all_ops(records):
    """The records of all ops, in the order of their definitions."""

    def place(op):
        # "NNShape.td:11", or with more places where classes are involved: the last is the op's own.
        file, line = op["!locs"][-1].rsplit(":", 1)
        return file, int(line)

    return sorted((records[name] for name in records["!instanceof"]["NN_Op"]), key=place)
