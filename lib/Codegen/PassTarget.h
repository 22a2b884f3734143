//===- PassTarget.h - The processor that a pass emits for -------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_PASSTARGET_H
#define NNC_LIB_CODEGEN_PASSTARGET_H

#include "nnc/Codegen/Target.h"

#include "mlir/IR/Operation.h"

namespace nnc {

/// The processor of a pass on `op`; none, and an error at `op`, if LLVM does not know it.
inline std::optional<TargetDescription> findPassTarget(mlir::Operation *op, llvm::StringRef cpu) {
  std::optional<TargetDescription> target = TargetDescription::forCpu(cpu);
  if (!target)
    op->emitError("unknown processor '") << cpu << "'";
  return target;
}

} // namespace nnc

#endif // NNC_LIB_CODEGEN_PASSTARGET_H
