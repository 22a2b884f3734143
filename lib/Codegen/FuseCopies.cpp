//===- FuseCopies.cpp - Compute elements where they are copied to ---------===//
//
//   in     linalg.generic on buffers, operands packed
//   out    the same; what only copies read, as those into panels are, the copies compute themselves
//
//===----------------------------------------------------------------------===//
#include "BufferEffects.h"
#include "BufferPlaces.h"
#include "CutLoop.h"
#include "FusionGroup.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_FUSECOPIESPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// A copy of elements of a buffer, and which: those at `places` of `part`, if there is one, as the copy's loops go.
struct Copy {
  linalg::GenericOp op;
  SmallVector<AffineExpr> places;
  memref::SubViewOp part;
};

bool isParallel(linalg::GenericOp op) { return op.getNumParallelLoops() == op.getNumLoops(); }

/// Whether `op` moves elements, and converts them at most.
bool isCopy(linalg::GenericOp op) {
  if (!isParallel(op) || op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1)
    return false;
  Block &body = *op.getBody();
  Value yielded = body.getTerminator()->getOperand(0);
  if (yielded == body.getArgument(0))
    return true;
  Operation *conversion = yielded.getDefiningOp();
  return conversion && isa<CastOpInterface>(conversion) &&
         conversion->getOperand(0) == body.getArgument(0);
}

/// The places of the source of `expand`, of which these are the places in the result.
SmallVector<AffineExpr> mergeAxes(memref::ExpandShapeOp expand, ArrayRef<AffineExpr> places) {
  ArrayRef<int64_t> shape = expand.getResultType().getShape();
  SmallVector<AffineExpr> merged;
  for (const ReassociationIndices &axes : expand.getReassociationIndices()) {
    AffineExpr place = places[axes.front()];
    for (int64_t axis : llvm::drop_begin(axes))
      place = place * shape[axis] + places[axis];
    merged.push_back(place);
  }
  return merged;
}

/// What `op` copies of `buffer`; none if it is no such copy, or reads it through other views.
std::optional<Copy> matchCopy(Operation *user, Value buffer) {
  auto op = dyn_cast<linalg::GenericOp>(user);
  if (!op || !isCopy(op))
    return std::nullopt;
  Copy copy{
      op, llvm::to_vector(op.getMatchingIndexingMap(op.getDpsInputOperand(0)).getResults()), {}};
  Value source = op.getInputs().front();
  while (source != buffer) {
    Operation *view = source.getDefiningOp();
    if (auto expand = dyn_cast_or_null<memref::ExpandShapeOp>(view); expand && !copy.part) {
      for (const ReassociationIndices &axes : expand.getReassociationIndices())
        for (int64_t axis : llvm::drop_begin(axes))
          if (expand.getResultType().isDynamicDim(axis))
            return std::nullopt;
      copy.places = mergeAxes(expand, copy.places);
      source = expand.getSrc();
    } else if (auto part = dyn_cast_or_null<memref::SubViewOp>(view);
               part && !copy.part && part.hasUnitStride() &&
               part.getType().getRank() == part.getSourceType().getRank()) {
      copy.part = part;
      source = part.getSource();
    } else {
      return std::nullopt;
    }
  }
  return copy;
}

/// What an elementwise operation reads or writes, and how its loops go along it.
struct Operand {
  Value value;
  AffineMap map;
};

/// An elementwise operation with the loops that it had before those that are one walk through memory became one.
struct Elementwise {
  SmallVector<Operand> operands;
  unsigned numLoops = 0;
};

/// The sizes of the axes that are axis `axis` of `value`, which may be a view that merges axes.
ArrayRef<int64_t> sizesOf(Value value, unsigned axis) {
  auto collapse = value.getDefiningOp<memref::CollapseShapeOp>();
  if (!collapse)
    return cast<MemRefType>(value.getType()).getShape().slice(axis, 1);
  ReassociationIndices axes = collapse.getReassociationIndices()[axis];
  return collapse.getSrcType().getShape().slice(axes.front(), axes.size());
}

