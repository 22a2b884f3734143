//===- HostTensor.h - A tensor that the interpreter holds -------*- C++ -*-===//
//
// A tensor in memory, row-major. Elements of every floating-point type are held as double and those
// of every integer type as int64_t: both are exact, so that one piece of code serves all widths.
// Storing an element rounds or wraps it to the element type; nothing else does.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_REFERENCE_HOSTTENSOR_H
#define NNC_REFERENCE_HOSTTENSOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <string>
#include <vector>

namespace nnc {

class HostTensor {
public:
  HostTensor() = default;
  /// Zeros.
  HostTensor(mlir::Type elementType, llvm::ArrayRef<int64_t> shape);
  static HostTensor scalar(mlir::Type elementType, double value);
  static HostTensor fromElements(mlir::DenseElementsAttr elements);

  mlir::Type getElementType() const { return elementType; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return shape.size(); }
  int64_t getNumElements() const;
  bool isFloat() const { return holdsFloats; }

  double getFloat(int64_t index) const { return floats[index]; }
  int64_t getInteger(int64_t index) const { return integers[index]; }
  /// An element of either kind, as far as double holds it.
  double getNumber(int64_t index) const { return isFloat() ? floats[index] : integers[index]; }

  /// Stores `value` rounded to the element type.
  void setFloat(int64_t index, double value);
  /// Stores `value` wrapped to the width of the element type.
  void setInteger(int64_t index, int64_t value);
  /// Stores `value` converted as by `cast`.
  void setConverted(int64_t index, double value);
  void setConverted(int64_t index, int64_t value);
  void copyElement(int64_t index, const HostTensor &from, int64_t fromIndex);

  /// The same elements with another shape of as many elements.
  HostTensor reshaped(llvm::ArrayRef<int64_t> newShape) const;

  /// The elements as generated code holds them: little-endian, contiguous, a byte for a bool.
  std::vector<char> toBytes() const;
  static HostTensor fromBytes(mlir::Type elementType, llvm::ArrayRef<int64_t> shape,
                              const char *bytes);

  /// Bitwise equal, but for the payload of NaN.
  bool operator==(const HostTensor &other) const;
  /// "f64[2, 2] {1, 2, 3, 4}", at most `limit` elements.
  std::string str(int64_t limit = 16) const;

private:
  mlir::Type elementType;
  llvm::SmallVector<int64_t, 4> shape;
  bool holdsFloats = false;
  // One of the two is used.
  std::vector<double> floats;
  std::vector<int64_t> integers;
};

/// `value` rounded to the nearest of the floating-point type, halves to even.
double roundToType(mlir::Type floatType, double value);
/// `value` wrapped to the width of the integer type, sign- or zero-extended.
int64_t wrapToType(mlir::Type integerType, int64_t value);
/// The number of bytes of an element.
int64_t getElementBytes(mlir::Type elementType);
/// The number of elements of `shape`.
int64_t countElements(llvm::ArrayRef<int64_t> shape);

} // namespace nnc

#endif // NNC_REFERENCE_HOSTTENSOR_H
