//===- EmulateLaunches.cpp - Run kernels on the CPU -----------------------===//
//
// Kernels become functions that ask lib/Emulation for what hardware would give them; a launch becomes a parallel
// loop over its threads.
//
//===----------------------------------------------------------------------===//
#include "BufferDescriptor.h"
#include "ConcreteSizes.h"
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_EMULATELAUNCHESPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

std::string kernelName(StringRef module, StringRef kernel) { return (module + "." + kernel).str(); }

/// "net.nn:4:3", empty where no file is known.
std::string describe(Location loc) {
  std::string text;
  loc->walk([&](Location inner) {
    auto place = dyn_cast<FileLineColLoc>(inner);
    if (!place)
      return WalkResult::advance();
    text = (place.getFilename().strref() + ":" + Twine(place.getLine()) + ":" +
            Twine(place.getColumn()))
               .str();
    return WalkResult::interrupt();
  });
  return text;
}

/// The functions of lib/Emulation, declared as they are called.
class Host {
public:
  explicit Host(ModuleOp host) : module(host) {}

  Value call(OpBuilder &b, Location loc, StringRef name, ValueRange operands, Type result = {}) {
    auto function = module.lookupSymbol<func::FuncOp>(name);
    if (!function) {
      OpBuilder outside = OpBuilder::atBlockBegin(module.getBody());
      auto type = b.getFunctionType(operands.getTypes(), result ? TypeRange(result) : TypeRange());
      function = func::FuncOp::create(outside, module.getLoc(), name, type);
      function.setPrivate();
    }
    auto call = func::CallOp::create(b, loc, function, operands);
    return result ? call.getResult(0) : Value();
  }

  /// The address of a constant text.
  Value text(OpBuilder &b, Location loc, StringRef name, StringRef content) {
    auto global = module.lookupSymbol<LLVM::GlobalOp>(name);
    if (!global) {
      OpBuilder outside = OpBuilder::atBlockBegin(module.getBody());
      std::string terminated = content.str() + '\0';
      auto type = LLVM::LLVMArrayType::get(b.getI8Type(), terminated.size());
      global = LLVM::GlobalOp::create(outside, loc, type, /*isConstant=*/true,
                                      LLVM::Linkage::Internal, name, b.getStringAttr(terminated));
    }
    return LLVM::AddressOfOp::create(b, loc, global);
  }

private:
  ModuleOp module;
};

Value constantI32(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(b, loc, value, 32);
}

Value toIndex(OpBuilder &b, Location loc, Value number) {
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
}

/// One kernel on its way to be a function.
class KernelEmulation {
public:
  KernelEmulation(Host &emulator, gpu::GPUFuncOp gpuFunction)
      : host(emulator), kernel(gpuFunction), converter(gpuFunction.getContext()) {}

  LogicalResult run(ModuleOp module);

private:
  Value takeShared(OpBuilder &b, MemRefType type);
  void takeMemory(OpBuilder &b, IRMapping &mapping);
  LogicalResult replacePieces(gpu::DynamicSharedMemoryOp op);
  LogicalResult replace(Operation *op);
  LogicalResult replaceWithNumber(Operation *op, unsigned quantity, gpu::Dimension dimension);
  LogicalResult replaceWithCall(Operation *op, StringRef name, ValueRange operands = {});
  LogicalResult replaceShuffle(gpu::ShuffleOp op);
  LogicalResult replaceProduct(NVVM::MmaOp op);
  LogicalResult replaceRounding(NVVM::ConvertFloatToTF32Op op);
  LogicalResult replaceMatrices(nvgpu::LdMatrixOp op);
  LogicalResult replaceCopy(nvgpu::DeviceAsyncCopyOp op);
  LogicalResult replaceSharedProduct(NVVM::WgmmaMmaAsyncOp op);
  LogicalResult replaceSum(LLVM::ExtractValueOp op);
  void takeBarriers(nvgpu::MBarrierCreateOp op);
  /// The number of the barrier that an operation works with.
  template <typename OpTy> Value signalOf(OpBuilder &b, OpTy op) {
    Location loc = op.getLoc();
    Value index = arith::IndexCastOp::create(b, loc, b.getI32Type(), op.getMbarId());
    Value first = constantI32(b, loc, firstSignals.lookup(op.getBarriers()));
    return arith::AddIOp::create(b, loc, index, first);
  }
  LogicalResult replaceTensorCopy(nvgpu::TmaAsyncLoadOp op);
  LogicalResult tell(Operation *op, Value buffer, ValueRange indices, Type accessed, bool writes);

