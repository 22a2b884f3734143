//===- TileFactor.h - A factor's part of a tile, in shared memory -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_TILEFACTOR_H
#define NNC_LIB_CODEGEN_GPU_TILEFACTOR_H

#include "IndexMath.h"
#include "OperationBody.h"
#include "Tile.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

#include <optional>

namespace nnc {

/// Gives memory of a kernel's blocks.
using TakeShared =
    llvm::function_ref<mlir::Value(llvm::ArrayRef<int64_t> shape, mlir::Type element)>;

/// One of the factors of a contraction: rows or columns, here both called places, by terms.
class TileFactor {
public:
  /// `value` of the body, whose places are `places`, of which a tile has `numPlaces`, and who multiplies has
  /// `placesTogether`.
  TileFactor(const OperationBody &body, mlir::Value value, llvm::ArrayRef<unsigned> places,
             llvm::ArrayRef<unsigned> terms, const Tile &tile, int64_t numPlaces,
             int64_t placesTogether);

  /// Whether memory is copied while threads go on, past their registers.
  bool isCopied() const { return copied; }
  /// Whether the terms of a place, not the places of a term, lie side by side in the block's memory.
  bool termsLieTogether() const { return termsInside; }
  /// What a thread brings at once.
  int64_t bytesAtOnce() const { return width * element.getIntOrFloatBitWidth() / 8; }

  /// Whether the source is a tensor of which tiles can be copied (TMA).
  bool isTensor() const { return tensor.has_value(); }
  /// For these copies: describes the tensor on the host, at `b`.
  void mapTensor(mlir::OpBuilder &b);
  /// The first place of tile `number`, and the batch's.
  void placeTensor(mlir::OpBuilder &b, mlir::Value number,
                   llvm::ArrayRef<mlir::Value> batchIndices);
  /// Has the terms from `firstTerm` on copied, which the one of `barriers` for `stage` counts; 0 where there is nothing.
  void copyTensor(mlir::OpBuilder &b, mlir::Value firstTerm, mlir::Value stage,
                  mlir::Value barriers) const;
  int64_t stageBytes() const { return numPlaces * numTerms * element.getIntOrFloatBitWidth() / 8; }

  /// Has memory of the kernel's blocks for so many tiles.
  void allocate(int64_t stages, TakeShared take);
  /// What the thread with this number brings of tile `number`'s places.
  void place(mlir::OpBuilder &b, mlir::Value threadNumber, mlir::Value number,
             llvm::ArrayRef<mlir::Value> batchIndices);
  /// The first of the block's places.
  mlir::Value firstPlace() const { return first; }

  /// Starts the copies of what this thread brings of the terms from `firstTerm` on; 0 where there is nothing.
  void copy(mlir::OpBuilder &b, mlir::Value firstTerm, mlir::Value endTerm,
            mlir::Value stage) const;
  /// Otherwise brings it in two steps.
  llvm::SmallVector<mlir::Value> load(mlir::OpBuilder &b, mlir::Value firstTerm,
                                      mlir::Value endTerm) const;
  void store(mlir::OpBuilder &b, mlir::ValueRange values, mlir::Value stage) const;

  /// How many numbers that is.
  size_t numLoaded() const { return pieces.size() * width; }

  mlir::Value memory() const { return shared; }
  mlir::Type elementType() const { return element; }
  /// Indices of the memory.
  llvm::SmallVector<mlir::Value> at(mlir::OpBuilder &b, mlir::Value stage, mlir::Value place,
                                    mlir::Value term) const;

  /// For wgmma, where the stage's terms of some places are, the first of them `firstPlace`, and how they lie.
  mlir::Value describe(mlir::OpBuilder &b, mlir::Value stage, mlir::Value firstPlace) const;
  /// How much further in such a descriptor a term is.
  mlir::Value describe(mlir::OpBuilder &b, mlir::Value descriptor, int64_t term) const;

private:
  /// Neighbours that a thread brings at once.
  struct Piece {
    mlir::Value place, term;
    /// Whether the places exist.
    mlir::Value exists;
    llvm::SmallVector<mlir::Value> indices;
    /// What the places add to where the source is read, if it is read as one row.
    mlir::Value offset;
  };
  /// A source as a tensor: elements from a place, from a term, and from a loop of the batch to the next.
  struct Tensor {
    int64_t placeStep, termStep;
    llvm::SmallVector<std::pair<unsigned, int64_t>> batch;
  };
  void findTensor();
  std::optional<int64_t> stepAlong(llvm::ArrayRef<unsigned> loops) const;
  void chooseWidth();
  void chooseCopies();
  int64_t lineBytes() const;
  /// Lines from those of some places to those of the next.
  int64_t groupLines() const { return termsInside ? numPlaces : numTerms; }
  void findSteps();
  mlir::Value addSteps(mlir::OpBuilder &b, mlir::Value sum, llvm::ArrayRef<unsigned> loops,
                       llvm::ArrayRef<mlir::Value> indices) const;
  int64_t countPieces() const { return numPlaces * numTerms / width; }

  const OperationBody &body;
  mlir::Location loc;
  mlir::Value value;
  mlir::Type element;
  /// What it is read from as it is; null if it is computed.
  mlir::OpOperand *source = nullptr;
  /// How far from each other the iterations of each loop are in the source, and where the first is; none if it is not
  /// one row of memory.
  llvm::SmallVector<int64_t> steps;
  int64_t begin = 0;
  llvm::ArrayRef<unsigned> places, terms;
  int64_t numPlaces, numTerms, gap;
  /// Numbers of a line, the parts of which change places from line to line; 0 if they do not.
  int64_t lineLength = 0;

  /// Elements of a piece, side by side in memory along the terms or along the places.
  int64_t width = 1;
  bool alongTerms = false, termsInside = false, copied = false;
  mlir::Value shared, first, thread, sourceRow;
  std::optional<Tensor> tensor;
  /// Of the host, and indices of the batch in the kernel.
  mlir::Value tensorMap;
  llvm::SmallVector<mlir::Value> batchPlace;
  llvm::SmallVector<Piece> pieces;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_TILEFACTOR_H
