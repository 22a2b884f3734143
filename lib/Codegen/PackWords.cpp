//===- PackWords.cpp - Factors for instructions that take words of them ---===//
//
//   left[m, k]         stays, if k is its last axis and of a size that steps of the instruction divide
//   right[k, n]        words[n / width, k / 4, n % width]: rows 4 k to 4 k + 3 of a panel, side by side
//
// Zeros stand for what a last word, or a last step, lacks: in both factors, as zero times anything but a
// number is not zero.
//
//===----------------------------------------------------------------------===//
#include "PackWords.h"

#include "BufferPlaces.h"
#include "CPU/KernelBody.h"
#include "CPU/KernelCost.h"
#include "CutLoop.h"
#include "KernelLoops.h"
#include "PackInput.h"
#include "PackOperands.h"
#include "WidenInputs.h"
#include "nnc/IR/Remarks.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {
namespace {

bool isKnown(int64_t size) { return !ShapedType::isDynamic(size); }

/// Whether another loop of results has rows of `left` at even distances, and enough of them.
bool hasRows(linalg::GenericOp op, OpOperand *left, OpOperand *right, unsigned vectorDim) {
  constexpr int64_t kFewestRows = 4;
  AffineMap leftMap = op.getMatchingIndexingMap(left), rightMap = op.getMatchingIndexingMap(right);
  for (auto [dim, size] : llvm::enumerate(op.getStaticLoopRanges()))
    if (dim != vectorDim && (!isKnown(size) || size >= kFewestRows) &&
        op.getIteratorTypesArray()[dim] == utils::IteratorType::parallel &&
        !rightMap.isFunctionOfDim(dim) &&
        findStep(leftMap, left->get().getType(), dim).value_or(0) > 0)
      return true;
  return false;
}

/// Chooses the reduction along which a product goes in words.
struct WordFinder {
  linalg::GenericOp op;
  /// The loop that is sought, but for what depends on the reduction.
  WordLoop loop;
  bool onMatrixUnit;

  std::optional<WordLoop> along(unsigned dim);
};

/// The words along `dim`, if that is an axis of its own in the right factor.
std::optional<WordLoop> WordFinder::along(unsigned dim) {
  // Shorter steps of the matrix unit take as long as whole ones, of 16 words.
  constexpr int64_t kEnoughWords = 12, kFewestWords = 4;
  OpOperand *left = loop.factors.left, *right = loop.factors.right;
  AffineMap leftMap = op.getMatchingIndexingMap(left);
  AffineExpr here = getAffineDimExpr(dim, op.getContext());
  int64_t size = op.getStaticLoopRanges()[dim], perWord = countInWord(loop.leftKind);
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (&operand == right ? !map.getResultPosition(here)
                          : &operand != left && map.isFunctionOfDim(dim))
      return std::nullopt;
  }
  if (!isKnown(size) || size < perWord * kFewestWords)
    return std::nullopt;
  auto with = [&](int64_t padded, WordLoop::Left kind) {
    WordLoop result = loop;
    result.dim = dim;
    result.size = padded;
    result.left = kind;
    return result;
  };
  int64_t words = size % perWord == 0 ? size / perWord : 0;
  if (onMatrixUnit && words != 0)
    words = wordsPerStep(words);
  bool isAdjacent = findStep(leftMap, left->get().getType(), dim) == 1;
  if (isAdjacent && words >= (onMatrixUnit ? kEnoughWords : 1))
    return with(size, WordLoop::Left::Stays);
  if (leftMap.isProjectedPermutation() && leftMap.isFunctionOfDim(dim))
    return with(llvm::alignTo(size, perWord * (onMatrixUnit ? kMatrixWords : 1)),
                WordLoop::Left::Packed);
  bool isOwn = llvm::all_of(leftMap.getResults(), [&](AffineExpr expr) {
    return expr == here || !expr.isFunctionOfDim(dim);
  });
  if (words < (onMatrixUnit ? kFewestWords : 1) ||
      (!isAdjacent && !(isOwn && leftMap.isFunctionOfDim(dim))))
    return std::nullopt;
  return with(size, isAdjacent ? WordLoop::Left::Stays : WordLoop::Left::Turned);
}

