//===- MachineModel.h - How fast this machine can be ------------*- C++ -*-===//
//
// The roofline, measured by code that the compiler generates for it: multiplications and additions that
// nothing waits for, and a vector update (z = a x + y) on arrays that fit the caches, and that do not.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_MACHINEMODEL_H
#define NNC_DRIVER_MACHINEMODEL_H

#include "nnc/Support/Diagnostics.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nnc {

/// What one core, or all threads together, can do.
struct Roofline {
  /// f32 operations a second, a multiplication and an addition being two.
  double flopsPerSecond = 0;
  struct Level {
    int64_t bytes;
    double bytesPerSecond;
  };
  /// Bytes a second, for work on so many bytes in all; the last is for more, too.
  std::vector<Level> levels;

  double bytesPerSecond(int64_t footprint) const;
  double memoryBytesPerSecond() const { return levels.back().bytesPerSecond; }
};

struct MachineModel {
  unsigned lanes = 1; ///< f32 in a vector
  int threads = 1;
  Roofline core, all;
};

/// Measures this machine with so many threads as the runtime is set to use: some tenths of a second.
std::optional<MachineModel> measureMachine(DiagnosticEngine &diagnostics);

} // namespace nnc

#endif // NNC_DRIVER_MACHINEMODEL_H
