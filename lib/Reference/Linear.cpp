//===- Linear.cpp - Values of contractions --------------------------------===//
//
// The matrix product as a triple loop over each pair of matrices; einsum as one loop over all its
// letters. Floating-point sums are rounded once, at the end.
//
//===----------------------------------------------------------------------===//
#include "Indexing.h"
#include "Rules.h"

#include "nnc/IR/Einsum.h"

using namespace mlir;

namespace nnc {

/// The inner product of `count` elements of x from `left` and of y from `right`, `stride` apart.
static void multiplyRow(HostTensor &z, int64_t number, const HostTensor &x, int64_t left,
                        const HostTensor &y, int64_t right, int64_t stride, int64_t count) {
  double floatSum = 0;
  uint64_t integerSum = 0;
  for (int64_t k = 0; k < count; ++k) {
    if (x.isFloat())
      floatSum += x.getFloat(left + k) * y.getFloat(right + k * stride);
    else
      integerSum += uint64_t(x.getInteger(left + k)) * uint64_t(y.getInteger(right + k * stride));
  }
  if (x.isFloat())
    z.setFloat(number, floatSum);
  else
    z.setInteger(number, int64_t(integerSum));
}

static HostTensor matmul(nn::MatmulOp op, Frame &frame) {
  const HostTensor &x = frame.get(op.getX()), &y = frame.get(op.getY());
  // A vector is a matrix of one row or column, dropped from the result's shape at the end.
  Index left(x.getShape()), right(y.getShape());
  bool isRow = left.size() == 1, isColumn = right.size() == 1;
  if (isRow)
    left.insert(left.begin(), 1);
  if (isColumn)
    right.push_back(1);
  ArrayRef<int64_t> leftBatch = ArrayRef(left).drop_back(2);
  ArrayRef<int64_t> rightBatch = ArrayRef(right).drop_back(2);
  Index batch = broadcastShape(leftBatch, rightBatch);
  int64_t rows = left[left.size() - 2], inner = left.back(), columns = right.back();

  Index shape = batch;
  if (!isRow)
    shape.push_back(rows);
  if (!isColumn)
    shape.push_back(columns);
  HostTensor z(x.getElementType(), shape);
  forEachElement(batch, [&](ArrayRef<int64_t> index, int64_t number) {
    int64_t leftMatrix = broadcastNumber(leftBatch, index) * rows * inner;
    int64_t rightMatrix = broadcastNumber(rightBatch, index) * inner * columns;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j)
        multiplyRow(z, (number * rows + i) * columns + j, x, leftMatrix + i * inner, y,
                    rightMatrix + j, columns, inner);
  });
  return z;
}

namespace {
/// A sum or product, as the double or the integer that it is.
struct Term {
  double number = 1;
  uint64_t integer = 1;
};
} // namespace

static llvm::Expected<HostTensor> einsum(nn::EinsumOp op, Frame &frame) {
  Einsum equation = readEinsum(op);
  std::string labels = distinctLabels(equation.result + llvm::join(equation.operands, ""));
  Shape dims;
  for (char label : labels)
    dims.push_back(equation.sizes.at(label));
  llvm::Expected<SmallVector<int64_t>> space = frame.resolve(dims);
  if (!space)
    return space.takeError();
  // The index of a tensor with the axes `own`, where the letters have the values `index`.
  auto project = [&](StringRef own, ArrayRef<int64_t> index) {
    return llvm::map_to_vector<4>(own, [&](char label) { return index[labels.find(label)]; });
  };
  HostTensor y(getElementType(op.getZ()), project(equation.result, *space));
  std::vector<Term> sums(y.getNumElements(), Term{0, 0});
  forEachElement(*space, [&](ArrayRef<int64_t> index, int64_t) {
    Term product;
    for (auto [input, own] : llvm::zip_equal(op.getInputs(), equation.operands)) {
      const HostTensor &x = frame.get(input);
      int64_t number = broadcastNumber(x.getShape(), project(own, index));
      product.number *= x.isFloat() ? x.getFloat(number) : 1;
      product.integer *= x.isFloat() ? 1 : uint64_t(x.getInteger(number));
    }
    Term &sum = sums[elementNumber(y.getShape(), project(equation.result, index))];
    sum.number += product.number;
    sum.integer += product.integer;
  });
  for (auto [number, sum] : llvm::enumerate(sums))
    if (y.isFloat())
      y.setFloat(number, sum.number);
    else
      y.setInteger(number, int64_t(sum.integer));
  return y;
}

void registerLinear(Registry &registry) {
  registry.add<nn::MatmulOp>(matmul, Rounding::OfTerms);
  registry.add<nn::EinsumOp>(einsum, Rounding::OfTerms);
}

} // namespace nnc
