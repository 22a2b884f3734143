//===- Control.cpp - Values of loops --------------------------------------===//
//
// A scan runs its body once an iteration, in order or from the last to the first.
//
//===----------------------------------------------------------------------===//
#include "Rules.h"

using namespace mlir;
using llvm::createStringError;
using llvm::Expected;

namespace nnc {

/// The slice at `number` along the first axis.
static HostTensor takeSlice(const HostTensor &sequence, int64_t number) {
  HostTensor slice(sequence.getElementType(), sequence.getShape().drop_front());
  int64_t count = slice.getNumElements();
  for (int64_t element = 0; element < count; ++element)
    slice.copyElement(element, sequence, number * count + element);
  return slice;
}

static void putSlice(HostTensor &sequence, int64_t number, const HostTensor &slice) {
  int64_t count = slice.getNumElements();
  for (int64_t element = 0; element < count; ++element)
    sequence.copyElement(number * count + element, slice, element);
}

/// Room for `count` values of the type of `value` stacked along a new first axis.
static Expected<HostTensor> makeStack(Value value, int64_t count, Frame &frame) {
  Expected<SmallVector<int64_t>> shape = frame.resolve(getShape(value));
  if (!shape)
    return shape.takeError();
  shape->insert(shape->begin(), count);
  return HostTensor(nnc::getElementType(value), *shape);
}

static Expected<Tensors> scan(Operation *operation, Frame &frame) {
  auto op = cast<nn::ScanOp>(operation);
  Expected<int64_t> count = frame.resolve(op.getCount());
  if (!count)
    return count.takeError();
  if (*count < 0)
    return createStringError("'scan' expects a count of zero or more, found " +
                             std::to_string(*count));

  Tensors results;
  for (Value init : op.getInits())
    results.push_back(frame.get(init));
  for (Value collected : op.getYield().getValues().drop_front(op.getNumCarried())) {
    Expected<HostTensor> stack = makeStack(collected, *count, frame);
    if (!stack)
      return stack.takeError();
    results.push_back(std::move(*stack));
  }

  for (int64_t step = 0; step < *count; ++step) {
    int64_t number = op.getReverse() ? *count - 1 - step : step;
    HostTensor index(nnc::getElementType(op.getIndex()), {});
    index.setInteger(0, number);
    frame.set(op.getIndex(), index);
    for (auto [place, argument] : llvm::enumerate(op.getCarriedArguments()))
      frame.set(argument, results[place]);
    for (auto [sequence, argument] : llvm::zip_equal(op.getSequences(), op.getSliceArguments()))
      frame.set(argument, takeSlice(frame.get(sequence), number));
    Expected<Tensors> yielded = frame.run(op.getBody().front());
    if (!yielded)
      return yielded.takeError();
    for (auto [place, tensor] : llvm::enumerate(*yielded)) {
      if (place < op.getNumCarried())
        results[place] = std::move(tensor);
      else
        putSlice(results[place], number, tensor);
    }
  }
  return results;
}

void registerControl(Registry &registry) { registry.addRule<nn::ScanOp>({scan, Rounding::None}); }

} // namespace nnc
