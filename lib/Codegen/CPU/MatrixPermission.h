//===- MatrixPermission.h - Whether the system lets a process use tiles -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_CPU_MATRIXPERMISSION_H
#define NNC_LIB_CODEGEN_CPU_MATRIXPERMISSION_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace nnc {

/// An internal function of `module` that says, as an i1, whether the matrix unit may be used. It asks the
/// system once.
mlir::LLVM::LLVMFuncOp matrixPermission(mlir::ModuleOp module);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_MATRIXPERMISSION_H
