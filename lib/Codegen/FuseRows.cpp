//===- FuseRows.cpp - One loop over the rows for all features -------------===//
//
// A net of few features computes matrices of many rows and three or four columns: loops over the columns
// fill no vector, and each kernel writes what the next one reads. Written out column by column, all of it
// is one loop over the rows, with rows in the lanes and everything but the data in registers.
//
//   in     linalg.generic on tensors, fused
//   out    the same; those that share a loop over rows, and are few elements otherwise, are one that
//          has no other loop
//
// A level is what can be computed in one go: what needs the sum over all rows is on the next one.
//
//===----------------------------------------------------------------------===//
#include "CPU/KernelBody.h"
#include "CPU/KernelPlan.h"
#include "LoopCost.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/NN.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/EquivalenceClasses.h"

#include <map>

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_FUSEROWSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// How often the body of one operation is written out, and what all of them cost in a loop.
constexpr int64_t kMostCopies = 32;
constexpr int64_t kMostCost = 1000;
/// Columns of wider matrices are gathered, row by row.
constexpr int64_t kMostStep = 4;

/// The element of a tensor that one row reads: an index for each axis, kRow for that of the rows.
using Place = SmallVector<int64_t>;
constexpr int64_t kRow = -1;

/// An operation with one long loop.
struct RowOp {
  linalg::GenericOp op;
  unsigned row;
  int64_t copies;
  /// Whether the rows are added up.
  bool isReduced;
};

/// What `tensor` is a copy of, if it is one that keeps a computation apart from an earlier one, so that what both
/// start from need not live as long: here nothing lives in memory.
Value withoutCopy(Value tensor) {
  auto copy = tensor.getDefiningOp<bufferization::AllocTensorOp>();
  return copy && copy->hasAttr(nn::againAttr) ? copy.getCopy() : tensor;
}

std::optional<unsigned> rowAxis(AffineMap map, unsigned row) {
  for (auto [axis, expr] : llvm::enumerate(map.getResults()))
    if (expr.isFunctionOfDim(row))
      return axis;
  return std::nullopt;
}

Place placeOf(AffineMap map, unsigned row, ArrayRef<int64_t> iteration) {
  MLIRContext *context = map.getContext();
  SmallVector<AffineExpr> indices = llvm::map_to_vector(
      iteration, [&](int64_t index) { return getAffineConstantExpr(index, context); });
  Place place;
  for (AffineExpr expr : map.getResults())
    place.push_back(expr.isFunctionOfDim(row)
                        ? kRow
                        : cast<AffineConstantExpr>(expr.replaceDims(indices)).getValue());
  return place;
}

AffineMap mapOf(ArrayRef<int64_t> place, MLIRContext *context) {
  SmallVector<AffineExpr> exprs = llvm::map_to_vector(place, [&](int64_t index) {
    return index == kRow ? getAffineDimExpr(0, context) : getAffineConstantExpr(index, context);
  });
  return AffineMap::get(1, 0, exprs, context);
}

/// Calls `visit` for each iteration of the short loops.
void forEachCopy(const RowOp &rowOp, function_ref<void(ArrayRef<int64_t>)> visit) {
  linalg::GenericOp op = rowOp.op;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges(), iteration(sizes.size(), 0);
  for (int64_t copy = 0; copy < rowOp.copies; ++copy) {
    int64_t rest = copy;
    for (unsigned dim = sizes.size(); dim-- > 0;) {
      if (dim == rowOp.row)
        continue;
      iteration[dim] = rest % sizes[dim];
      rest /= sizes[dim];
    }
    visit(iteration);
  }
}

bool isElementwise(Operation &op) {
  return OpTrait::hasElementwiseMappableTraits(&op) || op.hasTrait<OpTrait::ConstantLike>();
}

