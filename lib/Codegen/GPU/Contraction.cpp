//===- Contraction.cpp - Sums of products, tile by tile -------------------===//
//
// A block computes a tile of the result. For some terms at a time its threads bring what they need of both factors
// into shared memory, two buffers in turn, the next in registers while this one is used: one barrier each time.
// A thread has a part of the tile in registers. Loops of several axes are one long row: a convolution is the product
// of its patches, which its index map reads, and its filters.
//
// Where both factors are of f16 or bf16, a warp multiplies 16 rows by 8 columns of 16 terms at once (mma.sync): the
// products are exact and summed in f32, as they are elsewhere.
//
// The prototype is prototypes/gpu/gen_simt.py: 90 % of its loop's instructions are multiply-adds.
//
//===----------------------------------------------------------------------===//
#include "Contraction.h"

#include "Launch.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {
namespace {

//===-- What is a contraction ---------------------------------------------===//

/// The loops that `value` of the body of `op` depends on; false if it depends on an output.
bool collectLoops(linalg::GenericOp op, Value value, llvm::SmallDenseSet<unsigned> &loops) {
  if (auto argument = dyn_cast<BlockArgument>(value);
      argument && argument.getOwner() == op.getBody()) {
    if (argument.getArgNumber() >= op.getNumDpsInputs())
      return false;
    AffineMap map = op.getIndexingMapsArray()[argument.getArgNumber()];
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
      if (map.isFunctionOfDim(loop))
        loops.insert(loop);
    return true;
  }
  Operation *source = value.getDefiningOp();
  if (!source || source->getBlock() != op.getBody())
    return true;
  if (auto index = dyn_cast<linalg::IndexOp>(source)) {
    loops.insert(index.getDim());
    return true;
  }
  return source->getNumRegions() == 0 && llvm::all_of(source->getOperands(), [&](Value operand) {
           return collectLoops(op, operand, loops);
         });
}

/// How many iterations some loops have; where it is not known, many.
int64_t estimate(linalg::GenericOp op, ArrayRef<unsigned> loops) {
  constexpr int64_t kMany = 1024;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  int64_t count = 1;
  for (unsigned loop : loops)
    count *= ShapedType::isDynamic(sizes[loop]) ? kMany : sizes[loop];
  return count;
}

//===-- Tiles -------------------------------------------------------------===//

/// What a block computes, and a thread of it, and of how many terms at a time.
struct Tile {
  int64_t rows, columns, threadRows, threadColumns, terms;
};

constexpr Tile kLargeTile{128, 128, 8, 8, 8}, kSmallTile{64, 64, 4, 4, 16},
    kNarrowTile{128, 16, 8, 1, 16}, kFlatTile{16, 128, 1, 8, 16};

/// The same for units that multiply matrices: a warp has 8 times as many rows as a thread, and 4 times as many columns.
constexpr Tile kLargeMatrixTile{128, 128, 8, 8, 16}, kSmallMatrixTile{64, 64, 4, 4, 32},
    kNarrowMatrixTile{128, 16, 2, 4, 32}, kFlatMatrixTile{16, 128, 2, 4, 32};

Tile chooseTile(linalg::GenericOp op, const Contraction &contraction, bool usesMatrices) {
  /// Blocks that a GPU runs at once.
  constexpr int64_t kFewBlocks = 128;
  constexpr int64_t kFew = 16;
  int64_t rows = estimate(op, contraction.rows), columns = estimate(op, contraction.columns);
  if (columns <= kFew)
    return usesMatrices ? kNarrowMatrixTile : kNarrowTile;
  if (rows <= kFew)
    return usesMatrices ? kFlatMatrixTile : kFlatTile;
  int64_t blocks =
      estimate(op, contraction.batch) * rows * columns / (kLargeTile.rows * kLargeTile.columns);
  if (usesMatrices)
    return blocks < kFewBlocks ? kSmallMatrixTile : kLargeMatrixTile;
  return blocks < kFewBlocks ? kSmallTile : kLargeTile;
}

/// The value of 16 bits that `factor` widens; null if it is another.
Value findShort(Value factor) {
  auto widened = factor.getDefiningOp<arith::ExtFOp>();
  return widened && (widened.getIn().getType().isF16() || widened.getIn().getType().isBF16())
             ? widened.getIn()
             : Value();
}

/// Of what units that multiply matrices take both factors of; null if they cannot.
Type findMatrixType(const Contraction &contraction) {
  Value left = findShort(contraction.left), right = findShort(contraction.right);
  return left && right && left.getType() == right.getType() ? left.getType() : Type();
}

/// One of the factors in a block: `count` rows or columns by the tile's terms.
struct Factor {
  Value value;
  Type element;
  ArrayRef<unsigned> loops;
  int64_t count;
  /// Whether terms lie side by side in memory.
  bool termsLieTogether;
  /// The first row or column of the block, and how many there are in all.
  Value first, total;
  /// Two buffers of terms by rows or columns, or for matrices of rows or columns by terms.
  Value memory;
  /// What a thread loads: rows or columns, where they are, and whether they exist; terms of the tile.
  SmallVector<Value> places, exist, terms;
  SmallVector<SmallVector<Value>> indices;
};

class ContractionEmitter {
public:
  ContractionEmitter(OpBuilder &builder, const OperationBody &operationBody,
                     const Contraction &what)
      : b(builder), body(operationBody), op(operationBody.operation()), contraction(what),
        loc(operationBody.operation().getLoc()), matrixType(findMatrixType(what)),
        tile(chooseTile(op, what, bool(matrixType))),
        element(cast<MemRefType>(op.getDpsInits()[0].getType()).getElementType()) {}

