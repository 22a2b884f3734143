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
#include <vector>

namespace llvm {
class TargetMachine;
}
namespace mlir {
class Type;
}

namespace nnc {

/// What instructions on vectors there are that sum products of neighbouring integers in 32 bits, the better ones
/// last.
enum class IntegerProducts {
  None,
  /// Of two numbers of 16 bits by two: pmaddwd.
  Pairs,
  /// Of four bytes without a sign by four with one: vpdpbusd.
  MixedBytes,
  /// Of four bytes by four, all with a sign or all without: sdot, udot.
  LikeBytes,
};

struct TargetDescription {
  std::string triple;
  /// As LLVM names it; never "native".
  std::string cpu;
  /// LLVM feature string, empty where the processor's name says it all.
  std::string features;
  unsigned vectorBytes = 16;
  unsigned vectorRegisters = 16;
  bool hasFma = false;
  /// Whether there are instructions, or LLVM has code, to round f32 to these.
  bool convertsF16 = false, convertsBf16 = false;
  /// Registers that sums leave free: for what is multiplied, which not all targets read from memory.
  unsigned freeRegisters = 4;
  /// Bits of the narrowest elements that loads and stores can leave out; 0 if they cannot.
  unsigned narrowestMasked = 0;
  IntegerProducts integerProducts = IntegerProducts::None;
  /// What a core's second-level cache holds, as is usual for processors of its kind.
  int64_t secondCacheBytes = 512 << 10;
  /// Whether it multiplies matrices of bf16 and of bytes (AMX). The system may still refuse that to a process.
  bool hasMatrixUnit = false;

  /// The machine that this process runs on.
  static TargetDescription host();
  /// A processor by LLVM's name, "native", or "aarch64" for any 64-bit Arm; none if LLVM does not know
  /// it, or it has less than x86-64-v2.
  static std::optional<TargetDescription> forCpu(llvm::StringRef cpu);
  /// The names that forCpu takes.
  static std::vector<std::string> listCpus();
  /// Whether this machine's architecture and vector unit are enough for the code.
  bool runsHere() const;

  /// Whether loads and stores can leave out elements.
  bool canMask(mlir::Type element) const;
  /// How many elements of `bits` fit in a vector register.
  unsigned lanes(unsigned bits) const { return vectorBytes * 8 / bits; }
};

/// A GPU by the architecture that PTX is made for.
struct GpuTarget {
  /// As ptxas names it: "sm_90a".
  std::string arch;
  /// 90 of sm_90a.
  unsigned version = 80;
  /// Whether code runs on GPUs of this architecture alone, and may use what no later one has: the a of sm_90a.
  bool isSpecific = false;

  unsigned warpSize = 32;
  unsigned maxThreadsPerBlock = 1024;
  /// That all kernels can have without asking for more.
  unsigned sharedBytes = 48 * 1024;

  /// Whether there are products of matrices by groups of four warps, from shared memory (wgmma).
  bool hasWarpgroupProducts() const { return version == 90 && isSpecific; }
  /// Whether a unit of its own copies tiles of tensors (TMA), and barriers count bytes.
  bool hasTensorCopies() const { return version >= 90; }

  /// By ptxas's name, from sm_80 on; none if LLVM does not know it.
  static std::optional<GpuTarget> forArch(llvm::StringRef arch);
  /// The names that forArch takes.
  static std::vector<std::string> listArchs();
};

/// LLVM's code generator for `target`: position independent, optimising.
std::unique_ptr<llvm::TargetMachine> createTargetMachine(const TargetDescription &target);
/// The same for PTX, of the lowest version that has the architecture.
std::unique_ptr<llvm::TargetMachine> createTargetMachine(const GpuTarget &target);

} // namespace nnc

#endif // NNC_CODEGEN_TARGET_H
