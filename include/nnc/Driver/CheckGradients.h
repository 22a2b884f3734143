//===- CheckGradients.h - Autodiff against finite differences ---*- C++ -*-===//
//
// What `nnc check` does to a function: differentiates it and compares with finite differences in
// f64; for a second order, the gradient is the function, and so on.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_CHECKGRADIENTS_H
#define NNC_DRIVER_CHECKGRADIENTS_H

#include "nnc/Reference/GradientCheck.h"

namespace nnc {

/// Checks the derivatives of the floating-point results of `function` with respect to its
/// floating-point arguments at `arguments`, up to `order`. The function stays as it is; nn.grad in
/// it is expanded first. Whatever its types, it is checked in f64.
llvm::Expected<GradientReport> checkGradients(mlir::func::FuncOp function,
                                              llvm::ArrayRef<HostTensor> arguments,
                                              unsigned order = 1,
                                              const GradientCheckOptions &options = {});

} // namespace nnc

#endif // NNC_DRIVER_CHECKGRADIENTS_H
