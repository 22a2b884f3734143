//===- ControlOps.cpp - Loops and differentiation -------------------------===//
//
// Verifiers; the messages carry the labels of the constraints in NNControl.td.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/NN.h"

using namespace mlir;
using namespace nnc;
using namespace nnc::nn;

/// The body gets its arguments and no ops; the caller fills it and ends it with a yield.
void ScanOp::build(OpBuilder &builder, OperationState &state, Dim count, bool reverse,
                   ValueRange inits, ValueRange sequences, TypeRange resultTypes) {
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.count = toAttr(builder.getContext(), count);
  properties.reverse = builder.getBoolAttr(reverse);
  properties.operandSegmentSizes = {int32_t(inits.size()), int32_t(sequences.size())};
  state.addOperands(inits);
  state.addOperands(sequences);
  state.addTypes(resultTypes);
  Block &block = state.addRegion()->emplaceBlock();
  block.addArgument(RankedTensorType::get({}, builder.getI64Type()), state.location);
  for (Value init : inits)
    block.addArgument(init.getType(), init.getLoc());
  for (Value sequence : sequences)
    block.addArgument(
        makeTensorType(ArrayRef(getShape(sequence)).drop_front(), getElementType(sequence)),
        sequence.getLoc());
}

YieldOp ScanOp::getYield() { return cast<YieldOp>(getBody().front().getTerminator()); }

LogicalResult ScanOp::verify() {
  Block &block = getBody().front();
  if (block.getNumArguments() != 1 + getNumCarried() + getSequences().size())
    return emitOpError("expects a body of ") << 1 + getNumCarried() + getSequences().size()
                                             << " arguments, found " << block.getNumArguments();
  ValueRange yielded = getYield().getValues();
  if (yielded.size() != getNumResults() || getNumResults() < getNumCarried())
    return emitOpError("C1: expects ")
           << getNumResults() << " yielded values, found " << yielded.size();
  for (unsigned index = 0; index < getNumCarried(); ++index)
    if (yielded[index].getType() != getInits()[index].getType() ||
        getResult(index).getType() != getInits()[index].getType() ||
        getCarriedArguments()[index].getType() != getInits()[index].getType())
      return emitOpError("C2: expects the carried value ")
             << index << " to stay " << typeToString(getInits()[index].getType()) << ", found "
             << typeToString(yielded[index].getType());
  for (Value sequence : getSequences()) {
    Shape shape = getShape(sequence);
    if (shape.empty() || shape.front() != getCount())
      return emitOpError("C3: expects a sequence of ")
             << getCount().str() << " slices, found " << typeToString(sequence.getType());
  }
  return success();
}

LogicalResult GradOp::verify() {
  auto loss = cast<RankedTensorType>(getLoss().getType());
  if (loss.getRank() != 0 || !isa<FloatType>(loss.getElementType()))
    return emitOpError("expects a floating-point scalar to differentiate, found ")
           << typeToString(loss);
  if (getWrt().size() != getGradients().size())
    return emitOpError("expects one gradient for each value of wrt");
  for (auto [value, gradient] : llvm::zip(getWrt(), getGradients()))
    if (value.getType() != gradient.getType())
      return emitOpError("expects a gradient of type ")
             << typeToString(value.getType()) << ", found " << typeToString(gradient.getType());
  return success();
}
