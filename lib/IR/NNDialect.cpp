//===- NNDialect.cpp - The nn dialect -------------------------------------===//
//
// Registration, and the builders that infer result types.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/NN.h"

using namespace mlir;
using namespace nnc;
using namespace nnc::nn;

#include "nnc/IR/NNDialect.cpp.inc"

#define GET_OP_CLASSES
#include "nnc/IR/NNOps.cpp.inc"

void NNDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "nnc/IR/NNOps.cpp.inc"
      >();
}

Operation *NNDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                          Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, type, elements);
}

/// The result types of the op `state` describes. Inherent attributes reach inference as properties,
/// whose storage lives only here.
static LogicalResult inferTypes(MLIRContext *context, OperationState &state,
                                SmallVectorImpl<Type> &types) {
  auto *inference = state.name.getInterface<InferTypeOpInterface>();
  assert(inference && "an op that infers its types");
  RegisteredOperationName info = *state.name.getRegisteredInfo();
  DictionaryAttr attributes = state.attributes.getDictionary(context);
  std::unique_ptr<std::max_align_t[]> storage;
  OpaqueProperties properties(nullptr);
  if (int size = info.getOpPropertyByteSize()) {
    storage = std::make_unique<std::max_align_t[]>(size / sizeof(std::max_align_t) + 1);
    properties = OpaqueProperties(storage.get());
    info.initOpProperties(properties, OpaqueProperties(nullptr));
    if (failed(info.setOpPropertiesFromAttribute(state.name, properties, attributes,
                                                 [&] { return mlir::emitError(state.location); })))
      return failure();
    info.populateDefaultProperties(properties);
  }
  LogicalResult inferred = inference->inferReturnTypes(
      context, state.location, state.operands, attributes, properties, state.regions, types);
  if (storage)
    info.destroyOpProperties(properties);
  return inferred;
}

Operation *nnc::createInferred(OpBuilder &builder, Location loc, StringRef opName,
                               ValueRange operands, ArrayRef<NamedAttribute> attributes) {
  OperationState state(loc, opName);
  state.addOperands(operands);
  state.addAttributes(attributes);
  SmallVector<Type> types;
  if (failed(inferTypes(builder.getContext(), state, types)))
    return nullptr;
  state.addTypes(types);
  return builder.create(state);
}

Value nnc::createScalar(OpBuilder &builder, Location loc, Type elementType, double value) {
  auto type = RankedTensorType::get({}, elementType);
  Attribute element = isa<FloatType>(elementType)
                          ? Attribute(builder.getFloatAttr(elementType, value))
                          : Attribute(builder.getIntegerAttr(elementType, int64_t(value)));
  return ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, element));
}
