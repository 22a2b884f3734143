//===- Pipeline.cpp - The back half of the compiler, in order -------------===//
//
// The stages from linalg on tensors to the LLVM dialect, each a short list of passes. Those that only make
// code better are optional, so that `--check-passes` can tell what each of them changes.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace nnc {

static void cleanUp(OpPassManager &passes) {
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

/// Adds a pass that code is as right without.
static void addOptional(OpPassManager &passes, std::unique_ptr<Pass> pass,
                        const CodegenOptions &options) {
  if (!options.choosePass || options.choosePass(pass->getArgument()))
    passes.addPass(std::move(pass));
}

void buildLinalgStage(OpPassManager &passes, const CodegenOptions &options) {
  passes.addNestedPass<func::FuncOp>(createLowerToLinalgPass());
}

void buildFusionStage(OpPassManager &passes, const CodegenOptions &options) {
  cleanUp(passes);
  addOptional(passes.nest<func::FuncOp>(), createFuseElementwisePass(), options);
  addOptional(passes.nest<func::FuncOp>(), createFuseSiblingsPass(), options);
  passes.addPass(memref::createResolveShapedTypeResultDimsPass());
  cleanUp(passes);
  addOptional(passes.nest<func::FuncOp>(), createFuseRowsPass(), options);
  addOptional(passes.nest<func::FuncOp>(), createShareExponentialsPass(), options);
  cleanUp(passes);
}

void buildBufferizeStage(OpPassManager &passes, const CodegenOptions &options) {
  passes.addPass(createBufferizePass());
  cleanUp(passes);
  // Two views of one place are one value now, and a copy between them goes.
  passes.addPass(createCanonicalizerPass());
}

void buildPrepareStage(OpPassManager &passes, const CodegenOptions &options) {
  addOptional(passes.nest<func::FuncOp>(),
              createAssignLayoutsPass(AssignLayoutsPassOptions{options.cpu}), options);
  addOptional(passes.nest<func::FuncOp>(),
              createFuseEpiloguesPass(FuseEpiloguesPassOptions{options.cpu}), options);
  addOptional(passes.nest<func::FuncOp>(), createShrinkFillsPass(), options);
  // Times of blocks that run side by side could not be told apart.
  int64_t grain = options.traceKernels ? 0 : options.grain;
  addOptional(passes.nest<func::FuncOp>(),
              createFuseLoopsPass(FuseLoopsPassOptions{options.cpu, grain, options.nearBytes}),
              options);
  addOptional(passes.nest<func::FuncOp>(),
              createWinogradPass(WinogradPassOptions{options.cpu, options.splitPreparation, grain}),
              options);
  passes.addNestedPass<func::FuncOp>(createPrepareKernelsPass(PrepareKernelsPassOptions{
      options.cpu, options.splitPreparation, options.traceKernels ? 0 : options.grain}));
  addOptional(passes.nest<func::FuncOp>(), createFuseCopiesPass(), options);
  // Two views of one buffer are one value, by which the emitter knows what is replaced in place.
  passes.addPass(createCSEPass());
  if (options.splitPreparation)
    passes.addPass(createSplitPreparationPass());
}

void buildKernelStage(OpPassManager &passes, const CodegenOptions &options) {
  if (options.traceKernels)
    passes.addPass(createTraceKernelsPass());
  addOptional(passes, createShareKernelsPass(), options);
  passes.addPass(createVectorizePass(VectorizePassOptions{options.cpu, options.grain}));
  // No canonicalizer from here on: LLVM folds the same, and is quicker with large loops.
  passes.addPass(createCSEPass());
  passes.addPass(createContractProductsPass());
  passes.addPass(createPlanArenaPass());
}

void buildLLVMStage(OpPassManager &passes, const CodegenOptions &options) {
  if (options.lowersTransfers)
    passes.addPass(createConvertVectorToSCFPass(VectorTransferToSCFOptions().enableFullUnroll()));
  passes.addPass(createExpandMathPass(ExpandMathPassOptions{options.cpu}));
  passes.addPass(createCInterfacePass(CInterfacePassOptions{options.cpu}));
  addOptional(passes, createParallelizePass(), options);
  passes.addPass(createExpandViewsPass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertToLLVMPass());
}

void buildCpuPipeline(OpPassManager &passes, const CodegenOptions &options) {
  buildFusionStage(passes, options);
  buildBufferizeStage(passes, options);
  buildPrepareStage(passes, options);
  buildKernelStage(passes, options);
  buildLLVMStage(passes, options);
}

} // namespace nnc
