//===- GpuPipeline.cpp - From linalg on buffers to kernels, in order ------===//
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace nnc {

void buildGpuStage(OpPassManager &passes) {
  passes.addNestedPass<func::FuncOp>(createMapKernelsPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createOutlineKernelsPass());
  // What only kernels compute now.
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void buildEmulationPipeline(OpPassManager &passes, const CodegenOptions &options) {
  buildFusionStage(passes, options);
  buildBufferizeStage(passes, options);
  buildGpuStage(passes);
  passes.addPass(createEmulateLaunchesPass());
  passes.addPass(createPlanArenaPass());
  buildLLVMStage(passes, options);
}

} // namespace nnc
