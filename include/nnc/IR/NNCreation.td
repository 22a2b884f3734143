//===- NNCreation.td - Ops that make tensors --------------------*- tablegen -*-===//
#ifndef NNC_IR_NNCREATION
#define NNC_IR_NNCREATION

include "nnc/IR/NNBase.td"

defvar NN_DefaultDtype = "::mlir::Float32Type::get($_builder.getContext())";

class NN_CreationOp<string mnemonic, string text, string family = "Creation"> : NN_PureOp<mnemonic, family> {
  let summary = text;
  let nnDifferentiable = 0;
}

def NN_ConstantOp : NN_PureOp<"constant", "Creation", [ConstantLike]> {
  let summary = "a literal";
  let nnDifferentiable = 0;
  let description = "The elements `value`; the language writes `[[1, 2], [3, 4]]`.";
  let arguments = (ins ElementsAttr:$value);
  let results = (outs NN_Tensor:$y);
  let assemblyFormat = "attr-dict $value";
  let builders = [OpBuilder<(ins "mlir::Type":$type, "mlir::ElementsAttr":$value), [{
    $_state.getOrAddProperties<Properties>().value = value;
    $_state.addTypes(type);
  }]>];
  let hasFolder = 1;
}

def NN_FullOp : NN_CreationOp<"full", "one value everywhere"> {
  let description = "A tensor of `shape` and `dtype` whose elements are `value`; `zeros` and `ones` are short for it.";
  let arguments = (ins NN_Shape:$shape, F64Attr:$value, DefaultValuedAttr<TypeAttr, NN_DefaultDtype>:$dtype);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["() -> full([2, 3], 1.5)"];
  let hasFolder = 1;
}

def NN_IotaOp : NN_CreationOp<"iota", "counting along an axis"> {
  let description = "A tensor of `shape` whose elements are their index along `axis`.";
  let arguments = (ins NN_Shape:$shape, DefaultValuedAttr<NN_Integer, "0">:$axis,
                       DefaultValuedAttr<TypeAttr, "::mlir::IntegerType::get($_builder.getContext(), 64)">:$dtype);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["() -> iota([2, 3], axis = 1)"];
}

/// Random ops are functions of a key (seed, step) and of a stream number that the compiler gives to
/// each call: Philox 4x32-10 (Salmon et al., SC 2011) on the element's index. The same key gives
/// the same bits on any machine and any number of threads.
def NN_UniformOp : NN_CreationOp<"uniform", "random numbers, each equally likely in a range", "Random"> {
  let description = [{
    Independent random numbers in [`low`, `high`). f32 takes 24 random bits, f64 takes 53.
    `key` is i64[2], the seed and the step; the language supplies it. Calls with one `key` and one
    `stream` give the same numbers.
  }];
  let arguments = (ins NN_Tensor:$key, NN_Shape:$shape, DefaultValuedAttr<F64Attr, "0.0">:$low,
                       DefaultValuedAttr<F64Attr, "1.0">:$high, DefaultValuedAttr<TypeAttr, NN_DefaultDtype>:$dtype,
                       DefaultValuedAttr<NN_Integer, "0">:$stream);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(key: i64[2]) -> uniform([2, 3], low = -1, high = 1, key = key)"];
}

def NN_NormalOp : NN_CreationOp<"normal", "random numbers of the normal distribution", "Random"> {
  let description = "Independent normal random numbers by the inverse of the distribution function; see `uniform`.";
  let arguments = (ins NN_Tensor:$key, NN_Shape:$shape, DefaultValuedAttr<F64Attr, "0.0">:$mean,
                       DefaultValuedAttr<F64Attr, "1.0">:$std, DefaultValuedAttr<TypeAttr, NN_DefaultDtype>:$dtype,
                       DefaultValuedAttr<NN_Integer, "0">:$stream);
  let results = (outs NN_Tensor:$y);
  let nnExamples = ["(key: i64[2]) -> normal([2, 3], std = 0.5, key = key)"];
}

#endif // NNC_IR_NNCREATION
