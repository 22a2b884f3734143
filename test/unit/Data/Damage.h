//===- Damage.h - Damaged files for testing readers --------------*- C++ -*-===//
//
// Every reader must turn any bytes whatsoever into a value or an error. These give it the file cut
// at every byte and with random bytes changed, the same ones on every run.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_TEST_UNIT_DATA_DAMAGE_H
#define NNC_TEST_UNIT_DATA_DAMAGE_H

#include <random>
#include <string>

/// Calls `read` with every proper prefix of `bytes`.
template <typename Read> void truncateEverywhere(const std::string &bytes, Read read) {
  for (size_t size = 0; size < bytes.size(); ++size)
    read(bytes.substr(0, size));
}

/// Calls `read` with `times` copies of `bytes`, in each of which one to eight bytes are changed,
/// removed or doubled.
template <typename Read> void mutate(const std::string &bytes, int times, Read read) {
  std::mt19937 random(20240607);
  for (int i = 0; i < times; ++i) {
    std::string damaged = bytes;
    for (unsigned change = 0; change < 1 + i % 8u && !damaged.empty(); ++change) {
      size_t position = random() % damaged.size();
      switch (random() % 4) {
      case 0:
        damaged.erase(position, 1);
        break;
      case 1:
        damaged.insert(position, 1, damaged[position]);
        break;
      case 2:
        damaged[position] ^= char(1u << random() % 8);
        break;
      default:
        damaged[position] = char(random());
      }
    }
    read(damaged);
  }
}

#endif // NNC_TEST_UNIT_DATA_DAMAGE_H