  Host &host;
  gpu::GPUFuncOp kernel;
  func::FuncOp function;
  LLVMTypeConverter converter;
  unsigned numSites = 0;
  /// What products of shared matrices leave their sums in.
  llvm::SmallDenseSet<Type> sumTypes;
  /// Numbers of the first of some barriers in shared memory, and of the next.
  DenseMap<Value, int64_t> firstSignals;
  int64_t numSignals = 0;
  /// With results that others still use.
  SmallVector<Operation *> replaced;
};

/// A piece of the block's memory.
Value KernelEmulation::takeShared(OpBuilder &b, MemRefType type) {
  Location loc = kernel.getLoc();
  type = MemRefType::get(type.getShape(), type.getElementType());
  int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  Value base = host.call(b, loc, "nnc_emulated_shared", constantI64(b, loc, bytes),
                         LLVM::LLVMPointerType::get(b.getContext()));
  BufferNumbers numbers;
  auto [strides, offset] = type.getStridesAndOffset();
  numbers.offset = constantI64(b, loc, offset);
  for (auto [size, stride] : llvm::zip(type.getShape(), strides)) {
    numbers.sizes.push_back(constantI64(b, loc, size));
    numbers.strides.push_back(constantI64(b, loc, stride));
  }
  return makeBuffer(b, loc, converter, type, base, numbers);
}

/// Memory of a block, and of a thread.
void KernelEmulation::takeMemory(OpBuilder &b, IRMapping &mapping) {
  Location loc = kernel.getLoc();
  for (BlockArgument memory : kernel.getWorkgroupAttributions())
    mapping.map(memory, takeShared(b, cast<MemRefType>(memory.getType())));
  for (BlockArgument memory : kernel.getPrivateAttributions()) {
    auto type = cast<MemRefType>(memory.getType());
    mapping.map(memory, memref::AllocaOp::create(
                            b, loc, MemRefType::get(type.getShape(), type.getElementType())));
  }
}

/// Each piece of what the launch asks for is one by itself.
LogicalResult KernelEmulation::replacePieces(gpu::DynamicSharedMemoryOp op) {
  for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
    auto view = dyn_cast<memref::ViewOp>(user);
    if (!view || !view.getType().hasStaticShape())
      return user->emitError("expected a piece of known size of the memory of a block");
    OpBuilder b(view);
    view.replaceAllUsesWith(takeShared(b, view.getType()));
    replaced.push_back(view);
  }
  replaced.insert(replaced.begin(), op);
  return success();
}

LogicalResult KernelEmulation::replaceWithNumber(Operation *op, unsigned quantity,
                                                 gpu::Dimension dimension) {
  OpBuilder b(op);
  Value which = constantI32(b, op->getLoc(), quantity * 3 + static_cast<unsigned>(dimension));
  Value number = host.call(b, op->getLoc(), "nnc_emulated_number", which, b.getI64Type());
  op->getResult(0).replaceAllUsesWith(toIndex(b, op->getLoc(), number));
  op->erase();
  return success();
}

/// Of an operation without results.
LogicalResult KernelEmulation::replaceWithCall(Operation *op, StringRef name, ValueRange operands) {
  OpBuilder b(op);
  host.call(b, op->getLoc(), name, operands);
  op->erase();
  return success();
}

LogicalResult KernelEmulation::replaceShuffle(gpu::ShuffleOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Type type = op.getValue().getType(), i32 = b.getI32Type(), i64 = b.getI64Type();
  if (!type.isIntOrFloat() || type.getIntOrFloatBitWidth() != 32)
    return op.emitError("expected a shuffle of 32 bits, found ") << type;
  Value bits = type.isInteger(32)
                   ? op.getValue()
                   : arith::BitcastOp::create(b, loc, i32, op.getValue()).getResult();
  Value mode = constantI32(b, loc, static_cast<int64_t>(op.getMode()));
  // The value below, whether there is one above.
  Value both =
      host.call(b, loc, "nnc_emulated_shuffle",
                {constantI32(b, loc, numSites++), bits, op.getOffset(), op.getWidth(), mode}, i64);
  Value value = arith::TruncIOp::create(b, loc, i32, both);
  if (!type.isInteger(32))
    value = arith::BitcastOp::create(b, loc, type, value);
  Value high = arith::ShRUIOp::create(b, loc, both, constantI64(b, loc, 32));
  Value isValid = arith::TruncIOp::create(b, loc, b.getI1Type(), high);
  op.replaceAllUsesWith(ValueRange{value, isValid});
  op.erase();
  return success();
}

