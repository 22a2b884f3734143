//===- LowerLaunches.cpp - Launch kernels by calls of the runtime ---------===//
//
// A function has one array of eight bytes for each operand of its largest launch, and one of pointers to
// these, which the runtime hands to the driver. Both are filled as nnc_device.h says.
//
//===----------------------------------------------------------------------===//
#include "Launch.h"
#include "SourcePlace.h"
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_LOWERLAUNCHESPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

constexpr StringLiteral kLaunch = "nnc_device_launch", kTensorMap = "nnc_device_tensor_map";
/// Where what describes a tensor begins, and how many axes that has at most.
constexpr int64_t kMapAlignment = 64, kMostAxes = 5;

/// The launches of one function.
class FunctionLowering {
public:
  FunctionLowering(func::FuncOp parent, llvm::StringMap<LLVM::GlobalOp> &placeTexts)
      : function(parent), module(parent->getParentOfType<ModuleOp>()),
        b(OpBuilder::atBlockBegin(&parent.getBody().front())),
        pointer(LLVM::LLVMPointerType::get(parent.getContext())), places(placeTexts) {}

  LogicalResult run() {
    SmallVector<gpu::LaunchFuncOp> launches;
    function.walk([&](gpu::LaunchFuncOp launch) { launches.push_back(launch); });
    if (launches.empty())
      return success();
    size_t numSlots = 1;
    for (gpu::LaunchFuncOp launch : launches)
      numSlots = std::max<size_t>(numSlots, launch.getNumKernelOperands());
    makeArrays(numSlots);
    SmallVector<nvgpu::TmaCreateDescriptorOp> tensorMaps;
    function.walk([&](nvgpu::TmaCreateDescriptorOp map) { tensorMaps.push_back(map); });
    for (nvgpu::TmaCreateDescriptorOp map : tensorMaps)
      if (failed(lower(map)))
        return failure();
    for (gpu::LaunchFuncOp launch : launches)
      if (failed(lower(launch)))
        return failure();
    return success();
  }

private:
  Value number(Location loc, int64_t value) {
    return LLVM::ConstantOp::create(b, loc, b.getI64Type(), value);
  }
  Value place(Location loc, Type type, Value array, int64_t index) {
    return LLVM::GEPOp::create(b, loc, pointer, type, array,
                               ArrayRef<LLVM::GEPArg>{int32_t(index)});
  }
  Value allocate(Location loc, Type type, int64_t count, unsigned alignment = 8) {
    return LLVM::AllocaOp::create(b, loc, pointer, type, number(loc, count), alignment);
  }

  void makeArrays(size_t numSlots) {
    Location loc = function.getLoc();
    values = allocate(loc, b.getI64Type(), numSlots);
    arguments = allocate(loc, pointer, numSlots);
    blocks = allocate(loc, b.getI64Type(), 3);
    threads = allocate(loc, b.getI64Type(), 3);
    for (size_t slot = 0; slot < numSlots; ++slot)
      LLVM::StoreOp::create(b, loc, place(loc, b.getI64Type(), values, slot),
                            place(loc, pointer, arguments, slot));
  }

  /// An operand as the kernel takes it; null if it is none that a kernel can take.
  Value passed(Location loc, Value operand) {
    Type type = operand.getType();
    if (isa<IndexType>(type))
      return arith::IndexCastOp::create(b, loc, b.getI64Type(), operand);
    if (type.isIntOrFloat() || isa<LLVM::LLVMPointerType>(type))
      return operand;
    auto buffer = dyn_cast<MemRefType>(type);
    if (!buffer || !buffer.hasStaticShape() || !buffer.getLayout().isIdentity())
      return {};
    return address(loc, operand);
  }

