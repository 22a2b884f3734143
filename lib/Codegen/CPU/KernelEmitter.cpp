//===- KernelEmitter.cpp - Loops and vectors for one operation ------------===//
//
// Writes the loop nest of a KernelPlan, in parts if it is large. Parallel loops are outside;
// inside, the reduction loops carry the tile's accumulators as values. The operation's scalar body
// is cloned once per vector of the tile; a load is emitted once per distinct place it reads, before
// the innermost loop that does not move it.
//
//===----------------------------------------------------------------------===//
#include "KernelBody.h"
#include "KernelParts.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

#include <map>

using namespace mlir;

namespace nnc {
namespace {

class KernelEmitter {
public:
  KernelEmitter(OpBuilder &builder, linalg::GenericOp generic, const KernelPlan &kernelPlan,
                ArrayRef<Value> initialValues)
      : b(builder), loc(generic.getLoc()), op(generic), plan(kernelPlan), initial(initialValues),
        numSums(countAccumulators(op)), repeated(repeatedBody(op)), atEnd(epilogueBody(op)),
        repeatedOperands(llvm::from_range, repeatedInputs(op)), sizes(op.getStaticLoopRanges()),
        index(op.getNumLoops()), loads(1), begins(op.getNumLoops()), ends(op.getNumLoops()) {}

  void run(int64_t grain);

private:
  using Values = SmallVector<Value>;
  /// One vector of the tile, or one element when there are no lanes.
  struct Cell {
    unsigned row, column;
  };
  struct Tile {
    unsigned rows = 1, columns = 1;
  };

  // Loops.
  void emitOuterReductions(ArrayRef<unsigned> dims, ArrayRef<unsigned> parallelDims);
  void emitParallel(ArrayRef<unsigned> dims);
  void emitRows(function_ref<void(unsigned)> body);
  void emitColumns(function_ref<void(unsigned)> body);
  void emitTile(Tile tile);
  void storeTile(Tile tile, ArrayRef<Value> values);
  Values foldTile(Tile tile, Values partial);
  void finishSums(Tile tile, ArrayRef<Value> sums);
  void emitEpilogue(Tile tile, ArrayRef<Value> sums);
  void emitEpilogueOf(Cell cell, ArrayRef<Value> sums);
  Values emitReduction(ArrayRef<unsigned> dims, Tile tile, Values accumulators);
  Values emitChains(unsigned dim, Tile tile, Values accumulators);
  Values emitLaneReduction(Tile tile, Values accumulators);
  Values emitCells(Tile tile, Values accumulators);
  Values forLoop(unsigned dim, Value from, Value to, int64_t step, Values carried,
                 function_ref<Values(Values)> body);
  /// Runs `body` over [from, to) in steps, without a loop where a single step is known to do.
  Value steps(unsigned dim, Value from, int64_t step, function_ref<void()> body);
  void maskedRest(unsigned dim, Value from, function_ref<void()> body);

  // Values.
  Values emitBody(Cell cell, ArrayRef<Value> sums);
  void cloneMapped(Operation &inner, IRMapping &mapping, Cell cell);
  Value position(unsigned dim, Cell cell);
  Value load(OpOperand &operand, Cell cell);
  Value emitLoad(OpOperand &operand, Cell cell, Access access);
  Value gather(OpOperand &operand, Cell cell);
  Value loadPattern(OpOperand &operand, Cell cell, LanePattern pattern);
  bool isTurned(OpOperand &operand);
  Value loadTurned(OpOperand &operand, Cell cell);
  void store(Value value, OpOperand &output, Cell cell);
  Values indices(AffineMap map, Cell cell, Value lane = {});
  Value combine(unsigned output, Value left, Value right);
  Value foldLanes(unsigned output, Value vector);
  Value initialValue(unsigned output, Cell cell, bool broadcastToLanes);
  Value neutral(unsigned output);

