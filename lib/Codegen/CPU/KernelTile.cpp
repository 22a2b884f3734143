//===- KernelTile.cpp - A tile: its sums and what is made of them ---------===//
#include "KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {

void KernelEmitter::emitTile(Tile tile) {
  current = tile;
  turned.clear();
  if (plan.matrix)
    return emitMatrixTile(tile.columns);
  if (op.getNumReductionLoops() == 0)
    return storeTile(tile, emitCells(tile, {}));
  Values start;
  for (unsigned cell = 0; cell < tile.rows * tile.columns; ++cell)
    for (unsigned output = 0; output < numSums; ++output)
      start.push_back(plan.reducesLanes
                          ? neutral(output)
                          : initialValue(output, {cell / tile.columns, cell % tile.columns},
                                         /*broadcastToLanes=*/true));
  Tile summed = tile;
  if (multipliesWords() && plan.words->takesOff) {
    ++summed.rows;
    start.append(tile.columns, neutral(0));
  }
  Values sums = takeOffMoved(tile, emitReduction(innerReductions(), summed, start));
  if (plan.reducesLanes)
    storeTile({tile.rows, 1}, foldTile(tile, sums));
  else
    finishSums(tile, sums);
}

/// The reductions that are loops of a tile, but for that of its vectors.
SmallVector<unsigned> KernelEmitter::innerReductions() {
  SmallVector<unsigned> dims;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (isReduction(dim) && plan.vectorDim != dim && !isOuter(dim))
      dims.push_back(dim);
  return dims;
}

void KernelEmitter::storeTile(Tile tile, ArrayRef<Value> values) {
  for (unsigned row = 0; row < tile.rows; ++row)
    for (unsigned output = 0; output < numSums; ++output)
      for (unsigned column = 0; column < tile.columns; ++column)
        store(values[(row * tile.columns + column) * numSums + output],
              op.getDpsInitsMutable()[output], {row, column});
}

/// Adds up the lanes and columns of each row, and what the output held.
SmallVector<Value> KernelEmitter::foldTile(Tile tile, ArrayRef<Value> partial) {
  Values totals;
  for (unsigned row = 0; row < tile.rows; ++row)
    for (unsigned output = 0; output < numSums; ++output) {
      auto at = [&](unsigned column) {
        return partial[(row * tile.columns + column) * numSums + output];
      };
      Value sum = at(0);
      for (unsigned column = 1; column < tile.columns; ++column)
        sum = combine(output, sum, at(column));
      Value old = initialValue(output, {row, 0}, /*broadcastToLanes=*/false);
      totals.push_back(combine(output, old, foldLanes(output, sum)));
    }
  return totals;
}

