//===- HostTensor.cpp - A tensor that the interpreter holds ---------------===//
//
// Rounding, wrapping and conversion of elements, and their bytes.
//
//===----------------------------------------------------------------------===//
#include "nnc/Reference/HostTensor.h"
#include "nnc/IR/Dim.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/Format.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace nnc {

//===-- Element types -----------------------------------------------------===//

double roundToType(Type floatType, double value) {
  if (floatType.isF64())
    return value;
  if (floatType.isF32())
    return float(value);
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(cast<FloatType>(floatType).getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven,
                 &losesInfo);
  number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number.convertToDouble();
}

int64_t wrapToType(Type integerType, int64_t value) {
  auto type = cast<IntegerType>(integerType);
  llvm::APInt wide(64, uint64_t(value));
  llvm::APInt narrow = wide.trunc(type.getWidth());
  bool isUnsigned = type.isUnsigned() || type.getWidth() == 1;
  return isUnsigned ? int64_t(narrow.getZExtValue()) : narrow.getSExtValue();
}

int64_t getElementBytes(Type elementType) { return (elementType.getIntOrFloatBitWidth() + 7) / 8; }

int64_t countElements(ArrayRef<int64_t> shape) {
  int64_t product = 1;
  for (int64_t size : shape)
    product *= size;
  return product;
}

//===-- Elements ----------------------------------------------------------===//

HostTensor::HostTensor(Type elementType, ArrayRef<int64_t> shape)
    : elementType(elementType), shape(shape), holdsFloats(isa<FloatType>(elementType)) {
  if (isFloat())
    floats.resize(countElements(shape));
  else
    integers.resize(countElements(shape));
}

HostTensor HostTensor::scalar(Type elementType, double value) {
  HostTensor tensor(elementType, {});
  tensor.setConverted(0, value);
  return tensor;
}

HostTensor HostTensor::fromElements(DenseElementsAttr elements) {
  HostTensor tensor(elements.getElementType(), elements.getType().getShape());
  int64_t index = 0;
  if (tensor.isFloat()) {
    for (llvm::APFloat element : elements.getValues<llvm::APFloat>()) {
      bool losesInfo;
      element.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
      tensor.setFloat(index++, element.convertToDouble());
    }
    return tensor;
  }
  for (const llvm::APInt &element : elements.getValues<llvm::APInt>())
    tensor.setInteger(index++, element.getSExtValue());
  return tensor;
}

int64_t HostTensor::getNumElements() const { return countElements(shape); }

void HostTensor::setFloat(int64_t index, double value) {
  floats[index] = roundToType(elementType, value);
}

void HostTensor::setInteger(int64_t index, int64_t value) {
  integers[index] = wrapToType(elementType, value);
}

/// Truncates towards zero and saturates; NaN becomes 0.
static int64_t saturate(IntegerType type, double value) {
  bool isUnsigned = type.isUnsigned();
  double lowest = isUnsigned ? 0 : -std::ldexp(1.0, type.getWidth() - 1);
  double beyond = std::ldexp(1.0, type.getWidth() - !isUnsigned);
  if (std::isnan(value))
    return 0;
  if (value <= lowest)
    return int64_t(lowest);
  if (value >= beyond)
    return int64_t(llvm::APInt::getAllOnes(type.getWidth() - !isUnsigned).getZExtValue());
  return int64_t(value);
}

void HostTensor::setConverted(int64_t index, double value) {
  if (isFloat())
    setFloat(index, value);
  else if (elementType.isInteger(1))
    setInteger(index, value != 0);
  else
    setInteger(index, saturate(cast<IntegerType>(elementType), value));
}

void HostTensor::setConverted(int64_t index, int64_t value) {
  if (elementType.isInteger(1))
    return setInteger(index, value != 0);
  if (!isFloat())
    return setInteger(index, value);
  // Straight to the type: through double it would round twice.
  llvm::APFloat number(cast<FloatType>(elementType).getFloatSemantics());
  number.convertFromAPInt(llvm::APInt(64, uint64_t(value)), /*IsSigned=*/true,
                          llvm::APFloat::rmNearestTiesToEven);
  bool losesInfo;
  number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  setFloat(index, number.convertToDouble());
}

void HostTensor::copyElement(int64_t index, const HostTensor &from, int64_t fromIndex) {
  if (isFloat())
    floats[index] = from.floats[fromIndex];
  else
    integers[index] = from.integers[fromIndex];
}

HostTensor HostTensor::reshaped(ArrayRef<int64_t> newShape) const {
  assert(countElements(newShape) == getNumElements());
  HostTensor result = *this;
  result.shape.assign(newShape.begin(), newShape.end());
  return result;
}

//===-- Bytes -------------------------------------------------------------===//

/// The bits of element `index` in its type, zero-extended.
static uint64_t getBits(const HostTensor &tensor, int64_t index) {
  if (!tensor.isFloat())
    return uint64_t(tensor.getInteger(index));
  llvm::APFloat number(tensor.getFloat(index));
  bool losesInfo;
  number.convert(cast<FloatType>(tensor.getElementType()).getFloatSemantics(),
                 llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number.bitcastToAPInt().getZExtValue();
}

std::vector<char> HostTensor::toBytes() const {
  int64_t width = getElementBytes(elementType);
  std::vector<char> bytes(getNumElements() * width);
  for (int64_t index = 0; index < getNumElements(); ++index) {
    uint64_t bits = getBits(*this, index);
    std::memcpy(bytes.data() + index * width, &bits, width);
  }
  return bytes;
}

HostTensor HostTensor::fromBytes(Type elementType, ArrayRef<int64_t> shape, const char *bytes) {
  HostTensor tensor(elementType, shape);
  int64_t width = getElementBytes(elementType);
  for (int64_t index = 0; index < tensor.getNumElements(); ++index) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes + index * width, width);
    if (!tensor.isFloat()) {
      tensor.setInteger(index, int64_t(bits));
      continue;
    }
    llvm::APFloat number(cast<FloatType>(elementType).getFloatSemantics(),
                         llvm::APInt(elementType.getIntOrFloatBitWidth(), bits));
    bool losesInfo;
    number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    tensor.setFloat(index, number.convertToDouble());
  }
  return tensor;
}

//===-- Comparison and text -----------------------------------------------===//

static bool sameFloat(double left, double right) {
  if (std::isnan(left) || std::isnan(right))
    return std::isnan(left) && std::isnan(right);
  return left == right && std::signbit(left) == std::signbit(right);
}

bool HostTensor::operator==(const HostTensor &other) const {
  return elementType == other.elementType && shape == other.shape && integers == other.integers &&
         std::equal(floats.begin(), floats.end(), other.floats.begin(), sameFloat);
}

std::string HostTensor::str(int64_t limit) const {
  std::string text = typeToString(RankedTensorType::get(shape, elementType)) + " {";
  llvm::raw_string_ostream stream(text);
  for (int64_t index = 0; index < std::min(limit, getNumElements()); ++index) {
    stream << (index ? ", " : "");
    if (isFloat())
      stream << llvm::format("%.17g", floats[index]);
    else
      stream << integers[index];
  }
  stream << (limit < getNumElements() ? ", ...}" : "}");
  return text;
}

} // namespace nnc
