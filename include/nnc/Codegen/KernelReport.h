//===- KernelReport.h - What the compiler made of a program -----*- C++ -*-===//
//
// Reads, out of the program itself and at the stage where the compiler decides it, what each kernel
// does: its loops, arithmetic, traffic and tile; and where each temporary lies in the workspace, from
// when to when. Nothing here decides anything, and code is the same with and without it.
//
//   after "prepare"    reportKernels: a kernel is an operation that the emitter turns into loops
//   after "kernels"    reportArena, if the kernels were numbered by codegen-trace-kernels
//
//===----------------------------------------------------------------------===//
#ifndef NNC_CODEGEN_KERNELREPORT_H
#define NNC_CODEGEN_KERNELREPORT_H

#include "nnc/Codegen/Passes.h"

#include <map>

namespace nnc {

/// Sizes of the symbols.
using SizeValues = std::map<std::string, int64_t>;

struct KernelLoop {
  int64_t size = 1;
  bool isReduction = false;
};

struct KernelOperand {
  /// Of the argument or, for a temporary, of the value that it holds; empty if it has none.
  std::string name;
  std::string type; ///< "f32[64, 10]"
  int64_t bytes = 0;
  bool isRead = false, isWritten = false, isTemporary = false;
};

/// FLOPs of one run that an operation of the program asks for.
struct KernelWork {
  mlir::Location location;
  int64_t flops;
};

struct KernelReport {
  /// In program order through the module: what the trace functions are called with.
  int64_t number;
  mlir::Location location;
  /// "contraction", "reduction", "elementwise", "gather", "copy" or "fill".
  std::string kind;
  /// Its arithmetic in the order of the program, each operation once: "mul add", "exp".
  std::vector<std::string> operations;
  std::vector<KernelLoop> loops;
  std::vector<KernelOperand> operands;
  std::vector<KernelWork> work;

  /// How often it runs in one call of the function, and what one run takes.
  int64_t runs = 1;
  int64_t iterations = 1;
  int64_t flops = 0;
  int64_t bytesRead = 0, bytesWritten = 0;
  /// Slots of the vector unit, of which an FMA takes one.
  double slots = 0;
  /// Whether all sizes are known; else those that are not count as one.
  bool isExact = true;

  unsigned rows = 1, columns = 1, lanes = 1, chains = 1;
  bool reducesLanes = false, turnsInputs = false, usesMatrixUnit = false;
  unsigned elementBits = 32;
  int64_t parts = 1;

  int64_t bytes() const { return bytesRead + bytesWritten; }
};

/// The kernels of `function`, of which the first in the module has number `first`.
std::vector<KernelReport> reportKernels(mlir::func::FuncOp function, const CodegenOptions &options,
                                        const SizeValues &sizes, int64_t first = 0);

struct WorkspaceBuffer {
  mlir::Location location;
  std::string name, type;
  int64_t offset = 0, bytes = 0;
  /// The first and the last kernel that uses it, by number; none if no kernel does.
  std::optional<int64_t> firstKernel = std::nullopt, lastKernel = std::nullopt;
};

struct ArenaReport {
  int64_t bytes = 0;
  /// Most bytes that are in use at one time: no arena can be smaller.
  int64_t leastBytes = 0;
  /// The first kernel during which they are.
  int64_t fullestKernel = 0;
  std::vector<WorkspaceBuffer> buffers;
};

/// What NAME_workspace, `function`, returns.
int64_t evaluateWorkspace(mlir::func::FuncOp function, const SizeValues &sizes);

/// The workspace of `function`.
ArenaReport reportArena(mlir::func::FuncOp function, const SizeValues &sizes);

} // namespace nnc

#endif // NNC_CODEGEN_KERNELREPORT_H