/// What is packed of the right factor: the loops of its axes, that of the words and that of the vectors last.
SmallVector<unsigned> wordOrder(AffineMap map, unsigned wordDim, unsigned vectorDim) {
  SmallVector<unsigned> order;
  for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
    if (dim != wordDim && dim != vectorDim && map.isFunctionOfDim(dim))
      order.push_back(dim);
  order.append({wordDim, vectorDim});
  return order;
}

/// `buffer` with two axes in place of `axis`, the inner one of `size`.
Value splitAxis(IRRewriter &rewriter, Location loc, Value buffer, unsigned axis, int64_t size) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> shape = llvm::to_vector(type.getShape());
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(rewriter, loc, buffer);
  shape[axis] /= size;
  sizes[axis] = rewriter.getIndexAttr(shape[axis]);
  shape.insert(shape.begin() + axis + 1, size);
  sizes.insert(sizes.begin() + axis + 1, rewriter.getIndexAttr(size));
  SmallVector<ReassociationIndices> groups;
  for (int64_t next = 0; next < int64_t(shape.size()); ++next)
    if (next == axis + 1)
      groups.back().push_back(next);
    else
      groups.push_back({next});
  return memref::ExpandShapeOp::create(rewriter, loc, shape, buffer, groups, sizes);
}

/// words[target loops] = the elements of `source`, which `map` reads in loops of `order`, at n k + first and the
/// following ones, `count` in all, where n is how many a word holds and k the last but one loop. `rows` is how many
/// iterations that has. Panels are filled a few rows at a time: what that reads of a row goes on in the next panel.
void copyWords(IRRewriter &rewriter, Location loc, Value source, AffineMap map, Value target,
               ArrayRef<unsigned> order, int64_t rows, int64_t first, int64_t count, ShortKind kind,
               ShortKind packed) {
  constexpr int64_t kRows = 16;
  unsigned rank = order.size(), numLoops = rank;
  // The loops of the copy that go along the axes of the target.
  SmallVector<unsigned> loops = llvm::to_vector(llvm::seq(rank));
  AffineExpr word = rewriter.getAffineDimExpr(rank - 2);
  if (rank > 2 && rows % kRows == 0 && rows > kRows) {
    target = splitAxis(rewriter, loc, target, rank - 2, kRows);
    numLoops = rank + 1;
    loops = llvm::to_vector(llvm::seq(numLoops));
    std::swap(loops[rank - 3], loops[rank - 2]);
    word = rewriter.getAffineDimExpr(rank - 3) * kRows + rewriter.getAffineDimExpr(rank - 1);
  }
  SmallVector<AffineMap> maps;
  for (int64_t element = first; element < first + count; ++element) {
    SmallVector<AffineExpr> replacements(map.getNumDims(), rewriter.getAffineConstantExpr(0));
    for (unsigned place = 0; place + 2 < rank; ++place)
      replacements[order[place]] = rewriter.getAffineDimExpr(loops[place]);
    replacements[order[rank - 2]] = word * countInWord(packed) + element;
    replacements[order[rank - 1]] = rewriter.getAffineDimExpr(numLoops - 1);
    maps.push_back(map.replaceDimsAndSymbols(replacements, {}, numLoops, 0));
  }
  maps.push_back(AffineMap::getPermutationMap(loops, rewriter.getContext()));
  SmallVector<Value> inputs(count, source);
  SmallVector<utils::IteratorType> parallel(numLoops, utils::IteratorType::parallel);
  auto copy = linalg::GenericOp::create(
      rewriter, loc, inputs, target, maps, parallel,
      [&](OpBuilder &b, Location bodyLoc, ValueRange arguments) {
        linalg::YieldOp::create(b, bodyLoc,
                                makeWord(b, bodyLoc, arguments.drop_back(), kind, packed));
      });
  simplifyLoops(rewriter, copy);
}

/// A factor as the operation on words reads it.
struct Factor {
  Value buffer;
  AffineMap map;
};

