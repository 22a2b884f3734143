//===- Lowering.cpp - What the lowerings of the op families share ---------===//
//
// Sizes from symbols, the signature of a function, and tensors that are filled or moved.
//
//===----------------------------------------------------------------------===//
#include "Lowering.h"

#include "SymbolicSizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace nnc {

Lowering::Lowering(func::FuncOp loweredFunction) : function(loweredFunction) {
  types.addConversion([](Type type) { return type; });
  types.addConversion([](RankedTensorType type) {
    return RankedTensorType::get(type.getShape(), storageType(type.getElementType()));
  });
  auto materialize = [](OpBuilder &builder, Type type, ValueRange inputs, Location loc) {
    return UnrealizedConversionCastOp::create(builder, loc, type, inputs).getResult(0);
  };
  types.addSourceMaterialization(materialize);
  types.addTargetMaterialization(materialize);
}

RankedTensorType Lowering::convert(Type type) const {
  return cast<RankedTensorType>(types.convertType(type));
}

//===-- The signature -----------------------------------------------------===//

LogicalResult Lowering::prepare() {
  if (failed(collectSymbols()))
    return failure();
  convertSignature();
  return success();
}

/// In order of first appearance over arguments, results, then the body.
LogicalResult Lowering::collectSymbols() {
  bool isNamed = true;
  auto collect = [&](ArrayRef<Dim> shape) {
    for (const Dim &dim : shape) {
      std::set<std::string> names;
      dim.collectSymbols(names);
      for (const std::string &name : names) {
        isNamed &= name != "?";
        if (!llvm::is_contained(symbolNames, name))
          symbolNames.push_back(name);
      }
    }
  };
  auto collectTypes = [&](TypeRange typeRange) {
    for (Type type : typeRange)
      if (isa<RankedTensorType>(type))
        collect(getShape(type));
  };
  collectTypes(function.getArgumentTypes());
  collectTypes(function.getResultTypes());
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    collectTypes(op->getResultTypes());
    if (auto scan = dyn_cast<nn::ScanOp>(op))
      collect(scan.getCount());
    for (StringRef name : {"starts", "stops", "shape"})
      if (auto shape = op->getAttrOfType<ArrayAttr>(name))
        collect(shapeFromAttr(shape));
  });
  if (!isNamed)
    return function.emitError("expected a name for every dynamic dimension of '")
           << function.getName() << "', found one without";
  return success();
}

void Lowering::convertSignature() {
  MLIRContext *context = function.getContext();
  Block &entry = function.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&entry);
  auto shapeAttr = [&](Type type) { return toAttr(context, getShape(type)); };
  for (BlockArgument argument : entry.getArguments()) {
    Type type = argument.getType();
    if (!isa<RankedTensorType>(type))
      continue;
    function.setArgAttr(argument.getArgNumber(), "nn.shape", shapeAttr(type));
    argument.setType(convert(type));
    if (argument.getType() == type)
      continue;
    auto original = UnrealizedConversionCastOp::create(builder, argument.getLoc(), type, argument);
    argument.replaceAllUsesExcept(original.getResult(0), original);
  }
  auto terminator = cast<func::ReturnOp>(entry.getTerminator());
  builder.setInsertionPoint(terminator);
  for (OpOperand &operand : terminator->getOpOperands()) {
    Type type = operand.get().getType();
    function.setResultAttr(operand.getOperandNumber(), "nn.shape", shapeAttr(type));
    if (convert(type) != type)
      operand.set(UnrealizedConversionCastOp::create(builder, terminator.getLoc(), convert(type),
                                                     operand.get())
                      .getResult(0));
  }
  function.setType(
      FunctionType::get(context, entry.getArgumentTypes(), terminator.getOperandTypes()));
  SmallVector<Attribute> names;
  for (const std::string &name : symbolNames) {
    auto nameAttr = StringAttr::get(context, name);
    names.push_back(nameAttr);
    (void)function.insertArgument(
        function.getNumArguments(), IndexType::get(context),
        DictionaryAttr::get(context,
                            NamedAttribute(StringAttr::get(context, "nn.symbol"), nameAttr)),
        function.getLoc());
    symbols[name] = entry.getArguments().back();
  }
  function->setAttr("nn.symbols", ArrayAttr::get(context, names));
}

//===-- Sizes -------------------------------------------------------------===//

Value Lowering::size(OpBuilder &builder, Location loc, const Dim &dim) const {
  return SymbolicSizes::materialize(builder, loc, dim, symbols);
}

OpFoldResult Lowering::foldedSize(OpBuilder &builder, Location loc, const Dim &dim) const {
  if (dim.isConstant())
    return builder.getIndexAttr(dim.constant());
  return size(builder, loc, dim);
}

SmallVector<OpFoldResult> Lowering::foldedSizes(OpBuilder &builder, Location loc,
                                                ArrayRef<Dim> shape) const {
  return llvm::map_to_vector(shape, [&](const Dim &dim) { return foldedSize(builder, loc, dim); });
}

SmallVector<OpFoldResult> Lowering::foldedOffsets(OpBuilder &builder, Location loc,
                                                  ArrayRef<Dim> starts, ArrayRef<Dim> shape) const {
  Shape offsets(starts);
  for (auto [offset, size] : llvm::zip_equal(offsets, shape))
    if (size == Dim(0))
      offset = Dim(0);
  return foldedSizes(builder, loc, offsets);
}