/// Stores the sums, or what is made of them once they are complete.
void KernelEmitter::finishSums(Tile tile, ArrayRef<Value> sums) {
  if (!hasEpilogue(op))
    return storeTile(tile, sums);
  if (!lastTrip)
    return emitEpilogue(tile, sums);
  auto branch = scf::IfOp::create(b, loc, lastTrip, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  storeTile(tile, sums);
  b.setInsertionPointToStart(branch.thenBlock());
  // What is loaded in a branch is there alone.
  auto outside = loads.back();
  emitEpilogue(tile, sums);
  loads.back() = std::move(outside);
}

void KernelEmitter::emitEpilogue(Tile tile, ArrayRef<Value> sums) {
  // A body this long for each vector of a tile would be more code than it is worth: it becomes a loop over
  // the rows, which the nearest cache holds.
  constexpr unsigned kLongBody = 12;
  unsigned cost = 0;
  for (Operation *inner : atEnd)
    cost += isa<math::MathDialect>(inner->getDialect()) ? kLongBody : 1;
  bool isLoop = cost > kLongBody && tile.rows > 1;
  if (isLoop || numSums != 1 || !areSumsUnread(op, 0))
    storeTile(tile, sums);
  inEpilogue = true;
  auto emitRow = [&](unsigned row, function_ref<Values(Cell)> sumsOf) {
    for (unsigned column = 0; column < tile.columns; ++column)
      emitEpilogueOf({row, column}, sumsOf({row, column}));
  };
  if (isLoop) {
    Value first = index[*plan.rowDim];
    unsigned rows = tile.rows / plan.blocks;
    forLoop(*plan.rowDim, first, add(first, constant(rows)), 1, {}, [&](const Values &) {
      for (unsigned block = 0; block < plan.blocks; ++block)
        emitRow(block * rows, [&](Cell cell) {
          Values stored;
          for (unsigned output = 0; output < numSums; ++output)
            stored.push_back(load(op.getDpsInitsMutable()[output], cell));
          return stored;
        });
      return Values();
    });
  } else {
    for (unsigned row = 0; row < tile.rows; ++row)
      emitRow(row, [&](Cell cell) {
        return llvm::to_vector(
            sums.slice((cell.row * tile.columns + cell.column) * numSums, numSums));
      });
  }
  inEpilogue = false;
}

/// Computes and stores what is made of the complete sums of one vector.
void KernelEmitter::emitEpilogueOf(Cell cell, ArrayRef<Value> sums) {
  IRMapping mapping;
  Operation *yield = op.getBody()->getTerminator();
  mapping.map(yield->getOperands().take_front(numSums), sums);
  auto provide = [&](Value value) {
    auto argument = dyn_cast<BlockArgument>(value);
    if (argument && argument.getOwner() == op.getBody() && !mapping.contains(argument))
      mapping.map(argument, load(op->getOpOperand(argument.getArgNumber()), cell));
  };
  for (Operation *inner : atEnd) {
    llvm::for_each(inner->getOperands(), provide);
    cloneMapped(*inner, mapping, cell);
  }
  for (unsigned output = numSums; output < op.getNumDpsInits(); ++output) {
    provide(yield->getOperand(output));
    store(mapping.lookupOrDefault(yield->getOperand(output)), op.getDpsInitsMutable()[output],
          cell);
  }
}

SmallVector<Value> KernelEmitter::emitReduction(ArrayRef<unsigned> dims, Tile tile,
                                                Values accumulators) {
  if (dims.empty())
    return plan.reducesLanes ? emitLaneReduction(tile, accumulators)
                             : emitCells(tile, accumulators);
  unsigned dim = dims.front();
  std::optional<int64_t> size = getConstantIntValue(ends[dim]);
  bool innermost = dims.size() == 1 && !plan.reducesLanes;
  if (innermost && plan.slides)
    return emitWindow(dim, *size, tile, accumulators);
  if (size && *size <= (innermost ? kUnrollLimit : 1)) {
    for (int64_t i = 0; i < *size; ++i) {
      index[dim] = constant(i);
      accumulators = emitReduction(dims.drop_front(), tile, accumulators);
    }
    return accumulators;
  }
  if (innermost && plan.chains > 1)
    return emitChains(dim, tile, accumulators);
  return forLoop(dim, begins[dim], ends[dim], 1, accumulators, [&](const Values &carried) {
    if (innermost)
      prefetchInputs(dim, tile);
    return emitReduction(dims.drop_front(), tile, carried);
  });
}

/// Row by row all steps of `dim`.
SmallVector<Value> KernelEmitter::emitWindow(unsigned dim, int64_t size, Tile tile,
                                             Values accumulators) {
  Values results;
  for (unsigned row = 0; row < tile.rows; ++row) {
    SmallVector<Cell> cells;
    for (unsigned column = 0; column < tile.columns; ++column)
      cells.push_back({row, column});
    unsigned width = tile.columns * numSums;
    Values sums(ArrayRef<Value>(accumulators).slice(row * width, width));
    for (int64_t i = 0; i < size; ++i) {
      index[dim] = constant(i);
      sums = emitBodies(cells, sums);
    }
    llvm::append_range(results, sums);
  }
  return results;
}

/// Moves loop `dim`, a sum's innermost, some steps on: short loops are run through more than once, so that it is the
/// sum's loop around it that moves. Returns the loop, to be moved back, and what it was at.
std::pair<unsigned, Value> KernelEmitter::lookAhead(unsigned dim, int64_t numSteps) {
  SmallVector<unsigned> dims = innerReductions();
  std::optional<int64_t> size = getConstantIntValue(ends[dim]);
  if (dims.size() > 1 && size && *size < numSteps) {
    numSteps = llvm::divideCeilSigned(numSteps, *size);
    dim = dims[dims.size() - 2];
  }
  Value here = index[dim];
  index[dim] = add(here, constant(numSteps));
  return {dim, here};
}

/// Fetches what the tile reads some steps of `dim` later: out of panels, as a processor that waits for its own guess is
/// late at the beginning of each panel; and where each step is on another page, which it does not guess. Panels
/// of columns come from a second-level cache, those of rows from farther away.
void KernelEmitter::prefetchInputs(unsigned dim, Tile tile) {
  constexpr int64_t kSteps = 16, kStepsOfRows = 80, kFarBytes = 1024;
  if (tile.rows == 1)
    return;
  for (OpOperand *input : repeatedInputs(op)) {
    AffineMap map = op.getMatchingIndexingMap(input);
    Type type = input->get().getType();
    Type element = getElementTypeOrSelf(type);
    std::optional<int64_t> step = findStep(map, type, dim);
    if (!step || *step == 0 || !element.isIntOrFloat())
      continue;
    bool hasColumns = map.isFunctionOfDim(*plan.vectorDim);
    int64_t width = hasColumns ? tile.columns * lanes : tile.rows;
    unsigned along = hasColumns ? *plan.vectorDim : *plan.rowDim;
    bool isFar = classifyAccess(map, type, along) == Access::Contiguous &&
                 std::abs(*step) * element.getIntOrFloatBitWidth() / 8 >= kFarBytes;
    if (*step != width && !isFar)
      continue;
    bool isPanelOfRows = *step == width && !hasColumns;
    auto [moved, here] = lookAhead(dim, isPanelOfRows ? kStepsOfRows : kSteps);
    for (unsigned column = 0; column < (hasColumns ? tile.columns : 1); ++column)
      memref::PrefetchOp::create(b, loc, buffer(*input), indices(map, {0, column}), false, 3, true);
    index[moved] = here;
  }
}

/// Partial results of every chains-th index, added up afterwards.
SmallVector<Value> KernelEmitter::emitChains(unsigned dim, Tile tile, const Values &accumulators) {
  unsigned width = accumulators.size();
  Values carried = accumulators;
  for (unsigned i = width; i < width * plan.chains; ++i)
    carried.push_back(neutral(i % numSums));
  Value count = ends[dim];
  if (getConstantIntValue(begins[dim]) != 0)
    count = arith::SubIOp::create(b, loc, count, begins[dim]);
  Value rest = arith::RemUIOp::create(b, loc, count, constant(plan.chains));
  Value end = arith::SubIOp::create(b, loc, ends[dim], rest);
  carried = forLoop(dim, begins[dim], end, plan.chains, carried, [&](const Values &partial) {
    Value base = index[dim];
    Values next;
    for (unsigned chain = 0; chain < plan.chains; ++chain) {
      index[dim] = add(base, constant(chain));
      llvm::append_range(
          next, emitCells(tile, Values(ArrayRef<Value>(partial).slice(chain * width, width))));
    }
    index[dim] = base;
    return next;
  });
  for (unsigned left = plan.chains; left > 1; left = (left + 1) / 2) {
    unsigned half = (left + 1) / 2 * width;
    for (unsigned i = 0; i + half < left * width; ++i)
      carried[i] = combine(i % numSums, carried[i], carried[i + half]);
  }
  carried.truncate(width);
  return forLoop(dim, end, ends[dim], 1, carried,
                 [&](const Values &partial) { return emitCells(tile, partial); });
}

/// Whether what each iteration adds to a sum is zero in lanes that are masked, as are the zeros loaded there: an input
/// along the lanes, or a product of two.
bool KernelEmitter::addsZeroWhereMasked() {
  auto isZero = [&](Value value) {
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument || argument.getArgNumber() >= op.getNumDpsInputs())
      return false;
    OpOperand &input = op->getOpOperand(argument.getArgNumber());
    return classifyAccess(op.getMatchingIndexingMap(&input), input.get().getType(),
                          *plan.vectorDim) == Access::Contiguous;
  };
  for (unsigned output = 0; output < numSums; ++output) {
    Operation *combiner = findCombiner(op, output);
    if (!isa<arith::AddFOp, arith::AddIOp>(combiner))
      return false;
    bool isFirst = combiner->getOperand(0) == op.getRegionOutputArgs()[output];
    Value term = combiner->getOperand(isFirst ? 1 : 0);
    bool isProduct = isa_and_nonnull<arith::MulFOp, arith::MulIOp>(term.getDefiningOp());
    if (!isZero(term) && !(isProduct && llvm::all_of(term.getDefiningOp()->getOperands(), isZero)))
      return false;
  }
  return true;
}

