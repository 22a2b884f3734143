//===- KernelWords.cpp - Products of short integers, a word at a time -----===//
//
// One instruction multiplies each factor of a word by its partner and adds the products up, for all lanes. That for
// bytes wants certain signs. Where the factors have others, the left ones are moved by 128, which is to flip their
// highest bits, here or in a copy before, and the tile sums in one more row what that adds to each column:
//
//   sum(l * r) = sum((l + 128) * r) - sum(128 * r)
//
// Sums wrap around, so that this is exact.
//
//===----------------------------------------------------------------------===//
#include "KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {

constexpr int32_t kHighestBits = int32_t(0x80808080);

/// Adds the products of a word to each of `sums`, those of `cells`.
SmallVector<Value> KernelEmitter::multiplyWords(ArrayRef<Cell> cells, ArrayRef<Value> sums) {
  WordProduct product = *matchWordProduct(op);
  Values results;
  for (auto [cell, sum] : llvm::zip_equal(cells, sums)) {
    Value right = load(*product.right, cell);
    results.push_back(addProducts(product, loadLeftWord(product, cell), right, sum));
  }
  return results;
}

/// The left factors of a row, in all lanes; of the row behind the last one, what they were moved by.
Value KernelEmitter::loadLeftWord(const WordProduct &product, Cell cell) {
  auto type = VectorType::get({lanes}, b.getI32Type());
  auto highest = [&]() -> Value {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, kHighestBits));
  };
  if (cell.row == current.rows)
    return highest();
  OpOperand &first = *product.left.front();
  return loadOnce(first, cell, /*isWord=*/true, [&]() -> Value {
    Type element = getElementTypeOrSelf(first.get().getType());
    auto factors = VectorType::get({countInWord(product.leftKind)}, element);
    Value loaded = vector::LoadOp::create(b, loc, factors, first.get(),
                                          indices(op.getMatchingIndexingMap(&first), cell));
    Value word = vector::BitCastOp::create(b, loc, VectorType::get({1}, b.getI32Type()), loaded);
    Value all = vector::BroadcastOp::create(b, loc, type, word);
    return plan.words->movesLeft ? arith::XOrIOp::create(b, loc, all, highest()).getResult() : all;
  });
}

/// `sum` and the products of two words in each lane.
Value KernelEmitter::addProducts(const WordProduct &product, Value left, Value right, Value sum) {
  int64_t count = countInWord(product.leftKind);
  auto factors = VectorType::get({lanes * count}, b.getIntegerType(32 / count));
  left = vector::BitCastOp::create(b, loc, factors, left);
  right = vector::BitCastOp::create(b, loc, factors, right);
  auto call = [&](const Twine &name, ValueRange arguments) {
    return LLVM::CallIntrinsicOp::create(b, loc, sum.getType(), b.getStringAttr("llvm." + name),
                                         arguments)
        .getResult(0);
  };
  bool isLeftSigned = isSigned(product.leftKind) != plan.words->movesLeft;
  switch (plan.words->instruction) {
  case IntegerProducts::Pairs: {
    StringRef name = lanes == 16  ? "x86.avx512.pmaddw.d.512"
                     : lanes == 8 ? "x86.avx2.pmadd.wd"
                                  : "x86.sse2.pmadd.wd";
    return arith::AddIOp::create(b, loc, sum, call(name, {left, right}));
  }
  case IntegerProducts::MixedBytes:
    if (isLeftSigned)
      std::swap(left, right);
    return call("x86.avx512.vpdpbusd." + Twine(32 * lanes), {sum, left, right});
  case IntegerProducts::LikeBytes:
    return call(isLeftSigned ? "aarch64.neon.sdot" : "aarch64.neon.udot", {sum, left, right});
  case IntegerProducts::None:
    break;
  }
  llvm_unreachable("words without an instruction for them");
}

/// The sums of the tile, less what moving the left factors added.
SmallVector<Value> KernelEmitter::takeOffMoved(Tile tile, Values sums) {
  unsigned count = tile.rows * tile.columns;
  if (sums.size() == count * numSums)
    return sums;
  for (unsigned cell = 0; cell < count; ++cell)
    sums[cell] = arith::SubIOp::create(b, loc, sums[cell], sums[count + cell % tile.columns]);
  sums.truncate(count);
  return sums;
}

} // namespace nnc
