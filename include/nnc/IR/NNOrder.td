//===- NNOrder.td - Ops for which the order along an axis counts -*- tablegen -*-===//
#ifndef NNC_IR_NNORDER
#define NNC_IR_NNORDER

include "nnc/IR/NNBase.td"

def NN_CumsumOp : NN_PureOp<"cumsum", "Order"> {
  let summary = "sums of all elements so far";
  let description = [{
    Each element of the result is the sum of `x` from the start of `axis` to here; from here to the end
    if `reverse`; without the element itself if `exclusive`.
  }];
  let arguments = (ins NN_Tensor:$x, DefaultValuedAttr<NN_Integer, "-1">:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$reverse,
                       DefaultValuedAttr<BoolAttr, "false">:$exclusive);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[3, 4]) -> cumsum(x)", "(x: f64[3, 2, 2]) -> cumsum(x, axis = 0, reverse = true)",
                    "(x: f64[5]) -> cumsum(x, exclusive = true)",
                    "(x: f64[2, 4]) -> cumsum(x, axis = 1, reverse = true, exclusive = true)"];
}

class NN_SortingOp<string mnemonic, string text> : NN_PureOp<mnemonic, "Order"> {
  let summary = text;
  let arguments = (ins NN_Tensor:$x, DefaultValuedAttr<NN_Integer, "-1">:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$descending);
  let results = (outs NN_Tensor:$y);
}

def NN_SortOp : NN_SortingOp<"sort", "elements in order"> {
  let description = [{
    The elements of `x` sorted along `axis`, the least first, or the greatest if `descending`. NaN
    counts as greater than any number. The derivative goes back to the places that the elements came
    from.
  }];
  let nnExamples = ["(x: f64[3, 4]) -> sort(x)", "(x: f64[4, 3]) -> sort(x, axis = 0, descending = true)"];
}

def NN_ArgsortOp : NN_SortingOp<"argsort", "indices that sort"> {
  let description = [{
    The indices (i64) along `axis` of the elements of `x` in the order of `sort`; equal elements keep
    their order.
  }];
  let nnDifferentiable = 0;
  let nnExamples = ["(x: f64[3, 4]) -> argsort(x)", "(x: i64[7]) -> argsort(x, descending = true)"];
}

#endif // NNC_IR_NNORDER