  // Small help.
  Block &entry() { return op->getParentOfType<FunctionOpInterface>().getFunctionBody().front(); }
  Value constant(int64_t value);
  void maskAfter(Value count);
  Value firstLanes(Value count);
  Value extent(unsigned dim);
  Value add(Value left, Value right);
  Value broadcast(Value value);
  Type laneType(Type element) {
    return plan.lanes == 1 ? element : Type(VectorType::get({plan.lanes}, element));
  }
  bool isReduction(unsigned dim) {
    return op.getIteratorTypesArray()[dim] == utils::IteratorType::reduction;
  }
  /// Whether a tile has no loop over `dim`, since that is around all tiles.
  bool isOuter(unsigned dim) {
    bool inBlocks = plan.reductionBlock > 1 && plan.outerReductions.back() == dim;
    return llvm::is_contained(plan.outerReductions, dim) && !inBlocks;
  }
  /// The buffer with booleans as bytes.
  Value buffer(OpOperand &operand);

  OpBuilder &b;
  Location loc;
  linalg::GenericOp op;
  const KernelPlan &plan;
  ArrayRef<Value> initial;
  /// The outputs that are accumulated, what each iteration computes for them, what is computed of them at
  /// the end, and the inputs that each iteration reads.
  unsigned numSums;
  SmallVector<Operation *> repeated, atEnd;
  llvm::SmallPtrSet<OpOperand *, 8> repeatedOperands;
  /// Known extents of the loops, kDynamic for others.
  SmallVector<int64_t> sizes;

  Values index;
  /// The lanes that are there, and how many.
  Value mask, unmasked;
  struct OpenLoop {
    unsigned dim;
    Operation *op;
  };
  SmallVector<OpenLoop> open;
  /// How many of these are outer reductions, and whether each of them is on its last trip.
  unsigned outerDepth = 0;
  Value lastTrip;
  /// What the epilogue reads is loaded in it: no register holds it while the sums grow.
  bool inEpilogue = false;
  /// What is loaded before the loop at each depth, by operand and place.
  SmallVector<std::map<SmallVector<const void *>, Value>> loads;
  /// The tile that is being emitted, and its inputs that were loaded along the rows, by operand.
  Tile current;
  DenseMap<OpOperand *, Values> turned;
  DenseMap<Value, Value> buffers;
  DenseMap<int64_t, Value> constants;
  /// The range of each loop: all of it, or what the part has of it.
  Values begins, ends;
};

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void KernelEmitter::run(int64_t grain) {
  SmallVector<unsigned> outer;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) {
    index[dim] = begins[dim] = constant(0);
    ends[dim] = extent(dim);
    if (!isReduction(dim) && plan.vectorDim != dim && plan.rowDim != dim)
      outer.push_back(dim);
  }
  for (OpOperand &operand : op->getOpOperands())
    buffer(operand);
  OpBuilder::InsertionGuard guard(b);
  if (std::optional<KernelPart> part = emitParts(b, loc, plan, ends, grain)) {
    begins[*plan.partDim] = part->begin;
    ends[*plan.partDim] = part->end;
  }
  emitOuterReductions(plan.outerReductions, outer);
}

void KernelEmitter::emitOuterReductions(ArrayRef<unsigned> dims, ArrayRef<unsigned> parallelDims) {
  if (dims.empty()) {
    outerDepth = open.size();
    return emitParallel(parallelDims);
  }
  unsigned dim = dims.front();
  int64_t step = dims.size() == 1 ? plan.reductionBlock : 1;
  Value begin = begins[dim], end = ends[dim], last = lastTrip;
  forLoop(dim, begin, end, step, {}, [&](Values) {
    Value next = add(index[dim], constant(step));
    if (step > 1) {
      begins[dim] = index[dim];
      next = ends[dim] = arith::MinUIOp::create(b, loc, next, end);
    }
    if (hasEpilogue(op)) {
      Value isLast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, next, end);
      lastTrip = last ? arith::AndIOp::create(b, loc, last, isLast).getResult() : isLast;
    }
    emitOuterReductions(dims.drop_front(), parallelDims);
    return Values();
  });
  begins[dim] = begin;
  ends[dim] = end;
  lastTrip = last;
}

