//===- KernelMemory.cpp - Loads and stores --------------------------------===//
#include "KernelEmitter.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {

/// Loads what `cell` reads of `operand`.
Value KernelEmitter::load(OpOperand &operand, Cell cell) {
  if (!isa<MemRefType>(operand.get().getType()))
    return operand.get();
  AffineMap map = op.getMatchingIndexingMap(&operand);
  return loadOnce(operand, cell, /*isWord=*/false, [&]() -> Value {
    Access access = plan.vectorDim && lanes > 1
                        ? classifyAccess(map, operand.get().getType(), *plan.vectorDim)
                        : Access::Uniform;
    Value loaded = emitLoad(operand, cell, access);
    if (!getElementTypeOrSelf(operand.get().getType()).isInteger(1))
      return loaded;
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(loaded.getType()));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, loaded, zero);
  });
}

/// Emits a load, or a word of several, of what `cell` reads of `operand`, once, outside the loops that do not move it.
Value KernelEmitter::loadOnce(OpOperand &operand, Cell cell, bool isWord,
                              function_ref<Value()> emit) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  auto moves = [&](std::optional<unsigned> dim) { return dim && map.isFunctionOfDim(*dim); };
  unsigned depth = open.size();
  // What an output holds changes with each trip of an outer reduction.
  unsigned outermost = inEpilogue ? open.size() : op.isDpsInit(&operand) ? outerDepth : 0;
  while (depth > outermost && !map.isFunctionOfDim(open[depth - 1].dim))
    --depth;
  SmallVector<const void *> key = {&operand, isWord ? &plan : nullptr};
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (map.isFunctionOfDim(dim))
      key.push_back(index[dim].getAsOpaquePointer());
  key.push_back(reinterpret_cast<void *>(uintptr_t(moves(plan.rowDim) ? rowInBlock(cell) : 0)));
  key.push_back(reinterpret_cast<void *>(uintptr_t(moves(plan.blockDim) ? blockOf(cell) : 0)));
  key.push_back(reinterpret_cast<void *>(uintptr_t(moves(plan.vectorDim) ? cell.column : 0)));
  key.push_back(moves(plan.vectorDim) ? maskOf(cell).getAsOpaquePointer() : nullptr);
  Value &value = loads[depth][key];
  if (value)
    return value;
  OpBuilder::InsertionGuard guard(b);
  if (depth < open.size())
    b.setInsertionPoint(open[depth].op);
  return value = emit();
}

Value KernelEmitter::emitLoad(OpOperand &operand, Cell cell, Access access) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Value source = buffer(operand);
  Type element = getElementTypeOrSelf(source.getType());
  if (access == Access::Uniform)
    return memref::LoadOp::create(b, loc, source, indices(map, cell));
  auto type = VectorType::get({lanes}, element);
  Value some = maskOf(cell);
  if (access == Access::Contiguous && !some)
    return vector::LoadOp::create(b, loc, type, source, indices(map, cell));
  if (access == Access::Contiguous) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    return vector::MaskedLoadOp::create(b, loc, type, source, indices(map, cell), some, zero);
  }
  if (isTurned(operand))
    return loadTurned(operand, cell);
  std::optional<LanePattern> pattern =
      findPattern(map, operand.get().getType(), *plan.vectorDim, lanes);
  return pattern ? loadPattern(operand, cell, *pattern) : gather(operand, cell);
}

/// Loads the elements that lie between the first and the last lane, and picks those that the lanes read.
Value KernelEmitter::loadPattern(OpOperand &operand, Cell cell, LanePattern pattern) {
  Value source = buffer(operand);
  Type element = getElementTypeOrSelf(source.getType());
  Values place = indices(op.getMatchingIndexingMap(&operand), cell);
  int64_t count = lanes, width = count / pattern.repeat;
  auto type = VectorType::get({width}, element);
  // `width` elements from the one at `offset`, or as many of them as the lanes up to the mask read.
  auto loadFrom = [&](int64_t offset) -> Value {
    Values here = place;
    here[pattern.axis] = add(here[pattern.axis], constant(offset));
    if (!maskOf(cell))
      return vector::LoadOp::create(b, loc, type, source, here);
    // The last lane's element is number (unmasked - 1) * step / repeat.
    Value last = arith::SubIOp::create(b, loc, unmasked, constant(1));
    last = arith::MulIOp::create(b, loc, last, constant(pattern.step));
    last = arith::DivSIOp::create(b, loc, last, constant(pattern.repeat));
    Value left = arith::SubIOp::create(b, loc, last, constant(offset - 1));
    Value some =
        vector::CreateMaskOp::create(b, loc, VectorType::get({width}, b.getI1Type()), left);
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    return vector::MaskedLoadOp::create(b, loc, type, source, here, some, zero);
  };
  SmallVector<int64_t> picks;
  if (pattern.step == 1) {
    for (int64_t lane = 0; lane < count; ++lane)
      picks.push_back(lane / pattern.repeat);
    Value row = loadFrom(0);
    return vector::ShuffleOp::create(b, loc, row, row, picks);
  }
  // Vector after vector, each of which brings the elements of the next lanes. The last one ends with the last
  // lane's element, so that nothing behind it is touched.
  Value picked = loadFrom(0);
  for (int64_t next = 1; next < pattern.step; ++next) {
    bool isLast = next + 1 == pattern.step;
    int64_t begin = isLast ? (count - 1) * (pattern.step - 1) : next * count;
    picks.clear();
    for (int64_t lane = 0; lane < count; ++lane) {
      int64_t wanted = lane * pattern.step;
      bool isPicked = wanted < next * count;
      // The first vector holds the elements as they lie, all later ones what has been picked.
      picks.push_back(isPicked ? (next == 1 ? wanted : lane)
                               : count + std::min(wanted - begin, count - 1));
    }
    picked = vector::ShuffleOp::create(b, loc, picked, loadFrom(begin), picks);
  }
  return picked;
}

