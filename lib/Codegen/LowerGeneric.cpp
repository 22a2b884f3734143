//===- LowerGeneric.cpp - The one way to build a linalg.generic -----------===//
//
// A loop nest reads its operands through whatever only moves elements: a broadcast, a transpose,
// windows, inserted axes of size one, a fill. The producer is then dead unless something else needs it.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <map>

using namespace mlir;

namespace nnc {
namespace {

/// The input of a linalg.generic that yields it unchanged at each place of its result.
std::optional<Read> copiedInput(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity())
    return std::nullopt;
  Operation *yield = op.getBody()->getTerminator();
  if (yield != &op.getBody()->front() || yield->getOperand(0) != op.getBody()->getArgument(0))
    return std::nullopt;
  return Read{op.getInputs()[0], op.getMatchingIndexingMap(op.getDpsInputOperand(0)), Type()};
}

/// For a reshape between `source` and the type with more dimensions, `expanded`, that differ in
/// axes of size one only: for each group the axis that is not of size one, or none.
std::optional<SmallVector<std::optional<int64_t>>>
principalAxes(RankedTensorType expanded, ArrayRef<ReassociationIndices> groups) {
  SmallVector<std::optional<int64_t>> axes;
  for (ArrayRef<int64_t> group : groups) {
    std::optional<int64_t> principal;
    for (int64_t axis : group) {
      if (expanded.getDimSize(axis) == 1)
        continue;
      if (principal)
        return std::nullopt;
      principal = axis;
    }
    axes.push_back(principal);
  }
  return axes;
}

/// The read of what `read.source` was made from, if that only moved elements.
std::optional<Read> readThroughOnce(const Read &read) {
  MLIRContext *context = read.map.getContext();
  Operation *producer = read.source.getDefiningOp();
  if (auto generic = dyn_cast_or_null<linalg::GenericOp>(producer)) {
    std::optional<Read> input = copiedInput(generic);
    if (!input)
      return std::nullopt;
    return Read{input->source, input->map.compose(read.map), read.elementType};
  }
  AffineExpr zero = getAffineConstantExpr(0, context);
  SmallVector<AffineExpr> exprs;
  if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(producer)) {
    auto axes = principalAxes(expand.getResultType(), expand.getReassociationIndices());
    if (!axes)
      return std::nullopt;
    for (std::optional<int64_t> axis : *axes)
      exprs.push_back(axis ? read.map.getResult(*axis) : zero);
    return Read{expand.getSrc(), AffineMap::get(read.map.getNumDims(), 0, exprs, context),
                read.elementType};
  }
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(producer)) {
    auto axes = principalAxes(collapse.getSrcType(), collapse.getReassociationIndices());
    if (!axes)
      return std::nullopt;
    exprs.assign(collapse.getSrcType().getRank(), zero);
    for (auto [group, axis] : llvm::enumerate(*axes))
      if (axis)
        exprs[*axis] = read.map.getResult(group);
    return Read{collapse.getSrc(), AffineMap::get(read.map.getNumDims(), 0, exprs, context),
                read.elementType};
  }
  return std::nullopt;
}

bool readsAll(AffineMap map, ArrayRef<unsigned> loops) {
  return llvm::all_of(loops, [&](unsigned loop) {
    return map.getResultPosition(getAffineDimExpr(loop, map.getContext())).has_value();
  });
}

/// Loops by number, with their extents.
using Extents = std::map<unsigned, int64_t>;

/// The extents of those of `loops` that `read` tells and `earlier`, which goes over windows of its
/// source, does not. None if one is lost that is not known now.
std::optional<Extents> findLost(const Read &read, const Read &earlier, ArrayRef<unsigned> loops) {
  Extents lost;
  auto type = cast<RankedTensorType>(read.source.getType());
  for (unsigned loop : loops) {
    AffineExpr dim = getAffineDimExpr(loop, read.map.getContext());
    std::optional<unsigned> position = read.map.getResultPosition(dim);
    if (!position || earlier.map.getResultPosition(dim))
      continue;
    if (!earlier.map.isFunctionOfDim(loop) || type.isDynamicDim(*position))
      return std::nullopt;
    lost[loop] = type.getDimSize(*position);
  }
  return lost;
}

