//===- WordProduct.h - Sums of products of short factors, in words -*- C++ -*-===//
//
// Instructions for short factors multiply several that the sum takes one after the other, side by side in a word of
// 32 bits: two of bf16 or of 16-bit integers, or four bytes. An operation that goes in words of n factors reads the
// left factor in its place, and the right one packed:
//
//   right[..., k, j]    the elements n k, n k + 1, ... of column j, the first in the lowest bits
//
//   sum = old + (left[..., n k] * first(right[k, j]) + left[..., n k + 1] * second(right[k, j]) + ...)
//
// Bytes of the left factor may be moved by 128, to have a sign where they had none, or none where they had one: the
// sum takes that off from each.
//
// It is written in ordinary arithmetic, which every target can do, and recognized by it.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CPU_WORDPRODUCT_H
#define NNC_LIB_CODEGEN_CPU_WORDPRODUCT_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace nnc {

/// What a short factor is; it is multiplied in f32 or i32.
enum class ShortKind { BFloat16, Int8, UInt8, Int16 };

/// How many a word holds.
int64_t countInWord(ShortKind kind);
/// Whether the bits of `kind` have a sign.
inline bool isSigned(ShortKind kind) { return kind != ShortKind::UInt8; }

/// The factors of an operation that sums products of two short inputs.
struct ShortProduct {
  mlir::OpOperand *left, *right;
  ShortKind leftKind, rightKind;
  /// What is the new sum.
  mlir::Operation *sum;
};
std::optional<ShortProduct> matchShortProduct(mlir::linalg::GenericOp op);

/// The operands of an operation that does it in words.
struct WordProduct {
  llvm::SmallVector<mlir::OpOperand *, 4> left;
  mlir::OpOperand *right;
  /// What is in memory, and whether the left factors are moved there.
  ShortKind leftKind, rightKind;
  bool isLeftMoved = false;
};
std::optional<WordProduct> matchWordProduct(mlir::linalg::GenericOp op);

/// `old` and the products of a word; the left factors are moved from what they are if that is said.
mlir::Value addWordProduct(mlir::OpBuilder &builder, mlir::Location loc, mlir::ValueRange left,
                           ShortKind leftKind, bool isLeftMoved, mlir::Value right,
                           ShortKind rightKind, mlir::Value old);

/// Numbers of `kind` as a word of `packed`, which holds them; zeros stand for those that are not there.
mlir::Value makeWord(mlir::OpBuilder &builder, mlir::Location loc, mlir::ValueRange numbers,
                     ShortKind kind, ShortKind packed);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_WORDPRODUCT_H
