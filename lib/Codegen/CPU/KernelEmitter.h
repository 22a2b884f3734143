//===- KernelEmitter.h - Loops and vectors for one operation ----*- C++ -*-===//
//
// Writes the loop nest of a KernelPlan, in parts if it is large. Parallel loops are outside;
// inside, the reduction loops carry the tile's accumulators as values. The operation's scalar body
// is cloned once per vector of the tile; a load is emitted once per distinct place it reads, before
// the innermost loop that does not move it.
//
//   KernelEmitter.cpp   the loops around a tile
//   KernelTile.cpp      a tile: its reductions, and what is made of complete sums
//   KernelValues.cpp    the body, and what vectors of partial results become
//   KernelMemory.cpp    loads and stores
//   KernelMatrix.cpp    tiles that the matrix unit computes
//   KernelWords.cpp     products of short integers, a word at a time
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CPU_KERNELEMITTER_H
#define NNC_LIB_CODEGEN_CPU_KERNELEMITTER_H

#include "KernelBody.h"
#include "KernelPlan.h"
#include "WordProduct.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include <map>

namespace nnc {

class KernelEmitter {
public:
  KernelEmitter(mlir::OpBuilder &builder, mlir::linalg::GenericOp generic,
                const KernelPlan &kernelPlan, llvm::ArrayRef<mlir::Value> initialValues)
      : b(builder), loc(generic.getLoc()), op(generic), plan(kernelPlan), initial(initialValues),
        numSums(countAccumulators(op)), repeated(repeatedBody(op)), atEnd(epilogueBody(op)),
        repeatedOperands(llvm::from_range, repeatedInputs(op)), sizes(op.getStaticLoopRanges()),
        index(op.getNumLoops()), lanes(plan.lanes), loads(1), begins(op.getNumLoops()),
        ends(op.getNumLoops()) {}

  void run(int64_t grain);

private:
  using Values = llvm::SmallVector<mlir::Value>;
  /// One vector of the tile, or one element when there are no lanes.
  struct Cell {
    unsigned row, column;
  };
  /// Its rows are those of all blocks, one block after the other.
  struct Tile {
    unsigned rows = 1, columns = 1;
  };
  unsigned rowInBlock(Cell cell) {
    return plan.blockDim ? cell.row % (current.rows / plan.blocks) : cell.row;
  }
  unsigned blockOf(Cell cell) { return cell.row / (current.rows / plan.blocks); }

  // Loops.
  void emitOuterReductions(llvm::ArrayRef<unsigned> dims, llvm::ArrayRef<unsigned> parallelDims);
  void emitParallel(llvm::ArrayRef<unsigned> dims);
  void emitRows(llvm::function_ref<void(unsigned)> body);
  void emitColumns(llvm::function_ref<void(unsigned)> body);
  void emitTile(Tile tile);
  llvm::SmallVector<unsigned> innerReductions();
  void storeTile(Tile tile, llvm::ArrayRef<mlir::Value> values);
  Values foldTile(Tile tile, llvm::ArrayRef<mlir::Value> partial);
  void finishSums(Tile tile, llvm::ArrayRef<mlir::Value> sums);
  void emitEpilogue(Tile tile, llvm::ArrayRef<mlir::Value> sums);
  void emitEpilogueOf(Cell cell, llvm::ArrayRef<mlir::Value> sums);
  // The matrix unit.
  void setUpMatrix(mlir::Value rows, bool isPart);
  void emitMatrixTile(unsigned columns);
  void emitMatrixReduction(llvm::ArrayRef<unsigned> dims, unsigned columns);
  void multiplyTiles(unsigned columns);
  bool streamsLeft(int64_t rowBytes);
  mlir::Value address(mlir::OpOperand &operand);
  mlir::Value scratchAt(mlir::Value row, unsigned column);
  void callMatrix(llvm::StringRef name, llvm::ArrayRef<mlir::Value> arguments = {});

  // Words of short integers.
  Values multiplyWords(llvm::ArrayRef<Cell> cells, llvm::ArrayRef<mlir::Value> sums);
  mlir::Value loadLeftWord(const WordProduct &product, Cell cell);
  mlir::Value addProducts(const WordProduct &product, mlir::Value left, mlir::Value right,
                          mlir::Value sum);
  Values takeOffMoved(Tile tile, Values sums);

  Values emitReduction(llvm::ArrayRef<unsigned> dims, Tile tile, Values accumulators);
  Values emitWindow(unsigned dim, int64_t size, Tile tile, Values accumulators);
  std::pair<unsigned, mlir::Value> lookAhead(unsigned dim, int64_t numSteps);
  void prefetchInputs(unsigned dim, Tile tile);
  Values emitChains(unsigned dim, Tile tile, const Values &accumulators);
  Values emitLaneReduction(Tile tile, Values accumulators);
  bool addsZeroWhereMasked();
  Values emitLastLanes(Tile tile, mlir::Value from, Values accumulators);
  Values emitCells(Tile tile, llvm::ArrayRef<mlir::Value> accumulators);
  Values forLoop(unsigned dim, mlir::Value from, mlir::Value to, int64_t step, Values carried,
                 llvm::function_ref<Values(const Values &)> body);
  /// Runs `body` over [from, to) in steps, without a loop where a single step is known to do.
  mlir::Value steps(unsigned dim, mlir::Value from, int64_t step, llvm::function_ref<void()> body);
  void emitRest(unsigned dim, mlir::Value from, int64_t whole, llvm::function_ref<void()> body);