std::optional<Elementwise> expandLoops(linalg::GenericOp op) {
  SmallVector<ArrayRef<int64_t>> sizes(op.getNumLoops());
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (!map.isProjectedPermutation())
      return std::nullopt;
    for (unsigned axis = 0; axis < map.getNumResults(); ++axis) {
      ArrayRef<int64_t> here = sizesOf(operand.get(), axis);
      ArrayRef<int64_t> &known = sizes[map.getDimPosition(axis)];
      if (!known.empty() && known != here)
        return std::nullopt;
      known = here;
    }
  }
  Elementwise expanded;
  SmallVector<unsigned> first;
  for (ArrayRef<int64_t> known : sizes) {
    first.push_back(expanded.numLoops);
    expanded.numLoops += known.size();
  }
  MLIRContext *context = op.getContext();
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    SmallVector<AffineExpr> places;
    for (unsigned axis = 0; axis < map.getNumResults(); ++axis)
      for (unsigned loop = map.getDimPosition(axis), part = 0; part < sizes[loop].size(); ++part)
        places.push_back(getAffineDimExpr(first[loop] + part, context));
    auto collapse = operand.get().getDefiningOp<memref::CollapseShapeOp>();
    expanded.operands.push_back({collapse ? collapse.getSrc() : operand.get(),
                                 AffineMap::get(expanded.numLoops, 0, places, context)});
  }
  return expanded;
}

/// An elementwise operation, and the copies that alone read what it computes.
class Producer {
public:
  explicit Producer(linalg::GenericOp op) : producer(op) {}

  bool findCopies();
  void fuse(IRRewriter &rewriter);

private:
  ArrayRef<Operand> inputs() const { return ArrayRef(loops.operands).drop_back(); }
  bool collectUsers(Value view);
  bool isUnchangedUntil(Copy &copy);
  bool keepsLittle();
  void compute(IRRewriter &rewriter, Copy &copy);

  linalg::GenericOp producer;
  Elementwise loops;
  Value buffer;
  SmallVector<Copy> copies;
};

bool isBuffer(const Operand &operand) { return isa<MemRefType>(operand.value.getType()); }

/// Collects the copies among those who read `view` after the producer; false if there is anyone else.
bool Producer::collectUsers(Value view) {
  for (Operation *user : view.getUsers()) {
    Operation *ancestor = producer->getBlock()->findAncestorOpInBlock(*user);
    if (!ancestor)
      return false;
    if (isa<ViewLikeOpInterface>(user)) {
      if (!collectUsers(user->getResult(0)))
        return false;
    } else if (ancestor != producer && !ancestor->isBeforeInBlock(producer)) {
      std::optional<Copy> copy = matchCopy(user, buffer);
      if (!copy)
        return false;
      copies.push_back(std::move(*copy));
    }
  }
  return true;
}

/// Whether what the producer reads is the same where it is copied: nothing up to there, or in a loop there, writes it.
bool Producer::isUnchangedUntil(Copy &copy) {
  Block *block = producer->getBlock();
  Operation *last = block->findAncestorOpInBlock(*copy.op);
  auto isElsewhere = [&](Operation *writer) {
    Operation *ancestor = block->findAncestorOpInBlock(*writer);
    return !ancestor || ancestor == producer || ancestor->isBeforeInBlock(producer) ||
           last->isBeforeInBlock(ancestor);
  };
  return llvm::all_of(inputs(), [&](const Operand &input) {
    return !isBuffer(input) || areWriters(rootBuffer(input.value), isElsewhere);
  });
}

/// Whether no more memory is in use until the copy than with the result in it.
bool Producer::keepsLittle() {
  llvm::SmallPtrSet<Value, 4> roots;
  double bytes = 0;
  for (const Operand &input : inputs()) {
    auto alloc = isBuffer(input) ? rootBuffer(input.value).getDefiningOp<memref::AllocOp>()
                                 : memref::AllocOp();
    if (alloc && roots.insert(alloc).second)
      bytes += wholeBytes(alloc);
  }
  return bytes <= wholeBytes(buffer);
}

