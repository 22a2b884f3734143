//===- ShareKernels.cpp - Compile equal operations once -------------------===//
//
// Deep nets repeat themselves: blocks of the same shape, and a model's forward pass in its inference
// and in its training step. Operations that are equal but for the buffers that they work on become
// calls of one function, so that all that follows sees them once.
//
//   in     linalg.generic on buffers, prepared for the kernel emitter, and loops around them
//   out    the same, those that occur several times in private functions
//
//===----------------------------------------------------------------------===//
#include "KernelFills.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_SHAREKERNELSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// An operation, the fills that it starts from (outputs in one buffer share one), what its regions use from outside, and
/// the values that its function would be given.
struct Kernel {
  Operation *op;
  llvm::SetVector<linalg::FillOp> fills;
  llvm::SetVector<Value> captured;
  SmallVector<Value> arguments;
};

/// The type of a buffer that may start anywhere.
Type argumentType(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  auto layout = memref ? dyn_cast<StridedLayoutAttr>(memref.getLayout()) : StridedLayoutAttr();
  if (!layout)
    return type;
  auto anywhere =
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, layout.getStrides());
  return MemRefType::get(memref.getShape(), memref.getElementType(), anywhere,
                         memref.getMemorySpace());
}

bool isConstant(Value value) { return matchPattern(value, m_Constant()); }

Kernel collectKernel(Operation *op) {
  Kernel kernel{op, {}, {}, {}};
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    for (OpOperand &output : generic.getDpsInitsMutable())
      if (linalg::FillOp fill = findFill(generic, output))
        kernel.fills.insert(fill);
  getUsedValuesDefinedAbove(op->getRegions(), kernel.captured);
  auto take = [&](Value value) {
    if (!isConstant(value))
      kernel.arguments.push_back(value);
  };
  llvm::for_each(op->getOperands(), take);
  for (linalg::FillOp fill : kernel.fills)
    take(fill.value());
  llvm::for_each(kernel.captured, take);
  return kernel;
}

/// A function that does what `kernel` does, in no module yet.
func::FuncOp makeFunction(Kernel &kernel) {
  MLIRContext *context = kernel.op->getContext();
  OpBuilder b(context);
  Location loc = kernel.op->getLoc();
  // Views within a loop have types that follow from where the buffer starts.
  bool startsAnywhere = isa<linalg::GenericOp>(kernel.op);
  SmallVector<Type> types;
  for (Value argument : kernel.arguments)
    types.push_back(startsAnywhere ? argumentType(argument.getType()) : argument.getType());
  auto function = func::FuncOp::create(loc, "kernel", b.getFunctionType(types, {}));
  b.setInsertionPointToStart(function.addEntryBlock());
  unsigned next = 0;
  IRMapping mapping;
  // Each use of a buffer is an argument of its own, in the order of collectKernel.
  auto give = [&](Value value) -> Value {
    if (!isConstant(value))
      return function.getArgument(next++);
    return b.clone(*value.getDefiningOp())->getResult(0);
  };
  SmallVector<Value> operands;
  for (Value operand : kernel.op->getOperands())
    operands.push_back(give(operand));
  for (linalg::FillOp fill : kernel.fills) {
    OperandRange outputs = cast<linalg::GenericOp>(kernel.op).getOutputs();
    unsigned output =
        outputs.getBeginOperandIndex() + (llvm::find(outputs, fill.output()) - outputs.begin());
    linalg::FillOp::create(b, loc, give(fill.value()), operands[output]);
  }
  for (Value value : kernel.captured)
    mapping.map(value, give(value));
  Operation *op = b.clone(*kernel.op, mapping);
  op->setOperands(operands);
  func::ReturnOp::create(b, loc);
  function.setPrivate();
  function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(context, LLVM::Linkage::Internal));
  return function;
}

