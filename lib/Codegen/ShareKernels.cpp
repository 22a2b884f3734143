//===- ShareKernels.cpp - Compile equal operations once -------------------===//
//
// Deep nets repeat themselves: blocks of the same shape, and a model's forward pass in its inference
// and in its training step. Operations that are equal but for the buffers that they work on become
// calls of one function, so that all that follows sees them once.
//
//   in     linalg.generic on buffers, prepared for the kernel emitter
//   out    the same, those that occur several times in private functions
//
//===----------------------------------------------------------------------===//
#include "KernelFills.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/IR/Remarks.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

#include <map>

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_SHAREKERNELSPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

/// An operation, the fills that it starts from, what its body uses from outside, and the values that
/// its function would be given.
struct Kernel {
  linalg::GenericOp op;
  SmallVector<linalg::FillOp> fills;
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

Kernel collectKernel(linalg::GenericOp op) {
  Kernel kernel{op, {}, {}, {}};
  for (OpOperand &output : op.getDpsInitsMutable())
    if (linalg::FillOp fill = findFill(op, output))
      kernel.fills.push_back(fill);
  getUsedValuesDefinedAbove(op->getRegions(), kernel.captured);
  auto take = [&](Value value) {
    if (!matchPattern(value, m_Constant()))
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
  MLIRContext *context = kernel.op.getContext();
  OpBuilder b(context);
  Location loc = kernel.op.getLoc();
  SmallVector<Type> types;
  for (Value argument : kernel.arguments)
    types.push_back(argumentType(argument.getType()));
  auto function = func::FuncOp::create(loc, "kernel", b.getFunctionType(types, {}));
  b.setInsertionPointToStart(function.addEntryBlock());
  unsigned next = 0;
  IRMapping mapping;
  // Each use of a buffer is an argument of its own, in the order of collectKernel.
  auto give = [&](Value value) -> Value {
    if (!matchPattern(value, m_Constant()))
      return function.getArgument(next++);
    return b.clone(*value.getDefiningOp())->getResult(0);
  };
  SmallVector<Value> operands;
  for (Value operand : kernel.op->getOperands())
    operands.push_back(give(operand));
  for (linalg::FillOp fill : kernel.fills) {
    unsigned output =
        llvm::find(kernel.op.getOutputs(), fill.output()) - kernel.op.getOutputs().begin();
    linalg::FillOp::create(b, loc, give(fill.value()),
                           operands[kernel.op.getInputs().size() + output]);
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

std::string textOf(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  op->print(stream, OpPrintingFlags().useLocalScope());
  return text;
}

void replaceByCall(Kernel &kernel, func::FuncOp function) {
  OpBuilder b(kernel.op);
  SmallVector<Value> operands;
  for (auto [value, type] : llvm::zip_equal(kernel.arguments, function.getArgumentTypes()))
    operands.push_back(
        value.getType() == type
            ? value
            : memref::CastOp::create(b, kernel.op.getLoc(), type, value).getResult());
  func::CallOp::create(b, kernel.op.getLoc(), function, operands);
  Operation *op = kernel.op;
  op->erase();
  for (linalg::FillOp fill : kernel.fills)
    fill->erase();
}

class ShareKernels : public impl::ShareKernelsPassBase<ShareKernels> {
  void runOnOperation() override {
    // In the order of their first use.
    std::map<std::string, size_t> numbers;
    std::vector<func::FuncOp> functions;
    std::vector<std::vector<Kernel>> uses;
    getOperation().walk([&](linalg::GenericOp op) {
      Kernel kernel = collectKernel(op);
      func::FuncOp function = makeFunction(kernel);
      auto [place, isNew] = numbers.insert({textOf(function), functions.size()});
      if (isNew) {
        functions.push_back(function);
        uses.emplace_back();
      } else {
        function->erase();
      }
      uses[place->second].push_back(kernel);
    });
    unsigned number = 0;
    for (auto [function, kernels] : llvm::zip_equal(functions, uses)) {
      if (kernels.size() == 1) {
        function->erase();
        continue;
      }
      function.setName("kernel." + std::to_string(number++));
      getOperation().push_back(function);
      for (Kernel &kernel : kernels) {
        remarkDone(kernel.op.getLoc(), "share-kernels")
            << remark::add("compiled once for {0} equal operations", kernels.size());
        replaceByCall(kernel, function);
      }
    }
  }
};

} // namespace
} // namespace nnc
