//===- SharedMemory.h - What blocks of threads may have of it ---*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_SHAREDMEMORY_H
#define NNC_LIB_CODEGEN_SHAREDMEMORY_H

#include <algorithm>
#include <cstdint>

namespace nnc {

/// Of a block's memory, what every GPU has, and two blocks have on most; and what products need for their tiles.
constexpr int64_t kUsualSharedBytes = 99 << 10, kScratchBytes = 25 << 10;

/// What a block of a GPU whose blocks can have `most` may keep between operations, with another one beside it.
inline int64_t usualSharedBytes(int64_t most) {
  return std::min(most, kUsualSharedBytes) - kScratchBytes;
}

} // namespace nnc

#endif // NNC_LIB_CODEGEN_SHAREDMEMORY_H