void KernelEmitter::emitParallel(ArrayRef<unsigned> dims) {
  if (!dims.empty()) {
    steps(dims.front(), begins[dims.front()], 1, [&] { emitParallel(dims.drop_front()); });
    return;
  }
  // Columns outside: the vectors that all rows share stay near.
  emitColumns(
      [&](unsigned columns) { emitRows([&](unsigned rows) { emitTile({rows, columns}); }); });
}

void KernelEmitter::emitRows(function_ref<void(unsigned)> body) {
  if (!plan.rowDim)
    return body(1);
  Value next = begins[*plan.rowDim];
  int64_t size = sizes[*plan.rowDim];
  bool isKnown = !ShapedType::isDynamic(size);
  SmallVector<unsigned> tiles = {plan.rows};
  if (isKnown && size % plan.rows)
    tiles.push_back(plan.turnsInputs ? 1 : size % plan.rows);
  if (!isKnown && plan.rows > 4 && !plan.turnsInputs)
    tiles.push_back(4);
  if (!isKnown && plan.rows > 1)
    tiles.push_back(1);
  for (unsigned rows : tiles)
    next = steps(*plan.rowDim, next, rows, [&] { body(rows); });
  index[*plan.rowDim] = constant(0);
}

void KernelEmitter::emitColumns(function_ref<void(unsigned)> body) {
  if (!plan.vectorDim || plan.reducesLanes)
    return body(plan.columns);
  unsigned dim = *plan.vectorDim;
  Value next = begins[dim];
  bool isKnown = !ShapedType::isDynamic(sizes[dim]);
  SmallVector<unsigned> tiles = {plan.columns};
  if (unsigned rest = isKnown ? sizes[dim] / plan.lanes % plan.columns : plan.columns > 1)
    tiles.push_back(rest);
  for (unsigned columns : tiles)
    next = steps(dim, next, int64_t(columns) * plan.lanes, [&] { body(columns); });
  maskedRest(dim, next, [&] { body(1); });
  index[dim] = constant(0);
}

Value KernelEmitter::steps(unsigned dim, Value from, int64_t step, function_ref<void()> body) {
  Value end = ends[dim];
  std::optional<int64_t> staticFrom = getConstantIntValue(from),
                         staticEnd = getConstantIntValue(end);
  Value to = end;
  if (staticFrom && staticEnd) {
    int64_t trips = (*staticEnd - *staticFrom) / step;
    to = constant(*staticFrom + trips * step);
    if (trips == 1) {
      index[dim] = from;
      body();
    }
    if (trips <= 1)
      return to;
  } else if (step != 1) {
    Value left = arith::SubIOp::create(b, loc, end, from);
    Value rest = arith::RemUIOp::create(b, loc, left, constant(step));
    to = arith::SubIOp::create(b, loc, end, rest);
  }
  forLoop(dim, from, to, step, {}, [&](Values) {
    body();
    return Values();
  });
  return to;
}

/// The last, partial vector: runs once or not at all.
void KernelEmitter::maskedRest(unsigned dim, Value from, function_ref<void()> body) {
  std::optional<int64_t> staticFrom = getConstantIntValue(from);
  std::optional<int64_t> staticEnd = getConstantIntValue(ends[dim]);
  if (plan.lanes == 1 || (!ShapedType::isDynamic(sizes[dim]) && sizes[dim] % plan.lanes == 0))
    return;
  auto masked = [&] {
    Value left = staticFrom && staticEnd ? constant(*staticEnd - *staticFrom)
                                         : arith::SubIOp::create(b, loc, ends[dim], index[dim]);
    maskAfter(left);
    body();
    mask = Value();
  };
  if (staticFrom && staticEnd) {
    index[dim] = from;
    return masked();
  }
  forLoop(dim, from, ends[dim], plan.lanes, {}, [&](Values) {
    masked();
    return Values();
  });
}

