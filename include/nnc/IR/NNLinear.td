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

def NN_EinsumOp : NN_PureOp<"einsum", "Linear"> {
  let nnPromotesOperands = 1;
  let summary = "sums of products by an equation";
  let description = [{
    `einsum("bij,bjk->bik", x, y)` names the axes of each operand with letters; the result has the
    axes behind `->`, and what it does not have is summed. Sizes of one letter are equal, or one,
    which repeats. `...` stands for any further axes. A letter twice in an operand reads the
    diagonal; twice in the result, it puts values there and zero elsewhere. Without `->` the result
    has the letters that stand once, in the order of the alphabet, as in NumPy. More than two
    operands are multiplied from left to right.
  }];
  let arguments = (ins Variadic<NN_Tensor>:$inputs, StrAttr:$equation);
  let results = (outs NN_Tensor:$z);
  let nnExamples = ["(x: f64[3, 4], y: f64[4, 2]) -> einsum(\"ij,jk->ik\", x, y)",
                    "(x: f64[2, 3, 4], y: f64[2, 3]) -> einsum(\"...ij,...i->...j\", x, y)",
                    "(x: f64[3, 3]) -> einsum(\"ii->i\", x)", "(x: f64[3, 3]) -> einsum(\"ii\", x)",
                    "(x: f64[3], y: f64[2]) -> einsum(\"i,j->jii\", x, y)",
                    "(x: f64[2, 3], y: f64[1, 4], z: f64[3, 4, 2]) -> einsum(\"ai,aj,ijk->ak\", x, y, z)"];
}

#endif // NNC_IR_NNLINEAR