/// Lane by lane; beyond the mask the last element is read again.
Value KernelEmitter::gather(OpOperand &operand, Cell cell) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Value source = buffer(operand);
  Values elements;
  unsigned dim = *plan.vectorDim;
  Value last = maskOf(cell) ? arith::SubIOp::create(b, loc, ends[dim], constant(1)) : Value();
  for (unsigned lane = 0; lane < lanes; ++lane) {
    Value position = add(index[dim], constant(int64_t(cell.column) * lanes + lane));
    if (last)
      position = arith::MinUIOp::create(b, loc, position, last);
    elements.push_back(memref::LoadOp::create(b, loc, source, indices(map, cell, position)));
  }
  auto type = VectorType::get({lanes}, getElementTypeOrSelf(source.getType()));
  return vector::FromElementsOp::create(b, loc, type, elements);
}

/// Whether the tile is whole but for a known number of lanes, and `operand` lies along its rows.
bool KernelEmitter::isTurned(OpOperand &operand) {
  return plan.turnsInputs && (!mask || getConstantIntValue(unmasked)) && lanes == plan.lanes &&
         current.rows == plan.rows &&
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
  auto type = VectorType::get({lanes}, getElementTypeOrSelf(source.getType()));
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  unsigned numLoaded = mask ? *getConstantIntValue(unmasked) : lanes;
  for (unsigned lane = 0; lane < numLoaded; ++lane) {
    Value position = add(index[*plan.vectorDim], constant(lane));
    Values place = indices(map, {0, 0}, position);
    // Nothing behind the rows is touched.
    vectors.push_back(plan.rows < lanes
                          ? vector::MaskedLoadOp::create(b, loc, type, source, place,
                                                         firstLanes(constant(plan.rows)), zero)
                                .getResult()
                          : vector::LoadOp::create(b, loc, type, source, place).getResult());
  }
  vectors.append(lanes - numLoaded, zero);
  for (unsigned half = lanes / 2; half > 0; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      bool isLow = (lane & half) == 0;
      low.push_back(isLow ? lane : lanes + lane - half);
      high.push_back(isLow ? lane + half : lanes + lane);
    }
    for (unsigned row = 0; row < lanes; ++row) {
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
  bool scalar = lanes == 1 || plan.reducesLanes;
  if (!scalar)
    value = broadcast(value);
  if (getElementTypeOrSelf(value.getType()).isInteger(1)) {
    Type byte = b.getI8Type();
    value = arith::ExtUIOp::create(b, loc, scalar ? byte : laneType(byte), value);
  }
  Values place = indices(op.getMatchingIndexingMap(&output), cell);
  if (scalar)
    memref::StoreOp::create(b, loc, value, target, place);
  else if (Value some = maskOf(cell))
    vector::MaskedStoreOp::create(b, loc, target, place, some, value);
  else
    vector::StoreOp::create(b, loc, value, target, place);
}

/// Where the first lane of `cell` lies, or the element at `lane` of the vector dimension.
SmallVector<Value> KernelEmitter::indices(AffineMap map, Cell cell, Value lane) {
  Values dims = index;
  if (plan.rowDim)
    dims[*plan.rowDim] = add(dims[*plan.rowDim], constant(rowInBlock(cell)));
  if (plan.blockDim)
    dims[*plan.blockDim] = add(dims[*plan.blockDim], constant(blockOf(cell)));
  if (lane)
    dims[*plan.vectorDim] = lane;
  else if (plan.vectorDim && cell.column)
    dims[*plan.vectorDim] = add(dims[*plan.vectorDim], constant(int64_t(cell.column) * lanes));
  Values results;
  for (AffineExpr expr : map.getResults())
    results.push_back(affine::expandAffineExpr(b, loc, expr, dims, {}));
  return results;
}

} // namespace nnc
