//===- KernelOrder.h - The kernels of a program, in order -------*- C++ -*-===//
//
// What the emitter will turn into a loop nest: every linalg operation but the fills that a later one
// takes as its initial value.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_KERNELORDER_H
#define NNC_LIB_CODEGEN_KERNELORDER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

constexpr llvm::StringLiteral kTraceBegin = "nnc_trace_begin", kTraceEnd = "nnc_trace_end";

/// The kernels within `root`, in program order.
llvm::SmallVector<mlir::linalg::LinalgOp> kernelsIn(mlir::Operation *root);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_KERNELORDER_H
