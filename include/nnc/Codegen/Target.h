//===- Target.h - What code generation knows about a processor --*- C++ -*-===//
//
// Every decision that depends on the machine reads this description; nothing else asks which
// machine it is.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_CODEGEN_TARGET_H
#define NNC_CODEGEN_TARGET_H

#include "llvm/ADT/StringRef.h"

#include <memory>
#include <optional>
#include <string>

namespace llvm {
class TargetMachine;
}

namespace nnc {

struct TargetDescription {
  std::string triple;
  /// As LLVM names it; never "native".
  std::string cpu;
  /// LLVM feature string, empty where the processor's name says it all.
  std::string features;
  unsigned vectorBytes = 16;
  unsigned vectorRegisters = 16;
  bool hasFma = false;

  /// The machine that this process runs on.
  static TargetDescription host();
  /// A processor by LLVM's name, or "native"; none if LLVM does not know it.
  static std::optional<TargetDescription> forCpu(llvm::StringRef cpu);

  /// How many elements of `bits` fit in a vector register.
  unsigned lanes(unsigned bits) const { return vectorBytes * 8 / bits; }
};

/// LLVM's code generator for `target`: position independent, optimising.
std::unique_ptr<llvm::TargetMachine> createTargetMachine(const TargetDescription &target);

} // namespace nnc

#endif // NNC_CODEGEN_TARGET_H
