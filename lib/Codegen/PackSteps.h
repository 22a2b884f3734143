//===- PackSteps.h - Every other element, one after the other ---*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_PACKSTEPS_H
#define NNC_LIB_CODEGEN_PACKSTEPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// Copies what `op` reads again and again of inputs of which it uses every so many elements along an axis alone, as a
/// convolution by a kernel of one pixel does whose stride is two.
void packSteps(mlir::IRRewriter &rewriter, mlir::linalg::GenericOp op);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_PACKSTEPS_H
