//===- NNBase.td - The nn dialect and what its ops share --------*- tablegen -*-===//
//
// An op is defined once, here in ODS: its documentation, operands, attributes and examples. The
// function of the language has the op's name; positional arguments fill the operands, then the
// attributes, in the order below. Tables for the parser, the documentation, the gradient checks and
// the differential tests are generated from these records.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_NNBASE
#define NNC_IR_NNBASE

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/IR/OpAsmInterface.td"

def NN_Dialect : Dialect {
  let name = "nn";
  let summary = "Neural networks as dataflow graphs on tensors with symbolic dimensions";
  let description = [{
    Values are immutable ranked tensors. A dimension is an integer or an expression of symbols; see
    Dim.h. The operands of an elementwise op have one element type: the language's promotions are
    explicit `nn.cast` ops here.
  }];
  let cppNamespace = "::nnc::nn";
  let hasConstantMaterializer = 1;
  let dependentDialects = [];
}

//===-- Types and attributes ----------------------------------------------===//

def NN_Tensor : TypeAlias<AnyRankedTensor, "tensor">;

/// An array of dimensions, each an i64 or the text of an expression.
def NN_Shape : Attr<CPred<"::llvm::isa<::mlir::ArrayAttr>($_self)">, "shape"> {
  let storageType = "::mlir::ArrayAttr";
  let returnType = "::nnc::Shape";
  let convertFromStorage = "::nnc::shapeFromAttr($_self)";
}

/// One dimension: an i64 or the text of an expression.
def NN_Dim : Attr<CPred<"::llvm::isa<::mlir::IntegerAttr, ::mlir::StringAttr>($_self)">, "dimension"> {
  let storageType = "::mlir::Attribute";
  let returnType = "::nnc::Dim";
  let convertFromStorage = "::nnc::dimFromAttr($_self).value_or(::nnc::Dim())";
}

/// An integer that may be negative.
def NN_Integer : TypedSignlessIntegerAttrBase<I64, "int64_t", "integer"> {
  let convertFromStorage = "$_self.getInt()";
}

//===-- Op classes --------------------------------------------------------===//

/// `examples` are programs of one call: "(x: f64[3, 4] in 0.5..2) -> log(x)". The documentation
/// shows them, `nnc check --ops` differentiates them numerically, the tests run them. An operand's
/// values are drawn from the range after `in`, by default -1..1 (integers: 0..2).
class NN_Op<string mnemonic, string family, list<Trait> traits = []>
    : Op<NN_Dialect, mnemonic, traits> {
  string nnFamily = family;
  bit nnDifferentiable = 1;
  // Whether a call brings the operands, but for one named `condition`, to one element type.
  bit nnPromotesOperands = 0;
  list<string> nnExamples = [];
  // All are built by inference, see createInferred.
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "mlir::TypeRange":$types, "mlir::ValueRange":$operands,
                                 "llvm::ArrayRef<mlir::NamedAttribute>":$attributes), [{
    $_state.addTypes(types);
    $_state.addOperands(operands);
    $_state.addAttributes(attributes);
  }]>];
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

/// An op without side effects whose result types follow from its operands and attributes.
class NN_PureOp<string mnemonic, string family, list<Trait> traits = []>
    : NN_Op<mnemonic, family, !listconcat([Pure, InferTypeOpAdaptor], traits)>;

#endif // NNC_IR_NNBASE
