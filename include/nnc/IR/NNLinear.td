//===- NNLinear.td - Contractions -------------------------------*- tablegen -*-===//
#ifndef NNC_IR_NNLINEAR
#define NNC_IR_NNLINEAR

include "nnc/IR/NNBase.td"

def NN_MatmulOp : NN_PureOp<"matmul", "Linear"> {
  let nnPromotesOperands = 1;
  let summary = "matrix product";
  let description = [{
    The product of NumPy's `@`: the last axis of `x` is contracted with the second-last of `y`;
    leading axes are batches and broadcast. A vector on the left is a row, on the right a column,
    and that axis is dropped from the result.
  }];
  let arguments = (ins NN_Tensor:$x, NN_Tensor:$y);
  let results = (outs NN_Tensor:$z);
  let nnExamples = ["(x: f64[3, 4], y: f64[4, 2]) -> matmul(x, y)", "(x: f64[3, 4], y: f64[4]) -> matmul(x, y)",
                    "(x: f64[4], y: f64[4, 2]) -> matmul(x, y)", "(x: f64[4], y: f64[4]) -> matmul(x, y)",
                    "(x: f64[2, 3, 4], y: f64[4, 2]) -> matmul(x, y)",
                    "(x: f64[2, 1, 3, 4], y: f64[5, 4, 2]) -> matmul(x, y)"];
}

#endif // NNC_IR_NNLINEAR