/// The vector dimension is the innermost reduction: whole tiles, single vectors, the rest.
SmallVector<Value> KernelEmitter::emitLaneReduction(Tile tile, Values accumulators) {
  unsigned dim = *plan.vectorDim;
  Value from = constant(0), size = ends[dim];
  auto endOf = [&](int64_t step) -> Value {
    if (std::optional<int64_t> known = getConstantIntValue(size))
      return constant(*known / step * step);
    Value rest = arith::RemUIOp::create(b, loc, size, constant(step));
    return arith::SubIOp::create(b, loc, size, rest);
  };
  auto run = [&](unsigned columns, Value to, bool partial) {
    if (from == to)
      return;
    int64_t step = int64_t(columns) * plan.lanes;
    // The columns of a narrower tile are the first ones of each row.
    Values narrow;
    auto position = [&](unsigned i) {
      unsigned perRow = columns * numSums;
      return i / perRow * tile.columns * numSums + i % perRow;
    };
    for (unsigned i = 0; i < tile.rows * columns * numSums; ++i)
      narrow.push_back(accumulators[position(i)]);
    auto body = [&](const Values &carried) {
      if (partial) {
        Value left = arith::SubIOp::create(b, loc, size, index[dim]);
        maskAfter(left);
      }
      Values next = emitCells({tile.rows, columns}, carried);
      if (partial && !addsZeroWhereMasked())
        for (auto [value, old] : llvm::zip(next, carried))
          value = arith::SelectOp::create(b, loc, mask, value, old);
      mask = Value();
      return next;
    };
    narrow = forLoop(dim, from, to, step, narrow, body);
    for (auto [i, value] : llvm::enumerate(narrow))
      accumulators[position(i)] = value;
    from = to;
  };
  if (tile.columns > 1)
    run(tile.columns, endOf(int64_t(tile.columns) * plan.lanes), false);
  run(1, endOf(plan.lanes), false);
  if (plan.lanes == 1 || from == size)
    return accumulators;
  if (!plan.masksRest)
    return emitLastLanes(tile, from, accumulators);
  run(1, size, true);
  return accumulators;
}

