//===- Passes.h - Passes from nn to nn --------------------------*- C++ -*-===//
//
// The passes of Passes.td.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_TRANSFORMS_PASSES_H
#define NNC_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace nnc {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "nnc/Transforms/Passes.h.inc"
} // namespace nnc

#endif // NNC_TRANSFORMS_PASSES_H