std::optional<RowOp> matchRowOp(linalg::GenericOp op) {
  if (!op.hasPureTensorSemantics() ||
      !llvm::all_of(op.getBody()->without_terminator(), isElementwise))
    return std::nullopt;
  std::optional<unsigned> row;
  int64_t copies = 1;
  for (auto [dim, size] : llvm::enumerate(op.getStaticLoopRanges())) {
    if (!ShapedType::isDynamic(size) && size <= kMostCopies)
      copies *= size;
    else if (std::exchange(row, dim))
      return std::nullopt;
  }
  if (!row || copies == 0 || copies > kMostCopies)
    return std::nullopt;
  // The loop knows the number of rows by what it reads: that of a constant reads nothing.
  bool readsRows = llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    return op.getMatchingIndexingMap(input).isFunctionOfDim(*row);
  });
  if (!readsRows)
    return std::nullopt;
  bool isReduced = op.getIteratorTypesArray()[*row] == utils::IteratorType::reduction;
  AffineExpr rowExpr = getAffineDimExpr(*row, op.getContext());
  for (AffineMap map : op.getIndexingMapsArray()) {
    auto usesRow = [&](AffineExpr expr) { return expr.isFunctionOfDim(*row); };
    if (llvm::count_if(map.getResults(), usesRow) != llvm::count(map.getResults(), rowExpr) ||
        llvm::count(map.getResults(), rowExpr) > 1)
      return std::nullopt;
  }
  if (op.getNumReductionLoops() != 0 && countAccumulators(op) != op.getNumDpsInits())
    return std::nullopt;
  for (auto [index, output] : llvm::enumerate(op.getDpsInitsMutable())) {
    if (op.getMatchingIndexingMap(&output).isFunctionOfDim(*row) == isReduced)
      return std::nullopt;
    auto type = cast<RankedTensorType>(output.get().getType());
    if (isReduced && (!findCombiner(op, index) || !output.get().getDefiningOp<linalg::FillOp>() ||
                      !type.hasStaticShape() || type.getNumElements() > kMostCopies))
      return std::nullopt;
  }
  return RowOp{op, *row, copies, isReduced};
}

/// Whether it does not just walk over all elements, to which a vector of neighbours would be as good: features are
/// added up or repeated, or each is added up by itself.
bool mixesFeatures(const RowOp &rowOp) {
  linalg::GenericOp op = rowOp.op;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  if (rowOp.copies == 1 || op.getNumReductionLoops() == 0)
    return false;
  return llvm::any_of(op->getOpOperands(), [&](OpOperand &operand) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    unsigned used = 0, all = 0;
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      all += size != 1;
      used += size != 1 && map.isFunctionOfDim(dim);
    }
    return used != 0 && used != all;
  });
}

/// The row operations of a block, and which of them go together.
class RowGroups {
public:
  explicit RowGroups(Block &block);

  /// Those that are worth one loop, each in the order of the block.
  std::vector<SmallVector<RowOp>> groups();
  /// Whether a row of `use` needs that row alone of what `use` reads, which is in the same group.
  bool flows(OpOperand &use) const;
  bool contains(Operation *op) const { return rowOps.count(op); }
  /// Whether others than row operations of the same group need `result`.
  bool escapes(OpResult result) const;

private:
  void computeLevels();
  bool dropScattered();
  bool readsFar(const RowOp &rowOp) const;

  Block &block;
  llvm::MapVector<Operation *, RowOp> rowOps;
  DenseMap<Operation *, unsigned> levels;
};

RowGroups::RowGroups(Block &inside) : block(inside) {
  for (auto op : block.getOps<linalg::GenericOp>())
    if (std::optional<RowOp> rowOp = matchRowOp(op))
      rowOps.insert({op, *rowOp});
  do
    computeLevels();
  while (dropScattered());
}

bool RowGroups::flows(OpOperand &use) const {
  auto result = dyn_cast<OpResult>(use.get());
  auto from = result ? rowOps.find(result.getOwner()) : rowOps.end();
  auto to = rowOps.find(use.getOwner());
  if (from == rowOps.end() || to == rowOps.end() || from->second.isReduced)
    return false;
  linalg::GenericOp producer = from->second.op, consumer = to->second.op;
  if (!consumer.isDpsInput(&use))
    return false;
  AffineMap written =
      producer.getMatchingIndexingMap(producer.getDpsInitOperand(result.getResultNumber()));
  std::optional<unsigned> axis = rowAxis(written, from->second.row);
  return axis == rowAxis(consumer.getMatchingIndexingMap(&use), to->second.row);
}

void RowGroups::computeLevels() {
  levels.clear();
  for (Operation &op : block) {
    unsigned level = 0;
    op.walk([&](Operation *inner) {
      for (OpOperand &use : inner->getOpOperands()) {
        Operation *source = use.get().getDefiningOp();
        source = source ? block.findAncestorOpInBlock(*source) : nullptr;
        if (source && source != &op)
          level = std::max(level, levels[source] + (contains(source) && !flows(use)));
      }
    });
    levels[&op] = level;
  }
}

