//===- WinogradTransforms.cpp - Fewer products for small windows ----------===//
#include "WinogradTransforms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nnc::winograd {

using Row = SmallVector<float, 4>;

Matrix inputMatrix() {
  static const Row rows[] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
  return rows;
}

Matrix tapsMatrix() {
  static const Row rows[] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  return rows;
}

Matrix toPixelsMatrix(bool skipsFirst) {
  static const Row rows[] = {{1, 1, 1, 0}, {0, 1, -1, -1}};
  return ArrayRef(rows).drop_front(skipsFirst);
}

Matrix pixelsMatrix(bool skipsFirst) {
  static const Row both[] = {{1, 0}, {0.5, 0.5}, {0.5, -0.5}, {0, 1}};
  static const Row second[] = {{0, 0}, {0, 0.5}, {0, -0.5}, {0, 1}};
  return skipsFirst ? second : both;
}

Matrix toTapsMatrix() {
  static const Row rows[] = {{1, 1, 1, 0}, {0, 1, -1, 0}, {0, 1, 1, -1}};
  return rows;
}

/// The sum of row * values.
static Value combine(OpBuilder &b, Location loc, ArrayRef<float> row, ArrayRef<Value> values) {
  Value sum;
  float scale = 0;
  auto add = [&](bool isFirstSign) {
    for (auto [coefficient, value] : llvm::zip_equal(row, values)) {
      if (coefficient == 0 || (coefficient > 0) != isFirstSign)
        continue;
      if (!sum)
        scale = coefficient;
      if (!sum)
        sum = value;
      else if ((coefficient > 0) == (scale > 0))
        sum = arith::AddFOp::create(b, loc, sum, value);
      else
        sum = arith::SubFOp::create(b, loc, sum, value);
    }
  };
  add(true);
  add(false);
  auto constant = [&](float number) -> Value {
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(values.front().getType(), number));
  };
  if (!sum)
    return constant(0);
  return scale == 1 ? sum : arith::MulFOp::create(b, loc, sum, constant(scale)).getResult();
}

SmallVector<Value> transform(OpBuilder &b, Location loc, Matrix rows, Matrix columns,
                             ArrayRef<Value> grid) {
  size_t height = rows.front().size(), width = columns.front().size();
  // Down the columns first, then along the rows.
  SmallVector<Value> half, result;
  for (const Row &row : rows)
    for (size_t x = 0; x < width; ++x) {
      SmallVector<Value> column;
      for (size_t y = 0; y < height; ++y)
        column.push_back(grid[y * width + x]);
      half.push_back(combine(b, loc, row, column));
    }
  for (size_t y = 0; y < rows.size(); ++y)
    for (const Row &column : columns)
      result.push_back(combine(b, loc, column, ArrayRef(half).slice(y * width, width)));
  return result;
}

} // namespace nnc::winograd
