//===- Tensor.cpp - A host array of numbers -------------------------------===//
//
// Storage, and the conversions between all pairs of element types.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <limits>
#include <new>
#include <type_traits>

namespace nnc {

size_t sizeInBytes(ElementType type) {
  return dispatch(type, [](auto value) { return sizeof value; });
}

bool isFloat(ElementType type) { return type <= ElementType::BF16; }

const char *nameOf(ElementType type) {
  static const char *const names[] = {"f64", "f32", "f16", "bf16", "i64",
                                      "i32", "i8",  "u8",  "bool"};
  return names[size_t(type)];
}

std::optional<ElementType> elementTypeNamed(std::string_view name) {
  for (ElementType type : allElementTypes)
    if (name == nameOf(type))
      return type;
  return std::nullopt;
}

std::optional<int64_t> numElements(const TensorShape &shape) {
  // Room for 8 bytes an element and the rounding of storage.
  constexpr int64_t limit = std::numeric_limits<int64_t>::max() / 16;
  int64_t product = 1;
  bool isEmpty = false;
  for (int64_t dim : shape) {
    if (dim < 0)
      return std::nullopt;
    if (dim == 0)
      isEmpty = true;
    else if (product > limit / dim)
      return std::nullopt;
    else
      product *= dim;
  }
  return isEmpty ? 0 : product;
}

std::string toString(const TensorShape &shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

static void *allocateAligned(size_t bytes) {
  void *memory = std::aligned_alloc(Tensor::alignment, bytes);
  if (!memory)
    throw std::bad_alloc();
  return memory;
}

static const TensorMemory ordinaryMemory = {allocateAligned, std::free};

void Tensor::Free::operator()(std::byte *pointer) const { memory->free(pointer); }

Tensor::Tensor(ElementType type, TensorShape shape, const TensorMemory &memory, Unfilled)
    : elementType(type), dims(std::move(shape)), storage(nullptr, Free{&memory}) {
  std::optional<int64_t> number = numElements(dims);
  assert(number && "invalid shape");
  count = *number;
  // A whole number of aligned blocks, at least one: vector code may load the last block whole.
  size_t size = sizeInBytes();
  size_t blocks = std::max<size_t>(1, (size + alignment - 1) / alignment);
  storage.reset(static_cast<std::byte *>(memory.allocate(blocks * alignment)));
  std::memset(storage.get() + size, 0, blocks * alignment - size);
}

Tensor::Tensor(ElementType type, TensorShape shape, const TensorMemory *memory)
    : Tensor(type, std::move(shape), memory ? *memory : ordinaryMemory, Unfilled()) {
  std::memset(storage.get(), 0, sizeInBytes());
}

Tensor Tensor::unfilled(ElementType type, TensorShape shape) {
  return Tensor(type, std::move(shape), ordinaryMemory, Unfilled());
}

Tensor::Tensor(const Tensor &other)
    : Tensor(other.elementType, other.dims, ordinaryMemory, Unfilled()) {
  std::memcpy(storage.get(), other.storage.get(), sizeInBytes());
}

Tensor &Tensor::operator=(const Tensor &other) {
  if (this != &other)
    *this = Tensor(other);
  return *this;
}

Tensor Tensor::reshaped(TensorShape shape) const {
  Tensor result = unfilled(elementType, std::move(shape));
  assert(result.count == count);
  std::memcpy(result.storage.get(), storage.get(), sizeInBytes());
  return result;
}

bool Tensor::operator==(const Tensor &other) const {
  return elementType == other.elementType && dims == other.dims && bytes() == other.bytes();
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

template <typename T>
constexpr bool isHalf = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;
template <typename T> constexpr bool isInteger = std::is_integral_v<T> && !std::is_same_v<T, bool>;

/// Float to integer: towards zero, held at the ends of the range, NaN to 0.
template <typename To> static To saturate(double value) {
  // Both ends are exact in double, the upper one as a power of two just out of range.
  constexpr double low = double(std::numeric_limits<To>::min());
  constexpr double end = 2.0 * double((std::numeric_limits<To>::max() >> 1) + 1);
  if (value != value)
    return 0;
  if (value <= low)
    return std::numeric_limits<To>::min();
  if (value >= end)
    return std::numeric_limits<To>::max();
  return To(value);
}

template <typename To, typename From> static To convert(From value) {
  if constexpr (std::is_same_v<To, From>)
    return value;
  else if constexpr (isHalf<From>)
    return convert<To>(double(value));
  else if constexpr (std::is_same_v<To, bool>)
    return value != From(0);
  else if constexpr (isInteger<To> && std::is_floating_point_v<From>)
    return saturate<To>(value);
  else if constexpr (isHalf<To> && std::is_same_v<From, int64_t>)
    // Beyond 2^53 the step through double would round twice; f16 is infinite there, and bf16
    // needs the bits that it would lose only to tell a tie, which the lowest kept bit can carry.
    return To(double(value > (int64_t(1) << 53) || value < -(int64_t(1) << 53)
                         ? (value & ~int64_t(0xffff)) | ((value & 0xffff) != 0 ? 0x10000 : 0)
                         : value));
  else
    return static_cast<To>(value);
}

Tensor Tensor::to(ElementType type) const {
  if (type == elementType)
    return *this;
  Tensor result = unfilled(type, dims);
  dispatch(elementType, [&](auto from) {
    using From = decltype(from);
    dispatch(type, [&](auto to) {
      using To = decltype(to);
      const From *source = as<From>();
      std::transform(source, source + count, result.as<To>(), convert<To, From>);
    });
  });
  return result;
}

double Tensor::at(int64_t index) const {
  assert(index >= 0 && index < count);
  return dispatch(elementType,
                  [&](auto value) { return convert<double>(as<decltype(value)>()[index]); });
}

void Tensor::set(int64_t index, double value) {
  assert(index >= 0 && index < count);
  dispatch(elementType, [&](auto element) {
    using T = decltype(element);
    as<T>()[index] = convert<T>(value);
  });
}

std::vector<double> Tensor::toDoubles() const {
  Tensor doubles = to(ElementType::F64);
  const double *first = doubles.as<double>();
  return std::vector<double>(first, first + count);
}

//===----------------------------------------------------------------------===//
// 16-bit floats
//===----------------------------------------------------------------------===//

static uint64_t bitsOf(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

static double fromBits(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// A double rounded to 16 bits with `fraction` bits of fraction and the rest but one of exponent.
static uint16_t encode16(double value, int fraction) {
  const int bias = (1 << (14 - fraction)) - 1;
  uint64_t bits = bitsOf(value);
  uint16_t sign = uint16_t(bits >> 48 & 0x8000);
  uint16_t infinity = uint16_t(((2 * bias + 1) << fraction));
  if (value != value)
    return uint16_t(sign | infinity | 1 << (fraction - 1));

  int exponent = int(bits >> 52 & 0x7ff) - 1023 + bias;
  if (exponent > 2 * bias)
    return sign | infinity;
  // Below the smallest normal number more bits of fraction fall away.
  int dropped = 52 - fraction + (exponent < 1 ? 1 - exponent : 0);
  if (dropped > 54)
    return sign;
  uint64_t mantissa = (bits & ((uint64_t(1) << 52) - 1)) | uint64_t(1) << 52;
  uint64_t kept = mantissa >> dropped;
  uint64_t rest = mantissa & ((uint64_t(1) << dropped) - 1);
  uint64_t half = uint64_t(1) << (dropped - 1);
  if (rest > half || (rest == half && (kept & 1)))
    ++kept;
  // The leading one adds 1 to the exponent; a carry out of the fraction another.
  uint64_t base = exponent < 1 ? 0 : uint64_t(exponent - 1) << fraction;
  return uint16_t(sign | (base + kept));
}

static double decode16(uint16_t bits, int fraction) {
  const int bias = (1 << (14 - fraction)) - 1;
  int exponent = (bits & 0x7fff) >> fraction;
  uint64_t mantissa = bits & ((1u << fraction) - 1);
  uint64_t sign = uint64_t(bits & 0x8000) << 48;
  if (exponent == 2 * bias + 1)
    return fromBits(sign | uint64_t(0x7ff) << 52 | mantissa << (52 - fraction));
  double scale = fromBits(uint64_t(1023 + std::max(exponent, 1) - bias - fraction) << 52);
  double magnitude = double(mantissa | (exponent > 0 ? uint64_t(1) << fraction : 0)) * scale;
  return fromBits(sign | bitsOf(magnitude));
}

Float16::Float16(double value) : bits(encode16(value, 10)) {}
Float16::operator double() const { return decode16(bits, 10); }
BFloat16::BFloat16(double value) : bits(encode16(value, 7)) {}
BFloat16::operator double() const { return decode16(bits, 7); }

} // namespace nnc