LogicalResult KernelEmulation::replaceProduct(NVVM::MmaOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  NVVM::MMAShapeAttr shape = op.getShape();
  // In the order of FactorKind.
  NVVM::MMATypes kinds[] = {NVVM::MMATypes::bf16, NVVM::MMATypes::f16, NVVM::MMATypes::tf32};
  auto *kind = llvm::find(kinds, op.getMultiplicandAPtxType());
  int64_t terms = op.getMultiplicandAPtxType() == NVVM::MMATypes::tf32 ? 8 : 16;
  if (shape.getM() != 16 || shape.getN() != 8 || kind == std::end(kinds) || shape.getK() != terms ||
      op.getOperandC().size() != 4)
    return op.emitError("expected a product of 16 x 16 by 16 x 8 of f16 or bf16, or of 16 x 8 by "
                        "8 x 8 of tf32, summed in f32");
  SmallVector<Value> operands = {constantI32(b, loc, numSites++),
                                 constantI32(b, loc, kind - std::begin(kinds))};
  for (Value bits : llvm::concat<Value>(op.getOperandA(), op.getOperandB()))
    operands.push_back(bits.getType().isInteger(32)
                           ? bits
                           : LLVM::BitcastOp::create(b, loc, b.getI32Type(), bits).getResult());
  llvm::append_range(operands, op.getOperandC());
  host.call(b, loc, "nnc_emulated_product", operands);
  Value sums = LLVM::PoisonOp::create(b, loc, op.getType());
  for (int64_t part = 0; part < 4; ++part) {
    Value sum = host.call(b, loc, "nnc_emulated_sum", constantI32(b, loc, part), b.getF32Type());
    sums = LLVM::InsertValueOp::create(b, loc, sums, sum, part);
  }
  op.replaceAllUsesWith(sums);
  op.erase();
  return success();
}

/// Half of what is cut off is added, so that ties go away from zero.
LogicalResult KernelEmulation::replaceRounding(NVVM::ConvertFloatToTF32Op op) {
  if (op.getRnd() != NVVM::FPRoundingMode::RNA)
    return op.emitError("expected to round to the nearest, ties away from zero");
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value bits = arith::BitcastOp::create(b, loc, b.getI32Type(), op.getSrc());
  bits = arith::AddIOp::create(b, loc, bits, constantI32(b, loc, 1 << 12));
  bits = arith::AndIOp::create(b, loc, bits, constantI32(b, loc, -(1 << 13)));
  op.replaceAllUsesWith(bits);
  op.erase();
  return success();
}

/// Where an element is, as a number.
Value addressOf(OpBuilder &b, Location loc, Value buffer, ValueRange indices) {
  auto parts = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  Value place = parts.getOffset();
  for (auto [index, stride] : llvm::zip_equal(indices, parts.getStrides()))
    place = arith::AddIOp::create(b, loc, place, arith::MulIOp::create(b, loc, index, stride));
  Value bytes = arith::ConstantIndexOp::create(b, loc, elementBytes(buffer.getType()));
  place = arith::MulIOp::create(b, loc, place, bytes);
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  return toI64(b, loc, arith::AddIOp::create(b, loc, base, place));
}

/// Reports an access of elements that lie side by side.
LogicalResult KernelEmulation::tell(Operation *op, Value buffer, ValueRange indices, Type accessed,
                                    bool writes) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  auto vector = dyn_cast<VectorType>(accessed);
  host.call(
      b, loc, "nnc_emulated_access",
      {addressOf(b, loc, buffer, indices), constantI32(b, loc, elementBytes(buffer.getType())),
       constantI32(b, loc, vector ? vector.getNumElements() : 1), constantI32(b, loc, writes)});
  return success();
}

