//===- KernelEpilogue.h - What a kernel does with its results ---*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_KERNELEPILOGUE_H
#define NNC_LIB_CODEGEN_KERNELEPILOGUE_H

#include "GPU/OperationBody.h"

namespace nnc {

/// The operation that `op`, which has sums, may do with each of its results instead of storing it: the next one that
/// reads them, if it reads each by itself. `op` moves to its place, which nothing between them minds.
std::optional<Epilogue> findEpilogue(mlir::linalg::GenericOp op);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_KERNELEPILOGUE_H
