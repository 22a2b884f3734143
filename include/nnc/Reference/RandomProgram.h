//===- RandomProgram.h - Random functions of nn ops -------------*- C++ -*-===//
//
// For differential tests: a seed gives a function of ops that fit each other, with arguments on
// which its values are finite and of moderate size. Discontinuous ops (comparisons, argmax, floor)
// are only applied to integers, so that two computations that differ in rounding agree in the
// large.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_REFERENCE_RANDOMPROGRAM_H
#define NNC_REFERENCE_RANDOMPROGRAM_H

#include "nnc/Reference/Interpreter.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace nnc {

struct RandomProgramOptions {
  /// How many ops at least; a loop counts as one.
  unsigned numOps = 12;
  /// Whether some sizes are symbols.
  bool withSymbols = true;
  bool withLoops = true;
  /// Names ("softmax") of ops to leave out.
  std::vector<std::string> without;
};

struct RandomProgram {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// func @program, in f64 (and i64, bool). Its results are the values that no op uses,
  /// at least one in f64.
  mlir::func::FuncOp function;
  llvm::SmallVector<HostTensor> arguments;
};

RandomProgram buildRandomProgram(mlir::MLIRContext &context, uint64_t seed,
                                 const RandomProgramOptions &options = {});

/// A small program for which `fails` holds as it does for `program`: no op after the one that shows
/// it, and none whose values could as well be an argument.
RandomProgram reduceProgram(RandomProgram &program,
                            llvm::function_ref<bool(RandomProgram &)> fails);

} // namespace nnc

#endif // NNC_REFERENCE_RANDOMPROGRAM_H