  linalg::GenericOp emit(bool isFilled);

private:
  int64_t chooseParts(bool isFilled);
  Value constant(int64_t value) { return constantIndex(b, loc, value); }
  Value add(Value left, Value right) { return b.createOrFold<arith::AddIOp>(loc, left, right); }
  Value scale(Value value, int64_t factor) {
    return b.createOrFold<arith::MulIOp>(loc, value, constant(factor));
  }
  Value divide(Value value, int64_t divisor) {
    return b.createOrFold<arith::DivUIOp>(loc, value, constant(divisor));
  }
  Value remainder(Value value, int64_t divisor) {
    return b.createOrFold<arith::RemUIOp>(loc, value, constant(divisor));
  }
  Value isBelow(Value left, Value right) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, left, right);
  }

  Factor makeFactor(Value value, ArrayRef<unsigned> loops, int64_t count, Value block);
  bool termsLieTogether(Value value);
  SmallVector<Value> load(const Factor &factor, Value firstTerm, Value endTerm);
  void storeShared(const Factor &factor, ValueRange values, Value buffer);
  SmallVector<Value> loadFragment(const Factor &factor, Value buffer, Value term, Value thread,
                                  int64_t count);
  /// The rows or columns of a thread within the tile.
  SmallVector<Value> placesOf(Value thread, int64_t tileCount, int64_t count);
  SmallVector<Value> multiply(const Factor &left, const Factor &right, Value buffer,
                              ValueRange sums);
  void findLane();
  SmallVector<Value> rowsOfThread();
  SmallVector<Value> columnsOfThread();
  Value loadPair(const Factor &factor, Value buffer, Value place, int64_t firstTerm);
  SmallVector<Value> multiplyMatrices(const Factor &left, const Factor &right, Value buffer,
                                      ValueRange sums);
  void storeTile(ValueRange sums, Value firstRow, Value firstColumn, Value part, Value parts);
  linalg::GenericOp addParts(Value parts);

  OpBuilder &b;
  const OperationBody &body;
  linalg::GenericOp op;
  const Contraction &contraction;
  Location loc;
  Type matrixType;
  Tile tile;
  /// Of the result.
  Type element;
  gpu::LaunchOp launch;
  /// In the kernel: indices of the batch, what thread of the tile this is, or warp and lane.
  SmallVector<Value> batchIndices;
  Value threadRow, threadColumn, laneRow, laneColumn;
};

