//===- NNElementwise.td - Ops that work on each element ---------*- tablegen -*-===//
#ifndef NNC_IR_NNELEMENTWISE
#define NNC_IR_NNELEMENTWISE

include "nnc/IR/NNBase.td"

/// `y = f(x)`, shape and element type kept.
class NN_UnaryOp<string mnemonic, string text, string formula, list<Trait> traits = []>
    : NN_PureOp<mnemonic, "Elementwise", traits> {
  let arguments = (ins NN_Tensor:$x);
  let results = (outs NN_Tensor:$y);
  let summary = text;
  let description = "Computes `" # formula # "` for each element; the result has the shape and element type of `x`.";
  let nnExamples = ["(x: f64[3, 4]) -> " # mnemonic # "(x)"];
  let hasFolder = 1;
}

/// A unary op on floating-point numbers only.
class NN_FloatUnaryOp<string mnemonic, string text, string formula>
    : NN_UnaryOp<mnemonic, text, formula> {
  let extraClassDeclaration = "static constexpr bool floatOnly = true;";
}
class NN_NumericUnaryOp<string mnemonic, string text, string formula>
    : NN_UnaryOp<mnemonic, text, formula> {
  let extraClassDeclaration = "static constexpr bool floatOnly = false;";
}

def NN_NegOp : NN_NumericUnaryOp<"neg", "negation", "-x">;
def NN_AbsOp : NN_NumericUnaryOp<"abs", "absolute value", "|x|">;
def NN_SignOp : NN_NumericUnaryOp<"sign", "sign: -1, 0 or 1", "sign(x)">;
def NN_SquareOp : NN_NumericUnaryOp<"square", "square", "x * x">;
def NN_ReluOp : NN_NumericUnaryOp<"relu", "rectified linear unit", "max(x, 0)">;
def NN_ExpOp : NN_FloatUnaryOp<"exp", "exponential", "e^x">;
def NN_Expm1Op : NN_FloatUnaryOp<"expm1", "exponential minus one, exact near zero", "e^x - 1">;
def NN_LogOp : NN_FloatUnaryOp<"log", "natural logarithm", "log(x)"> {
  let nnExamples = ["(x: f64[3, 4] in 0.5..3) -> log(x)"];
}
def NN_Log1pOp : NN_FloatUnaryOp<"log1p", "logarithm of one plus x, exact near zero", "log(1 + x)"> {
  let nnExamples = ["(x: f64[3, 4] in -0.5..3) -> log1p(x)"];
}
def NN_SqrtOp : NN_FloatUnaryOp<"sqrt", "square root", "x^(1/2)"> {
  let nnExamples = ["(x: f64[3, 4] in 0.5..3) -> sqrt(x)"];
}
def NN_RsqrtOp : NN_FloatUnaryOp<"rsqrt", "reciprocal square root", "x^(-1/2)"> {
  let nnExamples = ["(x: f64[3, 4] in 0.5..3) -> rsqrt(x)"];
}
def NN_ReciprocalOp : NN_FloatUnaryOp<"reciprocal", "reciprocal", "1 / x"> {
  let nnExamples = ["(x: f64[3, 4] in 0.5..3) -> reciprocal(x)"];
}
def NN_SinOp : NN_FloatUnaryOp<"sin", "sine of an angle in radians", "sin(x)">;
def NN_CosOp : NN_FloatUnaryOp<"cos", "cosine of an angle in radians", "cos(x)">;
def NN_TanhOp : NN_FloatUnaryOp<"tanh", "hyperbolic tangent", "tanh(x)">;
def NN_SigmoidOp : NN_FloatUnaryOp<"sigmoid", "logistic function", "1 / (1 + e^-x)">;
def NN_SoftplusOp : NN_FloatUnaryOp<"softplus", "smooth rectifier", "log(1 + e^x)">;
def NN_ErfOp : NN_FloatUnaryOp<"erf", "error function", "2/sqrt(pi) * integral of e^(-t^2) from 0 to x">;
def NN_FloorOp : NN_FloatUnaryOp<"floor", "largest integer not above x", "floor(x)">;
def NN_CeilOp : NN_FloatUnaryOp<"ceil", "smallest integer not below x", "ceil(x)">;
def NN_RoundOp : NN_FloatUnaryOp<"round", "nearest integer, halves to even", "round(x)">;

def NN_LogicalNotOp : NN_PureOp<"logical_not", "Elementwise"> {
  let summary = "logical negation of bools";
  let description = "True where `x` is false; `x` is bool.";
  let arguments = (ins NN_Tensor:$x);
  let results = (outs NN_Tensor:$y);
  let nnDifferentiable = 0;
  let nnExamples = ["(x: bool[3]) -> logical_not(x)"];
  let hasFolder = 1;
}

/// `z = f(x, y)` with broadcasting.
class NN_BinaryOp<string mnemonic, string text, string formula, list<Trait> traits = []>
    : NN_PureOp<mnemonic, "Elementwise", traits> {
  let nnPromotesOperands = 1;
  let arguments = (ins NN_Tensor:$x, NN_Tensor:$y);
  let results = (outs NN_Tensor:$z);
  let summary = text;
  let description = "Computes `" # formula # "` for each pair of elements. Shapes broadcast as in NumPy; "
                    "the operands are promoted to one element type.";
  let nnExamples = ["(x: f64[3, 4], y: f64[3, 4]) -> " # mnemonic # "(x, y)",
                    "(x: f64[3, 1], y: f64[4]) -> " # mnemonic # "(x, y)"];
  let hasFolder = 1;
}
class NN_ArithmeticOp<string mnemonic, string text, string formula, list<Trait> traits = []>
    : NN_BinaryOp<mnemonic, text, formula, traits> {
  let extraClassDeclaration = "static constexpr OperandKind operandKind = OperandKind::Number;";
}

def NN_AddOp : NN_ArithmeticOp<"add", "sum", "x + y", [Commutative]>;
def NN_SubOp : NN_ArithmeticOp<"sub", "difference", "x - y">;
def NN_MulOp : NN_ArithmeticOp<"mul", "product", "x * y", [Commutative]>;
def NN_DivOp : NN_ArithmeticOp<"div", "quotient of floating-point numbers", "x / y"> {
  let extraClassDeclaration = "static constexpr OperandKind operandKind = OperandKind::Float;";
  let nnExamples = ["(x: f64[3, 4], y: f64[3, 4] in 0.5..2) -> div(x, y)",
                    "(x: f64[4], y: f64[3, 1] in 0.5..2) -> div(x, y)"];
}
def NN_FloorDivideOp : NN_ArithmeticOp<"floor_divide", "quotient rounded down", "floor(x / y)"> {
  let nnExamples = ["(x: f64[3, 4], y: f64[3, 4] in 0.5..2) -> floor_divide(x, y)"];
}
def NN_ModOp : NN_ArithmeticOp<"mod", "remainder with the sign of y", "x - floor(x / y) * y"> {
  let nnExamples = ["(x: f64[3, 4], y: f64[3, 4] in 2.5..3) -> mod(x, y)"];
}
def NN_PowOp : NN_ArithmeticOp<"pow", "power", "x^y"> {
  let nnExamples = ["(x: f64[3, 4] in 0.5..2, y: f64[3, 4]) -> pow(x, y)",
                    "(x: f64[3, 1] in 0.5..2, y: f64[4]) -> pow(x, y)"];
}
def NN_MaximumOp : NN_ArithmeticOp<"maximum", "larger of two; NaN if either is", "max(x, y)", [Commutative]>;
def NN_MinimumOp : NN_ArithmeticOp<"minimum", "smaller of two; NaN if either is", "min(x, y)", [Commutative]>;

class NN_LogicalOp<string mnemonic, string text, string formula>
    : NN_BinaryOp<mnemonic, text, formula, [Commutative]> {
  let extraClassDeclaration = "static constexpr OperandKind operandKind = OperandKind::Bool;";
  let nnDifferentiable = 0;
  let nnExamples = ["(x: bool[3, 4], y: bool[4]) -> " # mnemonic # "(x, y)"];
}
def NN_LogicalAndOp : NN_LogicalOp<"logical_and", "both true", "x and y">;
def NN_LogicalOrOp : NN_LogicalOp<"logical_or", "at least one true", "x or y">;
def NN_LogicalXorOp : NN_LogicalOp<"logical_xor", "exactly one true", "x != y">;

/// A comparison: the result is bool.
class NN_ComparisonOp<string mnemonic, string text, string formula>
    : NN_BinaryOp<mnemonic, text, formula> {
  let extraClassDeclaration = "static constexpr OperandKind operandKind = OperandKind::Any;";
  let nnDifferentiable = 0;
  let nnExamples = ["(x: f64[3, 4], y: f64[4]) -> " # mnemonic # "(x, y)"];
}
def NN_EqualOp : NN_ComparisonOp<"equal", "equality", "x == y">;
def NN_NotEqualOp : NN_ComparisonOp<"not_equal", "inequality", "x != y">;
def NN_LessOp : NN_ComparisonOp<"less", "strictly less", "x < y">;
def NN_LessEqualOp : NN_ComparisonOp<"less_equal", "less or equal", "x <= y">;
def NN_GreaterOp : NN_ComparisonOp<"greater", "strictly greater", "x > y">;
def NN_GreaterEqualOp : NN_ComparisonOp<"greater_equal", "greater or equal", "x >= y">;

def NN_WhereOp : NN_PureOp<"where", "Elementwise"> {
  let nnPromotesOperands = 1;
  let summary = "choice by condition";
  let description = "`x` where `condition` (bool) is true, `y` elsewhere; the three broadcast.";
  let arguments = (ins NN_Tensor:$condition, NN_Tensor:$x, NN_Tensor:$y);
  let results = (outs NN_Tensor:$z);
  let nnExamples = ["(c: bool[3, 4], x: f64[3, 4], y: f64[3, 4]) -> where(c, x, y)",
                    "(c: bool[3, 1], x: f64[4], y: f64) -> where(c, x, y)"];
  let hasFolder = 1;
}

def NN_CastOp : NN_PureOp<"cast", "Elementwise"> {
  let summary = "conversion to another element type";
  let description = [{
    Converts each element to `dtype`. Floating point to integer truncates towards zero and
    saturates, NaN becomes 0; anything to bool is `x != 0`. In the language the name of a type is
    this function: `f32(x)`.
  }];
  let arguments = (ins NN_Tensor:$x, TypeAttr:$dtype);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(x: f64[3, 4]) -> cast(x, dtype = f64)", "(x: i64[3]) -> cast(x, dtype = f32)"];
  let hasFolder = 1;
}

def NN_StopGradientOp : NN_PureOp<"stop_gradient", "Elementwise"> {
  let summary = "identity that no gradient passes";
  let description = "Returns `x`; differentiation treats the result as a constant.";
  let arguments = (ins NN_Tensor:$x);
  let results = (outs NN_Tensor:$y);
  let nnDifferentiable = 0;
  let nnExamples = ["(x: f64[3, 4]) -> stop_gradient(x)"];
}

#endif // NNC_IR_NNELEMENTWISE
