//===- SplitEvaluation.h - An evaluation in two functions -------*- C++ -*-===//
#ifndef NNC_TRANSFORMS_SPLITEVALUATION_H
#define NNC_TRANSFORMS_SPLITEVALUATION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nnc {

/// Divides an "evaluate" function `NAME`, whose results of role "output" are those of the model. The
/// new `NAME.predict` gives these, for as many rows as fit; `NAME` takes them as inputs, for all rows,
/// and gives the other results. So a metric sees the whole of the data, however large it is.
///
/// Returns null, and only drops the outputs, where that cannot be: a result needs a derivative through
/// the model, or an output has no axis of rows.
mlir::func::FuncOp splitEvaluation(mlir::func::FuncOp evaluate);

} // namespace nnc

#endif // NNC_TRANSFORMS_SPLITEVALUATION_H