bool RowGroups::escapes(OpResult result) const {
  return llvm::any_of(result.getUses(), [&](OpOperand &use) {
    return !flows(use) || levels.lookup(use.getOwner()) != levels.lookup(result.getOwner());
  });
}

/// Leaves out an operation whose rows would have to be stored element by element.
bool RowGroups::dropScattered() {
  for (auto &[op, rowOp] : rowOps)
    for (OpResult result : op->getResults()) {
      auto type = cast<RankedTensorType>(result.getType());
      AffineMap map =
          rowOp.op.getMatchingIndexingMap(rowOp.op.getDpsInitOperand(result.getResultNumber()));
      std::optional<unsigned> axis = rowAxis(map, rowOp.row);
      if (rowOp.isReduced || !escapes(result))
        continue;
      for (auto [other, size] : llvm::enumerate(type.getShape()))
        if (other != axis && size != 1) {
          rowOps.erase(op);
          return true;
        }
    }
  return false;
}

/// Whether a vector of rows that come from memory would be gathered.
bool RowGroups::readsFar(const RowOp &rowOp) const {
  linalg::GenericOp op = rowOp.op;
  return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    std::optional<unsigned> axis = rowAxis(op.getMatchingIndexingMap(input), rowOp.row);
    if (!axis || flows(*input))
      return false;
    ArrayRef<int64_t> inner = cast<RankedTensorType>(input->get().getType()).getShape();
    return ShapedType::getNumElements(inner.drop_front(*axis + 1)) > kMostStep;
  });
}

std::vector<SmallVector<RowOp>> RowGroups::groups() {
  llvm::EquivalenceClasses<Operation *> classes;
  std::map<std::tuple<void *, unsigned, unsigned>, Operation *> readers;
  for (auto &[op, rowOp] : rowOps) {
    classes.insert(op);
    for (OpOperand *input : rowOp.op.getDpsInputOperands()) {
      std::optional<unsigned> axis = rowAxis(rowOp.op.getMatchingIndexingMap(input), rowOp.row);
      if (!axis)
        continue;
      Operation *source = input->get().getDefiningOp();
      if (flows(*input) && levels[source] == levels[op])
        classes.unionSets(source, op);
      auto key = std::tuple(withoutCopy(input->get()).getAsOpaquePointer(), *axis, levels[op]);
      classes.unionSets(readers.try_emplace(key, op).first->second, op);
    }
  }
  llvm::MapVector<Operation *, SmallVector<RowOp>> byLeader;
  for (auto &[op, rowOp] : rowOps)
    byLeader[classes.getLeaderValue(op)].push_back(rowOp);
  std::vector<SmallVector<RowOp>> result;
  for (auto &[leader, group] : byLeader) {
    int64_t cost = 0;
    for (const RowOp &rowOp : group)
      cost += rowOp.copies * bodyCost(rowOp.op);
    auto isFar = [&](const RowOp &rowOp) { return readsFar(rowOp); };
    if (group.size() > 1 && llvm::any_of(group, mixesFeatures) && llvm::none_of(group, isFar) &&
        cost <= kMostCost)
      result.push_back(group);
  }
  return result;
}

/// Writes the loop of a group. What a row computes is written when something needs it.
class RowLoop {
public:
  RowLoop(IRRewriter &rewriter, ArrayRef<RowOp> group, Location loc) : b(rewriter), loc(loc) {
    for (const RowOp &rowOp : group)
      rowOps.insert({rowOp.op, rowOp});
  }

  /// Replaces these results of row operations, which are of rows or sums all of them.
  void replace(ArrayRef<OpResult> results);

private:
  using Element = std::pair<void *, Place>;

  Value read(Value operand, const Place &place);
  void evaluate(const RowOp &rowOp);
  Value combine(Operation &combiner, Value left, Value right);
  Value insert(Value made, Value whole, const std::pair<OpResult, Place> &part);
  linalg::GenericOp emit(ArrayRef<Value> outputs, ArrayRef<Value> yielded, bool isReduced);

