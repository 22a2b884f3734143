//===- PtxEmission.cpp - From the NVVM dialect to PTX ---------------------===//
#include "SourcePlace.h"
#include "nnc/Codegen/GPU/KernelCode.h"
#include "nnc/Codegen/MachineCode.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;

namespace nnc {

int64_t mostSharedBytes(const GpuTarget &target) {
  // Code that others run, too, may meet one of those with the least.
  constexpr int64_t kLeast = 99 << 10, kLarge = 227 << 10;
  constexpr unsigned kSmallAgain = 120;
  return target.isSpecific && target.version >= 90 && target.version < kSmallAgain ? kLarge
                                                                                   : kLeast;
}

std::vector<KernelName> listKernels(gpu::GPUModuleOp module) {
  std::vector<KernelName> kernels;
  for (auto function : module.getOps<FunctionOpInterface>())
    if (gpu::GPUDialect::isKernel(function))
      kernels.push_back({function.getName().str(), placeText(function.getLoc())});
  return kernels;
}

llvm::Expected<std::string> emitPtx(gpu::GPUModuleOp module, const GpuTarget &target) {
  registerBuiltinDialectTranslation(*module.getContext());
  registerGPUDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  registerNVVMDialectTranslation(*module.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule =
      translateModuleToLLVMIR(module, context, module.getName());
  if (!llvmModule)
    return llvm::createStringError("the kernels are not in the LLVM dialect");
  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(target);
  llvmModule->setTargetTriple(machine->getTargetTriple());
  llvmModule->setDataLayout(machine->createDataLayout());
  // All of LLVM's: the short list for the CPU (ObjectEmission.cpp) is for loops that are unrolled as they are to be.
  // Kernels' loops are not, and ptxas makes an eighth more code of them than LLVM's unroller leaves it.
  runLLVMPasses(*llvmModule, *machine, "default<O3>");
  return generateCode(*llvmModule, *machine, llvm::CodeGenFileType::AssemblyFile);
}

} // namespace nnc
