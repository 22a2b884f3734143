//===- PackOperands.h - Operands in the order of the loops ------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_PACKOPERANDS_H
#define NNC_LIB_CODEGEN_PACKOPERANDS_H

#include "KernelLoops.h"
#include "nnc/Codegen/Target.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// Reads a copy of `input` in which the axis of loop `dim` lies last.
void turnInput(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op, mlir::OpOperand &input,
               unsigned dim, Conversion conversion = {});
/// Computes the only output, which starts from a fill, in a buffer in which the axis of loop `dim` lies last,
/// and copies that to its place.
void turnOutput(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op, unsigned dim);

/// Turns the output where this saves more than the copy costs: a convolution of many filters on small images,
/// the derivative of small kernels. Only what overwrites its output.
void turnBadlyFilled(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op,
                     const TargetDescription &target);

/// Copies the inputs that lie as the inner loops do not walk and that are read again and again, once:
/// what would be gathered, and rows so long that a kernel's tile has each step on another page. The
/// latter, and all of these where the vectors' loop is long, as panels as wide as the tile.
/// The copies of inputs that are in `early` are free: something else takes them out of the call. Where all panels
/// are more than a near cache holds, they are packed and read a group at a time, in a loop that threads share if it
/// takes more than twice `grain` instructions.
void packInputs(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op,
                const TargetDescription &target, const llvm::DenseSet<mlir::Value> &early,
                int64_t grain);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_PACKOPERANDS_H