/// The left factor, or a copy in which those of a word are adjacent, as wide as these are, and a last step is whole.
Factor packLeft(IRRewriter &rewriter, linalg::GenericOp op, const WordLoop &words) {
  OpOperand &left = *words.factors.left;
  Conversion conversion;
  using Kind = Conversion::Kind;
  if (words.isLeftMoved)
    conversion = {rewriter.getI8Type(), Kind::Flipped};
  else if (words.leftKind != words.factors.leftKind)
    conversion = {rewriter.getI16Type(),
                  isSigned(words.factors.leftKind) ? Kind::Signed : Kind::Unsigned};
  if (words.left == WordLoop::Left::Turned)
    turnInput(rewriter, op, left, words.dim, conversion);
  else if (words.left == WordLoop::Left::Stays && conversion)
    convertInput(rewriter, op, left, conversion);
  Factor factor{left.get(), op.getMatchingIndexingMap(&left)};
  if (words.left == WordLoop::Left::Packed)
    factor.buffer = packInput(rewriter, op.getLoc(), factor.buffer, OperandLoops(op, words.dim),
                              factor.map, words.size, conversion);
  return factor;
}

/// A copy of the right factor of `op`, which is input number `input`, in words.
Factor packRight(IRRewriter &rewriter, linalg::GenericOp op, const OperandLoops &loops,
                 unsigned input, const WordLoop &words) {
  Location loc = op.getLoc();
  int64_t perWord = countInWord(words.rightKind);
  Value source = op.getInputs()[input];
  AffineMap map = loops.maps[input];
  Operation *place = findPackingPlace(op, source);
  rewriter.setInsertionPoint(place);
  if (classifyAccess(map, source.getType(), loops.vectorDim) != Access::Contiguous)
    source = packInput(rewriter, loc, source, loops, map);
  rewriter.setInsertionPoint(place);
  source = splitAxes(rewriter, loc, source, loops, map);
  SmallVector<unsigned> order = wordOrder(map, words.dim, loops.vectorDim);
  unsigned last = order.size() - 1;
  int64_t size = loops.sizes[words.dim], width = loops.sizes[loops.vectorDim];
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamicSizes;
  for (unsigned dim : order) {
    shape.push_back(loops.sizes[dim]);
    if (!isKnown(shape.back()))
      dynamicSizes.push_back(memref::DimOp::create(
          rewriter, loc, source, *map.getResultPosition(rewriter.getAffineDimExpr(dim))));
  }
  shape[last - 1] = words.size / perWord;
  shape[last] = llvm::alignTo(width, words.columnUnit);
  Type i32 = rewriter.getI32Type();
  Value packed = memref::AllocOp::create(rewriter, loc, MemRefType::get(shape, i32), dynamicSizes);
  Value columns = shape[last] == width ? packed : takeSlice(rewriter, loc, packed, last, 0, width);
  auto rows = [&](int64_t begin, int64_t end) {
    bool isAll = begin == 0 && end == shape[last - 1];
    return isAll ? columns : takeSlice(rewriter, loc, columns, last - 1, begin, end - begin);
  };
  int64_t whole = size / perWord, used = llvm::divideCeil(size, perWord);
  auto copy = [&](int64_t begin, int64_t end, int64_t first, int64_t count) {
    copyWords(rewriter, loc, source, map, rows(begin, end), order, end - begin, first, count,
              words.factors.rightKind, words.rightKind);
    rewriter.setInsertionPoint(place);
  };
  copy(0, whole, 0, perWord);
  if (used > whole)
    copy(whole, used, whole * perWord, size % perWord);
  if (shape[last - 1] > used) {
    Value zero = arith::ConstantIntOp::create(rewriter, loc, 0, 32);
    linalg::FillOp::create(rewriter, loc, zero, rows(used, shape[last - 1]));
  }
  SmallVector<AffineExpr> exprs;
  for (unsigned dim : order)
    exprs.push_back(rewriter.getAffineDimExpr(dim));
  return {columns, AffineMap::get(map.getNumDims(), 0, exprs, rewriter.getContext())};
}