SmallVector<Value> KernelEmitter::forLoop(unsigned dim, Value from, Value to, int64_t step,
                                          Values carried, function_ref<Values(Values)> body) {
  auto loop = scf::ForOp::create(b, loc, from, to, constant(step), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value outerIndex = std::exchange(index[dim], loop.getInductionVar());
  open.push_back({dim, loop});
  loads.emplace_back();
  Values results = body(llvm::to_vector_of<Value>(loop.getRegionIterArgs()));
  if (!carried.empty())
    scf::YieldOp::create(b, loc, results);
  loads.pop_back();
  open.pop_back();
  index[dim] = outerIndex;
  return llvm::to_vector_of<Value>(loop.getResults());
}

void KernelEmitter::emitTile(Tile tile) {
  current = tile;
  turned.clear();
  if (op.getNumReductionLoops() == 0)
    return storeTile(tile, emitCells(tile, {}));
  Values start;
  for (unsigned cell = 0; cell < tile.rows * tile.columns; ++cell)
    for (unsigned output = 0; output < numSums; ++output)
      start.push_back(plan.reducesLanes
                          ? neutral(output)
                          : initialValue(output, {cell / tile.columns, cell % tile.columns},
                                         /*broadcastToLanes=*/true));
  SmallVector<unsigned> dims;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (isReduction(dim) && plan.vectorDim != dim && !isOuter(dim))
      dims.push_back(dim);
  Values sums = emitReduction(dims, tile, start);
  if (plan.reducesLanes)
    storeTile({tile.rows, 1}, foldTile(tile, sums));
  else
    finishSums(tile, sums);
}

void KernelEmitter::storeTile(Tile tile, ArrayRef<Value> values) {
  for (unsigned row = 0; row < tile.rows; ++row)
    for (unsigned output = 0; output < numSums; ++output)
      for (unsigned column = 0; column < tile.columns; ++column)
        store(values[(row * tile.columns + column) * numSums + output],
              op.getDpsInitsMutable()[output], {row, column});
}

/// Adds up the lanes and columns of each row, and what the output held.
SmallVector<Value> KernelEmitter::foldTile(Tile tile, Values partial) {
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
  auto replacesSum = [&](OpOperand &made) {
    OpOperand &sum = op.getDpsInitsMutable()[0];
    return &made != &sum && made.get() == sum.get() &&
           op.getMatchingIndexingMap(&made) == op.getMatchingIndexingMap(&sum);
  };
  bool isReplaced = numSums == 1 && llvm::any_of(op.getDpsInitsMutable(), replacesSum);
  if (isLoop || !isReplaced)
    storeTile(tile, sums);
  inEpilogue = true;
  auto emitRow = [&](unsigned row, function_ref<Values(Cell)> sumsOf) {
    for (unsigned column = 0; column < tile.columns; ++column)
      emitEpilogueOf({row, column}, sumsOf({row, column}));
  };
  if (isLoop) {
    Value first = index[*plan.rowDim];
    forLoop(*plan.rowDim, first, add(first, constant(tile.rows)), 1, {}, [&](Values) {
      emitRow(0, [&](Cell cell) {
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
  if (size && *size <= (innermost ? kUnrollLimit : 1)) {
    for (int64_t i = 0; i < *size; ++i) {
      index[dim] = constant(i);
      accumulators = emitReduction(dims.drop_front(), tile, accumulators);
    }
    return accumulators;
  }
  if (innermost && plan.chains > 1)
    return emitChains(dim, tile, accumulators);
  return forLoop(dim, begins[dim], ends[dim], 1, accumulators,
                 [&](Values carried) { return emitReduction(dims.drop_front(), tile, carried); });
}

/// Partial results of every chains-th index, added up afterwards.
SmallVector<Value> KernelEmitter::emitChains(unsigned dim, Tile tile, Values accumulators) {
  unsigned width = accumulators.size();
  Values carried = accumulators;
  for (unsigned i = width; i < width * plan.chains; ++i)
    carried.push_back(neutral(i % numSums));
  Value count = ends[dim];
  if (getConstantIntValue(begins[dim]) != 0)
    count = arith::SubIOp::create(b, loc, count, begins[dim]);
  Value rest = arith::RemUIOp::create(b, loc, count, constant(plan.chains));
  Value end = arith::SubIOp::create(b, loc, ends[dim], rest);
  carried = forLoop(dim, begins[dim], end, plan.chains, carried, [&](Values partial) {
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
                 [&](Values partial) { return emitCells(tile, partial); });
}

/// The vector dimension is the innermost reduction: whole tiles, single vectors, a masked one.
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
    auto body = [&](Values carried) {
      if (partial) {
        Value left = arith::SubIOp::create(b, loc, size, index[dim]);
        maskAfter(left);
      }
      Values next = emitCells({tile.rows, columns}, carried);
      if (partial)
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
  if (plan.lanes > 1)
    run(1, size, true);
  return accumulators;
}

SmallVector<Value> KernelEmitter::emitCells(Tile tile, Values accumulators) {
  Values results;
  for (unsigned row = 0; row < tile.rows; ++row)
    for (unsigned column = 0; column < tile.columns; ++column) {
      ArrayRef<Value> old = accumulators;
      if (!old.empty())
        old = old.slice((row * tile.columns + column) * numSums, numSums);
      llvm::append_range(results, emitBody({row, column}, old));
    }
  return results;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// What each iteration computes for `cell`; `sums` is what it has computed before, if it reduces.
SmallVector<Value> KernelEmitter::emitBody(Cell cell, ArrayRef<Value> sums) {
  IRMapping mapping;
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty())
      continue;
    unsigned output = operand.getOperandNumber() - op.getNumDpsInputs();
    if (op.isDpsInit(&operand))
      mapping.map(argument, sums.empty() ? initialValue(output, cell, /*broadcastToLanes=*/false)
                                         : sums[output]);
    else if (repeatedOperands.contains(&operand))
      mapping.map(argument, load(operand, cell));
  }
  for (Operation *inner : repeated)
    cloneMapped(*inner, mapping, cell);
  Values results;
  for (Value result : op.getBody()->getTerminator()->getOperands().take_front(numSums)) {
    Value value = mapping.lookupOrDefault(result);
    results.push_back(sums.empty() ? value : broadcast(value));
  }
  return results;
}

/// Clones an operation of the body; on vectors if one of its operands is a vector.
void KernelEmitter::cloneMapped(Operation &inner, IRMapping &mapping, Cell cell) {
  if (auto indexOp = dyn_cast<linalg::IndexOp>(inner)) {
    mapping.map(inner.getResult(0), position(indexOp.getDim(), cell));
    return;
  }
  bool onVectors = llvm::any_of(inner.getOperands(), [&](Value operand) {
    return isa<VectorType>(mapping.lookupOrDefault(operand).getType());
  });
  if (!onVectors) {
    b.clone(inner, mapping);
    return;
  }
  OperationState state(loc, inner.getName());
  for (Value operand : inner.getOperands())
    state.addOperands(broadcast(mapping.lookupOrDefault(operand)));
  for (Type type : inner.getResultTypes())
    state.addTypes(laneType(type));
  state.addAttributes(inner.getAttrs());
  Operation *clone = b.create(state);
  mapping.map(inner.getResults(), clone->getResults());
}

/// The value of linalg.index, one per lane along the vector dimension.
Value KernelEmitter::position(unsigned dim, Cell cell) {
  Value value = index[dim];
  if (plan.rowDim == dim)
    return add(value, constant(cell.row));
  if (plan.vectorDim != dim || plan.lanes == 1)
    return value;
  Value first = broadcast(add(value, constant(int64_t(cell.column) * plan.lanes)));
  Value step = vector::StepOp::create(b, loc, cast<VectorType>(first.getType()));
  return arith::AddIOp::create(b, loc, first, step);
}

/// Loads what `cell` reads of `operand`, once, outside the loops that do not move it.
Value KernelEmitter::load(OpOperand &operand, Cell cell) {
  if (!isa<MemRefType>(operand.get().getType()))
    return operand.get();
  AffineMap map = op.getMatchingIndexingMap(&operand);
  auto moves = [&](std::optional<unsigned> dim) { return dim && map.isFunctionOfDim(*dim); };
  unsigned depth = open.size();
  // What an output holds changes with each trip of an outer reduction.
  unsigned outermost = inEpilogue ? open.size() : op.isDpsInit(&operand) ? outerDepth : 0;
  while (depth > outermost && !map.isFunctionOfDim(open[depth - 1].dim))
    --depth;
  SmallVector<const void *> key = {&operand};
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (map.isFunctionOfDim(dim))
      key.push_back(index[dim].getAsOpaquePointer());
  key.push_back(reinterpret_cast<void *>(uintptr_t(moves(plan.rowDim) ? cell.row : 0)));
  key.push_back(reinterpret_cast<void *>(uintptr_t(moves(plan.vectorDim) ? cell.column : 0)));
  key.push_back(moves(plan.vectorDim) ? mask.getAsOpaquePointer() : nullptr);
  Value &value = loads[depth][key];
  if (value)
    return value;
  OpBuilder::InsertionGuard guard(b);
  if (depth < open.size())
    b.setInsertionPoint(open[depth].op);
  Access access = plan.vectorDim && plan.lanes > 1
                      ? classifyAccess(map, operand.get().getType(), *plan.vectorDim)
                      : Access::Uniform;
  Value loaded = emitLoad(operand, cell, access);
  if (getElementTypeOrSelf(operand.get().getType()).isInteger(1)) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(loaded.getType()));
    loaded = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, loaded, zero);
  }
  return value = loaded;
}

Value KernelEmitter::emitLoad(OpOperand &operand, Cell cell, Access access) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Value source = buffer(operand);
  Type element = getElementTypeOrSelf(source.getType());
  if (access == Access::Uniform)
    return memref::LoadOp::create(b, loc, source, indices(map, cell));
  auto type = VectorType::get({plan.lanes}, element);
  if (access == Access::Contiguous && !mask)
    return vector::LoadOp::create(b, loc, type, source, indices(map, cell));
  if (access == Access::Contiguous) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    return vector::MaskedLoadOp::create(b, loc, type, source, indices(map, cell), mask, zero);
  }
  if (isTurned(operand))
    return loadTurned(operand, cell);
  std::optional<LanePattern> pattern =
      findPattern(map, operand.get().getType(), *plan.vectorDim, plan.lanes);
  return pattern ? loadPattern(operand, cell, *pattern) : gather(operand, cell);
}

/// Loads the elements that lie between the first and the last lane, and picks those that the lanes read.
Value KernelEmitter::loadPattern(OpOperand &operand, Cell cell, LanePattern pattern) {
  Value source = buffer(operand);
  Type element = getElementTypeOrSelf(source.getType());
  Values place = indices(op.getMatchingIndexingMap(&operand), cell);
  int64_t lanes = plan.lanes, width = lanes / pattern.repeat;
  auto type = VectorType::get({width}, element);
  // `width` elements from the one at `offset`, or as many of them as the lanes up to the mask read.
  auto loadFrom = [&](int64_t offset) -> Value {
    Values here = place;
    here[pattern.axis] = add(here[pattern.axis], constant(offset));
    if (!mask)
      return vector::LoadOp::create(b, loc, type, source, here);
    // The last lane's element is number (unmasked - 1) * step / repeat.
    Value last = arith::SubIOp::create(b, loc, unmasked, constant(1));
    last = arith::MulIOp::create(b, loc, last, constant(pattern.step));
    last = arith::DivSIOp::create(b, loc, last, constant(pattern.repeat));
    Value count = arith::SubIOp::create(b, loc, last, constant(offset - 1));
    Value some =
        vector::CreateMaskOp::create(b, loc, VectorType::get({width}, b.getI1Type()), count);
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    return vector::MaskedLoadOp::create(b, loc, type, source, here, some, zero);
  };
  SmallVector<int64_t> picks;
  if (pattern.step == 1) {
    for (int64_t lane = 0; lane < lanes; ++lane)
      picks.push_back(lane / pattern.repeat);
    Value row = loadFrom(0);
    return vector::ShuffleOp::create(b, loc, row, row, picks);
  }
  // The second vector ends with the last lane's element, so that nothing behind it is touched.
  for (int64_t lane = 0; lane < lanes; ++lane)
    picks.push_back(2 * lane < lanes ? 2 * lane : 2 * lane + 1);
  return vector::ShuffleOp::create(b, loc, loadFrom(0), loadFrom(lanes - 1), picks);
}

/// Lane by lane; beyond the mask the last element is read again.
Value KernelEmitter::gather(OpOperand &operand, Cell cell) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Value source = buffer(operand);
  Values lanes;
  unsigned dim = *plan.vectorDim;
  Value last = mask ? arith::SubIOp::create(b, loc, ends[dim], constant(1)) : Value();
  for (unsigned lane = 0; lane < plan.lanes; ++lane) {
    Value position = add(index[dim], constant(int64_t(cell.column) * plan.lanes + lane));
    if (mask)
      position = arith::MinUIOp::create(b, loc, position, last);
    lanes.push_back(memref::LoadOp::create(b, loc, source, indices(map, cell, position)));
  }
  auto type = VectorType::get({plan.lanes}, getElementTypeOrSelf(source.getType()));
  return vector::FromElementsOp::create(b, loc, type, lanes);
}

