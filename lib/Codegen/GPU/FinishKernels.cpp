//===- FinishKernels.cpp - What the conversion to NVVM leaves out ---------===//
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_FINISHKERNELSPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

/// As the runtime and the plan of the workspace place buffers.
constexpr int64_t kBufferAlignment = 64;
/// What copies of tensor tiles ask of shared memory.
constexpr int64_t kSharedAlignment = 1024;

/// Gives branches what loops said of their unrolling.
void annotateLoop(Operation *op) {
  constexpr StringLiteral kAnnotation = "llvm.loop_annotation";
  auto annotation = op->getAttrOfType<LLVM::LoopAnnotationAttr>(kAnnotation);
  if (!annotation)
    return;
  op->removeAttr(kAnnotation);
  if (auto branch = dyn_cast<LLVM::BrOp>(op))
    branch.setLoopAnnotationAttr(annotation);
  else if (auto choice = dyn_cast<LLVM::CondBrOp>(op))
    choice.setLoopAnnotationAttr(annotation);
}

class FinishKernels : public impl::FinishKernelsPassBase<FinishKernels> {
  void runOnOperation() override {
    Builder attributes(&getContext());
    getOperation().walk(annotateLoop);
    for (auto global : getOperation().getOps<LLVM::GlobalOp>()) {
      auto type = dyn_cast<LLVM::LLVMArrayType>(global.getType());
      if (global.getAddrSpace() != unsigned(NVVM::NVVMMemorySpace::Shared) || !type ||
          type.getNumElements() != 0)
        continue;
      global.setLinkage(LLVM::Linkage::External);
      global.setAlignment(kSharedAlignment);
    }
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      if (function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
        for (BlockArgument argument : function.getArguments())
          if (isa<LLVM::LLVMPointerType>(argument.getType()) &&
              !function.getArgAttr(argument.getArgNumber(), LLVM::LLVMDialect::getAlignAttrName()))
            function.setArgAttr(argument.getArgNumber(), LLVM::LLVMDialect::getAlignAttrName(),
                                attributes.getI64IntegerAttr(kBufferAlignment));
  }
};

} // namespace
} // namespace nnc
