//===- KernelFills.h - What an operation's outputs hold before --*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_KERNELFILLS_H
#define NNC_LIB_CODEGEN_KERNELFILLS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// Whether `op` may read or write memory of `root`, or runs code of its own that may.
bool mayTouch(mlir::Operation *op, mlir::Value root);

/// The fill that decides what `output` holds when `op` starts, if `op` overwrites all of it and
/// nothing reads it in between; null if there is none. The fill needs no loop of its own then.
mlir::linalg::FillOp findFill(mlir::linalg::LinalgOp op, mlir::OpOperand &output);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_KERNELFILLS_H