LogicalResult KernelEmulation::replaceMatrices(nvgpu::LdMatrixOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto type = cast<VectorType>(op.getRes().getType());
  if (op.getNumTiles() != 4 || type.getElementTypeBitWidth() != 16)
    return op.emitError("expected four matrices of 16 bits");
  Value isTurned = constantI32(b, loc, op.getTranspose());
  host.call(b, loc, "nnc_emulated_matrices",
            {constantI32(b, loc, numSites++), addressOf(b, loc, op.getSrcMemref(), op.getIndices()),
             isTurned});
  auto pairType = VectorType::get(2, type.getElementType());
  Value matrices = ub::PoisonOp::create(b, loc, type);
  for (int64_t part = 0; part < 4; ++part) {
    Value bits =
        host.call(b, loc, "nnc_emulated_matrix", constantI32(b, loc, part), b.getI32Type());
    Value pair = LLVM::BitcastOp::create(b, loc, pairType, bits);
    matrices = vector::InsertOp::create(b, loc, pair, matrices, part);
  }
  op.replaceAllUsesWith(matrices);
  op.erase();
  return success();
}

LogicalResult KernelEmulation::replaceCopy(nvgpu::DeviceAsyncCopyOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value count = constantI32(b, loc, op.getDstElements().getSExtValue());
  Value exist = op.getSrcElements()
                    ? arith::IndexCastOp::create(b, loc, b.getI32Type(), op.getSrcElements())
                    : count;
  host.call(b, loc, "nnc_emulated_copy",
            {addressOf(b, loc, op.getDst(), op.getDstIndices()),
             addressOf(b, loc, op.getSrc(), op.getSrcIndices()),
             constantI32(b, loc, elementBytes(op.getDst().getType())), count, exist});
  replaced.push_back(op);
  return success();
}

/// The structure holds names of sums from here on; a number is only what replaceSum asks for.
LogicalResult KernelEmulation::replaceSharedProduct(NVVM::WgmmaMmaAsyncOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  // In the order of FactorKind.
  NVVM::WGMMATypes kinds[] = {NVVM::WGMMATypes::bf16, NVVM::WGMMATypes::f16};
  auto *kind = llvm::find(kinds, op.getTypeA());
  if (kind == std::end(kinds) || op.getTypeB() != op.getTypeA() ||
      op.getTypeD() != NVVM::WGMMATypes::f32 || op.getScaleD() != NVVM::WGMMAScaleOut::one ||
      op.getScaleA() != NVVM::WGMMAScaleIn::one || op.getScaleB() != NVVM::WGMMAScaleIn::one)
    return op.emitError("expected a product of f16 or bf16, added to sums in f32");
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  b.setInsertionPointToStart(&function.getBody().front());
  Value sums =
      LLVM::AllocaOp::create(b, loc, pointer, op.getResults().getType(), constantI64(b, loc, 1));
  b.setInsertionPoint(op);
  LLVM::StoreOp::create(b, loc, op.getInouts(), sums);
  host.call(b, loc, "nnc_emulated_shared_product",
            {constantI32(b, loc, numSites++), constantI32(b, loc, kind - std::begin(kinds)),
             constantI32(b, loc, op.getShape().getN()), op.getDescriptorA(),
             constantI32(b, loc, op.getLayoutA() == NVVM::MMALayout::col), op.getDescriptorB(),
             constantI32(b, loc, op.getLayoutB() == NVVM::MMALayout::row), sums});
  op.replaceAllUsesWith(LLVM::LoadOp::create(b, loc, op.getResults().getType(), sums).getResult());
  op.erase();
  return success();
}

LogicalResult KernelEmulation::replaceSum(LLVM::ExtractValueOp op) {
  if (!sumTypes.contains(op.getContainer().getType()))
    return success();
  OpBuilder b(op);
  b.setInsertionPointAfter(op);
  Location loc = op.getLoc();
  Value position = constantI32(b, loc, op.getPosition().front());
  Value sum =
      host.call(b, loc, "nnc_emulated_shared_sum", {op.getResult(), position}, b.getF32Type());
  op.getResult().replaceAllUsesExcept(sum, sum.getDefiningOp());
  return success();
}

/// Barriers are numbers that the emulator knows them by.
void KernelEmulation::takeBarriers(nvgpu::MBarrierCreateOp op) {
  firstSignals[op.getBarriers()] = numSignals;
  numSignals += cast<nvgpu::MBarrierGroupType>(op.getBarriers().getType()).getNumBarriers();
  replaced.push_back(op);
}