/// Whether the tile is whole, and `operand` lies along its rows.
bool KernelEmitter::isTurned(OpOperand &operand) {
  return plan.turnsInputs && !mask && current.rows == plan.rows &&
         classifyAccess(op.getMatchingIndexingMap(&operand), operand.get().getType(),
                        *plan.rowDim) == Access::Contiguous;
}

/// Loads the tile along its rows and turns it: log2(lanes) times, halves of two vectors change places
/// (J. O. Eklundh, "A fast computer method for matrix transposing", 1972).
Value KernelEmitter::loadTurned(OpOperand &operand, Cell cell) {
  Values &vectors = turned[&operand];
  if (!vectors.empty())
    return vectors[cell.row];
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Value source = buffer(operand);
  auto type = VectorType::get({plan.lanes}, getElementTypeOrSelf(source.getType()));
  for (unsigned lane = 0; lane < plan.lanes; ++lane) {
    Value position = add(index[*plan.vectorDim], constant(lane));
    vectors.push_back(vector::LoadOp::create(b, loc, type, source, indices(map, {0, 0}, position)));
  }
  for (unsigned half = plan.lanes / 2; half > 0; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < plan.lanes; ++lane) {
      bool isLow = (lane & half) == 0;
      low.push_back(isLow ? lane : plan.lanes + lane - half);
      high.push_back(isLow ? lane + half : plan.lanes + lane);
    }
    for (unsigned row = 0; row < plan.lanes; ++row) {
      if (row & half)
        continue;
      Value first = vectors[row], second = vectors[row + half];
      vectors[row] = vector::ShuffleOp::create(b, loc, first, second, low);
      vectors[row + half] = vector::ShuffleOp::create(b, loc, first, second, high);
    }
  }
  return vectors[cell.row];
}