  IRRewriter &b;
  Location loc;
  DenseMap<Operation *, RowOp> rowOps;
  std::unique_ptr<Block> body;
  llvm::SmallPtrSet<Operation *, 8> evaluated;
  /// What has been computed of results, summed up over the short loops; sums over the rows not yet.
  std::map<Element, Value> values;
  std::map<Element, Value> arguments;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
};

/// An element of what the loop computes, or one that it loads.
Value RowLoop::read(Value operand, const Place &place) {
  Value tensor = withoutCopy(operand);
  Element element(tensor.getAsOpaquePointer(), place);
  auto producer = rowOps.find(tensor.getDefiningOp());
  if (producer != rowOps.end()) {
    evaluate(producer->second);
    return values.at(element);
  }
  Value &argument = arguments[element];
  if (!argument) {
    argument = body->addArgument(getElementTypeOrSelf(tensor.getType()), loc);
    inputs.push_back(tensor);
    maps.push_back(mapOf(place, b.getContext()));
  }
  return argument;
}

Value RowLoop::combine(Operation &combiner, Value left, Value right) {
  IRMapping both;
  both.map(combiner.getOperands(), ArrayRef<Value>{left, right});
  return b.clone(combiner, both)->getResult(0);
}

void RowLoop::evaluate(const RowOp &rowOp) {
  linalg::GenericOp op = rowOp.op;
  if (!evaluated.insert(op).second)
    return;
  DenseMap<Operation *, unsigned> combiners;
  if (rowOp.isReduced)
    for (unsigned index = 0; index < op.getNumDpsInits(); ++index)
      combiners[findCombiner(op, index)] = index;
  forEachCopy(rowOp, [&](ArrayRef<int64_t> iteration) {
    IRMapping mapping;
    auto place = [&](OpOperand &operand) {
      return placeOf(op.getMatchingIndexingMap(&operand), rowOp.row, iteration);
    };
    auto sum = [&](unsigned index) -> Value & {
      return values[{op->getResult(index).getAsOpaquePointer(),
                     place(*op.getDpsInitOperand(index))}];
    };
    for (OpOperand *input : op.getDpsInputOperands())
      mapping.map(op.getMatchingBlockArgument(input), isa<RankedTensorType>(input->get().getType())
                                                          ? read(input->get(), place(*input))
                                                          : input->get());
    for (auto [index, output] : llvm::enumerate(op.getDpsInitsMutable())) {
      if (rowOp.isReduced || !op.payloadUsesValueFromOperand(&output))
        continue;
      auto fill = output.get().getDefiningOp<linalg::FillOp>();
      Value before = sum(index);
      if (!before)
        before = fill ? fill.value() : read(output.get(), place(output));
      mapping.map(op.getMatchingBlockArgument(&output), before);
    }
    b.setInsertionPointToEnd(body.get());
    for (Operation &inner : op.getBody()->without_terminator()) {
      auto combiner = combiners.find(&inner);
      if (combiner == combiners.end()) {
        b.clone(inner, mapping);
        continue;
      }
      bool isLeft = inner.getOperand(0) == op.getRegionOutputArgs()[combiner->second];
      Value term = mapping.lookupOrDefault(inner.getOperand(isLeft ? 1 : 0));
      Value &partial = sum(combiner->second);
      partial = partial ? combine(inner, partial, term) : term;
    }
    if (!rowOp.isReduced)
      for (auto [index, value] : llvm::enumerate(op.getBody()->getTerminator()->getOperands()))
        sum(index) = mapping.lookupOrDefault(value);
  });
}

linalg::GenericOp RowLoop::emit(ArrayRef<Value> outputs, ArrayRef<Value> yielded, bool isReduced) {
  OpBuilder inBody(b.getContext());
  inBody.setInsertionPointToEnd(body.get());
  linalg::YieldOp::create(inBody, loc, yielded);
  auto loop = linalg::GenericOp::create(
      b, loc, ValueRange(outputs).getTypes(), inputs, outputs, maps,
      isReduced ? utils::IteratorType::reduction : utils::IteratorType::parallel);
  loop.getRegion().push_back(body.release());
  return loop;
}