LogicalResult KernelEmulation::replaceTensorCopy(nvgpu::TmaAsyncLoadOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto parameter = op.getTensorMapDescriptor().getDefiningOp<UnrealizedConversionCastOp>();
  if (!parameter || op.getMulticastMask() || op.getPredicate())
    return op.emitError("expected a tensor that is a parameter, copied to one block");
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  SmallVector<Value> start(cast<MemRefType>(op.getDst().getType()).getRank(), zero);
  SmallVector<Value> operands = {addressOf(b, loc, op.getDst(), start), parameter.getOperand(0),
                                 signalOf(b, op)};
  constexpr size_t kMostAxes = 5;
  for (size_t axis = 0; axis < kMostAxes; ++axis) {
    Value coordinate = axis < op.getCoordinates().size() ? op.getCoordinates()[axis] : zero;
    operands.push_back(arith::IndexCastOp::create(b, loc, b.getI32Type(), coordinate));
  }
  host.call(b, loc, "nnc_emulated_tensor_copy", operands);
  op.erase();
  return success();
}

/// Has the emulator keep what a kernel is told of a tensor in 128 bytes of the function.
LogicalResult emulateTensorMap(Host &host, nvgpu::TmaCreateDescriptorOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto cast = op.getTensor().getDefiningOp<memref::CastOp>();
  auto type = cast ? dyn_cast<MemRefType>(cast.getSource().getType()) : MemRefType();
  if (!type ||
      op.getTensorMap().getType().getSwizzle() != nvgpu::TensorMapSwizzleKind::SWIZZLE_128B)
    return op.emitError("expected a tensor of known rank, with lines of 128 bytes");
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  constexpr int64_t kMapWords = 16;
  Value map = LLVM::AllocaOp::create(b, loc, pointer, b.getI64Type(),
                                     constantI64(b, loc, kMapWords), /*alignment=*/64);
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, cast.getSource());
  host.call(b, loc, "nnc_emulated_tensor_map",
            {map, toI64(b, loc, base), constantI32(b, loc, elementBytes(type)),
             constantI32(b, loc, type.getRank())});
  auto parts = memref::ExtractStridedMetadataOp::create(b, loc, cast.getSource());
  for (auto [axis, values] : llvm::enumerate(
           llvm::zip_equal(parts.getSizes(), parts.getStrides(), op.getBoxDimensions()))) {
    auto [size, stride, box] = values;
    host.call(b, loc, "nnc_emulated_tensor_axis",
              {map, constantI32(b, loc, int64_t(axis)), toI64(b, loc, size), toI64(b, loc, stride),
               toI64(b, loc, box)});
  }
  for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
    user->getResult(0).replaceAllUsesWith(map);
    user->erase();
  }
  op.erase();
  return success();
}