/// In how many parts to sum the terms, so that there are enough blocks.
int64_t ContractionEmitter::chooseParts(bool isFilled) {
  /// Blocks that keep a GPU busy, terms that a block should have, parts that are added sooner than they are summed.
  constexpr int64_t kEnoughBlocks = 128, kEnoughTerms = 256, kMostParts = 64;
  if (!isFilled || !cast<MemRefType>(op.getDpsInits()[0].getType()).hasStaticShape())
    return 1;
  int64_t blocks = estimate(op, contraction.batch) *
                   llvm::divideCeil(estimate(op, contraction.rows), tile.rows) *
                   llvm::divideCeil(estimate(op, contraction.columns), tile.columns);
  int64_t parts = std::min(kEnoughBlocks / blocks, estimate(op, contraction.terms) / kEnoughTerms);
  return std::clamp<int64_t>(parts, 1, kMostParts);
}

/// Of the input of most axes that goes into `value`.
bool ContractionEmitter::termsLieTogether(Value value) {
  AffineMap largest;
  SetVector<Operation *> slice;
  SmallVector<Value> open = {value};
  llvm::SmallDenseSet<Value> seen;
  while (!open.empty()) {
    Value next = open.pop_back_val();
    if (!seen.insert(next).second)
      continue;
    auto argument = dyn_cast<BlockArgument>(next);
    if (argument && argument.getOwner() == op.getBody()) {
      AffineMap map = op.getIndexingMapsArray()[argument.getArgNumber()];
      if (!largest || map.getNumResults() > largest.getNumResults())
        largest = map;
    } else if (Operation *source = next.getDefiningOp();
               source && source->getBlock() == op.getBody())
      llvm::append_range(open, source->getOperands());
  }
  return largest && largest.getNumResults() != 0 &&
         llvm::any_of(contraction.terms, [&](unsigned loop) {
           return largest.getResults().back().isFunctionOfDim(loop);
         });
}

Factor ContractionEmitter::makeFactor(Value value, ArrayRef<unsigned> loops, int64_t count,
                                      Value block) {
  Factor factor;
  factor.value = matrixType ? findShort(value) : value;
  factor.element = matrixType ? matrixType : element;
  factor.loops = loops;
  factor.count = count;
  factor.termsLieTogether = termsLieTogether(value);
  factor.first = scale(block, count);
  factor.total = nnc::multiply(b, loc, body.sizesOf(loops));
  // A few more, so that threads that store or load neighbours do so in different banks.
  SmallVector<int64_t> shape = {2, tile.terms, count + 4};
  if (matrixType)
    shape = {2, count, tile.terms + 8};
  factor.memory = addSharedMemory(launch, shape, factor.element);
  Value thread = launch.getThreadIds().x;
  for (int64_t i = 0; i < count * tile.terms / kBlockSize; ++i) {
    Value term, place;
    if (factor.termsLieTogether) {
      term = remainder(thread, tile.terms);
      place = add(divide(thread, tile.terms), constant(i * (kBlockSize / tile.terms)));
    } else {
      place = remainder(thread, count);
      term = add(divide(thread, count), constant(i * (kBlockSize / count)));
    }
    Value number = add(factor.first, place);
    SmallVector<Value> indices = batchIndices;
    body.locate(b, number, loops, indices);
    factor.places.push_back(place);
    factor.terms.push_back(term);
    factor.exist.push_back(isBelow(number, factor.total));
    factor.indices.push_back(indices);
  }
  return factor;
}

/// What this thread brings of the terms from `firstTerm` on; 0 where there is nothing.
SmallVector<Value> ContractionEmitter::load(const Factor &factor, Value firstTerm, Value endTerm) {
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(factor.element));
  SmallVector<Value> values;
  for (auto [term, exists, indices] : llvm::zip_equal(factor.terms, factor.exist, factor.indices)) {
    Value number = add(firstTerm, term);
    Value both = arith::AndIOp::create(b, loc, exists, isBelow(number, endTerm));
    auto choice = scf::IfOp::create(b, loc, factor.element, both, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    SmallVector<Value> place = indices;
    body.locate(b, number, contraction.terms, place);
    scf::YieldOp::create(b, loc, body.evaluate(b, factor.value, place));
    b.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(b, loc, zero);
    values.push_back(choice.getResult(0));
  }
  return values;
}