  // Values.
  Values emitBodies(llvm::ArrayRef<Cell> cells, llvm::ArrayRef<mlir::Value> sums);
  void cloneMapped(mlir::Operation &inner, mlir::IRMapping &mapping, Cell cell);
  mlir::Value position(unsigned dim, Cell cell);
  mlir::Value load(mlir::OpOperand &operand, Cell cell);
  mlir::Value loadOnce(mlir::OpOperand &operand, Cell cell, bool isWord,
                       llvm::function_ref<mlir::Value()> emit);
  mlir::Value emitLoad(mlir::OpOperand &operand, Cell cell, Access access);
  mlir::Value gather(mlir::OpOperand &operand, Cell cell);
  mlir::Value loadPattern(mlir::OpOperand &operand, Cell cell, LanePattern pattern);
  bool isTurned(mlir::OpOperand &operand);
  mlir::Value loadTurned(mlir::OpOperand &operand, Cell cell);
  void store(mlir::Value value, mlir::OpOperand &output, Cell cell);
  Values indices(mlir::AffineMap map, Cell cell, mlir::Value lane = {});
  mlir::Value combine(unsigned output, mlir::Value left, mlir::Value right);
  mlir::Value foldLanes(unsigned output, mlir::Value vector);
  mlir::Value initialValue(unsigned output, Cell cell, bool broadcastToLanes);
  mlir::Value neutral(unsigned output);

  // Small help.
  mlir::Block &entry() {
    return op->getParentOfType<mlir::FunctionOpInterface>().getFunctionBody().front();
  }
  mlir::Value constant(int64_t value);
  void maskAfter(mlir::Value count, unsigned column = 0);
  mlir::Value maskOf(Cell cell) { return cell.column == maskedColumn ? mask : mlir::Value(); }
  mlir::Value firstLanes(mlir::Value count);
  mlir::Value extent(unsigned dim);
  mlir::Value add(mlir::Value left, mlir::Value right);
  mlir::Value atMost(mlir::Value value, int64_t limit);
  mlir::Value subtract(mlir::Value left, mlir::Value right);
  mlir::Value broadcast(mlir::Value value);
  mlir::Type laneType(mlir::Type element) {
    return lanes == 1 ? element : mlir::Type(mlir::VectorType::get({lanes}, element));
  }
  /// Whether the tile multiplies words by an instruction: not in narrower vectors at the end of a row.
  bool multipliesWords() { return plan.words && lanes == plan.lanes; }
  bool isReduction(unsigned dim) {
    return op.getIteratorTypesArray()[dim] == mlir::utils::IteratorType::reduction;
  }
  /// Whether a tile has no loop over `dim`, since that is around all tiles.
  bool isOuter(unsigned dim) {
    bool inBlocks = plan.reductionBlock > 1 && plan.outerReductions.back() == dim;
    return llvm::is_contained(plan.outerReductions, dim) && !inBlocks;
  }
  /// The buffer with booleans as bytes.
  mlir::Value buffer(mlir::OpOperand &operand);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::linalg::GenericOp op;
  const KernelPlan &plan;
  llvm::ArrayRef<mlir::Value> initial;
  /// The outputs that are accumulated, what each iteration computes for them, what is computed of them at
  /// the end, and the inputs that each iteration reads.
  unsigned numSums;
  llvm::SmallVector<mlir::Operation *> repeated, atEnd;
  llvm::SmallPtrSet<mlir::OpOperand *, 8> repeatedOperands;
  /// Known extents of the loops, kDynamic for others.
  llvm::SmallVector<int64_t> sizes;

  Values index;
  /// The elements of a vector: as planned, or fewer in what is left of a row.
  unsigned lanes;
  /// The lanes that are there of a column, the tile's last one, and how many.
  mlir::Value mask, unmasked;
  unsigned maskedColumn = 0;
  struct OpenLoop {
    unsigned dim;
    mlir::Operation *op;
  };
  llvm::SmallVector<OpenLoop> open;
  /// How many of these are outer reductions, and whether each of them is on its last trip.
  unsigned outerDepth = 0;
  mlir::Value lastTrip;
  /// What the epilogue reads is loaded in it: no register holds it while the sums grow.
  bool inEpilogue = false;
  /// What is loaded before the loop at each depth, by operand and place.
  llvm::SmallVector<std::map<llvm::SmallVector<const void *>, mlir::Value>> loads;
  /// The tile that is being emitted, and its inputs that were loaded along the rows, by operand.
  Tile current;
  llvm::DenseMap<mlir::OpOperand *, Values> turned;
  llvm::DenseMap<mlir::Value, mlir::Value> buffers;
  llvm::DenseMap<int64_t, mlir::Value> constants;
  /// What the matrix unit works with: memory for its configuration and for sums, the loop of rows, how many
  /// of them a tile of the kernel and one of the unit has, and where the latter's second one begins.
  struct MatrixState {
    mlir::Value memory, size, height, unitRows, second;
    bool hasSecond = true;
  };
  MatrixState matrix;
  /// The range of each loop: all of it, or what the part has of it.
  Values begins, ends;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_KERNELEMITTER_H
