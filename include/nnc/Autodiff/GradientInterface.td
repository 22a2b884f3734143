//===- GradientInterface.td - What differentiation asks an op ---*- tablegen -*-===//
#ifndef NNC_AUTODIFF_GRADIENTINTERFACE
#define NNC_AUTODIFF_GRADIENTINTERFACE

include "mlir/IR/OpBase.td"

def GradientOpInterface : OpInterface<"GradientOpInterface"> {
  let description = [{
    The derivative of an op as a vector-Jacobian product, written in nn ops so that it can be
    printed, optimised and differentiated like any program. The rules are attached to the nn dialect
    from outside (registerGradientModels): the dialect does not know them.
  }];
  let cppNamespace = "::nnc";
  let methods = [
    InterfaceMethod<[{
      The values that the op reads: its operands and, for an op with a body, the values from outside
      that the body uses.
    }], "llvm::SmallVector<mlir::Value>", "getGradientInputs", (ins), "", [{
      return llvm::to_vector($_op->getOperands());
    }]>,
    InterfaceMethod<[{
      Given the cotangents of the results (null where one has no influence), builds the cotangents
      of the inputs: one for each, null where the derivative is zero or `needed` is not set.
    }], "llvm::FailureOr<llvm::SmallVector<mlir::Value>>", "buildGradients",
    (ins "mlir::OpBuilder &":$builder, "llvm::ArrayRef<mlir::Value>":$cotangents,
         "const llvm::SmallBitVector &":$needed)>,
  ];
}

#endif // NNC_AUTODIFF_GRADIENTINTERFACE
