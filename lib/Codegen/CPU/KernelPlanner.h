//===- KernelPlanner.h - Chooses how one operation's loops run --*- C++ -*-===//
//
// Nothing here writes code.
//
//   KernelPlan.cpp         the vector dimension, by how the operands lie in memory
//   KernelPlanTile.cpp     the tile, by how many registers the target has
//   KernelPlanBlocks.cpp   blocks of sums and parts for threads, by what its caches hold
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_CODEGEN_CPU_KERNELPLANNER_H
#define NNC_LIB_CODEGEN_CPU_KERNELPLANNER_H

#include "KernelPlan.h"

namespace nnc {

class KernelPlanner {
public:
  KernelPlanner(mlir::linalg::GenericOp generic, const TargetDescription &description)
      : op(generic), target(description), sizes(op.getStaticLoopRanges()) {}

  KernelPlan plan();

private:
  bool isReduction(unsigned dim) {
    return op.getIteratorTypesArray()[dim] == mlir::utils::IteratorType::reduction;
  }
  Access access(mlir::OpOperand &operand, unsigned dim) {
    return classifyAccess(op.getMatchingIndexingMap(&operand), operand.get().getType(), dim);
  }
  bool hasVectorBody();
  unsigned elementBits();
  bool masksRest();
  unsigned lanesOf(unsigned dim);
  std::optional<unsigned> loadCost(unsigned dim);
  std::optional<unsigned> chooseVectorDim();
  std::optional<unsigned> fullerReduction(unsigned dim);
  std::optional<unsigned> chooseRowDim(unsigned vectorDim);
  unsigned bodyCost();
  unsigned mostRows(unsigned vectorDim, unsigned rowDim);
  unsigned sharedSteps(unsigned vectorDim, unsigned rowDim, Access along);
  void chooseSlidingTile(KernelPlan &plan, unsigned steps);
  void chooseTile(KernelPlan &plan);
  void chooseBlocks(KernelPlan &plan, unsigned budget);
  void chooseLaneRows(KernelPlan &plan, unsigned most, unsigned budget);
  void chooseTurning(KernelPlan &plan);
  bool chooseMatrix(KernelPlan &plan);
  void chooseWords(KernelPlan &plan);
  double inputBytes(llvm::function_ref<double(unsigned)> extent);
  void chooseOuterReductions(KernelPlan &plan);
  double footprint(mlir::OpOperand *input);
  void blockLongSum(KernelPlan &plan);
  void takeGivenTile(KernelPlan &plan);
  std::pair<unsigned, unsigned> findRowLoop(const KernelPlan &plan);
  int64_t countNearRows(const KernelPlan &plan, unsigned rowLoop, unsigned unit);
  void chooseParts(KernelPlan &plan);

  mlir::linalg::GenericOp op;
  const TargetDescription &target;
  llvm::SmallVector<int64_t> sizes;
};

} // namespace nnc

#endif // NNC_LIB_CODEGEN_CPU_KERNELPLANNER_H
