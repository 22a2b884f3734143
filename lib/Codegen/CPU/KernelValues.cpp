//===- KernelValues.cpp - The body of an operation, on vectors ------------===//
#include "KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {

/// What each iteration computes for `cells`, operation by operation, each for all of them; `sums` is what it has
/// computed before, if it reduces.
SmallVector<Value> KernelEmitter::emitBodies(ArrayRef<Cell> cells, ArrayRef<Value> sums) {
  if (multipliesWords())
    return multiplyWords(cells, sums);
  SmallVector<IRMapping> mappings(cells.size());
  for (auto [number, cell] : llvm::enumerate(cells))
    for (OpOperand &operand : op->getOpOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(&operand);
      if (argument.use_empty())
        continue;
      unsigned output = operand.getOperandNumber() - op.getNumDpsInputs();
      if (op.isDpsInit(&operand))
        mappings[number].map(argument, sums.empty()
                                           ? initialValue(output, cell, /*broadcastToLanes=*/false)
                                           : sums[number * numSums + output]);
      else if (repeatedOperands.contains(&operand))
        mappings[number].map(argument, load(operand, cell));
    }
  for (Operation *inner : repeated)
    for (auto [mapping, cell] : llvm::zip_equal(mappings, cells))
      cloneMapped(*inner, mapping, cell);
  Values results;
  for (IRMapping &mapping : mappings)
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
    return add(value, constant(rowInBlock(cell)));
  if (plan.blockDim == dim)
    return add(value, constant(blockOf(cell)));
  if (plan.vectorDim != dim || lanes == 1)
    return value;
  Value first = broadcast(add(value, constant(int64_t(cell.column) * lanes)));
  Value step = vector::StepOp::create(b, loc, cast<VectorType>(first.getType()));
  return arith::AddIOp::create(b, loc, first, step);
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
  if (lanes == 1)
    return vector;
  for (int64_t half = lanes / 2; half >= 1; half /= 2) {
    Value low = vector::ExtractStridedSliceOp::create(b, loc, vector, {0}, {half}, {1});
    Value high = vector::ExtractStridedSliceOp::create(b, loc, vector, {half}, {half}, {1});
    vector = combine(output, low, high);
  }
  return vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{0});
}

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

/// Leaves out all but the first `count` lanes of `column`.
void KernelEmitter::maskAfter(Value count, unsigned column) {
  maskedColumn = column;
  mask = firstLanes(count);
  unmasked = count;
}

Value KernelEmitter::firstLanes(Value count) {
  auto type = VectorType::get({lanes}, b.getI1Type());
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

Value KernelEmitter::subtract(Value left, Value right) {
  std::optional<int64_t> x = getConstantIntValue(left), y = getConstantIntValue(right);
  if (y == 0)
    return left;
  return x && y ? constant(*x - *y) : arith::SubIOp::create(b, loc, left, right).getResult();
}

Value KernelEmitter::atMost(Value value, int64_t limit) {
  if (std::optional<int64_t> known = getConstantIntValue(value))
    return constant(std::min(*known, limit));
  return arith::MinUIOp::create(b, loc, value, constant(limit));
}

Value KernelEmitter::broadcast(Value value) {
  if (lanes == 1 || isa<VectorType>(value.getType()))
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

} // namespace nnc