LogicalResult KernelEmulation::replace(Operation *op) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](gpu::ThreadIdOp id) { return replaceWithNumber(op, 0, id.getDimension()); })
      .Case([&](gpu::BlockIdOp id) { return replaceWithNumber(op, 1, id.getDimension()); })
      .Case([&](gpu::BlockDimOp size) { return replaceWithNumber(op, 2, size.getDimension()); })
      .Case([&](gpu::GridDimOp size) { return replaceWithNumber(op, 3, size.getDimension()); })
      .Case([&](gpu::BarrierOp) {
        return replaceWithCall(op, "nnc_emulated_barrier", constantI32(b, loc, numSites++));
      })
      .Case([&](gpu::DynamicSharedMemoryOp memory) { return replacePieces(memory); })
      .Case([&](gpu::ShuffleOp shuffle) { return replaceShuffle(shuffle); })
      .Case([&](NVVM::MmaOp product) { return replaceProduct(product); })
      .Case([&](NVVM::ConvertFloatToTF32Op rounding) { return replaceRounding(rounding); })
      .Case([&](nvgpu::LdMatrixOp matrices) { return replaceMatrices(matrices); })
      .Case([&](nvgpu::DeviceAsyncCopyOp copy) { return replaceCopy(copy); })
      .Case([&](nvgpu::DeviceAsyncCreateGroupOp) {
        // A wait counts groups, so that the tokens say nothing more.
        host.call(b, loc, "nnc_emulated_group", {});
        replaced.push_back(op);
        return success();
      })
      .Case([&](nvgpu::DeviceAsyncWaitOp wait) {
        return replaceWithCall(op, "nnc_emulated_wait",
                               constantI32(b, loc, wait.getNumGroups().value_or(0)));
      })
      .Case([&](NVVM::WgmmaMmaAsyncOp product) { return replaceSharedProduct(product); })
      .Case([&](LLVM::ExtractValueOp sum) { return replaceSum(sum); })
      .Case(
          [&](NVVM::WgmmaFenceAlignedOp) { return replaceWithCall(op, "nnc_emulated_sum_fence"); })
      .Case([&](NVVM::WgmmaGroupSyncAlignedOp) {
        return replaceWithCall(op, "nnc_emulated_product_group");
      })
      .Case([&](NVVM::WgmmaWaitGroupSyncOp wait) {
        return replaceWithCall(op, "nnc_emulated_product_wait",
                               constantI32(b, loc, wait.getGroup()));
      })
      .Case([&](NVVM::FenceProxyOp fence) -> LogicalResult {
        if (fence.getKind() != NVVM::ProxyKind::async_shared)
          return op->emitError("expected a fence of the asynchronous proxy for shared memory");
        return replaceWithCall(op, "nnc_emulated_proxy_fence");
      })
      .Case([&](nvgpu::MBarrierCreateOp barriers) {
        takeBarriers(barriers);
        return success();
      })
      .Case([&](nvgpu::MBarrierInitOp barrier) {
        Value count = arith::IndexCastOp::create(b, loc, b.getI32Type(), barrier.getCount());
        return replaceWithCall(op, "nnc_emulated_signal_init", {signalOf(b, barrier), count});
      })
      .Case([&](nvgpu::MBarrierArriveOp barrier) {
        return replaceWithCall(op, "nnc_emulated_arrive", signalOf(b, barrier));
      })
      .Case([&](nvgpu::MBarrierArriveExpectTxOp barrier) {
        Value bytes = arith::IndexCastOp::create(b, loc, b.getI32Type(), barrier.getTxcount());
        return replaceWithCall(op, "nnc_emulated_expect", {signalOf(b, barrier), bytes});
      })
      .Case([&](nvgpu::MBarrierTryWaitParityOp barrier) {
        Value parity = arith::ExtUIOp::create(b, loc, b.getI32Type(), barrier.getPhaseParity());
        return replaceWithCall(op, "nnc_emulated_signal_wait", {signalOf(b, barrier), parity});
      })
      .Case([&](nvgpu::TmaAsyncLoadOp copy) { return replaceTensorCopy(copy); })
      .Case([&](UnrealizedConversionCastOp cast) {
        // Of a parameter to what it describes.
        if (isa<nvgpu::TensorMapDescriptorType>(cast.getType(0)))
          replaced.push_back(op);
        return success();
      })
      .Case<NVVM::FenceMbarrierInitOp, NVVM::SetMaxRegisterOp>([&](Operation *) {
        // Barriers are set at once here, and all registers are there.
        op->erase();
        return success();
      })
      .Case([&](gpu::ReturnOp) {
        func::ReturnOp::create(b, loc);
        op->erase();
        return success();
      })
      .Case([&](memref::MemorySpaceCastOp cast) {
        // All memory is in one space here.
        op->replaceAllUsesWith(ValueRange{cast.getSource()});
        op->erase();
        return success();
      })
      .Case([&](memref::LoadOp load) {
        return tell(op, load.getMemRef(), load.getIndices(), load.getType(), /*writes=*/false);
      })
      .Case([&](memref::StoreOp store) {
        return tell(op, store.getMemRef(), store.getIndices(), store.getValue().getType(),
                    /*writes=*/true);
      })
      .Case([&](vector::LoadOp load) {
        return tell(op, load.getBase(), load.getIndices(), load.getType(), /*writes=*/false);
      })
      .Case([&](vector::StoreOp store) {
        return tell(op, store.getBase(), store.getIndices(), store.getValueToStore().getType(),
                    /*writes=*/true);
      })
      .Default([&](Operation *) -> LogicalResult {
        if (!isa<gpu::GPUDialect, nvgpu::NVGPUDialect, NVVM::NVVMDialect>(op->getDialect()))
          return success();
        return op->emitError("expected an operation that can be emulated");
      });
}