/// Replaces `op` by one on words of these factors.
void replaceByWords(IRRewriter &rewriter, linalg::GenericOp op, const OperandLoops &loops,
                    const WordLoop &words, unsigned rightInput, const Factor &left,
                    const Factor &right) {
  ShortProduct product = *matchShortProduct(op);
  if (product.right->getOperandNumber() != rightInput)
    std::swap(product.left, product.right);
  unsigned numLoops = loops.kinds.size();
  int64_t perWord = countInWord(words.leftKind);
  AffineExpr word = getAffineDimExpr(words.dim, op.getContext());
  AffineMap leftMap = AffineMap::get(numLoops, 0, left.map.getResults(), op.getContext());
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (input == product.left) {
      for (int64_t place = 0; place < perWord; ++place) {
        inputs.push_back(left.buffer);
        maps.push_back(leftMap.replace(word, word * perWord + place, numLoops, 0));
      }
    } else if (input == product.right) {
      inputs.push_back(right.buffer);
      maps.push_back(right.map);
    } else {
      inputs.push_back(input->get());
      maps.push_back(loops.maps[input->getOperandNumber()]);
    }
  }
  for (OpOperand &output : op.getDpsInitsMutable())
    maps.push_back(loops.maps[output.getOperandNumber()]);
  rewriter.setInsertionPoint(op);
  auto inWords = linalg::GenericOp::create(
      rewriter, op.getLoc(), inputs, op.getOutputs(), maps, loops.kinds,
      [&](OpBuilder &b, Location loc, ValueRange arguments) {
        IRMapping mapping;
        ValueRange numbers;
        Value packed;
        unsigned next = 0;
        for (OpOperand &operand : op->getOpOperands()) {
          if (&operand == product.left) {
            numbers = arguments.slice(next, perWord);
            next += perWord;
            continue;
          }
          Value argument = arguments[next++];
          if (&operand == product.right)
            packed = argument;
          else
            mapping.map(op.getMatchingBlockArgument(&operand), argument);
        }
        SmallVector<Operation *> repeated = repeatedBody(op);
        Value old = mapping.lookup(op.getRegionOutputArgs().front());
        mapping.map(product.sum->getResult(0),
                    addWordProduct(b, loc, numbers, words.leftKind, words.isLeftMoved, packed,
                                   words.rightKind, old));
        for (Operation &inner : op.getBody()->without_terminator())
          if (!llvm::is_contained(repeated, &inner) || inner.hasTrait<OpTrait::ConstantLike>())
            b.clone(inner, mapping);
        SmallVector<Value> results;
        for (Value result : op.getBody()->getTerminator()->getOperands())
          results.push_back(mapping.lookupOrDefault(result));
        linalg::YieldOp::create(b, loc, results);
      });
  inWords->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.eraseOp(op);
}

/// What words of `target` hold of a factor; none if it has no instruction for it.
std::optional<ShortKind> kindInWords(ShortKind kind, bool onMatrixUnit,
                                     const TargetDescription &target) {
  if (onMatrixUnit)
    return kind;
  if (kind == ShortKind::BFloat16 || target.integerProducts == IntegerProducts::None)
    return std::nullopt;
  return target.integerProducts == IntegerProducts::Pairs ? ShortKind::Int16 : kind;
}

StringRef nameOf(ShortKind kind) {
  switch (kind) {
  case ShortKind::BFloat16:
    return "bf16";
  case ShortKind::Int8:
    return "i8";
  case ShortKind::UInt8:
    return "u8";
  case ShortKind::Int16:
    return "i16";
  }
}

} // namespace

