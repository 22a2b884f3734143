//===- Target.cpp - What --target names -----------------------------------===//
//
// A processor, a GPU, or both: cpu, cpu:NAME, ptx:ARCH, ptx:ARCH,cpu:NAME.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "llvm/TargetParser/Triple.h"

using namespace nnc;

/// The processor that `text` may stand for, which is none that --target takes.
static std::optional<std::string> guessCpu(llvm::StringRef text) {
  if (TargetDescription::forCpu(text))
    return text.str();
  llvm::Triple triple(text);
  if (triple.isAArch64())
    return "aarch64";
  return triple.isX86_64() ? "x86-64-v2" : closestMatch(text.str(), TargetDescription::listCpus());
}

/// What `part`, which starts neither with "cpu:" nor with "ptx:", may stand for.
static std::optional<std::string> guessTarget(llvm::StringRef part, bool takesGpu) {
  if (takesGpu && GpuTarget::forArch(part))
    return "ptx:" + part.str();
  std::optional<std::string> cpu = guessCpu(part);
  return cpu ? "cpu:" + *cpu : cpu;
}

/// Takes one part of a target into `target`; false, with an error, if there is no such thing.
static bool readPart(llvm::StringRef part, bool takesGpu, Target &target,
                     nnc::DiagnosticEngine &diagnostics) {
  llvm::StringRef name = part;
  if (part == "cpu") {
    target.cpu = "native";
    return true;
  }
  if (name.consume_front("cpu:") && !name.empty()) {
    target.cpu = name.str();
    if (TargetDescription::forCpu(name))
      return true;
    diagnostics
        .error("--target: unknown processor '" + name.str() +
               "', expected LLVM's name for an x86-64, from x86-64-v2 on, or an AArch64, such as "
               "neoverse-n1")
        .didYouMean(guessCpu(name));
    return false;
  }
  if (takesGpu && name.consume_front("ptx:") && !name.empty()) {
    target.gpu = GpuTarget::forArch(name);
    if (target.gpu)
      return true;
    diagnostics
        .error("--target: unknown GPU architecture '" + name.str() +
               "', expected one from sm_80 on, such as sm_90a")
        .didYouMean(closestMatch(name.str(), GpuTarget::listArchs()));
    return false;
  }
  diagnostics
      .error(std::string("--target expects ") +
             (takesGpu ? "cpu, cpu:NAME or ptx:ARCH" : "cpu or cpu:NAME") + ", found '" +
             part.str() + "'")
      .didYouMean(guessTarget(part, takesGpu));
  return false;
}

std::optional<Target> nnc::parseTarget(const std::string &text, bool takesGpu) {
  nnc::DiagnosticEngine diagnostics;
  Target target;
  auto [first, second] = llvm::StringRef(text).split(',');
  bool isPair = takesGpu && first.starts_with("ptx:") && second.starts_with("cpu");
  bool isRead = isPair ? readPart(first, takesGpu, target, diagnostics) &&
                             readPart(second, takesGpu, target, diagnostics)
                       : readPart(text, takesGpu, target, diagnostics);
  if (isRead)
    return target;
  fail(diagnostics);
  return std::nullopt;
}