/// `kept` are loops whose extent only the inputs tell; those that they no longer tell are added to
/// `lost`.
Read readThrough(Read read, ArrayRef<unsigned> kept, Extents &lost) {
  SmallVector<unsigned> needed = llvm::to_vector(
      llvm::make_filter_range(kept, [&](unsigned loop) { return readsAll(read.map, loop); }));
  while (std::optional<Read> earlier = readThroughOnce(read)) {
    std::optional<Extents> more = findLost(read, *earlier, needed);
    if (!more)
      break;
    lost.insert(more->begin(), more->end());
    read = *earlier;
  }
  return read;
}

/// The scalar that all elements of `tensor` are, if that is known.
Value uniformElement(OpBuilder &builder, Location loc, Value tensor) {
  Operation *producer = tensor.getDefiningOp();
  if (auto fill = dyn_cast_or_null<linalg::FillOp>(producer))
    return fill.value();
  auto elements = dyn_cast_or_null<tensor::FromElementsOp>(producer);
  if (elements && elements.getElements().size() == 1)
    return elements.getElements().front();
  DenseElementsAttr constant;
  if (!matchPattern(tensor, m_Constant(&constant)) || !constant.isSplat())
    return nullptr;
  return arith::ConstantOp::create(builder, loc,
                                   cast<TypedAttr>(constant.getSplatValue<Attribute>()));
}

} // namespace

Operation *createGeneric(OpBuilder &builder, Location loc, ArrayRef<Read> reads,
                         ArrayRef<Write> writes, ArrayRef<utils::IteratorType> iterators,
                         ArrayRef<unsigned> kept, GenericBody body) {
  SmallVector<Value> inputs, outputs, uniform;
  SmallVector<AffineMap> maps;
  Extents lost;
  for (Read read : reads) {
    bool isNeeded = llvm::any_of(kept, [&](unsigned loop) { return readsAll(read.map, loop); });
    read = readThrough(read, kept, lost);
    uniform.push_back(isNeeded ? Value() : uniformElement(builder, loc, read.source));
    if (uniform.back())
      continue;
    inputs.push_back(read.source);
    maps.push_back(read.map);
  }
  // A tensor that nothing reads tells the sizes of windows, as in linalg's own pooling.
  if (!lost.empty()) {
    SmallVector<int64_t> shape;
    SmallVector<AffineExpr> exprs;
    for (auto [loop, extent] : lost) {
      shape.push_back(extent);
      exprs.push_back(builder.getAffineDimExpr(loop));
    }
    inputs.push_back(tensor::EmptyOp::create(builder, loc, shape,
                                             getElementTypeOrSelf(writes.front().init.getType())));
    maps.push_back(AffineMap::get(iterators.size(), 0, exprs, builder.getContext()));
  }
  for (const Write &write : writes) {
    outputs.push_back(write.init);
    maps.push_back(write.map);
  }
  return linalg::GenericOp::create(
      builder, loc, TypeRange(outputs), inputs, outputs, maps, iterators,
      [&](OpBuilder &inner, Location innerLoc, ValueRange arguments) {
        SmallVector<Value> elements;
        unsigned next = 0;
        for (auto [read, value] : llvm::zip_equal(reads, uniform)) {
          Value stored = value ? value : arguments[next++];
          elements.push_back(loadElement(inner, innerLoc, stored, read.elementType));
        }
        linalg::YieldOp::create(
            inner, innerLoc, body(inner, innerLoc, elements, arguments.take_back(outputs.size())));
      });
}

} // namespace nnc
