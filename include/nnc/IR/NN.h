//===- NN.h - The nn dialect ------------------------------------*- C++ -*-===//
//
// The dialect of neural networks as dataflow graphs; the ops are defined in NNOps.td.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_NN_H
#define NNC_IR_NN_H

#include "nnc/IR/Dim.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace nnc::nn {
/// What the operands of an op may be.
enum class OperandKind { Any, Number, Float, Bool };

/// Names of attributes that describe a function and its arguments and results.
inline constexpr llvm::StringLiteral nameAttr = "nn.name";
/// "param", "state", "input" or "key" of an argument; "output", "param", "state", "loss",
/// "record", "tap" or "expect" of a result.
inline constexpr llvm::StringLiteral roleAttr = "nn.role";
/// "forward", "init", "step", "steps", "data", "test" or "func".
inline constexpr llvm::StringLiteral entryAttr = "nn.entry";
/// On a stop_gradient, and the copy that it becomes, which passes do not look through: what is on one side of it is
/// neither merged nor fused with what is on the other.
inline constexpr llvm::StringLiteral againAttr = "nn.again";

/// The symbol that stands for the number of steps of a "steps" entry; no model may use it.
inline constexpr llvm::StringLiteral stepsSymbol = "num_steps";
} // namespace nnc::nn

#include "nnc/IR/NNDialect.h.inc"

#define GET_OP_CLASSES
#include "nnc/IR/NNOps.h.inc"

namespace nnc {
/// Builds an op whose result types follow from its operands and attributes. Null, with an error
/// emitted at `loc`, if they do not fit.
mlir::Operation *createInferred(mlir::OpBuilder &builder, mlir::Location loc,
                                llvm::StringRef opName, mlir::ValueRange operands,
                                llvm::ArrayRef<mlir::NamedAttribute> attributes = {});

/// The same for ops known to fit: `create<nn::AddOp>(builder, loc, {x, y})`.
template <typename OpTy>
mlir::Value create(mlir::OpBuilder &builder, mlir::Location loc, mlir::ValueRange operands,
                   llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
  mlir::Operation *op =
      createInferred(builder, loc, OpTy::getOperationName(), operands, attributes);
  assert(op && "operands that fit");
  return op->getResult(0);
}

/// The splat constant `value` with the element type of `like` and rank zero.
mlir::Value createScalar(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type elementType,
                         double value);
} // namespace nnc

#endif // NNC_IR_NN_H