void ContractionEmitter::storeShared(const Factor &factor, ValueRange values, Value buffer) {
  for (auto [value, term, place] : llvm::zip_equal(values, factor.terms, factor.places))
    memref::StoreOp::create(b, loc, value, factor.memory,
                            matrixType ? ValueRange{buffer, place, term}
                                       : ValueRange{buffer, term, place});
}

/// Groups of four that lie side by side, spread over the tile so that threads read from all banks.
SmallVector<Value> ContractionEmitter::placesOf(Value thread, int64_t tileCount, int64_t count) {
  int64_t group = std::min<int64_t>(count, 4), groups = count / group;
  SmallVector<Value> places;
  for (int64_t i = 0; i < count; ++i)
    places.push_back(
        add(scale(thread, group), constant(i / group * (tileCount / groups) + i % group)));
  return places;
}

SmallVector<Value> ContractionEmitter::loadFragment(const Factor &factor, Value buffer, Value term,
                                                    Value thread, int64_t count) {
  SmallVector<Value> places = placesOf(thread, factor.count, count), values;
  if (count < 4) {
    for (Value place : places)
      values.push_back(
          memref::LoadOp::create(b, loc, factor.memory, ValueRange{buffer, term, place}));
    return values;
  }
  auto type = VectorType::get(4, element);
  int64_t bytes = 4 * element.getIntOrFloatBitWidth() / 8;
  for (int64_t i = 0; i < count; i += 4) {
    Value four =
        vector::LoadOp::create(b, loc, type, factor.memory, ValueRange{buffer, term, places[i]},
                               /*nontemporal=*/false, llvm::MaybeAlign(bytes));
    for (int64_t lane = 0; lane < 4; ++lane)
      values.push_back(vector::ExtractOp::create(b, loc, four, lane));
  }
  return values;
}

/// Adds the products of one buffer's terms to the sums of this thread.
SmallVector<Value> ContractionEmitter::multiply(const Factor &left, const Factor &right,
                                                Value buffer, ValueRange sums) {
  auto loop = scf::ForOp::create(b, loc, constant(0), constant(tile.terms), constant(1), sums);
  MLIRContext *context = b.getContext();
  // Of all terms at once ptxas would load everything before it multiplies, and run out of registers.
  auto four = LLVM::LoopUnrollAttr::get(context, {}, b.getI32IntegerAttr(4), {}, {}, {}, {}, {});
  loop->setAttr("llvm.loop_annotation",
                LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, four, {}, {}, {}, {}, {}, {}, {},
                                              {}, {}, {}, {}));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value term = loop.getInductionVar();
  SmallVector<Value> rows = loadFragment(left, buffer, term, threadRow, tile.threadRows),
                     columns = loadFragment(right, buffer, term, threadColumn, tile.threadColumns);
  SmallVector<Value> next;
  for (auto [index, sum] : llvm::enumerate(loop.getRegionIterArgs()))
    next.push_back(math::FmaOp::create(b, loc, rows[index / tile.threadColumns],
                                       columns[index % tile.threadColumns], sum));
  scf::YieldOp::create(b, loc, next);
  return llvm::to_vector_of<Value>(loop.getResults());
}

//===-- Matrices ----------------------------------------------------------===//

/// A lane has of 16 x 8 sums two neighbours in row lane / 4, and two 8 rows below.
void ContractionEmitter::findLane() {
  Value thread = launch.getThreadIds().x;
  Value lane = remainder(thread, kWarpSize), warp = divide(thread, kWarpSize);
  int64_t warpsAcross = tile.columns / (4 * tile.threadColumns);
  threadRow = scale(divide(warp, warpsAcross), 8 * tile.threadRows);
  threadColumn = scale(remainder(warp, warpsAcross), 4 * tile.threadColumns);
  laneRow = divide(lane, 4);
  laneColumn = scale(remainder(lane, 4), 2);
}

