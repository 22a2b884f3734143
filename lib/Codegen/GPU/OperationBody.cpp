//===- OperationBody.cpp - What one thread computes of an operation -------===//
#include "OperationBody.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace nnc {

Value constantIndex(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value multiply(OpBuilder &b, Location loc, ArrayRef<Value> factors) {
  Value product = constantIndex(b, loc, 1);
  for (Value factor : factors)
    product = b.createOrFold<arith::MulIOp>(loc, product, factor);
  return product;
}

OperationBody::OperationBody(OpBuilder &b, linalg::GenericOp operation)
    : op(operation), loc(operation.getLoc()) {
  for (Range range : cast<linalg::LinalgOp>(op.getOperation()).createLoopRanges(b, loc))
    sizes.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    (kind == utils::IteratorType::parallel ? parallel : reduction).push_back(loop);
}

SmallVector<Value> OperationBody::sizesOf(ArrayRef<unsigned> loops) const {
  return llvm::map_to_vector(loops, [&](unsigned loop) { return sizes[loop]; });
}

void OperationBody::locate(OpBuilder &b, Value number, ArrayRef<unsigned> loops,
                           MutableArrayRef<Value> indices) const {
  /// So many that some more can be counted in 32 bits, in which a GPU divides.
  constexpr int64_t kMany = int64_t(1) << 30;
  int64_t count = 1;
  SmallVector<int64_t> known = op.getStaticLoopRanges();
  for (unsigned loop : loops)
    count = ShapedType::isDynamic(known[loop]) ? kMany : std::min(kMany, count * known[loop]);
  Type type = count < kMany ? Type(b.getI32Type()) : Type(b.getIndexType());
  auto convert = [&](Value value, Type to) {
    return value.getType() == to ? value : b.createOrFold<arith::IndexCastUIOp>(loc, to, value);
  };
  bool isFirst = true;
  Value rest = number;
  for (unsigned position = loops.size(); position-- > 0;) {
    Value &index = indices[loops[position]], size = sizes[loops[position]];
    if (getConstantIntValue(size) == 1) {
      index = constantIndex(b, loc, 0);
      continue;
    }
    if (position == 0) {
      index = isFirst ? number : convert(rest, b.getIndexType());
      continue;
    }
    Value divisor = convert(size, type);
    rest = convert(rest, type);
    index = convert(b.createOrFold<arith::RemUIOp>(loc, rest, divisor), b.getIndexType());
    rest = b.createOrFold<arith::DivUIOp>(loc, rest, divisor);
    isFirst = false;
  }
}

bool OperationBody::isSum(unsigned output) const {
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(output));
  return llvm::none_of(reduction, [&](unsigned loop) { return map.isFunctionOfDim(loop); });
}

SmallVector<unsigned> OperationBody::sums() const {
  SmallVector<unsigned> found;
  for (unsigned output = 0; output < op.getNumDpsInits(); ++output)
    if (isSum(output))
      found.push_back(output);
  return found;
}

static SmallVector<Value> place(OpBuilder &b, Location loc, AffineMap map,
                                ArrayRef<Value> indices) {
  // Indices of loops that the map does not read may not be known yet.
  SmallVector<Value> operands(indices);
  for (auto [loop, operand] : llvm::enumerate(operands))
    if (!operand)
      operand = constantIndex(b, loc, 0);
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr result) -> Value {
    if (auto loop = dyn_cast<AffineDimExpr>(result))
      return operands[loop.getPosition()];
    AffineMap one = AffineMap::get(map.getNumDims(), 0, result);
    return affine::AffineApplyOp::create(b, loc, one, operands);
  });
}

static Value loadElement(OpBuilder &b, linalg::GenericOp op, OpOperand &operand,
                         ArrayRef<Value> indices) {
  if (!isa<MemRefType>(operand.get().getType()))
    return operand.get();
  return memref::LoadOp::create(
      b, op.getLoc(), operand.get(),
      place(b, op.getLoc(), op.getMatchingIndexingMap(&operand), indices));
}

Value OperationBody::load(OpBuilder &b, OpOperand &operand, ArrayRef<Value> indices) const {
  return loadElement(b, op, operand, indices);
}

SmallVector<Value> OperationBody::placeIn(OpBuilder &b, OpOperand &operand,
                                          ArrayRef<Value> indices) const {
  return place(b, loc, op.getMatchingIndexingMap(&operand), indices);
}

SmallVector<Value> OperationBody::placeOf(OpBuilder &b, unsigned output,
                                          ArrayRef<Value> indices) const {
  return placeIn(b, *op.getDpsInitOperand(output), indices);
}

void OperationBody::store(OpBuilder &b, Value value, unsigned output,
                          ArrayRef<Value> indices) const {
  memref::StoreOp::create(b, loc, value, op.getDpsInits()[output], placeOf(b, output, indices));
}

