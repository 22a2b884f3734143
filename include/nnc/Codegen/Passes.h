// The passes of the back half of the compiler.
#ifndef NNC_CODEGEN_PASSES_H
#define NNC_CODEGEN_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include <string>

namespace nnc {

#define GEN_PASS_DECL
#include "nnc/Codegen/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "nnc/Codegen/Passes.h.inc"

} // namespace nnc

#endif // NNC_CODEGEN_PASSES_H