SmallVector<Value> ContractionEmitter::rowsOfThread() {
  if (!matrixType)
    return placesOf(threadRow, tile.rows, tile.threadRows);
  SmallVector<Value> rows;
  for (int64_t i = 0; i < tile.threadRows; ++i)
    rows.push_back(add(add(threadRow, laneRow), constant(8 * i)));
  return rows;
}

SmallVector<Value> ContractionEmitter::columnsOfThread() {
  if (!matrixType)
    return placesOf(threadColumn, tile.columns, tile.threadColumns);
  SmallVector<Value> columns;
  for (int64_t i = 0; i < tile.threadColumns; ++i)
    columns.push_back(add(add(threadColumn, laneColumn), constant(i / 2 * 8 + i % 2)));
  return columns;
}

/// Two neighbouring terms of a row or column as the unit takes them: those from `firstTerm` on that the lane has.
Value ContractionEmitter::loadPair(const Factor &factor, Value buffer, Value place,
                                   int64_t firstTerm) {
  Value term = add(laneColumn, constant(firstTerm));
  Value pair = vector::LoadOp::create(b, loc, VectorType::get(2, matrixType), factor.memory,
                                      ValueRange{buffer, place, term}, /*nontemporal=*/false,
                                      llvm::MaybeAlign(4));
  if (matrixType.isF16())
    return pair;
  Value bits = vector::BitCastOp::create(b, loc, VectorType::get(1, b.getI32Type()), pair);
  return vector::ExtractOp::create(b, loc, bits, 0);
}

SmallVector<Value> ContractionEmitter::multiplyMatrices(const Factor &left, const Factor &right,
                                                        Value buffer, ValueRange sums) {
  SmallVector<Value> next(sums);
  Type type = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(4, element));
  NVVM::MMATypes factorType = matrixType.isF16() ? NVVM::MMATypes::f16 : NVVM::MMATypes::bf16;
  for (int64_t term = 0; term < tile.terms; term += 16) {
    SmallVector<SmallVector<Value>> columns;
    for (int64_t j = 0; j < tile.threadColumns; j += 2) {
      Value column = add(add(threadColumn, laneRow), constant(4 * j));
      columns.push_back(
          {loadPair(right, buffer, column, term), loadPair(right, buffer, column, term + 8)});
    }
    for (int64_t i = 0; i < tile.threadRows; i += 2) {
      Value upper = add(add(threadRow, laneRow), constant(8 * i)), lower = add(upper, constant(8));
      SmallVector<Value> rows = {
          loadPair(left, buffer, upper, term), loadPair(left, buffer, lower, term),
          loadPair(left, buffer, upper, term + 8), loadPair(left, buffer, lower, term + 8)};
      for (int64_t j = 0; j < tile.threadColumns; j += 2) {
        auto sumAt = [&](int64_t part) -> Value & {
          return next[(i + part / 2) * tile.threadColumns + j + part % 2];
        };
        auto product = NVVM::MmaOp::create(b, loc, type, rows, columns[j / 2],
                                           ValueRange{sumAt(0), sumAt(1), sumAt(2), sumAt(3)},
                                           ArrayRef<int64_t>{16, 8, 16}, std::nullopt, std::nullopt,
                                           std::array{factorType, factorType},
                                           std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
        for (int64_t part = 0; part < 4; ++part)
          sumAt(part) = LLVM::ExtractValueOp::create(b, loc, product, part);
      }
    }
  }
  return next;
}

//===-- The tile ----------------------------------------------------------===//