  void storeDimensions(Location loc, gpu::KernelDim3 dimensions, Value array) {
    Value each[] = {dimensions.x, dimensions.y, dimensions.z};
    for (auto [index, value] : llvm::enumerate(each)) {
      Value wide = value.getType().isIndex()
                       ? arith::IndexCastOp::create(b, loc, b.getI64Type(), value).getResult()
                   : value.getType().isInteger(64)
                       ? value
                       : arith::ExtSIOp::create(b, loc, b.getI64Type(), value).getResult();
      LLVM::StoreOp::create(b, loc, wide, place(loc, b.getI64Type(), array, index));
    }
  }

  /// The address of a constant with the text, ended by a zero.
  Value textAt(Location loc, const std::string &text) {
    LLVM::GlobalOp &global = places[text];
    if (!global) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToEnd(module.getBody());
      std::string bytes = text + std::string(1, '\0');
      global = LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size()),
                                      /*isConstant=*/true, LLVM::Linkage::Internal,
                                      ("nnc.place." + Twine(places.size() - 1)).str(),
                                      b.getStringAttr(bytes));
    }
    return LLVM::AddressOfOp::create(b, loc, global);
  }

  LLVM::LLVMFuncOp runtimeFunction(Location loc, StringRef name, ArrayRef<Type> types) {
    if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
      return known;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(module.getBody());
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), types, false);
    return LLVM::LLVMFuncOp::create(b, loc, name, type);
  }

  /// The table of the kernels of `name`, which the packaging of the code defines.
  LLVM::GlobalOp kernelTable(Location loc, StringRef name) {
    std::string symbol = ("nnc." + name).str();
    if (auto known = module.lookupSymbol<LLVM::GlobalOp>(symbol))
      return known;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(module.getBody());
    return LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), 0),
                                  /*isConstant=*/false, LLVM::Linkage::External, symbol,
                                  Attribute());
  }

  LogicalResult lower(gpu::LaunchFuncOp launch) {
    Location loc = launch.getLoc();
    b.setInsertionPoint(launch);
    auto kernels = module.lookupSymbol<gpu::GPUModuleOp>(launch.getKernelModuleName());
    std::optional<int64_t> kernel = numberOf(kernels, launch.getKernelName());
    if (!kernel)
      return launch.emitError("no kernel ") << launch.getKernelName();
    SmallVector<size_t> mapSlots;
    for (auto [slot, operand] : llvm::enumerate(launch.getKernelOperands())) {
      if (maps.contains(operand)) {
        // The kernel has all of it as its parameter.
        LLVM::StoreOp::create(b, loc, operand, place(loc, pointer, arguments, int64_t(slot)));
        mapSlots.push_back(slot);
        continue;
      }
      Value value = passed(loc, operand);
      if (!value)
        return launch.emitError("operand ") << slot << " is no number and no buffer of known shape";
      LLVM::StoreOp::create(b, loc, value, place(loc, b.getI64Type(), values, slot));
    }
    storeDimensions(loc, launch.getGridSizeOperandValues(), blocks);
    storeDimensions(loc, launch.getBlockSizeOperandValues(), threads);
    Value shared = launch.getDynamicSharedMemorySize();
    shared = shared ? arith::ExtUIOp::create(b, loc, b.getI64Type(), shared).getResult()
                    : number(loc, 0);
    SmallVector<Value> operands = {
        LLVM::AddressOfOp::create(b, loc, kernelTable(loc, launch.getKernelModuleName().strref())),
        number(loc, *kernel),
        textAt(loc, placeText(loc)),
        blocks,
        threads,
        shared,
        arguments};
    LLVM::CallOp::create(
        b, loc, runtimeFunction(loc, kLaunch, llvm::to_vector(ValueRange(operands).getTypes())),
        operands);
    for (size_t slot : mapSlots)
      LLVM::StoreOp::create(b, loc, place(loc, b.getI64Type(), values, int64_t(slot)),
                            place(loc, pointer, arguments, int64_t(slot)));
    launch.erase();
    return success();
  }

  Value address(Location loc, Value buffer) {
    Value number = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
    return LLVM::IntToPtrOp::create(
        b, loc, pointer, arith::IndexCastOp::create(b, loc, b.getI64Type(), number).getResult());
  }

  /// Has the runtime describe a tensor.
  LogicalResult lower(nvgpu::TmaCreateDescriptorOp op) {
    Location loc = op.getLoc();
    auto cast = op.getTensor().getDefiningOp<memref::CastOp>();
    auto type = cast ? dyn_cast<MemRefType>(cast.getSource().getType()) : MemRefType();
    if (!type || type.getRank() > kMostAxes || type.getElementTypeBitWidth() != 16)
      return op.emitError("expected a tensor of at most 5 axes, of elements of 16 bits");
    b.setInsertionPointToStart(&function.getBody().front());
    Value map = allocate(loc, b.getI8Type(), kTensorMapBytes, kMapAlignment);
    SmallVector<Value> lists;
    for (int64_t list = 0; list < 3; ++list)
      lists.push_back(allocate(loc, b.getI64Type(), kMostAxes));
    b.setInsertionPoint(op);
    auto parts = memref::ExtractStridedMetadataOp::create(b, loc, cast.getSource());
    SmallVector<ValueRange> each = {parts.getSizes(), parts.getStrides(), op.getBoxDimensions()};
    for (auto [list, numbers] : llvm::zip_equal(lists, each))
      for (auto [axis, value] : llvm::enumerate(numbers))
        LLVM::StoreOp::create(b, loc,
                              arith::IndexCastOp::create(b, loc, b.getI64Type(), value).getResult(),
                              place(loc, b.getI64Type(), list, int64_t(axis)));
    SmallVector<Value> operands = {map, textAt(loc, placeText(loc)), address(loc, cast.getSource()),
                                   number(loc, type.getRank())};
    llvm::append_range(operands, lists);
    LLVM::CallOp::create(
        b, loc, runtimeFunction(loc, kTensorMap, llvm::to_vector(ValueRange(operands).getTypes())),
        operands);
    for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
      user->getResult(0).replaceAllUsesWith(map);
      user->erase();
    }
    op.erase();
    if (cast->use_empty())
      cast.erase();
    maps.insert(map);
    return success();
  }

  static std::optional<int64_t> numberOf(gpu::GPUModuleOp kernels, StringAttr name) {
    if (!kernels)
      return std::nullopt;
    int64_t index = 0;
    for (auto function : kernels.getOps<FunctionOpInterface>()) {
      if (!gpu::GPUDialect::isKernel(function))
        continue;
      if (function.getNameAttr() == name)
        return index;
      ++index;
    }
    return std::nullopt;
  }

  func::FuncOp function;
  ModuleOp module;
  OpBuilder b;
  Type pointer;
  llvm::StringMap<LLVM::GlobalOp> &places;
  Value values, arguments, blocks, threads;
  DenseSet<Value> maps;
};

/// Whether `op` of a host function reads or writes a buffer, which is on the device.
bool touchesBuffer(Operation *op) {
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects || isa<gpu::LaunchFuncOp>(op))
    return false;
  return (effects.hasEffect<MemoryEffects::Read>() || effects.hasEffect<MemoryEffects::Write>()) &&
         llvm::any_of(op->getOperandTypes(), llvm::IsaPred<BaseMemRefType>);
}

class LowerLaunches : public impl::LowerLaunchesPassBase<LowerLaunches> {
  void runOnOperation() override {
    llvm::StringMap<LLVM::GlobalOp> places;
    for (auto function : getOperation().getOps<func::FuncOp>())
      function.walk([&](Operation *op) {
        if (!touchesBuffer(op))
          return;
        op->emitError("expected a kernel to read and write buffers, found ") << op->getName();
        signalPassFailure();
      });
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!function.isDeclaration() && failed(FunctionLowering(function, places).run()))
        return signalPassFailure();
    getOperation()->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  }
};

} // namespace
} // namespace nnc
