//===- OperationBody.h - What one thread computes of an operation -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_OPERATIONBODY_H
#define NNC_LIB_CODEGEN_GPU_OPERATIONBODY_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace nnc {

mlir::Value constantIndex(mlir::OpBuilder &b, mlir::Location loc, int64_t value);
mlir::Value multiply(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<mlir::Value> factors);

/// An operation that does something with each result of another, by itself.
struct Epilogue {
  mlir::linalg::GenericOp op;
  /// Whether others want the result too.
  bool keepsResult = false;
};

/// Elements that a thread loads and stores at once.
constexpr int64_t kVectorLanes = 4;

/// The loops of an operation on buffers, and its body element by element.
class OperationBody {
public:
  /// Computes the sizes of the loops at `b`.
  OperationBody(mlir::OpBuilder &b, mlir::linalg::GenericOp op);

  mlir::linalg::GenericOp operation() const { return op; }
  /// Has the sums at `output` start from `value`, not from what the output holds.
  void startFrom(unsigned output, mlir::Value value) { initial[output] = value; }
  llvm::ArrayRef<unsigned> parallelLoops() const { return parallel; }
  llvm::ArrayRef<unsigned> reductionLoops() const { return reduction; }
  llvm::SmallVector<mlir::Value> sizesOf(llvm::ArrayRef<unsigned> loops) const;

  /// Sets those of `indices` that are `loops` to the place with this number, the last loop the fastest.
  void locate(mlir::OpBuilder &b, mlir::Value number, llvm::ArrayRef<unsigned> loops,
              llvm::MutableArrayRef<mlir::Value> indices) const;

  /// Whether the output at this position is one element for all iterations of the reductions.
  bool isSum(unsigned output) const;
  /// The outputs of which that is true.
  llvm::SmallVector<unsigned> sums() const;

  /// Where an operand has its element for `indices`.
  llvm::SmallVector<mlir::Value> placeIn(mlir::OpBuilder &b, mlir::OpOperand &operand,
                                         llvm::ArrayRef<mlir::Value> indices) const;
  /// The same for the output at this position.
  llvm::SmallVector<mlir::Value> placeOf(mlir::OpBuilder &b, unsigned output,
                                         llvm::ArrayRef<mlir::Value> indices) const;
  mlir::Value load(mlir::OpBuilder &b, mlir::OpOperand &operand,
                   llvm::ArrayRef<mlir::Value> indices) const;
  void store(mlir::OpBuilder &b, mlir::Value value, unsigned output,
             llvm::ArrayRef<mlir::Value> indices) const;
  /// The same for a sum that is done, and what follows.
  void storeResult(mlir::OpBuilder &b, mlir::Value value, unsigned output,
                   llvm::ArrayRef<mlir::Value> indices) const;
  /// What is done with each result, of an operation with one output.
  void setEpilogue(Epilogue next) { epilogue = next; }

  /// What the sum at `output` starts from.
  mlir::Value loadInitial(mlir::OpBuilder &b, unsigned output,
                          llvm::ArrayRef<mlir::Value> indices) const;
  /// What the body yields for the sums at `indices`, given what they are so far; other outputs are stored.
  llvm::SmallVector<mlir::Value> compute(mlir::OpBuilder &b, llvm::ArrayRef<mlir::Value> indices,
                                         mlir::ValueRange sumsSoFar) const;

  /// What `value`, of the body, is at `indices` and at its neighbours along `loop`, `lanes` in all; no sum may go into
  /// it. If they are more than one, they are kVectorLanes, and all its inputs have such neighbours.
  llvm::SmallVector<mlir::Value> evaluate(mlir::OpBuilder &b, mlir::Value value,
                                          llvm::ArrayRef<mlir::Value> indices, unsigned loop,
                                          int64_t lanes) const;

  /// Whether kVectorLanes neighbours along `loop` are one vector of the operand, or one element.
  bool hasNeighbours(mlir::OpOperand &operand, unsigned loop) const;
  /// Whether threads should each have kVectorLanes neighbours along the last loop: all buffers are read and written
  /// there side by side, or at one place, and there are enough for many threads.
  bool suitsVectors() const;
  /// Those at `indices` and after it. To be asked first.
  void computeVector(mlir::OpBuilder &b, llvm::ArrayRef<mlir::Value> indices) const;

  /// All of the result, or of the sums, at the parallel loops in `indices`.
  void computeInOrder(mlir::OpBuilder &b, llvm::ArrayRef<mlir::Value> indices) const;

private:
  llvm::SmallVector<mlir::Value> reduceFrom(mlir::OpBuilder &b, unsigned depth,
                                            llvm::MutableArrayRef<mlir::Value> indices,
                                            mlir::ValueRange sumsSoFar) const;
  llvm::SmallVector<mlir::Value> loadNeighbours(mlir::OpBuilder &b, mlir::OpOperand &operand,
                                                llvm::ArrayRef<mlir::Value> indices,
                                                unsigned loop) const;

  mutable mlir::linalg::GenericOp op; // a handle
  mlir::Location loc;
  llvm::SmallVector<mlir::Value> sizes;
  llvm::SmallVector<unsigned> parallel, reduction;
  llvm::SmallDenseMap<unsigned, mlir::Value> initial;
  mutable std::optional<Epilogue> epilogue;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_OPERATIONBODY_H