/// What is left of a row, element by element, in the first lane of the sums.
SmallVector<Value> KernelEmitter::emitLastLanes(Tile tile, Value from, Values accumulators) {
  unsigned dim = *plan.vectorDim;
  Values first;
  auto sumOf = [&](unsigned i) -> Value & {
    return accumulators[i / numSums * tile.columns * numSums + i % numSums];
  };
  for (unsigned i = 0; i < tile.rows * numSums; ++i)
    first.push_back(vector::ExtractOp::create(b, loc, sumOf(i), ArrayRef<int64_t>{0}));
  lanes = 1;
  first = forLoop(dim, from, ends[dim], 1, first,
                  [&](const Values &carried) { return emitCells({tile.rows, 1}, carried); });
  lanes = plan.lanes;
  for (auto [i, value] : llvm::enumerate(first))
    sumOf(i) = vector::InsertOp::create(b, loc, value, sumOf(i), ArrayRef<int64_t>{0});
  return accumulators;
}

SmallVector<Value> KernelEmitter::emitCells(Tile tile, ArrayRef<Value> accumulators) {
  SmallVector<Cell> cells;
  for (unsigned row = 0; row < tile.rows; ++row)
    for (unsigned column = 0; column < tile.columns; ++column)
      cells.push_back({row, column});
  if (plan.interleaves)
    return emitBodies(cells, accumulators);
  Values results;
  for (auto [number, cell] : llvm::enumerate(cells)) {
    ArrayRef<Value> old = accumulators;
    if (!old.empty())
      old = old.slice(number * numSums, numSums);
    llvm::append_range(results, emitBodies(cell, old));
  }
  return results;
}

} // namespace nnc
