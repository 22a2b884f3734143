//===- DeviceSteps.cpp - What stays on a GPU between steps ----------------===//
#include "nnc/Driver/DeviceSteps.h"

#include "nnc/Runtime/nnc_device.h"

namespace nnc {

const TensorMemory deviceHostMemory = {nnc_device_alloc_host, nnc_device_free_host};

DeviceBlock::DeviceBlock(size_t bytes) : memory(static_cast<char *>(nnc_device_alloc(bytes))) {}

void DeviceBlock::Free::operator()(char *pointer) const { nnc_device_free(pointer); }

BlockLayout::BlockLayout(const std::vector<NamedTensor> &arrays) {
  constexpr size_t alignment = Tensor::alignment;
  for (const NamedTensor &array : arrays) {
    offsets.push_back(bytes);
    bytes += (array.value.sizeInBytes() + alignment - 1) / alignment * alignment;
  }
}

//===----------------------------------------------------------------------===//
// Arrays by name
//===----------------------------------------------------------------------===//

DeviceArrays::DeviceArrays(const std::vector<NamedTensor> &arrays)
    : layout(arrays), block(layout.bytes) {
  for (const NamedTensor &array : arrays)
    names.push_back(array.name);
}

void *DeviceArrays::find(const std::string &name) const {
  auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : block.at(layout.offsets[size_t(found - names.begin())]);
}

void DeviceArrays::push(const std::vector<NamedTensor> &arrays) {
  std::vector<char> all(layout.bytes);
  for (size_t i = 0; i < arrays.size(); ++i)
    std::memcpy(all.data() + layout.offsets[i], arrays[i].value.data(),
                arrays[i].value.sizeInBytes());
  nnc_device_copy(block.at(0), all.data(), all.size());
}

void DeviceArrays::pull(std::vector<NamedTensor> &arrays) const {
  std::vector<char> all(layout.bytes);
  nnc_device_copy(all.data(), block.at(0), all.size());
  for (size_t i = 0; i < arrays.size(); ++i)
    std::memcpy(arrays[i].value.data(), all.data() + layout.offsets[i],
                arrays[i].value.sizeInBytes());
}

//===----------------------------------------------------------------------===//
// Records
//===----------------------------------------------------------------------===//

/// How many steps' records of `bytes` are kept.
static size_t stepsKept(size_t bytes) {
  constexpr size_t mostSteps = 256, mostBytes = 16 << 20;
  return std::clamp<size_t>(mostBytes / std::max<size_t>(bytes, 1), 1, mostSteps);
}

DeviceRecords::DeviceRecords(std::vector<NamedTensor> stepResults)
    : results(std::move(stepResults)), layout(results), capacity(stepsKept(layout.bytes)),
      block((1 + capacity) * layout.bytes) {}

bool DeviceRecords::holds(const std::vector<NamedTensor> &others) const {
  return std::equal(results.begin(), results.end(), others.begin(), others.end(),
                    [](const NamedTensor &left, const NamedTensor &right) {
                      return left.name == right.name && left.value.shape() == right.value.shape();
                    });
}

void DeviceRecords::keep() {
  ++count;
  nnc_device_copy(block.at(count * layout.bytes), block.at(0), layout.bytes);
}

void DeviceRecords::show(
    const std::function<void(const std::vector<NamedTensor> &results)> &visit) {
  std::vector<char> kept(count * layout.bytes);
  nnc_device_copy(kept.data(), block.at(layout.bytes), kept.size());
  for (size_t step = 0; step < count; ++step) {
    for (size_t i = 0; i < results.size(); ++i)
      std::memcpy(results[i].value.data(), kept.data() + step * layout.bytes + layout.offsets[i],
                  results[i].value.sizeInBytes());
    visit(results);
  }
  count = 0;
}

} // namespace nnc
