//===- GpuTarget.cpp - What code generation knows about a GPU -------------===//
//
// LLVM's own table says which architectures there are; from sm_80 on they have the asynchronous copies and
// the matrix products that our kernels count on.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/Target.h"

#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"

namespace nnc {

constexpr unsigned kOldestVersion = 80;

static const llvm::Triple &gpuTriple() {
  static const llvm::Triple triple("nvptx64-nvidia-cuda");
  return triple;
}

static const llvm::Target *lookUpTarget() {
  static const llvm::Target *target = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    std::string error;
    return llvm::TargetRegistry::lookupTarget(gpuTriple(), error);
  }();
  return target;
}

/// Reads "sm_90a" without asking whether there is such a GPU.
static std::optional<GpuTarget> readArch(llvm::StringRef arch) {
  GpuTarget target;
  target.arch = arch.str();
  llvm::StringRef rest = arch;
  if (!rest.consume_front("sm_") || rest.consumeInteger(10, target.version) ||
      target.version < kOldestVersion || (rest != "" && rest != "a" && rest != "f"))
    return std::nullopt;
  target.isSpecific = rest == "a";
  return target;
}

std::optional<GpuTarget> GpuTarget::forArch(llvm::StringRef arch) {
  std::unique_ptr<llvm::MCSubtargetInfo> known(
      lookUpTarget()->createMCSubtargetInfo(gpuTriple(), "", ""));
  return known->isCPUStringValid(arch) ? readArch(arch) : std::nullopt;
}

std::vector<std::string> GpuTarget::listArchs() {
  std::unique_ptr<llvm::MCSubtargetInfo> known(
      lookUpTarget()->createMCSubtargetInfo(gpuTriple(), "", ""));
  std::vector<std::string> names;
  for (const llvm::SubtargetSubTypeKV &processor : known->getAllProcessorDescriptions())
    if (readArch(processor.Key))
      names.push_back(processor.Key);
  return names;
}

std::unique_ptr<llvm::TargetMachine> createTargetMachine(const GpuTarget &target) {
  // Without a feature that names one, LLVM takes the lowest PTX version that has the architecture.
  return std::unique_ptr<llvm::TargetMachine>(lookUpTarget()->createTargetMachine(
      gpuTriple(), target.arch, "", llvm::TargetOptions(), std::nullopt, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
}

} // namespace nnc