//===-- Tensors -----------------------------------------------------------===//

Value Lowering::empty(OpBuilder &builder, Location loc, ArrayRef<Dim> shape, Type stored) const {
  return tensor::EmptyOp::create(builder, loc, foldedSizes(builder, loc, shape), stored);
}

Value Lowering::fill(OpBuilder &builder, Location loc, ArrayRef<Dim> shape, Value value) const {
  Value init = empty(builder, loc, shape, value.getType());
  return linalg::FillOp::create(builder, loc, value, init).getResult(0);
}

Value Lowering::storeComputed(OpBuilder &builder, Location loc, Value accumulated,
                              ArrayRef<Dim> shape, Type elementType) const {
  Type computed = computeType(elementType);
  if (computed == storageType(elementType))
    return accumulated;
  return elementwise(builder, loc, accumulated, computed, shape, elementType,
                     [](OpBuilder &, Location, ValueRange values) { return values[0]; });
}

Value Lowering::insert(OpBuilder &builder, Location loc, Value source, ArrayRef<Dim> shape,
                       Value target, ArrayRef<Dim> offsets, ArrayRef<int64_t> steps) const {
  SmallVector<OpFoldResult> strides(shape.size(), builder.getIndexAttr(1));
  for (auto [stride, step] : llvm::zip(strides, steps))
    stride = builder.getIndexAttr(step);
  return tensor::InsertSliceOp::create(builder, loc, source, target,
                                       foldedOffsets(builder, loc, offsets, shape),
                                       foldedSizes(builder, loc, shape), strides);
}

Value Lowering::extract(OpBuilder &builder, Location loc, Value source, ArrayRef<Dim> offsets,
                        ArrayRef<Dim> shape, ArrayRef<int64_t> steps) const {
  SmallVector<OpFoldResult> strides(shape.size(), builder.getIndexAttr(1));
  for (auto [stride, step] : llvm::zip(strides, steps))
    stride = builder.getIndexAttr(step);
  Type element = cast<RankedTensorType>(source.getType()).getElementType();
  auto type = cast<RankedTensorType>(convert(makeTensorType(shape, element)));
  return tensor::ExtractSliceOp::create(builder, loc, type, source,
                                        foldedOffsets(builder, loc, offsets, shape),
                                        foldedSizes(builder, loc, shape), strides);
}

AffineMap broadcastMap(RankedTensorType operand, RankedTensorType result) {
  MLIRContext *context = operand.getContext();
  int64_t offset = result.getRank() - operand.getRank();
  SmallVector<AffineExpr> exprs;
  for (int64_t dim = 0; dim < operand.getRank(); ++dim) {
    bool repeats = operand.getDimSize(dim) == 1 && result.getDimSize(offset + dim) != 1;
    exprs.push_back(repeats ? getAffineConstantExpr(0, context)
                            : getAffineDimExpr(offset + dim, context));
  }
  return AffineMap::get(result.getRank(), 0, exprs, context);
}

Value Lowering::elementwise(OpBuilder &builder, Location loc, ValueRange operands,
                            ArrayRef<Type> elementTypes, ArrayRef<Dim> shape,
                            Type resultElementType, BodyBuilder body) const {
  Value init = empty(builder, loc, shape, storageType(resultElementType));
  auto resultType = cast<RankedTensorType>(init.getType());
  SmallVector<Read> reads;
  for (auto [operand, elementType] : llvm::zip_equal(operands, elementTypes))
    reads.push_back({operand, broadcastMap(cast<RankedTensorType>(operand.getType()), resultType),
                     elementType});
  Write write{init, builder.getMultiDimIdentityMap(shape.size())};
  SmallVector<utils::IteratorType> iterators(shape.size(), utils::IteratorType::parallel);
  Operation *generic = createGeneric(
      builder, loc, reads, write, iterators, {},
      [&](OpBuilder &inner, Location innerLoc, ValueRange inputs, ValueRange) {
        Value computed = body(inner, innerLoc, inputs);
        return SmallVector<Value>{storeElement(inner, innerLoc, computed, resultElementType)};
      });
  return generic->getResult(0);
}

Value Lowering::rearrange(OpBuilder &builder, Location loc, Value source, AffineMap map,
                          ArrayRef<Dim> shape) const {
  Type stored = getElementType(source);
  AffineMap identity = builder.getMultiDimIdentityMap(shape.size());
  SmallVector<utils::IteratorType> iterators(shape.size(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, empty(builder, loc, shape, stored).getType(),
                                   source, empty(builder, loc, shape, stored),
                                   ArrayRef<AffineMap>{map, identity}, iterators,
                                   [](OpBuilder &inner, Location innerLoc, ValueRange arguments) {
                                     linalg::YieldOp::create(inner, innerLoc, arguments[0]);
                                   })
      .getResult(0);
}

Value Lowering::broadcast(OpBuilder &builder, Location loc, Value source,
                          ArrayRef<Dim> shape) const {
  auto type = cast<RankedTensorType>(source.getType());
  RankedTensorType result = convert(makeTensorType(shape, type.getElementType()));
  return type == result ? source
                        : rearrange(builder, loc, source, broadcastMap(type, result), shape);
}

} // namespace nnc
