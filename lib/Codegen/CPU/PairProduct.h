//===- PairProduct.h - A sum of products of bf16, two at a time -*- C++ -*-===//
//
// Instructions for bf16 multiply pairs: two numbers that the sum takes one after the other, side by side in 32
// bits. An operation that goes in pairs reads the left factor in its place, and the right one packed:
//
//   right[..., k / 2, j]    the elements k and k + 1 of column j, the first in the low half
//
//   sum = old + (left[..., 2 k] * low(right[k, j]) + left[..., 2 k + 1] * high(right[k, j]))
//
// It is written in ordinary arithmetic, which every target can do, and recognized by it.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CPU_PAIRPRODUCT_H
#define NNC_LIB_CODEGEN_CPU_PAIRPRODUCT_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// The factors of an operation that sums products of two inputs of bf16 in f32.
struct ShortProduct {
  mlir::OpOperand *left, *right;
  /// What is the new sum.
  mlir::Operation *sum;
};
std::optional<ShortProduct> matchShortProduct(mlir::linalg::GenericOp op);

/// The operands of an operation that does it in pairs.
struct PairProduct {
  mlir::OpOperand *first, *second, *right;
};
std::optional<PairProduct> matchPairProduct(mlir::linalg::GenericOp op);

/// `old` and the products of a pair.
mlir::Value addPairProduct(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value first,
                           mlir::Value second, mlir::Value right, mlir::Value old);

/// Two numbers of bf16 as a pair; zero stands for a second one that is not there.
mlir::Value makePair(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value first,
                     mlir::Value second = {});

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_PAIRPRODUCT_H
