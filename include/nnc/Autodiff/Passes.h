//===- Passes.h - Differentiation as a pass ---------------------*- C++ -*-===//
//
// The passes of Passes.td.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_AUTODIFF_PASSES_H
#define NNC_AUTODIFF_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace nnc {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "nnc/Autodiff/Passes.h.inc"
} // namespace nnc

#endif // NNC_AUTODIFF_PASSES_H
