//===- SplitPreparation.cpp - What depends on parameters alone, done once -===//
//
// A binding-time split: what reads nothing but parameters, states and constants is early, the rest late.
// Early operations move to a function of their own. The early buffers that late operations read, and the
// parameters that they read as they are, become parts of one buffer that this function fills.
//
//===----------------------------------------------------------------------===//
#include "ArenaPlan.h"
#include "BindingTime.h"
#include "ConcreteSizes.h"
#include "KernelLoops.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/NN.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_SPLITPREPARATIONPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// The parts of the prepared buffer: early allocations, then arguments, each on a boundary.
class PreparedLayout {
public:
  explicit PreparedLayout(const BindingTimes &times) {
    for (memref::AllocOp alloc : times.earlyBuffers())
      if (times.isReadLate(alloc))
        add(alloc.getMemref());
    for (BlockArgument argument : times.earlyArguments())
      if (times.isReadLate(argument))
        add(argument);
  }

  /// Each buffer and where its part begins.
  const llvm::MapVector<Value, int64_t> &parts() const { return offsets; }
  MemRefType type(Builder &builder) const { return MemRefType::get({bytes}, builder.getI8Type()); }
  int64_t size() const { return bytes; }
  /// The part for `buffer` of `prepared`.
  Value view(OpBuilder &builder, Value prepared, Value buffer) const {
    Location loc = buffer.getLoc();
    Value offset = arith::ConstantIndexOp::create(builder, loc, offsets.lookup(buffer));
    return memref::ViewOp::create(builder, loc, cast<MemRefType>(buffer.getType()), prepared,
                                  offset, ValueRange());
  }

private:
  void add(Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    offsets.insert({buffer, bytes});
    bytes += llvm::alignTo(type.getNumElements() * elementBytes(type), ArenaPlan::kAlignment);
  }

  llvm::MapVector<Value, int64_t> offsets;
  int64_t bytes = 0;
};

/// Clones `value` with all that computes it, unless it is there.
void cloneValue(OpBuilder &builder, IRMapping &mapping, Value value) {
  Operation *op = value.getDefiningOp();
  if (mapping.contains(value) || !op)
    return;
  for (Value operand : op->getOperands())
    cloneValue(builder, mapping, operand);
  builder.clone(*op, mapping);
}

