//===- Target.cpp - What code generation knows about a processor ----------===//
//
// Reads the vector width and the register count out of LLVM's own tables, so that a processor is
// described by its name alone.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/Target.h"

#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"

namespace nnc {

static const llvm::Target *lookUpTarget(const llvm::Triple &triple) {
  static const bool initialised = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)initialised;
  std::string error;
  return llvm::TargetRegistry::lookupTarget(triple, error);
}

/// Fills in the vector unit from the features that the subtarget switches on.
static void describeVectorUnit(const llvm::MCSubtargetInfo &subtarget, TargetDescription &target) {
  auto has = [&](llvm::StringRef feature) {
    return subtarget.checkFeatures(("+" + feature).str());
  };
  if (!llvm::Triple(target.triple).isX86())
    return;
  if (has("avx512f") && has("avx512vl") && has("avx512bw")) {
    target.vectorBytes = 64;
    target.vectorRegisters = 32;
  } else if (has("avx")) {
    target.vectorBytes = 32;
  }
  target.hasFma = has("fma");
}

static std::optional<TargetDescription> describe(llvm::StringRef cpu, llvm::StringRef features) {
  TargetDescription target;
  target.triple = llvm::sys::getDefaultTargetTriple();
  target.cpu = cpu.str();
  target.features = features.str();
  llvm::Triple triple(target.triple);
  const llvm::Target *llvmTarget = lookUpTarget(triple);
  if (!llvmTarget)
    return std::nullopt;
  std::unique_ptr<llvm::MCSubtargetInfo> known(llvmTarget->createMCSubtargetInfo(triple, "", ""));
  if (!known || !known->isCPUStringValid(cpu))
    return std::nullopt;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      llvmTarget->createMCSubtargetInfo(triple, cpu, features));
  describeVectorUnit(*subtarget, target);
  return target;
}

TargetDescription TargetDescription::host() {
  llvm::SmallVector<std::string> features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  llvm::sort(features);
  std::optional<TargetDescription> target =
      describe(llvm::sys::getHostCPUName(), llvm::join(features, ","));
  return target ? *target : *describe("generic", "");
}

std::optional<TargetDescription> TargetDescription::forCpu(llvm::StringRef cpu) {
  return cpu == "native" ? host() : describe(cpu, "");
}

std::unique_ptr<llvm::TargetMachine> createTargetMachine(const TargetDescription &target) {
  llvm::Triple triple(target.triple);
  llvm::TargetOptions options;
  return std::unique_ptr<llvm::TargetMachine>(lookUpTarget(triple)->createTargetMachine(
      triple, target.cpu, target.features, options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Default));
}

} // namespace nnc
