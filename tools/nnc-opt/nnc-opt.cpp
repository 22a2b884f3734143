//===- nnc-opt.cpp - mlir-opt with this project's dialect and passes ------===//
//
// Reads MLIR, runs the passes named on the command line, prints the result. For tests and for
// whoever studies one pass at a time.
//
//===----------------------------------------------------------------------===//
#include "nnc/Autodiff/Autodiff.h"
#include "nnc/Autodiff/Passes.h"
#include "nnc/Codegen/GPU/Passes.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/NN.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<nnc::nn::NNDialect>();
  nnc::registerGradientModels(registry);
  mlir::registerAllPasses();
  nnc::registerAutodiffPasses();
  nnc::registerTransformsPasses();
  nnc::registerCodegenPasses();
  nnc::registerGpuCodegenPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "nnc optimizer\n", registry));
}