/// Adds the sums to what the output starts from, or leaves them in their part of `parts`.
void ContractionEmitter::storeTile(ValueRange sums, Value firstRow, Value firstColumn, Value part,
                                   Value parts) {
  Value numRows = nnc::multiply(b, loc, body.sizesOf(contraction.rows)),
        numColumns = nnc::multiply(b, loc, body.sizesOf(contraction.columns));
  SmallVector<Value> rows = rowsOfThread(), columns = columnsOfThread();
  for (int64_t i = 0; i < tile.threadRows; ++i) {
    Value row = add(firstRow, rows[i]);
    auto hasRow = scf::IfOp::create(b, loc, isBelow(row, numRows), /*withElseRegion=*/false);
    OpBuilder::InsertionGuard rowGuard(b);
    b.setInsertionPointToStart(hasRow.thenBlock());
    SmallVector<Value> rowIndices = batchIndices;
    body.locate(b, row, contraction.rows, rowIndices);
    for (int64_t j = 0; j < tile.threadColumns; ++j) {
      Value column = add(firstColumn, columns[j]);
      auto hasColumn =
          scf::IfOp::create(b, loc, isBelow(column, numColumns), /*withElseRegion=*/false);
      OpBuilder::InsertionGuard columnGuard(b);
      b.setInsertionPointToStart(hasColumn.thenBlock());
      SmallVector<Value> indices = rowIndices;
      body.locate(b, column, contraction.columns, indices);
      Value sum = sums[i * tile.threadColumns + j];
      if (parts) {
        SmallVector<Value> place = {part};
        llvm::append_range(place, body.placeOf(b, 0, indices));
        memref::StoreOp::create(b, loc, sum, parts, place);
        continue;
      }
      Value before = body.loadInitial(b, 0, indices);
      body.storeResult(b, arith::AddFOp::create(b, loc, before, sum), 0, indices);
    }
  }
}

/// output = initial + parts[0] + parts[1] + …
linalg::GenericOp ContractionEmitter::addParts(Value parts) {
  unsigned rank = cast<MemRefType>(parts.getType()).getRank();
  MLIRContext *context = b.getContext();
  AffineMap all = AffineMap::getMultiDimIdentityMap(rank, context);
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  kinds[0] = utils::IteratorType::reduction;
  return linalg::GenericOp::create(
      b, loc, parts, op.getDpsInits()[0], ArrayRef<AffineMap>{all, all.dropResult(0)}, kinds,
      [&](OpBuilder &inner, Location, ValueRange arguments) {
        Value sum = arith::AddFOp::create(inner, loc, arguments[1], arguments[0]);
        linalg::YieldOp::create(inner, loc, sum);
      });
}

