//===- Launch.cpp - Start a kernel ----------------------------------------===//
#include "Launch.h"

#include "OperationBody.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace nnc {

gpu::LaunchOp launchThreads(OpBuilder &b, Location loc, gpu::KernelDim3 blocks, int64_t threads) {
  Value one = constantIndex(b, loc, 1), size = constantIndex(b, loc, threads);
  auto launch = gpu::LaunchOp::create(b, loc, blocks.x, blocks.y, blocks.z, size, one, one);
  b.setInsertionPointToStart(&launch.getBody().front());
  gpu::TerminatorOp::create(b, loc);
  b.setInsertionPointToStart(&launch.getBody().front());
  return launch;
}

gpu::LaunchOp launchThreads(OpBuilder &b, Location loc, Value blocks, int64_t threads) {
  Value one = constantIndex(b, loc, 1);
  return launchThreads(b, loc, gpu::KernelDim3{blocks, one, one}, threads);
}

Value addSharedMemory(gpu::LaunchOp launch, ArrayRef<int64_t> shape, Type element) {
  auto space = gpu::AddressSpaceAttr::get(launch.getContext(), gpu::AddressSpace::Workgroup);
  auto type = MemRefType::get(shape, element, AffineMap(), space);
  return launch.addWorkgroupAttribution(type, launch.getLoc());
}

Value SharedScratch::take(OpBuilder &b, ArrayRef<int64_t> shape, Type element) {
  constexpr int64_t kAlignment = 128;
  Location loc = launch.getLoc();
  if (!memory)
    memory = addSharedMemory(launch, {0}, b.getI8Type());
  auto space = gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto type = MemRefType::get(shape, element, AffineMap(), space);
  Value piece =
      memref::ViewOp::create(b, loc, type, memory, constantIndex(b, loc, used), ValueRange());
  used += int64_t(
      llvm::alignTo(type.getNumElements() * element.getIntOrFloatBitWidth() / 8, kAlignment));
  auto all = cast<MemRefType>(memory.getType());
  memory.setType(
      MemRefType::get(std::max(all.getDimSize(0), used), all.getElementType(), AffineMap(), space));
  return piece;
}

void setUnrolling(scf::ForOp loop, int32_t times) {
  Builder b(loop.getContext());
  auto count = times == 1 ? IntegerAttr() : b.getI32IntegerAttr(times);
  auto disable = times == 1 ? b.getBoolAttr(true) : BoolAttr();
  auto unrolling = LLVM::LoopUnrollAttr::get(b.getContext(), disable, count, {}, {}, {}, {}, {});
  loop->setAttr("llvm.loop_annotation",
                LLVM::LoopAnnotationAttr::get(b.getContext(), {}, {}, {}, unrolling, {}, {}, {}, {},
                                              {}, {}, {}, {}, {}, {}, {}));
}

} // namespace nnc
