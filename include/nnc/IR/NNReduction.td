//===- NNReduction.td - Ops that combine elements along axes ----*- tablegen -*-===//
#ifndef NNC_IR_NNREDUCTION
#define NNC_IR_NNREDUCTION

include "nnc/IR/NNBase.td"

/// Combines along `axis`; without `axis`, along all.
class NN_ReductionOp<string mnemonic, string text>
    : NN_PureOp<mnemonic, "Reduction"> {
  let arguments = (ins NN_Tensor:$x, OptionalAttr<DenseI64ArrayAttr>:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$keepdims);
  let results = (outs NN_Tensor:$y);
  let summary = text;
  let description = "The " # text # " along `axis`, one or several, negative ones counted from the end; along "
                    "all axes when it is not given. Reduced axes are dropped, or kept with size one if "
                    "`keepdims`.";
  let nnExamples = ["(x: f64[3, 4]) -> " # mnemonic # "(x)",
                    "(x: f64[2, 3, 4]) -> " # mnemonic # "(x, axis = 1)",
                    "(x: f64[2, 3, 4]) -> " # mnemonic # "(x, axis = [0, -1], keepdims = true)"];
}
class NN_NumberReductionOp<string mnemonic, string text> : NN_ReductionOp<mnemonic, text> {
  let extraClassDeclaration = "static constexpr OperandKind operandKind = OperandKind::Number;";
}
class NN_FloatReductionOp<string mnemonic, string text> : NN_ReductionOp<mnemonic, text> {
  let extraClassDeclaration = "static constexpr OperandKind operandKind = OperandKind::Float;";
}
class NN_BoolReductionOp<string mnemonic, string text> : NN_ReductionOp<mnemonic, text> {
  let extraClassDeclaration = "static constexpr OperandKind operandKind = OperandKind::Bool;";
  let nnDifferentiable = 0;
  let nnExamples = ["(x: bool[3, 4]) -> " # mnemonic # "(x, axis = 1)"];
}

def NN_SumOp : NN_NumberReductionOp<"sum", "sum">;
def NN_ProdOp : NN_NumberReductionOp<"prod", "product">;
def NN_MaxOp : NN_NumberReductionOp<"max", "largest element">;
def NN_MinOp : NN_NumberReductionOp<"min", "smallest element">;
def NN_MeanOp : NN_FloatReductionOp<"mean", "arithmetic mean">;
def NN_LogsumexpOp : NN_FloatReductionOp<"logsumexp", "logarithm of the sum of exponentials">;
def NN_AnyOp : NN_BoolReductionOp<"any", "logical or">;
def NN_AllOp : NN_BoolReductionOp<"all", "logical and">;

/// The index (i64) of an extreme element along one axis; the first of equals.
class NN_ArgOp<string mnemonic, string text> : NN_PureOp<mnemonic, "Reduction"> {
  let arguments = (ins NN_Tensor:$x, DefaultValuedAttr<NN_Integer, "-1">:$axis,
                       DefaultValuedAttr<BoolAttr, "false">:$keepdims);
  let results = (outs NN_Tensor:$y);
  let summary = text;
  let description = "The " # text # " along `axis` as i64; the first of equal elements.";
  let nnDifferentiable = 0;
  let nnExamples = ["(x: f64[3, 4]) -> " # mnemonic # "(x, axis = 1)"];
}
def NN_ArgmaxOp : NN_ArgOp<"argmax", "index of the largest element">;
def NN_ArgminOp : NN_ArgOp<"argmin", "index of the smallest element">;

/// A normalisation along one axis; the shape is kept.
class NN_SoftmaxLikeOp<string mnemonic, string text, string formula> : NN_PureOp<mnemonic, "Reduction"> {
  let arguments = (ins NN_Tensor:$x, DefaultValuedAttr<NN_Integer, "-1">:$axis);
  let results = (outs NN_Tensor:$y);
  let summary = text;
  let description = "Computes `" # formula # "` along `axis`, shifted by the maximum so that it cannot overflow.";
  let nnExamples = ["(x: f64[3, 4]) -> " # mnemonic # "(x)", "(x: f64[3, 4]) -> " # mnemonic # "(x, axis = 0)"];
}
def NN_SoftmaxOp : NN_SoftmaxLikeOp<"softmax", "exponentials that sum to one", "e^x / sum(e^x)">;
def NN_LogSoftmaxOp : NN_SoftmaxLikeOp<"log_softmax", "logarithm of softmax", "x - log(sum(e^x))">;

#endif // NNC_IR_NNREDUCTION
