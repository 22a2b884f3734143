//===- Indexing.cpp - Walking over the elements of a tensor ---------------===//
//
// Row-major order and NumPy's broadcasting.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"

#include <algorithm>
#include <cassert>

using namespace llvm;

namespace nnc {

void forEachElement(ArrayRef<int64_t> shape, function_ref<void(ArrayRef<int64_t>, int64_t)> visit) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  Index index(shape.size(), 0);
  for (int64_t number = 0; number < count; ++number) {
    visit(index, number);
    for (int64_t axis = int64_t(shape.size()) - 1; axis >= 0; --axis) {
      if (++index[axis] < shape[axis])
        break;
      index[axis] = 0;
    }
  }
}

int64_t elementNumber(ArrayRef<int64_t> shape, ArrayRef<int64_t> index) {
  assert(shape.size() == index.size());
  int64_t number = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    assert(index[axis] >= 0 && index[axis] < shape[axis]);
    number = number * shape[axis] + index[axis];
  }
  return number;
}

int64_t broadcastNumber(ArrayRef<int64_t> shape, ArrayRef<int64_t> index) {
  index = index.take_back(shape.size());
  int64_t number = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    number = number * shape[axis] + (shape[axis] == 1 ? 0 : index[axis]);
  return number;
}

Index broadcastShape(ArrayRef<int64_t> left, ArrayRef<int64_t> right) {
  Index result(std::max(left.size(), right.size()), 1);
  for (ArrayRef<int64_t> shape : {left, right})
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      int64_t &size = result[result.size() - shape.size() + axis];
      assert(size == 1 || shape[axis] == 1 || size == shape[axis]);
      if (size == 1)
        size = shape[axis];
    }
  return result;
}

} // namespace nnc
