//===- PrivateMemory.h - Temporaries of parallel iterations -----*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_PRIVATEMEMORY_H
#define NNC_LIB_CODEGEN_PRIVATEMEMORY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nnc {

/// Makes of what a parallel loop, of known length, allocates one allocation before it with a place for each of
/// its iterations.
void separateMemory(mlir::func::FuncOp function);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_PRIVATEMEMORY_H
