//===- CheckpointStore.h - Checkpoints in a folder ---------------*- C++ -*-===//
//
// A folder of files step-000000400.safetensors, of which the last two are kept. A file is written
// beside its place, flushed, renamed, and its folder flushed, before an older one is removed; a
// checksum over all of its bytes is in its metadata. So whatever happens, a kill, a full disk, a
// power failure, the last checkpoint or the one before it is whole, and a damaged one is known.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_CHECKPOINTSTORE_H
#define NNC_DATA_CHECKPOINTSTORE_H

#include "nnc/Data/Safetensors.h"
#include "nnc/Support/FileCalls.h"

namespace nnc {

/// `content` as a file whose first metadata value, "checksum", is that of all other bytes.
Result<std::string> formatChecked(const Safetensors &content);
/// Reads such a file; fails if any byte is not what was written. `file` is for messages.
Result<Safetensors> parseChecked(std::string bytes, const std::string &file);

struct Checkpoint {
  int64_t step = 0;
  std::string path;
  Safetensors content;
};

class CheckpointStore {
public:
  /// Opens the folder, which is made if need be, for this process alone until the store is gone.
  /// What a killed process left half-written is removed.
  static Result<CheckpointStore> open(const std::string &folder,
                                      FileCalls &calls = FileCalls::system());

  /// The steps of the checkpoints in the folder, in order.
  std::vector<int64_t> steps() const;
  std::string pathOf(int64_t step) const;

  /// The newest checkpoint that is whole; none if the folder has no checkpoint. What is wrong with
  /// newer ones goes to `damaged`; if no one is whole, it is an error.
  Result<std::optional<Checkpoint>> readNewest(std::vector<Error> &damaged);

  /// Adds a checkpoint, then removes all but this one and the whole one before it. On an error the
  /// earlier ones are as they were, and the error says so.
  Status write(int64_t step, const Safetensors &content);

  CheckpointStore(CheckpointStore &&other) noexcept;
  CheckpointStore &operator=(CheckpointStore &&other) = delete;
  ~CheckpointStore();

private:
  CheckpointStore(std::string folder, int lock, FileCalls &calls)
      : folder(std::move(folder)), lock(lock), calls(&calls) {}
  void removeTemporaries();
  void removeOlder();

  std::string folder;
  int lock;
  FileCalls *calls;
  std::vector<int64_t> broken; ///< steps whose file is damaged
};

} // namespace nnc

#endif // NNC_DATA_CHECKPOINTSTORE_H
