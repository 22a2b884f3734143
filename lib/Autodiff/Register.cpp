//===- Register.cpp - Attaching the rules to the dialect ------------------===//
//
// One line a family.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

using namespace mlir;

#include "nnc/Autodiff/GradientInterface.cpp.inc"

void nnc::registerGradientModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, nn::NNDialect *) {
    registerElementwiseGradients(context);
    registerReductionGradients(context);
    registerLinearGradients(context);
    registerWindowGradients(context);
    registerEinsumGradients(context);
    registerShapeGradients(context);
    registerOrderGradients(context);
    registerControlGradients(context);
  });
}
