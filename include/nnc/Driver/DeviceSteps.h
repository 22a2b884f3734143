//===- DeviceSteps.h - What stays on a GPU between steps --------*- C++ -*-===//
//
// The state of a training is in memory of the device while steps run. What a step records is kept there, too,
// until many are done: the host would otherwise wait for each, and the device for the next batch.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_DEVICESTEPS_H
#define NNC_DRIVER_DEVICESTEPS_H

#include "nnc/Data/Tensor.h"

#include <functional>
#include <memory>

namespace nnc {

/// Memory of the host that the device copies from by itself.
extern const TensorMemory deviceHostMemory;

/// A piece of memory on the device.
class DeviceBlock {
public:
  explicit DeviceBlock(size_t bytes);
  char *at(size_t offset) const { return memory.get() + offset; }

private:
  struct Free {
    void operator()(char *pointer) const;
  };
  std::unique_ptr<char, Free> memory;
};

/// Where several arrays are in a block.
struct BlockLayout {
  explicit BlockLayout(const std::vector<NamedTensor> &arrays);
  std::vector<size_t> offsets;
  size_t bytes = 0;
};

/// Arrays by name: a state, or data that all steps see.
class DeviceArrays {
public:
  /// Memory for these.
  explicit DeviceArrays(const std::vector<NamedTensor> &arrays);

  /// Where the array of that name is; null if there is none.
  void *find(const std::string &name) const;
  /// Copies all of `arrays`, which are those it was made for, there or back.
  void push(const std::vector<NamedTensor> &arrays);
  void pull(std::vector<NamedTensor> &arrays) const;

private:
  std::vector<std::string> names;
  BlockLayout layout;
  DeviceBlock block;
};

/// The results of steps.
class DeviceRecords {
public:
  /// `results` are those of one step.
  explicit DeviceRecords(std::vector<NamedTensor> results);

  /// Whether these are results of the same shapes.
  bool holds(const std::vector<NamedTensor> &others) const;
  /// Where each step leaves its result number `index`.
  void *placeOf(size_t index) const { return block.at(layout.offsets[index]); }
  /// Keeps what the step before has left.
  void keep();
  bool isFull() const { return count == capacity; }
  /// Shows the results of each step that was kept, in order, and forgets them.
  void show(const std::function<void(const std::vector<NamedTensor> &results)> &visit);

private:
  std::vector<NamedTensor> results;
  BlockLayout layout;
  size_t capacity, count = 0;
  /// The place of a step's results, then those that are kept.
  DeviceBlock block;
};

} // namespace nnc

#endif // NNC_DRIVER_DEVICESTEPS_H
