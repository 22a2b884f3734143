//===- Interpreter.h - A slow, obvious interpreter of the nn dialect ------===//
//
// Runs a function of nn ops on tensors in memory. It is the oracle that every other stage is
// compared with, so it prefers what is plainly right to what is fast: an op's rule is its
// definition, computed in double and rounded once to the element type (for + - * / and sqrt this is
// the correctly rounded result of the type itself), integers wrap. nn.grad is expanded before.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_REFERENCE_INTERPRETER_H
#define NNC_REFERENCE_INTERPRETER_H

#include "nnc/Reference/HostTensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <map>
#include <string>

namespace nnc {

/// The value of each symbolic dimension.
using SymbolValues = std::map<std::string, int64_t>;

struct InterpretOptions {
  /// Values of symbols that no argument's shape tells.
  SymbolValues symbols;
  /// Called after each op with its results, which it may replace; an error ends the interpretation.
  std::function<llvm::Error(mlir::Operation *op, llvm::MutableArrayRef<HostTensor> results)>
      afterOp;
  /// How far each op's floating-point results are moved, at random, in units of what rounding once
  /// may do to them: of their last bit, and for sums of that of the sum of the terms' magnitudes.
  /// How much the results differ then tells how much rounding, in whatever order, can do to them.
  double noise = 0;
  uint64_t noiseSeed = 0;
};

/// The results of `function` on `arguments`. An error names what does not fit: an argument's type,
/// a symbol without a value or with two, a slice out of bounds, an op without a rule.
llvm::Expected<llvm::SmallVector<HostTensor>> interpret(mlir::func::FuncOp function,
                                                        llvm::ArrayRef<HostTensor> arguments,
                                                        const InterpretOptions &options = {});

/// The symbols of `function`'s arguments as their shapes give them, added to `known`. Checks the
/// number, element types and shapes of the arguments.
llvm::Expected<SymbolValues> resolveSymbols(mlir::func::FuncOp function,
                                            llvm::ArrayRef<HostTensor> arguments,
                                            SymbolValues known = {});

/// Whether the interpreter has a rule for the op named `name` ("nn.add").
bool hasInterpretation(llvm::StringRef name);

} // namespace nnc

#endif // NNC_REFERENCE_INTERPRETER_H