void KernelEmitter::store(Value value, OpOperand &output, Cell cell) {
  Value target = buffer(output);
  bool scalar = plan.lanes == 1 || plan.reducesLanes;
  if (!scalar)
    value = broadcast(value);
  if (getElementTypeOrSelf(value.getType()).isInteger(1)) {
    Type byte = b.getI8Type();
    value = arith::ExtUIOp::create(b, loc, scalar ? byte : laneType(byte), value);
  }
  Values place = indices(op.getMatchingIndexingMap(&output), cell);
  if (scalar)
    memref::StoreOp::create(b, loc, value, target, place);
  else if (mask)
    vector::MaskedStoreOp::create(b, loc, target, place, mask, value);
  else
    vector::StoreOp::create(b, loc, value, target, place);
}

/// Where the first lane of `cell` lies, or the element at `lane` of the vector dimension.
SmallVector<Value> KernelEmitter::indices(AffineMap map, Cell cell, Value lane) {
  Values dims = index;
  if (plan.rowDim && cell.row)
    dims[*plan.rowDim] = add(dims[*plan.rowDim], constant(cell.row));
  if (lane)
    dims[*plan.vectorDim] = lane;
  else if (plan.vectorDim && cell.column)
    dims[*plan.vectorDim] = add(dims[*plan.vectorDim], constant(int64_t(cell.column) * plan.lanes));
  Values results;
  for (AffineExpr expr : map.getResults())
    results.push_back(affine::expandAffineExpr(b, loc, expr, dims, {}));
  return results;
}