/// The same for functions that do the same.
llvm::hash_code hashOf(func::FuncOp function) {
  llvm::hash_code hash = mlir::hash_value(function.getFunctionType());
  function.getBody().walk([&](Operation *op) {
    hash = llvm::hash_combine(
        hash, OperationEquivalence::computeHash(op, OperationEquivalence::ignoreHashValue,
                                                OperationEquivalence::ignoreHashValue,
                                                OperationEquivalence::IgnoreLocations));
  });
  return hash;
}

bool doTheSame(func::FuncOp a, func::FuncOp b) {
  return a.getFunctionType() == b.getFunctionType() &&
         OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(),
                                                    OperationEquivalence::IgnoreLocations);
}

void replaceByCall(Kernel &kernel, func::FuncOp function) {
  OpBuilder b(kernel.op);
  Location loc = kernel.op->getLoc();
  SmallVector<Value> operands;
  for (auto [value, type] : llvm::zip_equal(kernel.arguments, function.getArgumentTypes()))
    operands.push_back(
        value.getType() == type ? value : memref::CastOp::create(b, loc, type, value).getResult());
  func::CallOp::create(b, loc, function, operands);
  kernel.op->erase();
  for (linalg::FillOp fill : kernel.fills)
    fill->erase();
}

/// Whether `op` is a loop around operations that compute, which leaves nothing but what they write.
bool isLoop(Operation *op) {
  if (!isa<scf::ForOp, scf::ParallelOp>(op) || op->getNumResults() != 0)
    return false;
  bool computes = false;
  WalkResult result = op->walk([&](Operation *inner) {
    computes |= isa<linalg::GenericOp>(inner);
    // Only what an entry allocates is given a place in the workspace.
    return isa<memref::AllocOp>(inner) ? WalkResult::interrupt() : WalkResult::advance();
  });
  return computes && !result.wasInterrupted();
}

class ShareKernels : public impl::ShareKernelsPassBase<ShareKernels> {
  void runOnOperation() override {
    // Loops first, and then what is equal within those that are left.
    share(isLoop);
    share([](Operation *op) { return isa<linalg::GenericOp>(op); });
  }

  /// Makes functions of the outermost equal operations among those that `isKernel`.
  void share(function_ref<bool(Operation *)> isKernel) {
    // In the order of their first use.
    std::vector<func::FuncOp> functions;
    std::vector<std::vector<Kernel>> uses;
    DenseMap<size_t, SmallVector<size_t, 1>> numbers;
    auto numberOf = [&](func::FuncOp function) {
      SmallVector<size_t, 1> &alike = numbers[hashOf(function)];
      auto found =
          llvm::find_if(alike, [&](size_t other) { return doTheSame(functions[other], function); });
      if (found != alike.end()) {
        function->erase();
        return *found;
      }
      alike.push_back(functions.size());
      functions.push_back(function);
      uses.emplace_back();
      return alike.back();
    };
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isKernel(op))
        return;
      Kernel kernel = collectKernel(op);
      size_t number = numberOf(makeFunction(kernel));
      uses[number].push_back(kernel);
    });
    llvm::SmallPtrSet<Operation *, 32> gone;
    for (auto [function, kernels] : llvm::zip_equal(functions, uses)) {
      // What is in a loop that became a call.
      llvm::erase_if(kernels, [&](Kernel &kernel) { return gone.contains(kernel.op); });
      if (kernels.size() < 2) {
        function->erase();
        continue;
      }
      function.setName("kernel." + std::to_string(numFunctions++));
      getOperation().push_back(function);
      for (Kernel &kernel : kernels) {
        remarkDone(kernel.op->getLoc(), "share-kernels")
            << remark::add("compiled once for {0} equal operations", kernels.size());
        kernel.op->walk([&](Operation *inner) { gone.insert(inner); });
        replaceByCall(kernel, function);
      }
    }
  }

  unsigned numFunctions = 0;
};

} // namespace
} // namespace nnc
