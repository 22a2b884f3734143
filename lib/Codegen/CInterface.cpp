//===- CInterface.cpp - Wrap every entry in its C interface ---------------===//
//
// An entry on buffers becomes two functions. The computation takes plain pointers that do not
// alias, and sizes; LLVM inlines it into the entry proper, which reads them out of the arrays that
// a C caller passes.
//
//===----------------------------------------------------------------------===//
#include "BufferDescriptor.h"
#include "PassTarget.h"
#include "SymbolicSizes.h"
#include "nnc/Codegen/Passes.h"
#include "nnc/Codegen/Target.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "llvm/IR/DataLayout.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_CINTERFACEPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

constexpr int64_t kAlignment = 64;

/// A row-major buffer of `type` at `pointer`, its dynamic sizes given.
Value makeRowMajorBuffer(OpBuilder &builder, Location loc, const LLVMTypeConverter &converter,
                         MemRefType type, Value pointer, ArrayRef<Value> dynamicSizes) {
  BufferNumbers numbers;
  numbers.sizes.resize(type.getRank());
  numbers.strides.resize(type.getRank());
  numbers.offset = constantI64(builder, loc, 0);
  Value stride = constantI64(builder, loc, 1);
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    if (type.isDynamicDim(dim)) {
      numbers.sizes[dim] = toI64(builder, loc, dynamicSizes.back());
      dynamicSizes = dynamicSizes.drop_back();
    } else {
      numbers.sizes[dim] = constantI64(builder, loc, type.getDimSize(dim));
    }
    numbers.strides[dim] = stride;
    stride = LLVM::MulOp::create(builder, loc, stride, numbers.sizes[dim]);
  }
  return makeBuffer(builder, loc, converter, type, pointer, numbers);
}

/// Replaces the buffers among the arguments by pointers.
LogicalResult takePointers(func::FuncOp function, const LLVMTypeConverter &converter) {
  Location loc = function.getLoc();
  Block &entry = function.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&entry);
  SymbolicSizes sizes(function);
  auto pointerType = LLVM::LLVMPointerType::get(function.getContext());
  SmallVector<Type> arguments(function.getArgumentTypes());
  for (BlockArgument argument : function.getArguments()) {
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (!type)
      continue;
    unsigned position = argument.getArgNumber();
    SmallVector<Value> dynamicSizes;
    for (unsigned dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim))
        continue;
      std::optional<Dim> size = function.getArgAttr(position, "nn.workspace")
                                    ? std::optional<Dim>(0)
                                    : sizes.extentOf(argument, dim);
      if (!size)
        return function.emitError("argument ") << position << " has a size without a name";
      dynamicSizes.push_back(SymbolicSizes::materialize(builder, loc, *size, sizes.getSymbols()));
    }
    Value placeholder =
        UnrealizedConversionCastOp::create(builder, loc, pointerType, ValueRange{}).getResult(0);
    Value buffer = makeRowMajorBuffer(builder, loc, converter, type, placeholder, dynamicSizes);
    argument.replaceAllUsesWith(buffer);
    argument.setType(pointerType);
    placeholder.replaceAllUsesWith(argument);
    placeholder.getDefiningOp()->erase();
    arguments[position] = pointerType;
    function.setArgAttr(position, "llvm.noalias", builder.getUnitAttr());
    function.setArgAttr(position, "llvm.nonnull", builder.getUnitAttr());
    function.setArgAttr(position, "llvm.align", builder.getI64IntegerAttr(kAlignment));
  }
  function.setFunctionType(builder.getFunctionType(arguments, function.getResultTypes()));
  return success();
}

Value loadElement(OpBuilder &builder, Location loc, Value array, int64_t index, Type type) {
  Value place = LLVM::GEPOp::create(builder, loc, array.getType(), type, array,
                                    ArrayRef<LLVM::GEPArg>{int32_t(index)});
  return LLVM::LoadOp::create(builder, loc, type, place, /*alignment=*/8);
}

/// Makes the C function that calls `body`, which becomes private.
void makeEntry(func::FuncOp body) {
  MLIRContext *context = body.getContext();
  Location loc = body.getLoc();
  OpBuilder builder(body);
  bool isCompanion = body.getNumResults() != 0;
  auto pointerType = LLVM::LLVMPointerType::get(context);
  SmallVector<Type> arguments(isCompanion ? 1 : 3, pointerType);
  auto entry = func::FuncOp::create(builder, loc, body.getName(),
                                    builder.getFunctionType(arguments, body.getResultTypes()));
  body.setName((body.getName() + ".body").str());
  body.setPrivate();
  // Inlined below and then dropped: the object holds the computation once.
  body->setAttr("llvm.linkage", LLVM::LinkageAttr::get(context, LLVM::Linkage::Internal));
  body->setAttr("passthrough", builder.getStrArrayAttr({"alwaysinline"}));
  builder.setInsertionPointToStart(entry.addEntryBlock());
  Value symbols = entry.getArgument(isCompanion ? 0 : 1);
  std::map<std::string, Value> values;
  if (auto names = body->getAttrOfType<ArrayAttr>(kSymbolsAttr))
    for (auto [index, name] : llvm::enumerate(names.getAsRange<StringAttr>()))
      values[name.str()] = arith::IndexCastOp::create(
          builder, loc, builder.getIndexType(),
          loadElement(builder, loc, symbols, index, builder.getI64Type()));
  SmallVector<Value> operands;
  for (unsigned position = 0; position < body.getNumArguments(); ++position) {
    if (auto name = body.getArgAttrOfType<StringAttr>(position, kSymbolAttr))
      operands.push_back(values.at(name.str()));
    else if (auto slot = body.getArgAttrOfType<IntegerAttr>(position, kBufferAttr))
      operands.push_back(
          loadElement(builder, loc, entry.getArgument(0), slot.getInt(), pointerType));
    else
      operands.push_back(entry.getArgument(2));
  }
  auto call = func::CallOp::create(builder, loc, body, operands);
  func::ReturnOp::create(builder, loc, call.getResults());
}

/// What the LLVM dialect does not know must not reach it.
void dropAttributes(func::FuncOp function) {
  for (NamedAttribute attr : llvm::to_vector(function->getDiscardableAttrDictionary()))
    if (attr.getName().strref().starts_with("nn."))
      function->removeAttr(attr.getName());
  for (unsigned position = 0; position < function.getNumArguments(); ++position)
    for (NamedAttribute attr : SmallVector<NamedAttribute>(
             mlir::function_interface_impl::getArgAttrs(function, position)))
      if (attr.getName().strref().starts_with("nn."))
        function.removeArgAttr(position, attr.getName());
}

class CInterface : public impl::CInterfacePassBase<CInterface> {
  using CInterfacePassBase::CInterfacePassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    std::optional<TargetDescription> target = findPassTarget(module, cpu);
    if (!target)
      return signalPassFailure();
    Builder attributes(&getContext());
    module->setAttr(LLVM::LLVMDialect::getTargetTripleAttrName(),
                    attributes.getStringAttr(target->triple));
    module->setAttr(
        LLVM::LLVMDialect::getDataLayoutAttrName(),
        attributes.getStringAttr(
            createTargetMachine(*target)->createDataLayout().getStringRepresentation()));
    LLVMTypeConverter converter(&getContext());
    passBuffersAsNumbers(module, converter);
    for (auto function : llvm::to_vector(module.getOps<func::FuncOp>())) {
      if (function.isPrivate())
        continue;
      if (failed(takePointers(function, converter)))
        return signalPassFailure();
      makeEntry(function);
      dropAttributes(function);
    }
  }
};

} // namespace
} // namespace nnc
