//===- BufferPlaces.h - Where values live in memory -------------*- C++ -*-===//
//
// What a function returns and what a loop carries to its next trip has a place: a destination
// argument, the carried value's own memory. Before bufferization, computations are pointed at these
// places; bufferization follows where that is correct. After it, whatever is elsewhere is copied.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_BUFFERPLACES_H
#define NNC_LIB_CODEGEN_BUFFERPLACES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nnc {

/// The buffer that `view` shows a part of.
mlir::Value rootBuffer(mlir::Value view);

/// A new buffer, row-major, with the axes of `source` in this order, of type `element` or that of the source.
mlir::Value allocateInOrder(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                            llvm::ArrayRef<int64_t> order, mlir::Type element = {});

/// Gives every use of a fill and of an uninitialised tensor one of its own: two reductions that start
/// from the same zeros would copy them.
void separateInitialValues(mlir::func::FuncOp function);

/// Points the computation of `value`, a use of a tensor, at the tensor `place` where it starts from
/// an uninitialised one.
void computeIn(mlir::OpOperand &value, mlir::Value place);
/// The same for what the loops of `function` carry.
void computeLoopsInPlace(mlir::func::FuncOp function);

/// Points computations of one element from another at the memory of an input of the same shape that
/// nothing reads afterwards.
void computeInDyingInputs(mlir::func::FuncOp function);

/// After bufferization: ends the trips of every loop with what they carry in the memory that they
/// started from, so that loops carry no buffers any more.
void settleLoops(mlir::func::FuncOp function);
/// After bufferization: returns nothing; what was returned is in `destinations`.
void settleResults(mlir::func::FuncOp function, mlir::ValueRange destinations);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_BUFFERPLACES_H