/// `function_prepare(early arguments, prepared)`: the early operations in their order, then copies of the
/// arguments that late operations read.
void emitPrepare(func::FuncOp function, const BindingTimes &times, const PreparedLayout &layout) {
  OpBuilder builder(function.getContext());
  builder.setInsertionPointAfter(function);
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attributes;
  auto addArgument = [&](Type type, NamedAttrList attrs) {
    attrs.set(kBufferAttr, builder.getI64IntegerAttr(types.size()));
    types.push_back(type);
    attributes.push_back(attrs.getDictionary(builder.getContext()));
  };
  for (BlockArgument argument : times.earlyArguments())
    addArgument(argument.getType(), function.getArgAttrDict(argument.getArgNumber()));
  addArgument(layout.type(builder), {});
  auto prepare =
      func::FuncOp::create(builder, function.getLoc(), (function.getName() + "_prepare").str(),
                           builder.getFunctionType(types, {}));
  prepare.setAllArgAttrs(attributes);
  builder.setInsertionPointToStart(prepare.addEntryBlock());
  IRMapping mapping;
  mapping.map(times.earlyArguments(), prepare.getArguments().drop_back());
  Value prepared = prepare.getArguments().back();
  for (auto &[buffer, offset] : layout.parts())
    if (!isa<BlockArgument>(buffer))
      mapping.map(buffer, layout.view(builder, prepared, buffer));
  for (Operation *op : times.earlyOperations()) {
    llvm::SetVector<Value> used(op->getOperands().begin(), op->getOperands().end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    for (Value value : used)
      cloneValue(builder, mapping, value);
    builder.clone(*op, mapping);
  }
  IRRewriter rewriter(builder);
  for (auto &[buffer, offset] : layout.parts())
    if (isa<BlockArgument>(buffer)) {
      AffineMap map = builder.getMultiDimIdentityMap(cast<MemRefType>(buffer.getType()).getRank());
      Value part = layout.view(rewriter, prepared, buffer);
      linalg::GenericOp copy =
          copyBuffer(rewriter, function.getLoc(), mapping.lookup(buffer), part, map, map);
      simplifyLoops(rewriter, copy);
      rewriter.setInsertionPointToEnd(&prepare.getBody().front());
    }
  func::ReturnOp::create(rewriter, function.getLoc());
}

/// `function_prepared_bytes()`: how large the prepared buffer is.
void emitSize(func::FuncOp function, const PreparedLayout &layout) {
  OpBuilder builder(function.getContext());
  builder.setInsertionPointAfter(function);
  Location loc = function.getLoc();
  auto size = func::FuncOp::create(builder, loc, (function.getName() + "_prepared_bytes").str(),
                                   builder.getFunctionType({}, builder.getI64Type()));
  builder.setInsertionPointToStart(size.addEntryBlock());
  func::ReturnOp::create(
      builder, loc,
      arith::ConstantIntOp::create(builder, loc, layout.size(), /*width=*/64).getResult());
}

/// Erases `buffer`'s views that nothing uses.
void eraseDeadViews(Value buffer) {
  for (Operation *user : llvm::make_early_inc_range(buffer.getUsers())) {
    if (isa<memref::DeallocOp>(user)) {
      user->erase();
    } else if (user->getNumResults() == 1 && isPure(user)) {
      eraseDeadViews(user->getResult(0));
      if (user->use_empty())
        user->erase();
    }
  }
}

/// Replaces the early arguments of `function` by one, the first, for the prepared buffer.
Value takePrepared(func::FuncOp function, ArrayRef<BlockArgument> gone, MemRefType type) {
  Builder builder(function.getContext());
  auto slotOf = [&](unsigned position) {
    auto slot = function.getArgAttrOfType<IntegerAttr>(position, kBufferAttr);
    return slot ? std::optional(slot.getInt()) : std::nullopt;
  };
  SmallVector<int64_t> goneSlots;
  llvm::BitVector positions(function.getNumArguments());
  for (BlockArgument argument : gone) {
    goneSlots.push_back(*slotOf(argument.getArgNumber()));
    positions.set(argument.getArgNumber());
  }
  (void)function.eraseArguments(positions);
  for (unsigned position = 0; position < function.getNumArguments(); ++position)
    if (std::optional<int64_t> slot = slotOf(position)) {
      int64_t before = llvm::count_if(goneSlots, [&](int64_t other) { return other < *slot; });
      function.setArgAttr(position, kBufferAttr, builder.getI64IntegerAttr(1 + *slot - before));
    }
  NamedAttribute slot(builder.getStringAttr(kBufferAttr), builder.getI64IntegerAttr(0));
  (void)function.insertArgument(0, type, builder.getDictionaryAttr(slot), function.getLoc());
  return function.getArgument(0);
}

/// Leaves the late operations in `function`, which reads the prepared buffer.
void keepLate(func::FuncOp function, const BindingTimes &times, const PreparedLayout &layout) {
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  Value placeholder =
      memref::AllocOp::create(builder, function.getLoc(), layout.type(builder)).getResult();
  for (linalg::LinalgOp op : times.earlyOperations()) {
    remarkDone(op.getLoc(), "split-preparation")
        << "done once, when the parameters are prepared: it depends on nothing else";
    op->erase();
  }
  for (linalg::LinalgOp op : times.repeatedOperations())
    remarkLeft(op.getLoc(), "split-preparation")
        << "done in each call: little work, and much larger than what it is made of";
  auto replace = [&](Value buffer) {
    eraseDeadViews(buffer);
    if (layout.parts().contains(buffer))
      buffer.replaceAllUsesWith(layout.view(builder, placeholder, buffer));
  };
  for (memref::AllocOp alloc : times.earlyBuffers()) {
    replace(alloc);
    alloc->erase();
  }
  for (BlockArgument argument : times.earlyArguments())
    replace(argument);
  Value prepared = takePrepared(function, times.earlyArguments(), layout.type(builder));
  placeholder.replaceAllUsesWith(prepared);
  placeholder.getDefiningOp()->erase();
}

class SplitPreparation : public impl::SplitPreparationPassBase<SplitPreparation> {
  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      auto entry = function->getAttrOfType<StringAttr>(nn::entryAttr);
      if (!entry || entry != "forward")
        continue;
      BindingTimes times(function);
      if (times.earlyArguments().empty())
        continue;
      PreparedLayout layout(times);
      emitPrepare(function, times, layout);
      emitSize(function, layout);
      keepLate(function, times, layout);
    }
  }
};

} // namespace
} // namespace nnc