void OperationBody::storeResult(OpBuilder &b, Value value, unsigned output,
                                ArrayRef<Value> indices) const {
  if (!epilogue || epilogue->keepsResult)
    store(b, value, output, indices);
  if (!epilogue)
    return;
  linalg::GenericOp next = epilogue->op;
  Value result = op.getDpsInits()[output];
  IRMapping mapping;
  SmallVector<Value> there(next.getNumLoops());
  SmallVector<Value> here = placeOf(b, output, indices);
  for (OpOperand &operand : next->getOpOperands())
    if (operand.get() == result) {
      mapping.map(next.getMatchingBlockArgument(&operand), value);
      for (auto [expr, index] :
           llvm::zip_equal(next.getMatchingIndexingMap(&operand).getResults(), here))
        there[cast<AffineDimExpr>(expr).getPosition()] = index;
    }
  for (OpOperand &operand : next->getOpOperands())
    if (BlockArgument argument = next.getMatchingBlockArgument(&operand);
        !argument.use_empty() && !mapping.contains(argument))
      mapping.map(argument, loadElement(b, next, operand, there));
  for (Operation &inner : next.getBody()->without_terminator())
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      mapping.map(index.getResult(), there[index.getDim()]);
    else
      b.clone(inner, mapping);
  for (auto [number, yielded] : llvm::enumerate(next.getBody()->getTerminator()->getOperands())) {
    OpOperand *target = next.getDpsInitOperand(number);
    memref::StoreOp::create(b, next.getLoc(), mapping.lookupOrDefault(yielded), target->get(),
                            place(b, next.getLoc(), next.getMatchingIndexingMap(target), there));
  }
}

Value OperationBody::loadInitial(OpBuilder &b, unsigned output, ArrayRef<Value> indices) const {
  if (Value value = initial.lookup(output))
    return value;
  return load(b, *op.getDpsInitOperand(output), indices);
}

SmallVector<Value> OperationBody::compute(OpBuilder &b, ArrayRef<Value> indices,
                                          ValueRange sumsSoFar) const {
  IRMapping mapping;
  SmallVector<unsigned> summed = sums();
  for (auto [output, value] : llvm::zip_equal(summed, sumsSoFar))
    mapping.map(op.getRegionOutputArgs()[output], value);
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (!argument.use_empty() && !mapping.contains(argument))
      mapping.map(argument, load(b, operand, indices));
  }
  for (Operation &inner : op.getBody()->without_terminator())
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      mapping.map(index.getResult(), indices[index.getDim()]);
    else
      b.clone(inner, mapping);
  SmallVector<Value> yielded;
  for (auto [output, value] : llvm::enumerate(op.getBody()->getTerminator()->getOperands()))
    if (llvm::is_contained(summed, output))
      yielded.push_back(mapping.lookupOrDefault(value));
    else
      store(b, mapping.lookupOrDefault(value), output, indices);
  return yielded;
}

/// What `index` is at the neighbour number `lane` along `loop`.
static Value indexOf(OpBuilder &b, linalg::IndexOp index, ArrayRef<Value> indices, unsigned loop,
                     int64_t lane) {
  Value value = indices[index.getDim()];
  if (index.getDim() != loop || lane == 0)
    return value;
  return b.createOrFold<arith::AddIOp>(index.getLoc(), value,
                                       constantIndex(b, index.getLoc(), lane));
}

SmallVector<Value> OperationBody::evaluate(OpBuilder &b, Value value, ArrayRef<Value> indices,
                                           unsigned loop, int64_t lanes) const {
  llvm::SmallDenseMap<unsigned, SmallVector<Value>> loaded;
  auto loadLane = [&](BlockArgument argument, int64_t lane) {
    OpOperand &operand = op->getOpOperand(argument.getArgNumber());
    SmallVector<Value> &values = loaded[argument.getArgNumber()];
    if (values.empty())
      values = lanes == 1 ? SmallVector<Value>{load(b, operand, indices)}
                          : loadNeighbours(b, operand, indices, loop);
    return values[lane];
  };
  SmallVector<Value> results;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    IRMapping mapping;
    auto find = [&](auto &&self, Value inner) -> Value {
      if (mapping.contains(inner))
        return mapping.lookup(inner);
      Operation *source = inner.getDefiningOp();
      Value found;
      if (auto argument = dyn_cast<BlockArgument>(inner);
          argument && argument.getOwner() == op.getBody())
        found = loadLane(argument, lane);
      else if (!source || source->getBlock() != op.getBody())
        return inner;
      else if (auto index = dyn_cast<linalg::IndexOp>(source))
        found = indexOf(b, index, indices, loop, lane);
      else {
        for (Value operand : source->getOperands())
          self(self, operand);
        b.clone(*source, mapping);
        return mapping.lookup(inner);
      }
      mapping.map(inner, found);
      return found;
    };
    results.push_back(find(find, value));
  }
  return results;
}

bool OperationBody::hasNeighbours(OpOperand &operand, unsigned loop) const {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!type || !map.isFunctionOfDim(loop))
    return true;
  // What lies before the last axis is in whole vectors.
  return type.getLayout().isIdentity() && type.getElementTypeBitWidth() >= 8 &&
         type.getElementTypeBitWidth() <= 32 &&
         map.getResults().back() == getAffineDimExpr(loop, map.getContext()) &&
         !map.dropResult(map.getNumResults() - 1).isFunctionOfDim(loop) &&
         (type.getRank() == 1 || type.getShape().back() % kVectorLanes == 0);
}

