//===- NNShape.td - Ops that move elements ----------------------*- tablegen -*-===//
#ifndef NNC_IR_NNSHAPE
#define NNC_IR_NNSHAPE

include "nnc/IR/NNBase.td"

class NN_ShapeOp<string mnemonic, string text> : NN_PureOp<mnemonic, "Shape"> {
  let summary = text;
}

def NN_ReshapeOp : NN_ShapeOp<"reshape", "same elements, another shape"> {
  let description = "The elements of `x` in row-major order with shape `shape`; one dimension may be -1 and "
                    "is then what is left.";
  let arguments = (ins NN_Tensor:$x, NN_Shape:$shape);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[3, 4]) -> reshape(x, [2, 6])", "(x: f64[3, 4]) -> reshape(x, [-1])"];
  let hasFolder = 1;
}

def NN_BroadcastToOp : NN_ShapeOp<"broadcast_to", "repetition along axes of size one"> {
  let description = "`x` broadcast to `shape` by NumPy's rule.";
  let arguments = (ins NN_Tensor:$x, NN_Shape:$shape);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[3, 1]) -> broadcast_to(x, [2, 3, 4])", "(x: f64) -> broadcast_to(x, [3])"];
  let hasFolder = 1;
}

def NN_TransposeOp : NN_ShapeOp<"transpose", "permutation of axes"> {
  let description = "Axis i of the result is axis `permutation[i]` of `x`; all axes reversed when it is not given.";
  let arguments = (ins NN_Tensor:$x, OptionalAttr<DenseI64ArrayAttr>:$permutation);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[3, 4]) -> transpose(x)", "(x: f64[2, 3, 4]) -> transpose(x, [1, 2, 0])"];
  let hasFolder = 1;
}

def NN_ExpandDimsOp : NN_ShapeOp<"expand_dims", "insertion of axes of size one"> {
  let description = "Inserts axes of size one at the places `axis` of the result.";
  let arguments = (ins NN_Tensor:$x, DenseI64ArrayAttr:$axis);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[3, 4]) -> expand_dims(x, 1)", "(x: f64[3]) -> expand_dims(x, [0, -1])"];
}

def NN_SqueezeOp : NN_ShapeOp<"squeeze", "removal of axes of size one"> {
  let description = "Removes the axes `axis`, each of size one; all of size one when it is not given.";
  let arguments = (ins NN_Tensor:$x, OptionalAttr<DenseI64ArrayAttr>:$axis);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[3, 1, 4]) -> squeeze(x)", "(x: f64[1, 3, 1]) -> squeeze(x, axis = -1)"];
}

def NN_SliceOp : NN_ShapeOp<"slice", "a regular part"> {
  let description = [{
    The elements from `starts` (inclusive) to `stops` (exclusive) by `steps` along every axis, all
    within bounds; steps are positive. The language writes `x[1:3, ::2]`.
  }];
  let arguments = (ins NN_Tensor:$x, NN_Shape:$starts, NN_Shape:$stops, DenseI64ArrayAttr:$steps);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[5, 4]) -> slice(x, [1, 0], [4, 4], [1, 1])",
                    "(x: f64[5, 4]) -> slice(x, [0, 1], [5, 4], [2, 3])"];
  let hasFolder = 1;
}

def NN_SliceUpdateOp : NN_ShapeOp<"slice_update", "replacement of a regular part"> {
  let description = [{
    `x` with the part that `slice` would select replaced by `update`, which broadcasts to it. The
    language writes `x[2:] = [1, 2, 3]`.
  }];
  let arguments = (ins NN_Tensor:$x, NN_Tensor:$update, NN_Shape:$starts, NN_Shape:$stops,
                       DenseI64ArrayAttr:$steps);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[5, 4], u: f64[3, 4]) -> slice_update(x, u, [1, 0], [4, 4], [1, 1])",
                    "(x: f64[5, 4], u: f64[2]) -> slice_update(x, u, [0, 1], [5, 4], [2, 2])"];
}

