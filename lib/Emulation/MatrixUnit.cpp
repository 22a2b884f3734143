//===- MatrixUnit.cpp - What multiplies matrices --------------------------===//
//
// The layouts are those of the PTX manual (wgmma: matrices in shared memory). Lines of 128, 64 or 32 bytes follow each
// other in groups of eight; the bits of an address above the 128 bytes flip those of the 16 bytes in them.
//
//===----------------------------------------------------------------------===//
#include "MatrixUnit.h"

#include <cmath>
#include <cstring>

namespace nnc {

float floatFromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float widen(uint16_t bits, FactorKind kind) {
  if (kind != FactorKind::F16)
    return floatFromBits(uint32_t(bits) << 16);
  uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
  float size = exponent == 0    ? std::ldexp(float(fraction), -24)
               : exponent == 31 ? (fraction ? NAN : INFINITY)
                                : std::ldexp(float(fraction + 1024), int(exponent) - 25);
  return bits >> 15 ? -size : size;
}

int64_t SharedFactor::placeOf(int32_t place, int32_t term) const {
  auto bytesAt = [&](int32_t bit) { return int64_t(descriptor >> bit & 0x3fff) << 4; };
  int64_t nextPlaces = bytesAt(16), nextEight = bytesAt(32);
  auto kind = int32_t(descriptor >> 62);
  int64_t lineBytes = kind == 0 ? 16 : 256 >> kind, width = lineBytes / 2;
  int64_t address = bytesAt(0);
  if (isTurned)
    address += place / width * nextPlaces + term / 8 * nextEight + term % 8 * lineBytes +
               place % width * 2;
  else
    address += place / 8 * nextEight + place % 8 * lineBytes + term * 2;
  return address ^ (address >> 7 & (lineBytes / 16 - 1)) << 4;
}

std::vector<int64_t> SharedProduct::places() const {
  std::vector<int64_t> found;
  for (int32_t term = 0; term < kTerms; ++term) {
    for (int32_t row = 0; row < kRows; ++row)
      found.push_back(left.placeOf(row, term));
    for (int32_t column = 0; column < columns; ++column)
      found.push_back(right.placeOf(column, term));
  }
  return found;
}

/// Thread 32 w + 4 g + t has of each eight columns 2t and 2t + 1, of rows 16 w + g and 8 more.
void SharedProduct::add(const char *memory, std::vector<float> &sums) const {
  auto load = [&](const SharedFactor &factor, int32_t places) {
    std::vector<float> numbers;
    for (int32_t place = 0; place < places; ++place)
      for (int32_t term = 0; term < kTerms; ++term) {
        uint16_t bits;
        std::memcpy(&bits, memory + factor.placeOf(place, term), sizeof bits);
        numbers.push_back(widen(bits, kind));
      }
    return numbers;
  };
  std::vector<float> ofRows = load(left, kRows), ofColumns = load(right, columns);
  for (int32_t thread = 0; thread < kThreads; ++thread)
    for (int32_t i = 0; i < sumsOfThread(); ++i) {
      int32_t row = thread / 32 * 16 + thread % 32 / 4 + i / 2 % 2 * 8,
              column = i / 4 * 8 + thread % 4 * 2 + i % 2;
      float &sum = sums[size_t(thread) * sumsOfThread() + i];
      for (int32_t term = 0; term < kTerms; ++term)
        sum += ofRows[row * kTerms + term] * ofColumns[column * kTerms + term];
    }
}

} // namespace nnc