bool Producer::findCopies() {
  if (!isParallel(producer) || producer.getNumDpsInits() != 1 || producer.hasIndexSemantics() ||
      isCopy(producer) || producer.payloadUsesValueFromOperand(producer.getDpsInitOperand(0)))
    return false;
  std::optional<Elementwise> expanded = expandLoops(producer);
  if (!expanded)
    return false;
  loops = std::move(*expanded);
  const Operand &output = loops.operands.back();
  buffer = output.value;
  auto alloc = buffer.getDefiningOp<memref::AllocOp>();
  if (!alloc || alloc->getBlock() != producer->getBlock() || !output.map.isPermutation())
    return false;
  // In place, it reads each element where it writes it.
  for (const Operand &input : inputs())
    if (isBuffer(input) && rootBuffer(input.value) == buffer &&
        (input.value != buffer || input.map != output.map))
      return false;
  return collectUsers(buffer) && !copies.empty() && keepsLittle() &&
         llvm::all_of(copies, [&](Copy &copy) {
           Value target = rootBuffer(copy.op.getOutputs().front());
           return isUnchangedUntil(copy) && llvm::none_of(inputs(), [&](const Operand &input) {
                    return isBuffer(input) && rootBuffer(input.value) == target;
                  });
         });
}

/// The copy as an operation that computes what it writes.
void Producer::compute(IRRewriter &rewriter, Copy &copy) {
  linalg::GenericOp op = copy.op;
  Location loc = rewriter.getFusedLoc({producer.getLoc(), op.getLoc()});
  rewriter.setInsertionPoint(op);
  AffineMap written = loops.operands.back().map;
  SmallVector<LoopRange> ranges;
  SmallVector<AffineExpr> places(loops.numLoops);
  for (unsigned axis = 0; axis < written.getNumResults(); ++axis) {
    unsigned loop = written.getDimPosition(axis);
    places[loop] = copy.places[axis];
    if (copy.part)
      ranges.push_back({loop, copy.part.getMixedOffsets()[axis], copy.part.getMixedSizes()[axis]});
  }
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  for (const Operand &input : inputs()) {
    values.push_back(takeRanges(rewriter, loc, input.value, input.map, ranges));
    maps.push_back(input.map.replaceDimsAndSymbols(places, {}, op.getNumLoops(), 0));
  }
  maps.push_back(op.getMatchingIndexingMap(op.getDpsInitOperand(0)));
  auto computing = linalg::GenericOp::create(
      rewriter, loc, values, op.getOutputs(), maps, op.getIteratorTypesArray(),
      [&](OpBuilder &body, Location, ValueRange arguments) {
        IRMapping mapping;
        for (auto [from, to] : llvm::zip(producer.getRegionInputArgs(), arguments))
          mapping.map(from, to);
        for (Operation &inner : producer.getBody()->without_terminator())
          body.clone(inner, mapping);
        Value result = mapping.lookupOrDefault(producer.getBody()->getTerminator()->getOperand(0));
        mapping.map(op.getRegionInputArgs().front(), result);
        for (Operation &inner : *op.getBody())
          body.clone(inner, mapping);
      });
  computing->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.eraseOp(op);
}

void Producer::fuse(IRRewriter &rewriter) {
  remarkDone(producer.getLoc(), "fuse-copies")
      << "computed where it is packed or copied to: nothing else reads it";
  for (Copy &copy : copies)
    compute(rewriter, copy);
  rewriter.eraseOp(producer);
}

class FuseCopies : public impl::FuseCopiesPassBase<FuseCopies> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) {
      if (!isCopy(op))
        ops.push_back(op);
    });
    // The last one first: it takes the ones before it along.
    for (linalg::GenericOp op : llvm::reverse(ops)) {
      Producer producer(op);
      if (producer.findCopies())
        producer.fuse(rewriter);
    }
  }
};

} // namespace
} // namespace nnc