/// What `output` holds before the operation: a known value or the buffer's contents.
Value KernelEmitter::initialValue(unsigned output, Cell cell, bool broadcastToLanes) {
  bool isKnown = initial[output] && plan.outerReductions.empty();
  Value value = isKnown ? initial[output] : load(op.getDpsInitsMutable()[output], cell);
  return broadcastToLanes ? broadcast(value) : value;
}

Value KernelEmitter::neutral(unsigned output) {
  TypedAttr attr = *arith::getNeutralElement(findCombiner(op, output));
  return broadcast(arith::ConstantOp::create(b, loc, attr));
}

Value KernelEmitter::combine(unsigned output, Value left, Value right) {
  Operation *combiner = findCombiner(op, output);
  OperationState state(loc, combiner->getName());
  state.addOperands({left, right});
  state.addTypes(left.getType());
  state.addAttributes(combiner->getAttrs());
  return b.create(state)->getResult(0);
}

/// Combines halves until one element is left: a tree of fixed shape.
Value KernelEmitter::foldLanes(unsigned output, Value vector) {
  if (plan.lanes == 1)
    return vector;
  for (int64_t half = plan.lanes / 2; half >= 1; half /= 2) {
    Value low = vector::ExtractStridedSliceOp::create(b, loc, vector, {0}, {half}, {1});
    Value high = vector::ExtractStridedSliceOp::create(b, loc, vector, {half}, {half}, {1});
    vector = combine(output, low, high);
  }
  return vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{0});
}

