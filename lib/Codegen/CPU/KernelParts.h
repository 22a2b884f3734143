//===- KernelParts.h - Cut a large kernel into parts ------------*- C++ -*-===//
//
// The parts of a kernel, which threads may share, are a parallel loop. How many there are is a
// function of the sizes alone.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CPU_KERNELPARTS_H
#define NNC_LIB_CODEGEN_CPU_KERNELPARTS_H

#include "KernelPlan.h"

namespace nnc {

/// The range of a part along the dimension that is cut.
struct KernelPart {
  mlir::Value begin, end;
};

/// How many parts a kernel with loops of these `extents` is cut into.
int64_t countParts(mlir::MLIRContext *context, const KernelPlan &plan,
                   llvm::ArrayRef<int64_t> extents, int64_t grain);

/// Opens the loop over the parts of a kernel whose loops have these `extents`, and leaves `builder`
/// inside; none, and `builder` where it is, if it is known to be too small.
std::optional<KernelPart> emitParts(mlir::OpBuilder &builder, mlir::Location loc,
                                    const KernelPlan &plan, llvm::ArrayRef<mlir::Value> extents,
                                    int64_t grain);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_KERNELPARTS_H
