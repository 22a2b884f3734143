//===- FinishKernels.cpp - What the conversion to NVVM leaves out ---------===//
#include "Launch.h"
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

/// Buffers are aligned. What describes a tensor is a parameter as it is, where the conversion leaves a pointer.
void finishPointer(LLVM::LLVMFuncOp function, unsigned index) {
  Builder attributes(function.getContext());
  StringRef alignment = LLVM::LLVMDialect::getAlignAttrName();
  auto known = function.getArgAttrOfType<IntegerAttr>(index, alignment);
  if (!known) {
    function.setArgAttr(index, alignment, attributes.getI64IntegerAttr(kBufferAlignment));
    return;
  }
  if (known.getInt() != kTensorMapBytes)
    return;
  auto bytes = LLVM::LLVMArrayType::get(attributes.getI8Type(), kTensorMapBytes);
  function.setArgAttr(index, LLVM::LLVMDialect::getByValAttrName(), TypeAttr::get(bytes));
  function.setArgAttr(index, NVVM::NVVMDialect::getGridConstantAttrName(),
                      attributes.getUnitAttr());
}

class FinishKernels : public impl::FinishKernelsPassBase<FinishKernels> {
  void runOnOperation() override {
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
          if (isa<LLVM::LLVMPointerType>(argument.getType()))
            finishPointer(function, argument.getArgNumber());
  }
};

} // namespace
} // namespace nnc
