//===- EmulateLaunches.cpp - Run kernels on the CPU -----------------------===//
//
// Kernels become functions that ask lib/Emulation for what hardware would give them; a launch becomes a parallel
// loop over its threads.
//
//===----------------------------------------------------------------------===//
#include "BufferDescriptor.h"
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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
  void takeMemory(OpBuilder &b, IRMapping &mapping);
  LogicalResult replace(Operation *op);
  LogicalResult replaceWithNumber(Operation *op, unsigned quantity, gpu::Dimension dimension);
  LogicalResult replaceShuffle(gpu::ShuffleOp op);
  LogicalResult replaceProduct(NVVM::MmaOp op);
  LogicalResult tell(Operation *op, Value buffer, ValueRange indices, Type accessed, bool writes);

  Host &host;
  gpu::GPUFuncOp kernel;
  func::FuncOp function;
  LLVMTypeConverter converter;
  unsigned numSites = 0;
};

/// Memory of a block, and of a thread.
void KernelEmulation::takeMemory(OpBuilder &b, IRMapping &mapping) {
  Location loc = kernel.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  for (BlockArgument memory : kernel.getWorkgroupAttributions()) {
    auto type = cast<MemRefType>(memory.getType());
    type = MemRefType::get(type.getShape(), type.getElementType());
    int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
    Value base = host.call(b, loc, "nnc_emulated_shared", constantI64(b, loc, bytes), pointer);
    BufferNumbers numbers;
    auto [strides, offset] = type.getStridesAndOffset();
    numbers.offset = constantI64(b, loc, offset);
    for (auto [size, stride] : llvm::zip(type.getShape(), strides)) {
      numbers.sizes.push_back(constantI64(b, loc, size));
      numbers.strides.push_back(constantI64(b, loc, stride));
    }
    mapping.map(memory, makeBuffer(b, loc, converter, type, base, numbers));
  }
  for (BlockArgument memory : kernel.getPrivateAttributions()) {
    auto type = cast<MemRefType>(memory.getType());
    mapping.map(memory, memref::AllocaOp::create(
                            b, loc, MemRefType::get(type.getShape(), type.getElementType())));
  }
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
  std::optional<NVVM::MMATypes> type = op.getMultiplicandAPtxType();
  bool isHalf = type == NVVM::MMATypes::f16;
  if (shape.getM() != 16 || shape.getN() != 8 || shape.getK() != 16 ||
      (!isHalf && type != NVVM::MMATypes::bf16) || op.getOperandC().size() != 4)
    return op.emitError("expected a product of 16 x 16 by 16 x 8 of f16 or bf16, summed in f32");
  SmallVector<Value> operands = {constantI32(b, loc, numSites++), constantI32(b, loc, isHalf)};
  for (Value pair : llvm::concat<Value>(op.getOperandA(), op.getOperandB()))
    operands.push_back(pair.getType().isInteger(32)
                           ? pair
                           : LLVM::BitcastOp::create(b, loc, b.getI32Type(), pair).getResult());
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

/// Reports an access of elements that lie side by side.
LogicalResult KernelEmulation::tell(Operation *op, Value buffer, ValueRange indices, Type accessed,
                                    bool writes) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  auto type = cast<MemRefType>(buffer.getType());
  auto vector = dyn_cast<VectorType>(accessed);
  int64_t bytes = (type.getElementTypeBitWidth() + 7) / 8;
  auto parts = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  Value place = parts.getOffset();
  for (auto [index, stride] : llvm::zip_equal(indices, parts.getStrides()))
    place = arith::AddIOp::create(b, loc, place, arith::MulIOp::create(b, loc, index, stride));
  place = arith::MulIOp::create(b, loc, place, arith::ConstantIndexOp::create(b, loc, bytes));
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  Value address = toI64(b, loc, arith::AddIOp::create(b, loc, base, place));
  host.call(b, loc, "nnc_emulated_access",
            {address, constantI32(b, loc, bytes),
             constantI32(b, loc, vector ? vector.getNumElements() : 1),
             constantI32(b, loc, writes)});
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
        host.call(b, loc, "nnc_emulated_barrier", constantI32(b, loc, numSites++));
        op->erase();
        return success();
      })
      .Case([&](gpu::ShuffleOp shuffle) { return replaceShuffle(shuffle); })
      .Case([&](NVVM::MmaOp product) { return replaceProduct(product); })
      .Case([&](gpu::ReturnOp) {
        func::ReturnOp::create(b, loc);
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
        if (!isa<gpu::GPUDialect, NVVM::NVVMDialect>(op->getDialect()))
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
  function.walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops) {
    spaces.replaceElementsIn(op, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                             /*replaceTypes=*/true);
    // Unrolled loops make code for nothing here.
    op->removeDiscardableAttr("llvm.loop_annotation");
    if (op != function && failed(replace(op)))
      return failure();
  }
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
