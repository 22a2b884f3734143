//===- Compare.h - Whether two tensors are the same -------------*- C++ -*-===//
//
// For tests that compare what a stage computes with the interpreter.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_REFERENCE_COMPARE_H
#define NNC_REFERENCE_COMPARE_H

#include "nnc/Reference/RandomProgram.h"

namespace nnc {

/// The distance between 1 and the next number of the type.
double getEpsilon(mlir::Type floatType);

/// The largest distance between two elements of floating-point tensors of one shape, infinite if
/// only one of two is a NaN.
double largestDifference(const HostTensor &left, const HostTensor &right);

/// The largest magnitude of an element that is neither infinite nor a NaN.
double largestFinite(const HostTensor &tensor);

/// The first element of `found` that is further than `tolerance` from that of `expected`, which has
/// its shape.
std::optional<int64_t> firstDifference(const HostTensor &found, const HostTensor &expected,
                                       double tolerance);

/// Where `found` is further than `tolerance` from `expected`, or another shape or type; empty if
/// nowhere.
std::string describeDifference(const HostTensor &found, const HostTensor &expected,
                               double tolerance);

/// How far each result of `function` on `arguments` may be from the interpreter's `results` for
/// reasons of rounding alone. The program itself tells: the interpreter runs it some times with
/// noise, and where that changes a result, so may another order of computation.
llvm::Expected<llvm::SmallVector<double>> roundingBounds(mlir::func::FuncOp function,
                                                         llvm::ArrayRef<HostTensor> arguments,
                                                         llvm::ArrayRef<HostTensor> results,
                                                         const SymbolValues &symbols = {});

/// Computes the results of a function on arguments, for instance by compiled code.
using Runner = std::function<llvm::Expected<llvm::SmallVector<HostTensor>>(
    mlir::func::FuncOp function, llvm::ArrayRef<HostTensor> arguments)>;

/// Runs `program` in the precision of `floatType` with `runner` and compares with the interpreter
/// in f64, within the bounds of rounding. Empty, or what differs.
std::string compareInPrecision(RandomProgram &program, mlir::Type floatType, const Runner &runner);

} // namespace nnc

#endif // NNC_REFERENCE_COMPARE_H