LogicalResult KernelEmulation::run(ModuleOp module) {
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = kernel.getLoc();
  auto parent = kernel->getParentOfType<gpu::GPUModuleOp>();
  function = func::FuncOp::create(b, loc, kernelName(parent.getName(), kernel.getName()),
                                  kernel.getFunctionType());
  function.setPrivate();
  function->setAttr("llvm.linkage",
                    LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  IRMapping mapping;
  kernel.getBody().cloneInto(&function.getBody(), mapping);
  // Memory of the block and the thread is no argument.
  Block &entry = function.getBody().front();
  b.setInsertionPointToStart(&entry);
  IRMapping memory;
  takeMemory(b, memory);
  for (BlockArgument attribution : llvm::to_vector(llvm::concat<const BlockArgument>(
           kernel.getWorkgroupAttributions(), kernel.getPrivateAttributions())))
    entry.getArgument(attribution.getArgNumber())
        .replaceAllUsesWith(memory.lookup<Value>(attribution));
  entry.eraseArguments(kernel.getNumArguments(),
                       entry.getNumArguments() - kernel.getNumArguments());

  AttrTypeReplacer spaces;
  spaces.addReplacement([](MemRefType type) -> std::optional<Type> {
    return MemRefType::get(type.getShape(), type.getElementType(), type.getLayout());
  });
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) {
    ops.push_back(op);
    if (auto product = dyn_cast<NVVM::WgmmaMmaAsyncOp>(op))
      sumTypes.insert(product.getResults().getType());
  });
  for (Operation *op : ops) {
    spaces.replaceElementsIn(op, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                             /*replaceTypes=*/true);
    // Unrolled loops make code for nothing here.
    op->removeDiscardableAttr("llvm.loop_annotation");
    if (op != function && failed(replace(op)))
      return failure();
  }
  for (Operation *op : llvm::reverse(replaced))
    op->erase();
  return success();
}

/// Tells the emulator what is launched, and has it run each thread.
void emulateLaunch(Host &host, gpu::LaunchFuncOp launch) {
  OpBuilder b(launch);
  Location loc = launch.getLoc();
  std::string name = kernelName(launch.getKernelModuleName(), launch.getKernelName());
  SmallVector<Value> operands = {host.text(b, loc, name + ".name", launch.getKernelName()),
                                 host.text(b, loc, name + ".place", describe(loc))};
  gpu::KernelDim3 grid = launch.getGridSizeOperandValues(),
                  block = launch.getBlockSizeOperandValues();
  Value threads = arith::ConstantIndexOp::create(b, loc, 1);
  for (Value size : {grid.x, grid.y, grid.z, block.x, block.y, block.z}) {
    operands.push_back(toI64(b, loc, size));
    threads = b.createOrFold<arith::MulIOp>(loc, threads, size);
  }
  host.call(b, loc, "nnc_emulated_launch", operands);
  auto loop = scf::ParallelOp::create(b, loc, ValueRange{arith::ConstantIndexOp::create(b, loc, 0)},
                                      ValueRange{threads},
                                      ValueRange{arith::ConstantIndexOp::create(b, loc, 1)});
  b.setInsertionPointToStart(loop.getBody());
  func::CallOp::create(b, loc, name, TypeRange(), launch.getKernelOperands());
  launch.erase();
}

class EmulateLaunches : public impl::EmulateLaunchesPassBase<EmulateLaunches> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Host host(module);
    SmallVector<gpu::LaunchFuncOp> launches;
    module.walk([&](gpu::LaunchFuncOp launch) { launches.push_back(launch); });
    for (gpu::LaunchFuncOp launch : launches)
      emulateLaunch(host, launch);
    SmallVector<nvgpu::TmaCreateDescriptorOp> maps;
    module.walk([&](nvgpu::TmaCreateDescriptorOp map) { maps.push_back(map); });
    for (nvgpu::TmaCreateDescriptorOp map : maps)
      if (failed(emulateTensorMap(host, map)))
        return signalPassFailure();
    for (auto kernels : llvm::make_early_inc_range(module.getOps<gpu::GPUModuleOp>())) {
      for (auto kernel : kernels.getOps<gpu::GPUFuncOp>())
        if (failed(KernelEmulation(host, kernel).run(module)))
          return signalPassFailure();
      kernels.erase();
    }
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  }
};

} // namespace
} // namespace nnc
