//===- Target.cpp - What code generation knows about a processor ----------===//
//
// Reads the vector width and the register count out of LLVM's own tables, so that a processor is
// described by its name alone: the name says which architecture it has, too.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/Target.h"

#include "mlir/IR/Types.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"

namespace nnc {

/// Machines that code is made for, this one first.
static llvm::SmallVector<llvm::Triple> listTriples() {
  llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  llvm::SmallVector<llvm::Triple> triples = {host};
  for (llvm::StringRef name : {"x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"})
    if (llvm::Triple triple(name); triple.getArch() != host.getArch())
      triples.push_back(triple);
  return triples;
}

static const llvm::Target *lookUpTarget(const llvm::Triple &triple) {
  static const bool initialised = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    return true;
  }();
  (void)initialised;
  std::string error;
  return llvm::TargetRegistry::lookupTarget(triple, error);
}

/// Fills in the vector unit from the features that the subtarget switches on; false if the processor has
/// less than is asked of all: SSE 4.1 in 64 bits, or NEON.
static bool describeVectorUnit(const llvm::MCSubtargetInfo &subtarget, TargetDescription &target) {
  auto has = [&](llvm::StringRef feature) {
    return subtarget.checkFeatures(("+" + feature).str());
  };
  if (llvm::Triple(target.triple).isAArch64()) {
    target.vectorRegisters = 32;
    target.freeRegisters = 8;
    target.hasFma = target.convertsF16 = target.convertsBf16 = true;
    if (has("dotprod"))
      target.integerProducts = IntegerProducts::LikeBytes;
    return has("neon");
  }
  if (has("avx512f") && has("avx512vl") && has("avx512bw")) {
    target.vectorBytes = 64;
    target.vectorRegisters = 32;
    target.narrowestMasked = 8;
    target.secondCacheBytes = 1 << 20;
  } else if (has("avx")) {
    target.vectorBytes = 32;
    target.narrowestMasked = 32;
  }
  target.hasFma = has("fma");
  target.convertsF16 = has("f16c");
  target.convertsBf16 = has("avx512bf16") && has("avx512vl");
  if (has(target.vectorBytes == 64 ? "avx512vnni" : "avxvnni"))
    target.integerProducts = IntegerProducts::MixedBytes;
  else if (target.vectorBytes != 32 || has("avx2"))
    target.integerProducts = IntegerProducts::Pairs;
  if (has("amx-tile"))
    target.secondCacheBytes = 2 << 20;
  // The permission to use tiles is asked for as Linux wants it.
  target.hasMatrixUnit = target.vectorBytes == 64 && has("amx-tile") && has("amx-bf16") &&
                         has("amx-int8") && llvm::Triple(target.triple).isOSLinux();
  return has("64bit") && has("sse4.1");
}

static std::optional<TargetDescription> describe(const llvm::Triple &triple, llvm::StringRef cpu,
                                                 llvm::StringRef features) {
  const llvm::Target *llvmTarget = lookUpTarget(triple);
  if (!llvmTarget)
    return std::nullopt;
  std::unique_ptr<llvm::MCSubtargetInfo> known(llvmTarget->createMCSubtargetInfo(triple, "", ""));
  if (!known || !known->isCPUStringValid(cpu))
    return std::nullopt;
  TargetDescription target;
  target.triple = triple.str();
  target.cpu = cpu.str();
  target.features = features.str();
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      llvmTarget->createMCSubtargetInfo(triple, cpu, features));
  if (!describeVectorUnit(*subtarget, target))
    return std::nullopt;
  return target;
}

TargetDescription TargetDescription::host() {
  llvm::SmallVector<std::string> features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  llvm::sort(features);
  std::optional<TargetDescription> target =
      describe(listTriples().front(), llvm::sys::getHostCPUName(), llvm::join(features, ","));
  return target ? *target : *forCpu(listTriples().front().isAArch64() ? "aarch64" : "x86-64-v2");
}

std::optional<TargetDescription> TargetDescription::forCpu(llvm::StringRef cpu) {
  if (cpu == "native")
    return host();
  for (const llvm::Triple &triple : listTriples()) {
    llvm::StringRef name = triple.isAArch64() && cpu == "aarch64" ? "generic" : cpu;
    if (std::optional<TargetDescription> target = describe(triple, name, ""))
      return target;
  }
  return std::nullopt;
}

std::vector<std::string> TargetDescription::listCpus() {
  std::vector<std::string> names = {"native", "aarch64"};
  for (const llvm::Triple &triple : listTriples()) {
    std::unique_ptr<llvm::MCSubtargetInfo> known(
        lookUpTarget(triple)->createMCSubtargetInfo(triple, "", ""));
    for (const llvm::SubtargetSubTypeKV &processor : known->getAllProcessorDescriptions())
      if (describe(triple, processor.Key, ""))
        names.push_back(processor.Key);
  }
  return names;
}

bool TargetDescription::canMask(mlir::Type element) const {
  if (narrowestMasked == 0 || (element.isBF16() && !convertsBf16)) // LLVM goes by that
    return false;
  unsigned bits = element.isIndex() ? 64 : std::max(element.getIntOrFloatBitWidth(), 8u);
  return bits >= narrowestMasked;
}

bool TargetDescription::runsHere() const {
  TargetDescription here = host();
  return llvm::Triple(triple).getArch() == llvm::Triple(here.triple).getArch() &&
         vectorBytes <= here.vectorBytes && hasFma <= here.hasFma &&
         convertsF16 <= here.convertsF16 && convertsBf16 <= here.convertsBf16 &&
         integerProducts <= here.integerProducts;
}

std::unique_ptr<llvm::TargetMachine> createTargetMachine(const TargetDescription &target) {
  llvm::Triple triple(target.triple);
  llvm::TargetOptions options;
  return std::unique_ptr<llvm::TargetMachine>(lookUpTarget(triple)->createTargetMachine(
      triple, target.cpu, target.features, options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Default));
}

} // namespace nnc
