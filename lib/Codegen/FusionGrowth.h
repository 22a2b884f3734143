//===- FusionGrowth.h - Which operations share their outer loops -*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_FUSIONGROWTH_H
#define NNC_LIB_CODEGEN_FUSIONGROWTH_H

#include "FusionGroup.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace nnc {

/// The blocks of `function` whose operations may share loops, these all of one kind.
llvm::SmallVector<mlir::Block *> prepareBlocks(mlir::IRRewriter &rewriter,
                                               mlir::func::FuncOp function);

/// The group that begins with `first` and takes in one more, or two, as long as that spares more memory.
FusionGroup growGroup(const FusionCandidates &candidates, const FusionMember &first);

/// Erases masks that nobody reads, since members of groups compare where they are instead.
void eraseUnreadMasks(mlir::IRRewriter &rewriter, mlir::Block &block);

} // namespace nnc

#endif // NNC_LIB_CODEGEN_FUSIONGROWTH_H
