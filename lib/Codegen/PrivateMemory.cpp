//===- PrivateMemory.cpp - Temporaries of parallel iterations -------------===//
#include "PrivateMemory.h"

#include "CPU/ParallelMarks.h"
#include "CPU/SizeArithmetic.h"
#include "ConcreteSizes.h"
#include "SymbolicSizes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace nnc {

/// Replaces `alloc`, which is somewhere in `loop`.
static void separate(memref::AllocOp alloc, scf::ParallelOp loop, const SymbolicSizes &symbolic) {
  constexpr int64_t kAlignment = 64;
  OpBuilder b(loop);
  Location loc = alloc.getLoc();
  SizeArithmetic sizes(b, loc);
  MemRefType type = alloc.getType();
  OpFoldResult bytes = sizes.constant(elementBytes(type));
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size))
      bytes = sizes.multiply(bytes, sizes.constant(size));
  SmallVector<Value> dynamicSizes;
  for (Value size : alloc.getDynamicSizes()) {
    dynamicSizes.push_back(
        SymbolicSizes::materialize(b, loc, *symbolic.dimOf(size), symbolic.getSymbols()));
    bytes = sizes.multiply(bytes, dynamicSizes.back());
  }
  bytes =
      sizes.multiply(sizes.divideUp(bytes, sizes.constant(kAlignment)), sizes.constant(kAlignment));
  OpFoldResult total = sizes.multiply(bytes, getAsOpFoldResult(loop.getUpperBound().front()));
  int64_t known = getConstantIntValue(total).value_or(ShapedType::kDynamic);
  SmallVector<Value> unknown;
  if (ShapedType::isDynamic(known))
    unknown.push_back(sizes.materialize(total));
  Value all = memref::AllocOp::create(b, loc, MemRefType::get({known}, b.getI8Type()), unknown);
  Value bytesValue = sizes.materialize(bytes);
  b.setInsertionPoint(loop.getBody()->findAncestorOpInBlock(*alloc));
  Value offset = arith::MulIOp::create(b, loc, loop.getInductionVars().front(), bytesValue);
  markInLoop(offset, kScratchAttr);
  alloc.replaceAllUsesWith(
      memref::ViewOp::create(b, loc, type, all, offset, dynamicSizes).getResult());
  alloc.erase();
}

void separateMemory(func::FuncOp function) {
  SymbolicSizes symbolic(function);
  function.walk([&](scf::ParallelOp loop) {
    SmallVector<memref::AllocOp> allocs;
    loop.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
    for (memref::AllocOp alloc : allocs)
      separate(alloc, loop, symbolic);
  });
}

} // namespace nnc
