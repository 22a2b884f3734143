//===- DrawInputs.h - Values for the inputs of an example -------*- C++ -*-===//
//
// Reproducible arguments: the same example and seed give the same values.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_REFERENCE_DRAWINPUTS_H
#define NNC_REFERENCE_DRAWINPUTS_H

#include "nnc/IR/Examples.h"
#include "nnc/Reference/Interpreter.h"

namespace nnc {

/// Values between `low` and `high`: floating-point numbers below it, integers up to and with it.
/// `number` tells tensors of one seed apart.
HostTensor drawTensor(mlir::Type elementType, llvm::ArrayRef<int64_t> shape, double low,
                      double high, uint64_t seed, uint64_t number = 0);

/// A tensor for each input, from its range. Symbols take their value in `symbols`, 3 otherwise.
llvm::SmallVector<HostTensor> drawInputs(llvm::ArrayRef<ExampleInput> inputs, uint64_t seed,
                                         const SymbolValues &symbols = {});

} // namespace nnc

#endif // NNC_REFERENCE_DRAWINPUTS_H