void RowLoop::replace(ArrayRef<OpResult> results) {
  // At the end of the block; the caller sorts it.
  Operation *end = results.front().getOwner()->getBlock()->getTerminator();
  bool isReduced = rowOps[results.front().getOwner()].isReduced;
  body = std::make_unique<Block>();
  // Which result each output of the loop is of, and where in it.
  SmallVector<std::pair<OpResult, Place>> parts;
  for (OpResult result : results) {
    evaluate(rowOps[result.getOwner()]);
    for (auto &[element, value] : values)
      if (element.first == result.getAsOpaquePointer())
        parts.push_back({result, element.second});
  }
  SmallVector<Value> outputs, yielded;
  for (auto &[result, place] : parts) {
    auto op = cast<linalg::GenericOp>(result.getOwner());
    Value init = op.getDpsInitOperand(result.getResultNumber())->get();
    Value value = values.at({result.getAsOpaquePointer(), place});
    Value old = body->addArgument(value.getType(), loc);
    if (isReduced) {
      b.setInsertionPointToEnd(body.get());
      value = combine(*findCombiner(op, result.getResultNumber()), old, value);
      b.setInsertionPoint(end);
      Value empty = tensor::EmptyOp::create(b, loc, ArrayRef<int64_t>(), old.getType());
      Value first = init.getDefiningOp<linalg::FillOp>().value();
      init = linalg::FillOp::create(b, loc, first, empty).getResult(0);
    }
    outputs.push_back(init);
    yielded.push_back(value);
    maps.push_back(mapOf(isReduced ? Place() : place, b.getContext()));
  }
  b.setInsertionPoint(end);
  linalg::GenericOp loop = emit(outputs, yielded, isReduced);
  DenseMap<Value, Value> wholes;
  for (auto [part, made] : llvm::zip_equal(parts, loop.getResults()))
    wholes[part.first] = isReduced ? insert(made, wholes.lookup(part.first), part) : made;
  for (OpResult result : results)
    b.replaceAllUsesWith(result, wholes[result]);
}

/// `whole`, where it begins, with `made` at its place.
Value RowLoop::insert(Value made, Value whole, const std::pair<OpResult, Place> &part) {
  auto type = cast<RankedTensorType>(part.first.getType());
  if (type.getRank() == 0)
    return made;
  if (!whole)
    whole = tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  SmallVector<OpFoldResult> ones(type.getRank(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> offsets = llvm::map_to_vector(
      part.second, [&](int64_t offset) { return OpFoldResult(b.getIndexAttr(offset)); });
  return tensor::InsertSliceOp::create(b, loc, made, whole, offsets, ones, ones);
}

class FuseRows : public impl::FuseRowsPassBase<FuseRows> {
  using FuseRowsPassBase::FuseRowsPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    llvm::SetVector<Block *> blocks;
    getOperation().walk([&](linalg::GenericOp op) { blocks.insert(op->getBlock()); });
    for (Block *block : blocks)
      fuseIn(*block, rewriter);
  }

  void fuseIn(Block &block, IRRewriter &rewriter) {
    RowGroups rows(block);
    std::vector<SmallVector<RowOp>> groups = rows.groups();
    // Found before anything changes.
    std::vector<std::pair<SmallVector<OpResult>, SmallVector<OpResult>>> needed;
    for (ArrayRef<RowOp> group : groups) {
      auto &[ofRows, sums] = needed.emplace_back();
      for (const RowOp &rowOp : group)
        for (OpResult result : rowOp.op->getResults())
          if (rowOp.isReduced)
            sums.push_back(result);
          else if (rows.escapes(result))
            ofRows.push_back(result);
    }
    for (auto [group, results] : llvm::zip_equal(groups, needed))
      fuse(group, results.first, results.second, rewriter);
    if (!groups.empty())
      sortTopologically(&block);
  }

  static void fuse(ArrayRef<RowOp> group, ArrayRef<OpResult> ofRows, ArrayRef<OpResult> sums,
                   IRRewriter &rewriter) {
    SmallVector<Location> locations =
        llvm::map_to_vector(group, [](RowOp rowOp) { return rowOp.op.getLoc(); });
    remarkDone(locations.front(), "fuse-rows")
        << "one loop over the rows with that of " << lineText(locations.back());
    Location loc = rewriter.getFusedLoc(locations);
    // Sums read what is stored of the rows.
    for (ArrayRef<OpResult> results : {ofRows, sums})
      if (!results.empty())
        RowLoop(rewriter, group, loc).replace(results);
    for (const RowOp &rowOp : llvm::reverse(group))
      rewriter.eraseOp(rowOp.op);
  }
};

} // namespace
} // namespace nnc