def NN_ConcatOp : NN_ShapeOp<"concat", "joining along an axis"> {
  let nnPromotesOperands = 1;
  let description = "The operands one after another along `axis`; their other dimensions are equal.";
  let arguments = (ins Variadic<NN_Tensor>:$inputs, DefaultValuedAttr<NN_Integer, "0">:$axis);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(a: f64[2, 3], b: f64[1, 3]) -> concat(a, b)", "(a: f64[2, 3], b: f64[2, 1]) -> concat(a, b, axis = -1)"];
}

def NN_PadOp : NN_ShapeOp<"pad", "a border of a constant"> {
  let description = "`x` with `low` elements before and `high` after each axis, filled with `value`.";
  let arguments = (ins NN_Tensor:$x, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                       DefaultValuedAttr<F64Attr, "0.0">:$value);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[3, 4]) -> pad(x, [1, 0], [0, 2])", "(x: f64[3]) -> pad(x, [2], [1], value = 1.5)"];
  let hasFolder = 1;
}

def NN_GatherOp : NN_ShapeOp<"gather", "elements chosen by index"> {
  let description = [{
    The slices of `x` along `axis` at the integer `indices` (ONNX Gather): the axis is replaced by
    the axes of `indices`. Indices are from 0 to the size of the axis less one; a negative one
    counts from the end, one further out is clamped.
  }];
  let arguments = (ins NN_Tensor:$x, NN_Tensor:$indices, DefaultValuedAttr<NN_Integer, "0">:$axis);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[5, 3], i: i64[4]) -> gather(x, i)", "(x: f64[3, 5], i: i64[2, 2]) -> gather(x, i, axis = 1)"];
}

def NN_ScatterAddOp : NN_ShapeOp<"scatter_add", "addition at chosen indices"> {
  let description = "`x` with `updates`, shaped as `gather(x, indices, axis)`, added at the slices that gather "
                    "would read, in order; the adjoint of `gather`.";
  let arguments = (ins NN_Tensor:$x, NN_Tensor:$indices, NN_Tensor:$updates, DefaultValuedAttr<NN_Integer, "0">:$axis);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[5, 3], i: i64[4], u: f64[4, 3]) -> scatter_add(x, i, u)"];
}

def NN_ReverseOp : NN_ShapeOp<"reverse", "the order of elements reversed along axes"> {
  let description = "`x` with the order along each of `axis` reversed.";
  let arguments = (ins NN_Tensor:$x, DenseI64ArrayAttr:$axis);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[3, 4]) -> reverse(x, 1)", "(x: f64[3, 4]) -> reverse(x, [0, 1])"];
}

def NN_OneHotOp : NN_ShapeOp<"one_hot", "indicator vectors of integers"> {
  let description = "1 where the last axis equals the index, 0 elsewhere: shape of `indices` with `depth` appended.";
  let arguments = (ins NN_Tensor:$indices, NN_Integer:$depth,
                       DefaultValuedAttr<TypeAttr, "::mlir::Float32Type::get($_builder.getContext())">:$dtype);
  let results = (outs NN_Tensor:$y);
  let nnDifferentiable = 0;
  let nnExamples = ["(i: i64[4]) -> one_hot(i, depth = 3)"];
}

def NN_SizeOp : NN_ShapeOp<"size", "number of elements"> {
  let description = "The number of elements along `axis`, or of all of `x`, as an i64 scalar.";
  let arguments = (ins NN_Tensor:$x, OptionalAttr<DenseI64ArrayAttr>:$axis);
  let results = (outs NN_Tensor:$y);
  let nnDifferentiable = 0;
  let nnExamples = ["(x: f64[3, 4]) -> size(x)", "(x: f64[3, 4]) -> size(x, axis = 1)"];
  let hasFolder = 1;
}

#endif // NNC_IR_NNSHAPE