//===----------------------------------------------------------------------===//
// Small help
//===----------------------------------------------------------------------===//

/// Constants live at the top of the function, where every loop sees them.
Value KernelEmitter::constant(int64_t value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&entry());
    known = arith::ConstantIndexOp::create(b, loc, value);
  }
  return known;
}

/// Leaves out all but the first `count` lanes.
void KernelEmitter::maskAfter(Value count) {
  mask = firstLanes(count);
  unmasked = count;
}

Value KernelEmitter::firstLanes(Value count) {
  auto type = VectorType::get({plan.lanes}, b.getI1Type());
  std::optional<int64_t> known = getConstantIntValue(count);
  if (!known)
    return vector::CreateMaskOp::create(b, loc, type, count);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&entry());
  return vector::ConstantMaskOp::create(b, loc, type, ArrayRef<int64_t>{*known});
}

Value KernelEmitter::extent(unsigned dim) {
  int64_t size = op.getStaticLoopRanges()[dim];
  if (!ShapedType::isDynamic(size))
    return constant(size);
  for (OpOperand &operand : op->getOpOperands())
    for (auto [position, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
      if (expr == b.getAffineDimExpr(dim))
        return memref::DimOp::create(b, loc, operand.get(), position);
  llvm_unreachable("a loop without an operand that spans it");
}

Value KernelEmitter::add(Value left, Value right) {
  if (getConstantIntValue(right) == 0)
    return left;
  std::optional<int64_t> x = getConstantIntValue(left), y = getConstantIntValue(right);
  if (x && y)
    return constant(*x + *y);
  return arith::AddIOp::create(b, loc, left, right);
}

Value KernelEmitter::broadcast(Value value) {
  if (plan.lanes == 1 || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, loc, laneType(value.getType()), value);
}

Value KernelEmitter::buffer(OpOperand &operand) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type || !type.getElementType().isInteger(1))
    return operand.get();
  Value &bytes = buffers[operand.get()];
  if (!bytes) {
    Type byteType = MemRefType::Builder(type).setElementType(b.getI8Type());
    bytes = UnrealizedConversionCastOp::create(b, loc, byteType, operand.get()).getResult(0);
  }
  return bytes;
}

} // namespace

void emitKernel(OpBuilder &builder, linalg::GenericOp op, const KernelPlan &plan,
                ArrayRef<Value> initial, int64_t grain) {
  KernelEmitter(builder, op, plan, initial).run(grain);
}

} // namespace nnc