std::optional<WordLoop> findWordLoop(linalg::GenericOp op, unsigned vectorDim,
                                     const TargetDescription &target,
                                     const DenseSet<Value> &early) {
  // Less is done before the matrix unit is configured.
  constexpr double kLeastProducts = 1 << 16;
  constexpr int64_t kFewestColumns = 8;
  // To pack a number takes as long as some products on vectors of f32, or few of integers, which are slow alone.
  constexpr double kFewestReads = 12, kFewestIntegerReads = 4;
  std::optional<ShortProduct> product = matchShortProduct(op);
  if (!product)
    return std::nullopt;
  double products = 1;
  for (int64_t size : op.getStaticLoopRanges())
    products *= double(typicalSize(size));
  int64_t columns = op.getStaticLoopRanges()[vectorDim];
  if (!isKnown(columns) || columns < kFewestColumns)
    return std::nullopt;
  auto isAlongVectors = [&](OpOperand *input) {
    return op.getMatchingIndexingMap(input).isFunctionOfDim(vectorDim);
  };
  if (!isAlongVectors(product->right)) {
    std::swap(product->left, product->right);
    std::swap(product->leftKind, product->rightKind);
  }
  OpOperand *left = product->left, *right = product->right;
  if (!isAlongVectors(right) || isAlongVectors(left) ||
      !op.getMatchingIndexingMap(right).isProjectedPermutation())
    return std::nullopt;
  double reads = early.contains(rootBuffer(right->get()))
                     ? std::numeric_limits<double>::infinity()
                     : countReads(op, op.getMatchingIndexingMap(right));
  bool onMatrixUnit = target.hasMatrixUnit && products >= kLeastProducts && reads >= kFewestReads &&
                      hasRows(op, left, right, vectorDim);
  std::optional<ShortKind> leftKind = kindInWords(product->leftKind, onMatrixUnit, target),
                           rightKind = kindInWords(product->rightKind, onMatrixUnit, target);
  if (!leftKind || !rightKind || countInWord(*leftKind) != countInWord(*rightKind) ||
      (!onMatrixUnit && reads < kFewestIntegerReads))
    return std::nullopt;
  WordFinder finder{op, {}, onMatrixUnit};
  finder.loop.factors = *product;
  finder.loop.leftKind = *leftKind;
  finder.loop.rightKind = *rightKind;
  finder.loop.panel = 2 * int64_t(target.lanes(32));
  // Where several panels read the left factor, a copy that is moved is less than to move it for each; but vectors of
  // 32 bytes are moved by a unit that has nothing else to do.
  if (!onMatrixUnit && columns > finder.loop.panel && target.vectorBytes != 32 &&
      wantsOtherSigns(target.integerProducts, *leftKind, *rightKind)) {
    finder.loop.isLeftMoved = true;
    finder.loop.leftKind = *leftKind == ShortKind::Int8 ? ShortKind::UInt8 : ShortKind::Int8;
  }
  // The matrix unit reads whole vectors.
  finder.loop.columnUnit = target.hasMatrixUnit ? kMatrixColumns : 1;
  std::optional<WordLoop> best;
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  for (unsigned dim : reductions) {
    std::optional<WordLoop> words = finder.along(dim);
    if (words && (!best || words->left < best->left ||
                  (words->left == best->left && words->size >= best->size)))
      best = words;
  }
  return best;
}

void packWords(IRRewriter &rewriter, linalg::GenericOp op, unsigned vectorDim,
               const WordLoop &words) {
  unsigned input = words.factors.right->getOperandNumber();
  int64_t perWord = countInWord(words.rightKind);
  remarkDone(op.getLoc(), "prepare-kernels")
      << remark::add("sums of {0} products of {1} and {2} go in words of {3}: input {4} is packed "
                     "for that{5}",
                     op.getStaticLoopRanges()[words.dim], nameOf(words.factors.leftKind),
                     nameOf(words.factors.rightKind), perWord, input,
                     words.leavesLeft() ? "" : ", and the other one, too");
  rewriter.setInsertionPoint(op);
  Factor left = packLeft(rewriter, op, words);
  SmallVector<linalg::GenericOp> parts = {op};
  int64_t columns = op.getStaticLoopRanges()[vectorDim], whole = columns - columns % words.panel;
  if (whole != 0 && whole != columns && isOwnAxis(op, vectorDim)) {
    auto [first, rest] = cutLoop(rewriter, op, vectorDim, whole);
    parts = {first, rest};
  }
  for (linalg::GenericOp part : parts) {
    OperandLoops loops(part, vectorDim);
    if (loops.sizes[vectorDim] > words.panel && isOwnAxis(part, vectorDim))
      loops.vectorDim = loops.split(loops.vectorDim, words.panel);
    Factor right = packRight(rewriter, part, loops, input, words);
    loops.sizes[words.dim] = words.size / perWord;
    replaceByWords(rewriter, part, loops, words, input, left, right);
  }
}

} // namespace nnc
