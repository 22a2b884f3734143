//===- MatrixUnit.h - What multiplies matrices ------------------*- C++ -*-===//
#ifndef NNC_LIB_EMULATION_MATRIXUNIT_H
#define NNC_LIB_EMULATION_MATRIXUNIT_H

#include <cstdint>
#include <vector>

namespace nnc {

/// What factors the unit takes: pairs of 16 bits, or one of tf32, in a register.
enum class FactorKind { Bf16, F16, Tf32 };

float floatFromBits(uint32_t bits);
uint32_t bitsOf(float value);
/// A number of 16 bits.
float widen(uint16_t bits, FactorKind kind);

/// A factor in the memory of a block, as wgmma is told where it is: rows or columns, here both called places, by terms.
struct SharedFactor {
  uint64_t descriptor = 0;
  /// Whether places lie side by side, not terms.
  bool isTurned = false;

  /// Where a number is in the memory.
  int64_t placeOf(int32_t place, int32_t term) const;
};

/// sums + left * right, of 64 rows and 16 terms.
struct SharedProduct {
  static constexpr int32_t kRows = 64, kTerms = 16, kThreads = 128;

  FactorKind kind = FactorKind::Bf16;
  int32_t columns = 8;
  SharedFactor left, right;

  int32_t sumsOfThread() const { return kRows * columns / kThreads; }
  /// Where it reads numbers.
  std::vector<int64_t> places() const;
  /// Adds the products of what is in `memory` to the sums of the threads, one after the other.
  void add(const char *memory, std::vector<float> &sums) const;
};

} // namespace nnc

#endif // NNC_LIB_EMULATION_MATRIXUNIT_H
