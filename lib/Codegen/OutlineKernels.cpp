//===- OutlineKernels.cpp - Make the body of each launch a kernel ---------===//
//
// A kernel declares the memory of a block, up to the 48 KB that all can have; if it takes more, the launch asks for all
// of it, and the kernel cuts it into pieces.
//
//===----------------------------------------------------------------------===//
#include "GPU/Launch.h"
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

#include <numeric>

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

constexpr StringLiteral kModuleName = "kernels";

/// What a kernel can declare of the memory of a block.
constexpr int64_t kMostDeclaredBytes = 48 * 1024;

/// Whether a pointer says all of a buffer of `type`.
bool isPlain(MemRefType type) { return type.hasStaticShape() && type.getLayout().isIdentity(); }

int64_t bytesOf(MemRefType type) {
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

/// Threads load and store vectors of 16 bytes; what is read by lines that change places begins at a multiple of eight
/// of them, and has a multiple of that.
uint64_t alignmentOf(MemRefType type) {
  constexpr uint64_t kLeast = 16, kMost = 1024;
  return std::max(kLeast, std::gcd(kMost, uint64_t(bytesOf(type))));
}

/// The buffer that `map` describes.
Value describedBuffer(Value map) {
  Value view = map.getDefiningOp<nvgpu::TmaCreateDescriptorOp>().getTensor();
  return view.getDefiningOp<memref::CastOp>().getSource();
}

/// One launch on its way into a kernel.
class Outliner {
public:
  explicit Outliner(gpu::LaunchOp launchOp)
      : launch(launchOp), loc(launchOp.getLoc()), host(launchOp) {}

  void outline(gpu::GPUModuleOp module, const Twine &name);

private:
  void need(Value value);
  bool isComputedAgain(Operation *op) const;
  void pass(Value value);
  void passBuffer(Value buffer);
  void passMap(Value map);
  void takeSharedMemory(OpBuilder &b, gpu::GPUFuncOp kernel, IRMapping &mapping);
  void fillBody(gpu::GPUFuncOp kernel);
  Value takeBuffer(OpBuilder &b, MemRefType type, ValueRange::iterator &argument);

  gpu::LaunchOp launch;
  Location loc;
  OpBuilder host;
  /// What the kernel is given, and what it computes again, in order.
  llvm::SetVector<Value> passed;
  llvm::SetVector<Operation *> again;
  SmallVector<Value> operands;
};

/// Constants, and what follows from what buffers hold, numbers and views: the host would have to wait for that.
bool Outliner::isComputedAgain(Operation *op) const {
  if (!op)
    return false;
  if (matchPattern(op, m_Constant()) || isa<memref::LoadOp>(op))
    return true;
  return isPure(op) && op->getNumRegions() == 0 &&
         llvm::any_of(op->getOperands(), [&](Value operand) {
           Operation *source = operand.getDefiningOp();
           return source && !matchPattern(source, m_Constant()) && isComputedAgain(source);
         });
}

void Outliner::need(Value value) {
  Operation *op = value.getDefiningOp();
  if (!isComputedAgain(op)) {
    passed.insert(value);
    return;
  }
  if (again.contains(op))
    return;
  llvm::for_each(op->getOperands(), [&](Value operand) { need(operand); });
  again.insert(op);
}

void Outliner::passBuffer(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  if (isPlain(type)) {
    operands.push_back(buffer);
    return;
  }
  auto parts = memref::ExtractStridedMetadataOp::create(host, loc, buffer);
  operands.push_back(parts.getBaseBuffer());
  auto [strides, offset] = type.getStridesAndOffset();
  if (ShapedType::isDynamic(offset))
    operands.push_back(parts.getOffset());
  for (auto [size, value] : llvm::zip_equal(type.getShape(), parts.getSizes()))
    if (ShapedType::isDynamic(size))
      operands.push_back(value);
  for (auto [stride, value] : llvm::zip_equal(strides, parts.getStrides()))
    if (ShapedType::isDynamic(stride))
      operands.push_back(value);
}

/// The kernel has a description of a tensor by itself, as its parameter. It is given the buffer too, so that all see that
/// it reads that.
void Outliner::passMap(Value map) {
  auto pointer = LLVM::LLVMPointerType::get(map.getContext());
  operands.push_back(UnrealizedConversionCastOp::create(host, loc, pointer, map).getResult(0));
  passBuffer(describedBuffer(map));
}

/// The buffer that passBuffer passed, from the arguments that begin at `argument`.
Value Outliner::takeBuffer(OpBuilder &b, MemRefType type, ValueRange::iterator &argument) {
  Value base = *argument++;
  if (isPlain(type))
    return base;
  auto take = [&](int64_t known) -> OpFoldResult {
    if (ShapedType::isDynamic(known))
      return *argument++;
    return b.getIndexAttr(known);
  };
  auto [strides, offset] = type.getStridesAndOffset();
  OpFoldResult start = take(offset);
  SmallVector<OpFoldResult> sizes = llvm::map_to_vector(type.getShape(), take),
                            steps = llvm::map_to_vector(strides, take);
  return memref::ReinterpretCastOp::create(b, loc, type, base, start, sizes, steps);
}

/// The memory of a block, as the kernel declares it, or in pieces of what the launch asks for.
void Outliner::takeSharedMemory(OpBuilder &b, gpu::GPUFuncOp kernel, IRMapping &mapping) {
  for (auto [before, after] :
       llvm::zip(launch.getWorkgroupAttributions(), kernel.getWorkgroupAttributions()))
    mapping.map(before, after);
  if (launch.getNumWorkgroupAttributions() == kernel.getNumWorkgroupAttributions())
    return;
  auto space = gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  Value all = gpu::DynamicSharedMemoryOp::create(
      b, loc,
      MemRefType::get(ShapedType::kDynamic, b.getI8Type(), MemRefLayoutAttrInterface(), space));
  int64_t begin = 0;
  for (BlockArgument memory : launch.getWorkgroupAttributions()) {
    auto type = cast<MemRefType>(memory.getType());
    begin = int64_t(llvm::alignTo(begin, alignmentOf(type)));
    Value place = arith::ConstantIndexOp::create(b, loc, begin);
    mapping.map(memory, memref::ViewOp::create(b, loc, type, all, place, ValueRange()).getResult());
    begin += bytesOf(type);
  }
}

void Outliner::fillBody(gpu::GPUFuncOp kernel) {
  Block &entry = kernel.getBody().front();
  OpBuilder b = OpBuilder::atBlockBegin(&entry);
  IRMapping mapping;
  ValueRange arguments(kernel.getArguments());
  auto argument = arguments.begin();
  for (Value value : passed)
    if (auto type = dyn_cast<MemRefType>(value.getType())) {
      mapping.map(value, takeBuffer(b, type, argument));
    } else if (isa<nvgpu::TensorMapDescriptorType>(value.getType())) {
      mapping.map(
          value,
          UnrealizedConversionCastOp::create(b, loc, value.getType(), *argument++).getResult(0));
      takeBuffer(b, cast<MemRefType>(describedBuffer(value).getType()), argument);
    } else
      mapping.map(value, *argument++);
  for (Operation *op : again)
    b.clone(*op, mapping);
  takeSharedMemory(b, kernel, mapping);
  using gpu::Dimension;
  for (auto [block, thread, dimension] :
       {std::tuple(launch.getBlockIds().x, launch.getThreadIds().x, Dimension::x),
        std::tuple(launch.getBlockIds().y, launch.getThreadIds().y, Dimension::y),
        std::tuple(launch.getBlockIds().z, launch.getThreadIds().z, Dimension::z)}) {
    if (!block.use_empty())
      mapping.map(block, gpu::BlockIdOp::create(b, loc, dimension));
    if (!thread.use_empty())
      mapping.map(thread, gpu::ThreadIdOp::create(b, loc, dimension));
  }
  for (Operation &op : launch.getBody().front().without_terminator())
    b.clone(op, mapping);
  gpu::ReturnOp::create(b, loc);
}

void Outliner::outline(gpu::GPUModuleOp module, const Twine &name) {
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(launch.getBody(), used);
  llvm::for_each(used, [&](Value value) { need(value); });
  for (Value value : passed)
    if (isa<MemRefType>(value.getType()))
      passBuffer(value);
    else if (isa<nvgpu::TensorMapDescriptorType>(value.getType()))
      passMap(value);
    else
      operands.push_back(value);

  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto type = b.getFunctionType(ValueRange(operands).getTypes(), {});
  SmallVector<Type> shared;
  int64_t sharedBytes = 0;
  for (BlockArgument memory : launch.getWorkgroupAttributions()) {
    auto memoryType = cast<MemRefType>(memory.getType());
    shared.push_back(memoryType);
    sharedBytes =
        int64_t(llvm::alignTo(sharedBytes, alignmentOf(memoryType))) + bytesOf(memoryType);
  }
  bool isDeclared = sharedBytes <= kMostDeclaredBytes;
  if (!isDeclared)
    shared.clear();
  auto kernel = gpu::GPUFuncOp::create(b, loc, name.str(), type, shared);
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  // So that one block computes while the other waits for memory, a thread does with half of the registers, if the
  // launch does not say else.
  StringRef blocksAtOnce = NVVM::NVVMDialect::getMinctasmAttrName();
  Attribute asked = launch->getAttr(blocksAtOnce);
  kernel->setAttr(blocksAtOnce, asked ? asked : b.getI32IntegerAttr(2));
  for (unsigned memory = 0; memory < shared.size(); ++memory)
    kernel.setWorkgroupAttributionAttr(
        memory, b.getStringAttr(LLVM::LLVMDialect::getAlignAttrName()),
        b.getI64IntegerAttr(alignmentOf(cast<MemRefType>(shared[memory]))));
  SmallVector<int32_t> threads;
  for (Value size : {launch.getBlockSizeX(), launch.getBlockSizeY(), launch.getBlockSizeZ()}) {
    APInt known;
    if (matchPattern(size, m_ConstantInt(&known)))
      threads.push_back(known.getSExtValue());
  }
  if (threads.size() == 3)
    kernel.setKnownBlockSizeAttr(b.getDenseI32ArrayAttr(threads));
  for (auto [index, operand] : llvm::enumerate(operands))
    if (operand.getDefiningOp<UnrealizedConversionCastOp>())
      kernel.setArgAttr(index, LLVM::LLVMDialect::getAlignAttrName(),
                        b.getI64IntegerAttr(kTensorMapBytes));
  fillBody(kernel);
  Value askedBytes =
      isDeclared ? Value() : arith::ConstantIntOp::create(host, loc, sharedBytes, 32);
  gpu::LaunchFuncOp::create(host, loc, kernel, launch.getGridSizeOperandValues(),
                            launch.getBlockSizeOperandValues(), askedBytes, operands);
  launch.erase();
}

class OutlineKernels : public impl::OutlineKernelsPassBase<OutlineKernels> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    gpu::GPUModuleOp kernels;
    for (auto function : module.getOps<func::FuncOp>()) {
      SmallVector<gpu::LaunchOp> launches;
      function.walk([&](gpu::LaunchOp launch) { launches.push_back(launch); });
      if (!launches.empty() && !kernels) {
        OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
        kernels = gpu::GPUModuleOp::create(b, module.getLoc(), kModuleName);
        module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), b.getUnitAttr());
      }
      for (auto [number, launch] : llvm::enumerate(launches))
        Outliner(launch).outline(kernels, function.getName() + "_" + Twine(number));
    }
  }
};

} // namespace
} // namespace nnc
