//===- GpuPipeline.cpp - From linalg on buffers to kernels, in order ------===//
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace nnc {

void buildGpuStage(OpPassManager &passes, const GpuStageOptions &options) {
  passes.addNestedPass<func::FuncOp>(
      createFuseTilesPass(FuseTilesPassOptions{options.sharedBytes}));
  passes.addNestedPass<func::FuncOp>(
      createFuseBlocksPass(FuseBlocksPassOptions{options.sharedBytes}));
  passes.addNestedPass<func::FuncOp>(
      createMapKernelsPass(MapKernelsPassOptions{options.roundsFactors, options.hasWarpgroups}));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addNestedPass<func::FuncOp>(createJoinLaunchesPass());
  passes.addPass(createOutlineKernelsPass());
  // What only kernels compute now.
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

static void buildEmulation(OpPassManager &passes, const CodegenOptions &options,
                           const GpuStageOptions &gpuOptions) {
  buildFusionStage(passes, options);
  buildBufferizeStage(passes, options);
  buildGpuStage(passes, gpuOptions);
  passes.addPass(createEmulateLaunchesPass());
  passes.addPass(createPlanArenaPass());
  buildLLVMStage(passes, options);
}

void buildEmulationPipeline(OpPassManager &passes, const CodegenOptions &options) {
  buildEmulation(passes, options, {});
}

void buildRoundedEmulationPipeline(OpPassManager &passes, const CodegenOptions &options) {
  GpuStageOptions gpuOptions;
  gpuOptions.roundsFactors = true;
  buildEmulation(passes, options, gpuOptions);
}

void buildHopperEmulationPipeline(OpPassManager &passes, const CodegenOptions &options) {
  GpuStageOptions gpuOptions;
  gpuOptions.hasWarpgroups = true;
  buildEmulation(passes, options, gpuOptions);
}

} // namespace nnc
