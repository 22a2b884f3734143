//===- Passes.h - From linalg on buffers to GPU kernels ---------*- C++ -*-===//
#ifndef NNC_CODEGEN_GPU_PASSES_H
#define NNC_CODEGEN_GPU_PASSES_H

#include "nnc/Codegen/Passes.h"
#include "nnc/Codegen/Target.h"

namespace nnc {

#define GEN_PASS_DECL
#include "nnc/Codegen/GPU/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "nnc/Codegen/GPU/Passes.h.inc"

struct GpuStageOptions {
  GpuStageOptions() = default;
  GpuStageOptions(const GpuTarget &target, bool mayRoundFactors);

  /// Whether factors of f32 may be rounded to tf32.
  bool roundsFactors = false;
  /// That a block may have.
  int64_t sharedBytes = 99 << 10;
  /// Whether groups of four warps can multiply (wgmma).
  bool hasWarpgroups = false;
};

/// linalg on buffers becomes launches of the kernels of one gpu.module.
void buildGpuStage(mlir::OpPassManager &passes, const GpuStageOptions &options = {});
/// From linalg on tensors to the LLVM dialect, with kernels that run on the CPU under lib/Emulation.
void buildEmulationPipeline(mlir::OpPassManager &passes, const CodegenOptions &options);
/// The same with factors that are rounded.
void buildRoundedEmulationPipeline(mlir::OpPassManager &passes, const CodegenOptions &options);
/// The same with what sm_90a has.
void buildHopperEmulationPipeline(mlir::OpPassManager &passes, const CodegenOptions &options);
/// The dialects of kernels, and how they become LLVM.
void registerKernelDialects(mlir::DialectRegistry &registry);
/// The kernels of each gpu.module become functions of the LLVM and NVVM dialects; `withLines`: that name the lines of
/// the program.
void buildKernelCodeStage(mlir::OpPassManager &passes, bool withLines = false);
/// Functions that launch kernels, over one planned workspace on the device, get the C interface.
void buildLaunchStage(mlir::OpPassManager &passes, const CodegenOptions &options);

} // namespace nnc

#endif // NNC_CODEGEN_GPU_PASSES_H
