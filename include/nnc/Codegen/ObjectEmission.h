//===- ObjectEmission.h - From the LLVM dialect to an object ----*- C++ -*-===//
//
// The last step: LLVM IR, optimised once, as text, assembly or an object file. The same module
// gives the same bytes.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_CODEGEN_OBJECTEMISSION_H
#define NNC_CODEGEN_OBJECTEMISSION_H

#include "nnc/Codegen/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace nnc {

enum class OutputKind { LLVMText, Assembly, Object };

/// Translates `module`, which is in the LLVM dialect, for `target`.
llvm::Expected<std::string> emitOutput(mlir::ModuleOp module, const TargetDescription &target,
                                       OutputKind kind);

} // namespace nnc

#endif // NNC_CODEGEN_OBJECTEMISSION_H
