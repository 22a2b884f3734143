//===- RepeatStep.h - Many training steps in one function -------*- C++ -*-===//
#ifndef NNC_TRANSFORMS_REPEATSTEP_H
#define NNC_TRANSFORMS_REPEATSTEP_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nnc {

/// Adds `NAME.steps` behind the step function `NAME.step`: a scan of `num_steps` steps on the same data.
/// Parameters and states are carried, the key's counter counts on from the one given, and the loss
/// and each record become arrays of that length. Taps are left out.
mlir::func::FuncOp repeatStep(mlir::func::FuncOp step);

} // namespace nnc

#endif // NNC_TRANSFORMS_REPEATSTEP_H