linalg::GenericOp ContractionEmitter::emit(bool isFilled) {
  int64_t numParts = chooseParts(isFilled);
  Value parts;
  if (numParts > 1) {
    auto output = cast<MemRefType>(op.getDpsInits()[0].getType());
    SmallVector<int64_t> shape = {numParts};
    llvm::append_range(shape, output.getShape());
    parts =
        memref::AllocOp::create(b, loc, MemRefType::get(shape, element), b.getI64IntegerAttr(64));
  }
  auto blocksFor = [&](ArrayRef<unsigned> loops, int64_t size) {
    return b.createOrFold<arith::CeilDivUIOp>(loc, nnc::multiply(b, loc, body.sizesOf(loops)),
                                              constant(size));
  };
  gpu::KernelDim3 blocks{blocksFor(contraction.rows, tile.rows),
                         blocksFor(contraction.columns, tile.columns),
                         scale(nnc::multiply(b, loc, body.sizesOf(contraction.batch)), numParts)};
  Value numTerms = nnc::multiply(b, loc, body.sizesOf(contraction.terms));
  OpBuilder::InsertPoint host = b.saveInsertionPoint();
  launch = launchThreads(b, loc, blocks, kBlockSize);

  gpu::KernelDim3 block = launch.getBlockIds();
  Value thread = launch.getThreadIds().x;
  threadColumn = remainder(thread, tile.columns / tile.threadColumns);
  threadRow = divide(thread, tile.columns / tile.threadColumns);
  if (matrixType)
    findLane();
  batchIndices.resize(op.getNumLoops());
  body.locate(b, divide(block.z, numParts), contraction.batch, batchIndices);
  Value part, firstTerm = constant(0), endTerm = numTerms;
  if (parts) {
    // Whole tiles of terms each.
    part = remainder(block.z, numParts);
    Value share =
        b.createOrFold<arith::CeilDivUIOp>(loc, numTerms, constant(numParts * tile.terms));
    share = scale(share, tile.terms);
    firstTerm = arith::MulIOp::create(b, loc, part, share);
    endTerm = arith::MinUIOp::create(b, loc, add(firstTerm, share), numTerms);
  }
  Factor left = makeFactor(contraction.left, contraction.rows, tile.rows, block.x),
         right = makeFactor(contraction.right, contraction.columns, tile.columns, block.y);

  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  int64_t numSums = tile.threadRows * tile.threadColumns;
  SmallVector<Value> carried(numSums, zero);
  llvm::append_range(carried, load(left, firstTerm, endTerm));
  llvm::append_range(carried, load(right, firstTerm, endTerm));
  carried.push_back(constant(0));
  auto loop = scf::ForOp::create(b, loc, firstTerm, endTerm, constant(tile.terms), carried);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    ValueRange values(loop.getRegionIterArgs());
    Value buffer = values.back();
    storeShared(left, values.slice(numSums, left.places.size()), buffer);
    storeShared(right, values.slice(numSums + left.places.size(), right.places.size()), buffer);
    gpu::BarrierOp::create(b, loc);
    Value nextTerm = add(loop.getInductionVar(), constant(tile.terms));
    SmallVector<Value> nextLeft = load(left, nextTerm, endTerm),
                       nextRight = load(right, nextTerm, endTerm);
    ValueRange sums = values.take_front(numSums);
    SmallVector<Value> next = matrixType ? multiplyMatrices(left, right, buffer, sums)
                                         : multiply(left, right, buffer, sums);
    llvm::append_range(next, nextLeft);
    llvm::append_range(next, nextRight);
    next.push_back(arith::XOrIOp::create(b, loc, buffer, constant(1)));
    scf::YieldOp::create(b, loc, next);
  }
  storeTile(loop.getResults().take_front(numSums), left.first, right.first, part, parts);
  b.restoreInsertionPoint(host);
  return parts ? addParts(parts) : nullptr;
}

} // namespace

std::optional<Contraction> findContraction(linalg::GenericOp op) {
  /// Rows and columns, or terms, that are too few for tiles.
  constexpr int64_t kFewPlaces = 4, kFewTerms = 8;
  if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
    return std::nullopt;
  auto output = cast<MemRefType>(op.getDpsInits()[0].getType());
  SmallVector<Operation *> combiners;
  Value term = matchReduction(op.getRegionOutputArgs(), 0, combiners);
  if (!output.getElementType().isF32() || !term || combiners.size() != 1 ||
      !isa<arith::AddFOp>(combiners.front()))
    return std::nullopt;
  auto product = term.getDefiningOp<arith::MulFOp>();
  llvm::SmallDenseSet<unsigned> left, right;
  if (!product || product->getBlock() != op.getBody() ||
      !collectLoops(op, product.getLhs(), left) || !collectLoops(op, product.getRhs(), right))
    return std::nullopt;
  Contraction contraction;
  contraction.left = product.getLhs();
  contraction.right = product.getRhs();
  AffineMap outputMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (kind == utils::IteratorType::reduction) {
      if (outputMap.isFunctionOfDim(loop))
        return std::nullopt;
      contraction.terms.push_back(loop);
    } else if (left.contains(loop) && right.contains(loop)) {
      contraction.batch.push_back(loop);
    } else {
      (right.contains(loop) ? contraction.columns : contraction.rows).push_back(loop);
    }
  }
  if (estimate(op, contraction.rows) < kFewPlaces ||
      estimate(op, contraction.columns) < kFewPlaces || estimate(op, contraction.terms) < kFewTerms)
    return std::nullopt;
  return contraction;
}

linalg::GenericOp emitContraction(OpBuilder &b, const OperationBody &body,
                                  const Contraction &contraction, bool isFilled) {
  return ContractionEmitter(b, body, contraction).emit(isFilled);
}

} // namespace nnc
