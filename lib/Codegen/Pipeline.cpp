//===- Pipeline.cpp - The back half of the compiler, in order -------------===//
//
// The stages from linalg on tensors to the LLVM dialect, each a short list of passes.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace nnc {

static void cleanUp(OpPassManager &passes) {
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void buildLinalgStage(OpPassManager &passes, const CodegenOptions &options) {
  passes.addNestedPass<func::FuncOp>(createLowerToLinalgPass());
}

void buildFusionStage(OpPassManager &passes, const CodegenOptions &options) {
  cleanUp(passes);
  passes.addNestedPass<func::FuncOp>(createFuseElementwisePass());
  passes.addNestedPass<func::FuncOp>(createFuseSiblingsPass());
  passes.addPass(memref::createResolveShapedTypeResultDimsPass());
  cleanUp(passes);
}

void buildBufferizeStage(OpPassManager &passes, const CodegenOptions &options) {
  passes.addPass(createBufferizePass());
  cleanUp(passes);
  // Two views of one place are one value now, and a copy between them goes.
  passes.addPass(createCanonicalizerPass());
}

void buildPrepareStage(OpPassManager &passes, const CodegenOptions &options) {
  passes.addNestedPass<func::FuncOp>(
      createAssignLayoutsPass(AssignLayoutsPassOptions{options.cpu}));
  passes.addNestedPass<func::FuncOp>(
      createPrepareKernelsPass(PrepareKernelsPassOptions{options.cpu}));
}

void buildKernelStage(OpPassManager &passes, const CodegenOptions &options) {
  if (options.traceKernels)
    passes.addPass(createTraceKernelsPass());
  passes.addPass(createShareKernelsPass());
  passes.addNestedPass<func::FuncOp>(
      createVectorizePass(VectorizePassOptions{options.cpu, options.grain}));
  // No canonicalizer from here on: LLVM folds the same, and is quicker with large loops.
  passes.addPass(createCSEPass());
  passes.addPass(createPlanArenaPass());
}

void buildLLVMStage(OpPassManager &passes, const CodegenOptions &options) {
  passes.addPass(createExpandMathPass());
  passes.addPass(createCInterfacePass(CInterfacePassOptions{options.cpu}));
  passes.addPass(createParallelizePass());
  passes.addPass(createExpandViewsPass());
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(createSCFToControlFlowPass());
  ConvertVectorToLLVMPassOptions vectorOptions;
  passes.addPass(createConvertVectorToLLVMPass(vectorOptions));
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createConvertMathToLibmPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createUBToLLVMConversionPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
}

void buildCpuPipeline(OpPassManager &passes, const CodegenOptions &options) {
  buildFusionStage(passes, options);
  buildBufferizeStage(passes, options);
  buildPrepareStage(passes, options);
  buildKernelStage(passes, options);
  buildLLVMStage(passes, options);
}

} // namespace nnc
