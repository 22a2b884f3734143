//===- PlanArena.cpp - Give every temporary a place in one workspace ------===//
//
// Replaces allocations by views of an argument, at the offsets of an ArenaPlan, and says in a function of
// its own how large that argument is to be.
//
//===----------------------------------------------------------------------===//
#include "ArenaPlan.h"
#include "ConcreteSizes.h"
#include "nnc/Codegen/Passes.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_PLANARENAPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// `NAME_workspace(symbols)`: the bytes that the function needs.
void emitWorkspaceFunction(func::FuncOp function, const ArenaPlan &plan) {
  Location loc = function.getLoc();
  OpBuilder builder(function.getContext());
  builder.setInsertionPointAfter(function);
  auto symbols = function->getAttrOfType<ArrayAttr>(kSymbolsAttr);
  SmallVector<Type> arguments(symbols ? symbols.size() : 0, builder.getIndexType());
  auto companion = func::FuncOp::create(builder, loc, (function.getName() + "_workspace").str(),
                                        builder.getFunctionType(arguments, builder.getI64Type()));
  if (symbols)
    companion->setAttr(kSymbolsAttr, symbols);
  builder.setInsertionPointToStart(companion.addEntryBlock());
  std::map<std::string, Value> values;
  for (auto [index, argument] : llvm::enumerate(companion.getArguments())) {
    companion.setArgAttr(index, kSymbolAttr, symbols[index]);
    values[cast<StringAttr>(symbols[index]).str()] = argument;
  }
  Value bytes;
  plan.materialize(builder, loc, values, bytes);
  func::ReturnOp::create(
      builder, loc,
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), bytes).getResult());
}

/// Replaces the allocations by views of the new workspace argument.
void useWorkspace(func::FuncOp function, const ArenaPlan &plan) {
  Location loc = function.getLoc();
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  auto workspaceType = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  unsigned position = function.getNumArguments();
  DictionaryAttr attrs =
      builder.getDictionaryAttr(builder.getNamedAttr("nn.workspace", builder.getUnitAttr()));
  (void)function.insertArgument(position, workspaceType, attrs, loc);
  SymbolicSizes sizes(function);
  Value total;
  std::vector<Value> offsets = plan.materialize(builder, loc, sizes.getSymbols(), total);
  for (auto [buffer, offset] : llvm::zip_equal(plan.buffers(), offsets)) {
    SmallVector<Value> dynamicSizes;
    for (const Dim &dim : buffer.dynamicSizes)
      dynamicSizes.push_back(SymbolicSizes::materialize(builder, loc, dim, sizes.getSymbols()));
    memref::AllocOp alloc = buffer.alloc;
    alloc.replaceAllUsesWith(
        memref::ViewOp::create(
            builder, alloc.getLoc(), alloc.getType(), function.getArgument(position),
            sizes.dimOf(offset) ? offset : hideFormula(builder, loc, offset), dynamicSizes)
            .getResult());
  }
  for (const ArenaBuffer &buffer : plan.buffers())
    memref::AllocOp(buffer.alloc).erase();
  SmallVector<memref::DeallocOp> deallocs;
  function.walk([&](memref::DeallocOp op) { deallocs.push_back(op); });
  for (memref::DeallocOp op : deallocs)
    op.erase();
}

class PlanArena : public impl::PlanArenaPassBase<PlanArena> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isPrivate() && function.getNumResults() == 0)
        functions.push_back(function);
    for (func::FuncOp function : functions) {
      std::optional<ArenaPlan> plan = ArenaPlan::make(function);
      if (!plan)
        return signalPassFailure();
      emitWorkspaceFunction(function, *plan);
      useWorkspace(function, *plan);
    }
  }
};

} // namespace
} // namespace nnc
