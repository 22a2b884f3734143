//===- MarkArguments.cpp - Say which buffers of a kernel are apart --------===//
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_MARKARGUMENTSPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

/// The argument or allocation that `buffer` is a view of, all of which are apart; null if that is not known.
Value rootOf(Value buffer) {
  while (Operation *op = buffer.getDefiningOp()) {
    if (isa<memref::AllocOp>(op))
      return buffer;
    if (auto parts = dyn_cast<memref::ExtractStridedMetadataOp>(op))
      buffer = parts.getSource();
    else if (auto view = dyn_cast<ViewLikeOpInterface>(op))
      buffer = view.getViewSource();
    else
      return {};
  }
  auto argument = cast<BlockArgument>(buffer);
  return isa<FunctionOpInterface>(argument.getOwner()->getParentOp()) ? buffer : Value();
}

/// Takes from `apart` the operands that share their buffer with another one.
void keepWhatIsApart(gpu::LaunchFuncOp launch, llvm::BitVector &apart) {
  llvm::DenseMap<Value, unsigned> first;
  for (auto [index, operand] : llvm::enumerate(launch.getKernelOperands())) {
    if (!isa<MemRefType>(operand.getType()))
      continue;
    Value root = rootOf(operand);
    if (!root) {
      apart.reset(); // It may be any of the others.
      return;
    }
    auto [place, isNew] = first.insert({root, index});
    if (!isNew) {
      apart.reset(index);
      apart.reset(place->second);
    }
  }
}

class MarkArguments : public impl::MarkArgumentsPassBase<MarkArguments> {
  void runOnOperation() override {
    llvm::MapVector<SymbolRefAttr, llvm::BitVector> kernels;
    getOperation().walk([&](gpu::LaunchFuncOp launch) {
      auto [kernel, isNew] = kernels.insert({launch.getKernel(), llvm::BitVector()});
      if (isNew)
        kernel->second.resize(launch.getNumKernelOperands(), true);
      keepWhatIsApart(launch, kernel->second);
    });
    Builder attributes(&getContext());
    for (auto &[name, apart] : kernels) {
      auto kernel =
          dyn_cast_or_null<gpu::GPUFuncOp>(SymbolTable::lookupSymbolIn(getOperation(), name));
      if (!kernel)
        continue;
      for (unsigned index : apart.set_bits())
        if (isa<MemRefType>(kernel.getArgument(index).getType()))
          kernel.setArgAttr(index, LLVM::LLVMDialect::getNoAliasAttrName(),
                            attributes.getUnitAttr());
    }
  }
};

} // namespace
} // namespace nnc
