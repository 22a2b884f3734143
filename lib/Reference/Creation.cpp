//===- Creation.cpp - Values of ops that make tensors ---------------------===//
//
// Literals, counting and random numbers. Random.h defines the bits; the affine map to the wanted
// range or spread is computed in double and rounded once.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"
#include "Rules.h"

#include "nnc/IR/Inference.h"
#include "nnc/Support/Random.h"

#include <cmath>

using namespace mlir;
using llvm::createStringError;
using llvm::Expected;

namespace nnc {

static Expected<HostTensor> constant(nn::ConstantOp op, Frame &) {
  auto elements = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!elements)
    return createStringError("'constant' expects dense elements");
  return HostTensor::fromElements(elements);
}

static Expected<HostTensor> full(nn::FullOp op, Frame &frame) {
  Expected<SmallVector<int64_t>> shape = frame.resolve(op.getShape());
  if (!shape)
    return shape.takeError();
  HostTensor y(op.getDtype(), *shape);
  for (int64_t number = 0; number < y.getNumElements(); ++number)
    y.setConverted(number, op.getValue().convertToDouble());
  return y;
}

static Expected<HostTensor> iota(nn::IotaOp op, Frame &frame) {
  Expected<SmallVector<int64_t>> shape = frame.resolve(op.getShape());
  if (!shape)
    return shape.takeError();
  HostTensor y(op.getDtype(), *shape);
  int64_t axis = normalizedAxis(op.getAxis(), y.getRank());
  forEachElement(*shape, [&](ArrayRef<int64_t> index, int64_t number) {
    y.setConverted(number, index[axis]);
  });
  return y;
}

/// Fills the result with `compute` of each element's random words.
template <typename OpTy, typename Function>
static Expected<HostTensor> draw(OpTy op, Frame &frame, Function compute) {
  Expected<SmallVector<int64_t>> shape = frame.resolve(op.getShape());
  if (!shape)
    return shape.takeError();
  const HostTensor &key = frame.get(op.getKey());
  HostTensor y(op.getDtype(), *shape);
  for (int64_t number = 0; number < y.getNumElements(); ++number)
    y.setFloat(number,
               compute(randomWords(key.getInteger(0), key.getInteger(1), op.getStream(), number)));
  return y;
}

static Expected<HostTensor> uniform(nn::UniformOp op, Frame &frame) {
  double low = op.getLow().convertToDouble(), high = op.getHigh().convertToDouble();
  bool isDouble = op.getDtype().isF64();
  return draw(op, frame, [=](const PhiloxWords &words) {
    return std::fma(isDouble ? unitInterval53(words) : unitInterval24(words), high - low, low);
  });
}

static Expected<HostTensor> normal(nn::NormalOp op, Frame &frame) {
  double mean = op.getMean().convertToDouble(), std = op.getStd().convertToDouble();
  bool isDouble = op.getDtype().isF64();
  return draw(op, frame, [=](const PhiloxWords &words) {
    return mean + std * (isDouble ? normal53(words) : normal24(words));
  });
}

void registerCreation(Registry &registry) {
  registry.add<nn::ConstantOp>(constant, Rounding::None);
  registry.add<nn::FullOp>(full, Rounding::None);
  registry.add<nn::IotaOp>(iota, Rounding::None);
  registry.add<nn::UniformOp>(uniform);
  registry.add<nn::NormalOp>(normal);
}

} // namespace nnc
