// The mathematical functions as arithmetic: polynomials in arith and math.fma, no calls.
//
// Each build function takes a scalar or a vector of f16, bf16, f32 or f64 (the two short ones are
// computed in f32) and emits code for the whole of it: within 2 ulp of the exact result (sigmoid
// 2.5), with C's treatment of NaN, infinities, denormals and signed zeros; docs/numerics.md has the
// measured bounds. There are no branches, except that sin and cos make an scf.if past huge
// arguments, and integer powers a loop; so these run after vectorisation. What is emitted must not
// be reassociated, nor its separate products and sums contracted.
#ifndef NNC_CODEGEN_MATHEXPANSIONS_H
#define NNC_CODEGEN_MATHEXPANSIONS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

#include <array>

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
mlir::Value buildErf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildSin(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildCos(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
mlir::Value buildRsqrt(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
/// Half away from zero.
mlir::Value buildRound(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
/// C's pow; a constant y that is 0, 1, 2, 3, 4, -1, -2, 1/2 or -1/2 costs a few operations.
mlir::Value buildPow(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x, mlir::Value y);
/// A float to the power of an integer.
mlir::Value buildPowInteger(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                            mlir::Value n);
/// An integer to the power of an integer of the same type, modulo 2^bits; for a negative exponent
/// ±1 if x is that, otherwise 0.
mlir::Value buildIntegerPow(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                            mlir::Value n);

/// 1 / (1 + e^-x).
mlir::Value buildSigmoid(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);

/// Philox 4x32-10 of i32 words, scalars or vectors of one shape: `philox` of nnc/Support/Random.h.
std::array<mlir::Value, 4> buildPhilox(mlir::OpBuilder &builder, mlir::Location loc,
                                       std::array<mlir::Value, 4> counter,
                                       std::array<mlir::Value, 2> key);
/// The uniform number in [0, 1) of the first two words, as f32 (unitInterval24) or f64
/// (unitInterval53).
mlir::Value buildUniform(mlir::OpBuilder &builder, mlir::Location loc, mlir::FloatType type,
                         mlir::Value word0, mlir::Value word1);
/// The standard normal number of the first two words, as f32 (normal24) or f64 (normal53).
mlir::Value buildNormal(mlir::OpBuilder &builder, mlir::Location loc, mlir::FloatType type,
                        mlir::Value word0, mlir::Value word1);

/// The rewrites of codegen-expand-math, for a pass that wants them among its own.
void populateMathExpansionPatterns(mlir::RewritePatternSet &patterns);

} // namespace nnc

#endif // NNC_CODEGEN_MATHEXPANSIONS_H