bool OperationBody::suitsVectors() const {
  /// Code that is not worth to be written out several times, elements that are too few.
  constexpr size_t kLongBody = 32;
  constexpr int64_t kFewElements = 1 << 16;
  if (!reduction.empty() || parallel.empty() || op.getBody()->getOperations().size() > kLongBody)
    return false;
  int64_t count = 1;
  for (int64_t size : op.getStaticLoopRanges())
    count = ShapedType::isDynamic(size) ? kFewElements : count * size;
  unsigned last = parallel.back();
  int64_t lastSize = op.getStaticLoopRanges()[last];
  if (count < kFewElements ||
      (parallel.size() > 1 && (ShapedType::isDynamic(lastSize) || lastSize % kVectorLanes != 0)))
    return false;
  return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
    return hasNeighbours(operand, last) &&
           (!op.isDpsInit(&operand) || op.getMatchingIndexingMap(&operand).isFunctionOfDim(last));
  });
}

static VectorType vectorType(Type element) { return VectorType::get(kVectorLanes, element); }

static llvm::MaybeAlign vectorAlignment(Type element) {
  return llvm::MaybeAlign(kVectorLanes * element.getIntOrFloatBitWidth() / 8);
}

SmallVector<Value> OperationBody::loadNeighbours(OpBuilder &b, OpOperand &operand,
                                                 ArrayRef<Value> indices, unsigned loop) const {
  if (!op.getMatchingIndexingMap(&operand).isFunctionOfDim(loop))
    return SmallVector<Value>(kVectorLanes, load(b, operand, indices));
  Type element = cast<MemRefType>(operand.get().getType()).getElementType();
  Value vector = vector::LoadOp::create(b, loc, vectorType(element), operand.get(),
                                        placeIn(b, operand, indices), /*nontemporal=*/false,
                                        vectorAlignment(element));
  SmallVector<Value> lanes;
  for (int64_t lane = 0; lane < kVectorLanes; ++lane)
    lanes.push_back(vector::ExtractOp::create(b, loc, vector, lane));
  return lanes;
}

void OperationBody::computeVector(OpBuilder &b, ArrayRef<Value> indices) const {
  unsigned last = parallel.back();
  SmallVector<SmallVector<Value>> loaded;
  for (OpOperand &operand : op->getOpOperands()) {
    SmallVector<Value> &lanes = loaded.emplace_back();
    if (!op.getMatchingBlockArgument(&operand).use_empty())
      lanes = loadNeighbours(b, operand, indices, last);
  }
  SmallVector<SmallVector<Value>> results(op.getNumDpsInits());
  for (int64_t lane = 0; lane < kVectorLanes; ++lane) {
    IRMapping mapping;
    for (auto [argument, lanes] : llvm::zip_equal(op.getBody()->getArguments(), loaded))
      if (!lanes.empty())
        mapping.map(argument, lanes[lane]);
    for (Operation &inner : op.getBody()->without_terminator())
      if (auto index = dyn_cast<linalg::IndexOp>(inner))
        mapping.map(index.getResult(), indexOf(b, index, indices, last, lane));
      else
        b.clone(inner, mapping);
    for (auto [lanes, value] :
         llvm::zip_equal(results, op.getBody()->getTerminator()->getOperands()))
      lanes.push_back(mapping.lookupOrDefault(value));
  }
  for (auto [output, lanes] : llvm::enumerate(results)) {
    Type element = lanes.front().getType();
    Value vector = vector::FromElementsOp::create(b, loc, vectorType(element), lanes);
    vector::StoreOp::create(b, loc, vector, op.getDpsInits()[output], placeOf(b, output, indices),
                            /*nontemporal=*/false, vectorAlignment(element));
  }
}

SmallVector<Value> OperationBody::reduceFrom(OpBuilder &b, unsigned depth,
                                             MutableArrayRef<Value> indices,
                                             ValueRange sumsSoFar) const {
  if (depth == reduction.size())
    return compute(b, indices, sumsSoFar);
  Value zero = constantIndex(b, loc, 0), one = constantIndex(b, loc, 1);
  auto loop = scf::ForOp::create(b, loc, zero, sizes[reduction[depth]], one, sumsSoFar);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  indices[reduction[depth]] = loop.getInductionVar();
  SmallVector<Value> next = reduceFrom(b, depth + 1, indices, loop.getRegionIterArgs());
  if (!next.empty())
    scf::YieldOp::create(b, loc, next);
  return llvm::to_vector_of<Value>(loop.getResults());
}

void OperationBody::computeInOrder(OpBuilder &b, ArrayRef<Value> parallelIndices) const {
  SmallVector<Value> indices(parallelIndices), soFar;
  SmallVector<unsigned> summed = sums();
  for (unsigned output : summed)
    soFar.push_back(loadInitial(b, output, indices));
  SmallVector<Value> results = reduceFrom(b, 0, indices, soFar);
  for (auto [output, value] : llvm::zip_equal(summed, results))
    storeResult(b, value, output, indices);
}

} // namespace nnc
