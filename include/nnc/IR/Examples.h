//===- Examples.h - The examples of ops as functions ------------*- C++ -*-===//
//
// An op's examples in ODS are programs of one call, such as
//
//   (x: f64[3, 4] in 0.5..2, i: i64[4]) -> gather(x, i, axis = 1)
//
// The documentation shows them; the gradient checks and the differential tests run them. This reads
// such a text without the language's parser, which the dialect does not know.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_EXAMPLES_H
#define NNC_IR_EXAMPLES_H

#include "nnc/IR/NN.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace nnc {

/// An input and the range that its values are drawn from: -1..1, 0..2 for integers (both ends
/// included), 0..1 for bools, unless the example says otherwise.
struct ExampleInput {
  std::string name;
  mlir::RankedTensorType type;
  double low, high;
};

struct Example {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// func @example of one op; arguments and results carry their names.
  mlir::func::FuncOp function;
  std::vector<ExampleInput> inputs;

  mlir::Operation *getOp() { return &function.front().front(); }
};

/// Builds the function that `text` describes. Positional arguments fill the op's operands, a
/// variadic one as many as there are, then its attributes in the order of ODS.
llvm::Expected<Example> buildExample(mlir::MLIRContext &context, llvm::StringRef text);

} // namespace nnc

#endif // NNC_IR_EXAMPLES_H
