//===- Tensor.h - A host array of numbers ------------------------*- C++ -*-===//
//
// What readers return, writers take, and compiled code is called with: an element type, a shape,
// and the elements in row-major order, the first of them on a 64-byte boundary as the ABI of
// compiled code asks. A Tensor is a value: copying copies the elements.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_TENSOR_H
#define NNC_DATA_TENSOR_H

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nnc {

enum class ElementType : uint8_t { F64, F32, F16, BF16, I64, I32, I8, U8, Bool };

/// Every element type, in the order of the enumeration.
constexpr ElementType allElementTypes[] = {ElementType::F64,  ElementType::F32, ElementType::F16,
                                           ElementType::BF16, ElementType::I64, ElementType::I32,
                                           ElementType::I8,   ElementType::U8,  ElementType::Bool};

size_t sizeInBytes(ElementType type);
bool isFloat(ElementType type);
/// The name as in a .nn file: "f32", "bool".
const char *nameOf(ElementType type);
std::optional<ElementType> elementTypeNamed(std::string_view name);

/// A 16-bit float: storage only, arithmetic happens in double. Conversions round to nearest even.
struct Float16 {
  uint16_t bits = 0;
  Float16() = default;
  explicit Float16(double value);
  explicit operator double() const;
};
struct BFloat16 {
  uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(double value);
  explicit operator double() const;
};

/// The element type that the C++ type T stores.
template <typename T>
constexpr ElementType elementTypeOf = [] {
  static_assert(sizeof(T) == 0, "no element type is stored as T");
  return ElementType::F64;
}();
template <> inline constexpr ElementType elementTypeOf<double> = ElementType::F64;
template <> inline constexpr ElementType elementTypeOf<float> = ElementType::F32;
template <> inline constexpr ElementType elementTypeOf<Float16> = ElementType::F16;
template <> inline constexpr ElementType elementTypeOf<BFloat16> = ElementType::BF16;
template <> inline constexpr ElementType elementTypeOf<int64_t> = ElementType::I64;
template <> inline constexpr ElementType elementTypeOf<int32_t> = ElementType::I32;
template <> inline constexpr ElementType elementTypeOf<int8_t> = ElementType::I8;
template <> inline constexpr ElementType elementTypeOf<uint8_t> = ElementType::U8;
template <> inline constexpr ElementType elementTypeOf<bool> = ElementType::Bool;

/// Calls `function` with a value of the C++ type that stores `type`.
template <typename Function> decltype(auto) dispatch(ElementType type, Function &&function) {
  switch (type) {
  case ElementType::F64:
    return function(double());
  case ElementType::F32:
    return function(float());
  case ElementType::F16:
    return function(Float16());
  case ElementType::BF16:
    return function(BFloat16());
  case ElementType::I64:
    return function(int64_t());
  case ElementType::I32:
    return function(int32_t());
  case ElementType::I8:
    return function(int8_t());
  case ElementType::U8:
    return function(uint8_t());
  case ElementType::Bool:
    break;
  }
  return function(bool());
}

/// Sizes of the dimensions; the Shape of types, which may be symbolic, is in IR/Dim.h.
using TensorShape = std::vector<int64_t>;

/// The number of elements, or nothing if a dimension is negative or the bytes of such a tensor
/// would not fit an int64.
std::optional<int64_t> numElements(const TensorShape &shape);
/// "[3, 4]"; "[]" for a scalar.
std::string toString(const TensorShape &shape);

/// Where elements are stored, if not in ordinary memory; what it gives is aligned to Tensor::alignment.
struct TensorMemory {
  void *(*allocate)(size_t bytes);
  void (*free)(void *memory);
};

class Tensor {
public:
  static constexpr size_t alignment = 64;

  /// An f32 scalar, 0.
  Tensor() : Tensor(ElementType::F32, {}) {}
  /// Zeros. The shape must be valid (see numElements).
  Tensor(ElementType type, TensorShape shape) : Tensor(type, std::move(shape), nullptr) {}
  /// The same in `memory`, unless that is null. Copies are in ordinary memory.
  Tensor(ElementType type, TensorShape shape, const TensorMemory *memory);
  /// Whatever is in memory: for who writes each element.
  static Tensor unfilled(ElementType type, TensorShape shape);
  /// The given elements in row-major order; as many as the shape says.
  template <typename T> static Tensor of(TensorShape shape, const std::vector<T> &values) {
    Tensor tensor(elementTypeOf<T>, std::move(shape));
    assert(int64_t(values.size()) == tensor.size());
    std::copy(values.begin(), values.end(), tensor.as<T>());
    return tensor;
  }
  template <typename T> static Tensor scalar(T value) { return of<T>({}, {value}); }

  ElementType type() const { return elementType; }
  const TensorShape &shape() const { return dims; }
  int64_t rank() const { return int64_t(dims.size()); }
  int64_t dim(size_t axis) const { return dims[axis]; }
  int64_t size() const { return count; }
  size_t sizeInBytes() const { return size_t(count) * nnc::sizeInBytes(elementType); }

  void *data() { return storage.get(); }
  const void *data() const { return storage.get(); }
  std::string_view bytes() const { return {reinterpret_cast<const char *>(data()), sizeInBytes()}; }
  template <typename T> T *as() {
    assert(elementTypeOf<T> == elementType);
    return reinterpret_cast<T *>(storage.get());
  }
  template <typename T> const T *as() const { return const_cast<Tensor *>(this)->as<T>(); }

  /// One element, whatever the type, as a double (i64 beyond 2^53 is rounded).
  double at(int64_t index) const;
  /// Sets one element, converted as by `to`.
  void set(int64_t index, double value);
  std::vector<double> toDoubles() const;

  /// The same values in another type. To a float: rounded to nearest even. A float to an integer:
  /// towards zero, held at the ends of the range, NaN to 0. Between integers: the low bits. To
  /// bool: whether it is not zero.
  Tensor to(ElementType type) const;
  /// The same elements in another shape of the same size.
  Tensor reshaped(TensorShape shape) const;

  /// The same type, shape and bits.
  bool operator==(const Tensor &other) const;
  bool operator!=(const Tensor &other) const { return !(*this == other); }

  Tensor(const Tensor &other);
  Tensor(Tensor &&other) noexcept = default;
  Tensor &operator=(const Tensor &other);
  Tensor &operator=(Tensor &&other) noexcept = default;

private:
  struct Unfilled {};
  Tensor(ElementType type, TensorShape shape, const TensorMemory &memory, Unfilled);

  struct Free {
    const TensorMemory *memory;
    void operator()(std::byte *pointer) const;
  };

  ElementType elementType;
  TensorShape dims;
  int64_t count;
  std::unique_ptr<std::byte, Free> storage;
};

/// A tensor with the name it has in a file or a program.
struct NamedTensor {
  std::string name;
  Tensor value;
};

} // namespace nnc

#endif // NNC_DATA_TENSOR_H
