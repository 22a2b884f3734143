//===- Inference.h - Shape and type rules that families share ---*- C++ -*-===//
//
// Checks of operands and the arithmetic of shapes. A failed check emits an error in the user's
// terms at `loc` and returns failure or none.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_INFERENCE_H
#define NNC_IR_INFERENCE_H

#include "nnc/IR/NN.h"

namespace nnc {

using OptionalLoc = std::optional<mlir::Location>;

/// Checks that `value`'s element type is of `kind`; `op` names the function in the message.
mlir::LogicalResult checkKind(OptionalLoc loc, llvm::StringRef op, mlir::Value value,
                              nn::OperandKind kind);
/// Checks that the operands have one element type.
mlir::LogicalResult checkSameElementType(OptionalLoc loc, llvm::StringRef op,
                                         mlir::ValueRange operands);

/// NumPy broadcasting; a symbolic dimension matches itself and one.
std::optional<Shape> broadcastShapes(OptionalLoc loc, llvm::StringRef op, llvm::ArrayRef<Dim> left,
                                     llvm::ArrayRef<Dim> right);

/// `axis` in 0 … rank-1, negative ones counted from the end.
std::optional<int64_t> normalizeAxis(OptionalLoc loc, llvm::StringRef op, int64_t axis,
                                     int64_t rank);
/// Distinct axes, sorted. None given means all.
std::optional<llvm::SmallVector<int64_t>> normalizeAxes(OptionalLoc loc, llvm::StringRef op,
                                                        std::optional<llvm::ArrayRef<int64_t>> axes,
                                                        int64_t rank);
/// The same for attributes already verified.
llvm::SmallVector<int64_t> normalizedAxes(std::optional<llvm::ArrayRef<int64_t>> axes,
                                          int64_t rank);
inline int64_t normalizedAxis(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }

/// `shape` without `axes`, or with them of size one.
Shape reduceShape(llvm::ArrayRef<Dim> shape, llvm::ArrayRef<int64_t> axes, bool keepdims);

} // namespace nnc

#endif // NNC_IR_INFERENCE_H
