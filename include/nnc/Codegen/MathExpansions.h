// The mathematical functions as arithmetic: polynomials in arith and math.fma, no calls.
//
// Each build function takes a scalar or a vector of f16, bf16, f32 or f64 (the two short ones are
// computed in f32) and emits branch-free code for the whole of it, within 2 ulp of the exact result
// and with C's treatment of NaN, infinities, denormals and signed zeros; docs/numerics.md has the
// measured bounds. What is emitted must not be contracted or reassociated further: no fast-math
// flags, and LLVM's FP contraction at its default.
#ifndef NNC_CODEGEN_MATHEXPANSIONS_H
#define NNC_CODEGEN_MATHEXPANSIONS_H

#include "mlir/IR/Builders.h"

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace nnc {

mlir::Value buildExp(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildExp2(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildExpm1(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildLog(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildLog1p(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildTanh(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);

/// 1 / (1 + e^-x).
mlir::Value buildSigmoid(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);

/// The rewrites of codegen-expand-math, for a pass that wants them among its own.
void populateMathExpansionPatterns(mlir::RewritePatternSet &patterns);

} // namespace nnc

#endif // NNC_CODEGEN_MATHEXPANSIONS_H
