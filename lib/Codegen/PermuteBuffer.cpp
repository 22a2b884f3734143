//===- PermuteBuffer.cpp - Another order of axes for a temporary ----------===//
#include "PermuteBuffer.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace nnc {

using Groups = SmallVector<ReassociationIndices>;

/// The group that holds `axis` if it holds nothing else.
static std::optional<int64_t> findAlone(const Groups &groups, int64_t axis) {
  for (auto [place, group] : llvm::enumerate(groups))
    if (group.size() == 1 && group.front() == axis)
      return place;
  return std::nullopt;
}

std::optional<BufferAxis> findAxis(Value view, int64_t axis) {
  std::optional<int64_t> place = axis;
  while (place) {
    Operation *op = view.getDefiningOp();
    if (auto alloc = dyn_cast_or_null<memref::AllocOp>(op))
      return BufferAxis{alloc, *place};
    if (auto subview = dyn_cast_or_null<memref::SubViewOp>(op);
        subview && subview.getSourceType().getRank() == subview.getType().getRank()) {
      view = subview.getSource();
    } else if (auto expand = dyn_cast_or_null<memref::ExpandShapeOp>(op)) {
      place = findAlone(expand.getReassociationIndices(), *place);
      view = expand.getSrc();
    } else if (auto collapse = dyn_cast_or_null<memref::CollapseShapeOp>(op)) {
      ReassociationIndices group = collapse.getReassociationIndices()[*place];
      place = group.size() == 1 ? std::optional(group.front()) : std::nullopt;
      view = collapse.getSrc();
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

/// Goes through all uses of `buffer` and of its views; false if one is not known, or reshapes the axis.
static bool visitUses(Value buffer, int64_t axis, bool isWhole,
                      function_ref<void(OpOperand &, int64_t)> body) {
  return llvm::all_of(buffer.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<linalg::GenericOp, linalg::FillOp>(user)) {
      body(use, axis);
      return true;
    }
    if (isa<memref::DeallocOp>(user))
      return true;
    if (auto dim = dyn_cast<memref::DimOp>(user))
      return dim.getConstantIndex().has_value();
    if (auto subview = dyn_cast<memref::SubViewOp>(user))
      return subview.getSourceType().getRank() == subview.getType().getRank() &&
             visitUses(subview, axis, /*isWhole=*/false, body);
    if (auto expand = dyn_cast<memref::ExpandShapeOp>(user); expand && isWhole) {
      ReassociationIndices group = expand.getReassociationIndices()[axis];
      return group.size() == 1 && visitUses(expand, group.front(), isWhole, body);
    }
    if (auto collapse = dyn_cast<memref::CollapseShapeOp>(user); collapse && isWhole) {
      std::optional<int64_t> place = findAlone(collapse.getReassociationIndices(), axis);
      return place && visitUses(collapse, *place, isWhole, body);
    }
    return false;
  });
}

bool canMove(BufferAxis axis) {
  return axis.alloc.getType().getLayout().isIdentity() &&
         visitUses(axis.alloc, axis.axis, /*isWhole=*/true, [](OpOperand &, int64_t) {});
}

void forEachUse(BufferAxis axis, function_ref<void(OpOperand &, int64_t)> body) {
  visitUses(axis.alloc, axis.axis, /*isWhole=*/true, body);
}

template <typename T> static SmallVector<T> permuted(ArrayRef<T> values, ArrayRef<int64_t> order) {
  SmallVector<T> result;
  for (int64_t place : order)
    result.push_back(values[place]);
  return result;
}

/// Consecutive groups of as many axes as `groups` have, in this order; and where their axes come from.
static std::pair<Groups, SmallVector<int64_t>> regroup(const Groups &groups,
                                                       ArrayRef<int64_t> order) {
  Groups result;
  SmallVector<int64_t> sources;
  for (int64_t place : order) {
    result.emplace_back();
    for (int64_t source : groups[place]) {
      result.back().push_back(sources.size());
      sources.push_back(source);
    }
  }
  return {result, sources};
}

static void replaceUses(RewriterBase &rewriter, Value from, Value to, ArrayRef<int64_t> order);

static void replaceView(RewriterBase &rewriter, memref::SubViewOp op, Value to,
                        ArrayRef<int64_t> order) {
  Value view = memref::SubViewOp::create(rewriter, op.getLoc(), to,
                                         permuted<OpFoldResult>(op.getMixedOffsets(), order),
                                         permuted<OpFoldResult>(op.getMixedSizes(), order),
                                         permuted<OpFoldResult>(op.getMixedStrides(), order));
  replaceUses(rewriter, op, view, order);
}

static void replaceView(RewriterBase &rewriter, memref::ExpandShapeOp op, Value to,
                        ArrayRef<int64_t> order) {
  auto [groups, axes] = regroup(op.getReassociationIndices(), order);
  SmallVector<int64_t> shape = permuted<int64_t>(op.getType().getShape(), axes);
  Value view =
      memref::ExpandShapeOp::create(rewriter, op.getLoc(), shape, to, groups,
                                    permuted<OpFoldResult>(op.getMixedOutputShape(), axes));
  replaceUses(rewriter, op, view, axes);
}

static void replaceView(RewriterBase &rewriter, memref::CollapseShapeOp op, Value to,
                        ArrayRef<int64_t> order) {
  // The groups in the order in which their first axes come now.
  Groups groups = op.getReassociationIndices();
  SmallVector<int64_t> axes;
  for (int64_t source : order)
    for (auto [place, group] : llvm::enumerate(groups))
      if (group.front() == source)
        axes.push_back(place);
  auto [regrouped, sources] = regroup(groups, axes);
  assert(ArrayRef<int64_t>(sources) == order && "axes of a group have been torn apart");
  Value view = memref::CollapseShapeOp::create(rewriter, op.getLoc(), to, regrouped);
  replaceUses(rewriter, op, view, axes);
}

static void replaceUses(RewriterBase &rewriter, Value from, Value to, ArrayRef<int64_t> order) {
  for (OpOperand &use : llvm::make_early_inc_range(from.getUses())) {
    Operation *user = use.getOwner();
    rewriter.setInsertionPoint(user);
    if (auto op = dyn_cast<linalg::GenericOp>(user)) {
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      AffineMap &map = maps[use.getOperandNumber()];
      map = AffineMap::get(map.getNumDims(), 0, permuted<AffineExpr>(map.getResults(), order),
                           rewriter.getContext());
      op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
      use.set(to);
    } else if (auto dim = dyn_cast<memref::DimOp>(user)) {
      auto *place = llvm::find(order, *dim.getConstantIndex());
      rewriter.replaceOpWithNewOp<memref::DimOp>(dim, to, int64_t(place - order.begin()));
    } else if (isa<linalg::FillOp, memref::DeallocOp>(user)) {
      use.set(to);
    } else {
      llvm::TypeSwitch<Operation *>(user)
          .Case<memref::SubViewOp, memref::ExpandShapeOp, memref::CollapseShapeOp>(
              [&](auto view) { replaceView(rewriter, view, to, order); });
      rewriter.eraseOp(user);
    }
  }
}

memref::AllocOp permuteBuffer(RewriterBase &rewriter, memref::AllocOp alloc,
                              ArrayRef<int64_t> order) {
  MemRefType type = alloc.getType();
  rewriter.setInsertionPoint(alloc);
  SmallVector<OpFoldResult> sizes = permuted<OpFoldResult>(alloc.getMixedSizes(), order);
  SmallVector<Value> dynamicSizes;
  for (OpFoldResult size : sizes)
    if (auto value = dyn_cast<Value>(size))
      dynamicSizes.push_back(value);
  auto permutedType =
      MemRefType::get(permuted<int64_t>(type.getShape(), order), type.getElementType());
  auto result = memref::AllocOp::create(rewriter, alloc.getLoc(), permutedType, dynamicSizes);
  replaceUses(rewriter, alloc, result, order);
  rewriter.eraseOp(alloc);
  return result;
}

} // namespace nnc
