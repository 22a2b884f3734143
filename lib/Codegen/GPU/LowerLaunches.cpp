//===- LowerLaunches.cpp - Launch kernels by calls of the runtime ---------===//
//
// A function has one array of eight bytes for each operand of its largest launch, and one of pointers to
// these, which the runtime hands to the driver. Both are filled as nnc_device.h says.
//
//===----------------------------------------------------------------------===//
#include "SourcePlace.h"
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_LOWERLAUNCHESPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

constexpr StringLiteral kLaunch = "nnc_device_launch";

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
  Value allocate(Location loc, Type type, int64_t count) {
    return LLVM::AllocaOp::create(b, loc, pointer, type, number(loc, count), /*alignment=*/8);
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
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, operand);
    return LLVM::IntToPtrOp::create(
        b, loc, pointer, arith::IndexCastOp::create(b, loc, b.getI64Type(), address).getResult());
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

  LLVM::LLVMFuncOp runtimeFunction(Location loc, ArrayRef<Type> types) {
    if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(kLaunch))
      return known;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(module.getBody());
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), types, false);
    return LLVM::LLVMFuncOp::create(b, loc, kLaunch, type);
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
    for (auto [slot, operand] : llvm::enumerate(launch.getKernelOperands())) {
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
        b, loc, runtimeFunction(loc, llvm::to_vector(ValueRange(operands).getTypes())), operands);
    launch.erase();
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
