//===- Passes.h - The back half of the compiler, stage by stage -*- C++ -*-===//
//
// From linalg on tensors to the LLVM dialect. Each build… function appends one named stage to a
// pass manager of a module; buildCpuPipeline appends them all.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_CODEGEN_PASSES_H
#define NNC_CODEGEN_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include <functional>
#include <string>

namespace nnc {

/// Instructions, some microseconds of them, that are worth another thread.
constexpr int64_t kDefaultGrain = 20000;
/// That stay in a second-level cache from one operation to the next.
constexpr int64_t kDefaultNearBytes = 1 << 20;

#define GEN_PASS_DECL
#include "nnc/Codegen/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "nnc/Codegen/Passes.h.inc"

struct CodegenOptions {
  /// Processor as LLVM names it ("x86-64-v3", "znver4"), or "native".
  std::string cpu = "native";
  /// The least work of a part that another thread may run, in instructions; 0 for no parts.
  int64_t grain = kDefaultGrain;
  /// What operations that take turns may touch at once, in bytes.
  int64_t nearBytes = kDefaultNearBytes;
  /// Whether the code calls the host program around each kernel.
  bool traceKernels = false;
  /// Whether to run the pass of this flag, asked in order of each that code is as right without; all
  /// run if it is null.
  std::function<bool(llvm::StringRef pass)> choosePass = nullptr;
  /// Whether what depends on parameters alone becomes a function of its own.
  bool splitPreparation = false;
  /// Whether there may be transfers of vectors of several axes, which no pass here makes.
  bool lowersTransfers = false;
};

/// nn becomes linalg on plain tensors.
void buildLinalgStage(mlir::OpPassManager &passes, const CodegenOptions &options);
/// linalg on tensors, fused.
void buildFusionStage(mlir::OpPassManager &passes, const CodegenOptions &options);
/// linalg on the caller's buffers and temporaries.
void buildBufferizeStage(mlir::OpPassManager &passes, const CodegenOptions &options);
/// All that computes is a linalg.generic as the kernel emitter takes it.
void buildPrepareStage(mlir::OpPassManager &passes, const CodegenOptions &options);
/// Loops and vectors over one planned workspace.
void buildKernelStage(mlir::OpPassManager &passes, const CodegenOptions &options);
/// The LLVM dialect with the C interface.
void buildLLVMStage(mlir::OpPassManager &passes, const CodegenOptions &options);

/// All stages after the first.
void buildCpuPipeline(mlir::OpPassManager &passes, const CodegenOptions &options);

} // namespace nnc

#endif // NNC_CODEGEN_PASSES_H
