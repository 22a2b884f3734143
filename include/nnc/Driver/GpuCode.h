//===- GpuCode.h - Code that runs on a GPU ----------------------*- C++ -*-===//
//
// An object for GPUs holds each entry several times, for each kind of GPU and for the CPU of the machine; the
// runtime chooses when the program runs.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_GPUCODE_H
#define NNC_DRIVER_GPUCODE_H

#include "nnc/Driver/Compiler.h"

namespace nnc {

/// What became of the kernels of some entries.
struct GpuCode {
  std::string ptx;
  /// Empty without ptxas.
  std::string cubin;
  /// Registers, spilled bytes and shared memory of each kernel, a line each; empty without ptxas.
  std::string statistics;
  /// What ptxas warned of.
  std::vector<std::string> warnings;
};

/// The kernels of `entries` for options.gpu. Nothing, with a diagnostic, on failure, and where there is no
/// ptxas but `needsPtxas`.
std::optional<GpuCode> emitGpuCode(mlir::ModuleOp module, llvm::ArrayRef<std::string> entries,
                                   const CompileOptions &options, bool needsPtxas,
                                   DiagnosticEngine &diagnostics);

/// An object of `entries` for all of `targets`, which are not none. Empty, with a diagnostic, on failure. Says in
/// `lacking` why there is no machine code for some of them.
std::string emitGpuObject(mlir::ModuleOp module, llvm::ArrayRef<std::string> entries,
                          const CompileOptions &options, llvm::ArrayRef<GpuTarget> targets,
                          std::string &lacking, DiagnosticEngine &diagnostics);

/// What the names of functions of code for `target` end with.
std::string gpuSuffix(const GpuTarget &target);

} // namespace nnc

#endif // NNC_DRIVER_GPUCODE_H
