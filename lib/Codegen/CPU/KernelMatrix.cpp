//===- KernelMatrix.cpp - Tiles that the matrix unit computes -------------===//
//
// Intel's AMX: eight registers of 16 rows of 64 bytes. Four hold the sums of a tile of the kernel, two by two;
// an instruction adds to one of them the products of 16 rows of words, which hold pairs of bf16 or four bytes, and
// 16 columns of words. The sums go through
// memory to the vector registers, where they are finished row by row as those of any other tile.
//
//   0 1  <-  4 * (6 7)      two blocks of rows, two of columns
//   2 3  <-  5
//
// All tiles have one shape, since changing it takes as long as many products. So the last rows are computed
// together with rows before them, which are not stored again; the two blocks of rows may overlap, too.
//
// The registers are named, and their instructions are intrinsics with effects: LLVM does not allocate them.
//
//===----------------------------------------------------------------------===//
#include "KernelEmitter.h"
#include "WordProduct.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace nnc {

constexpr int64_t kConfigBytes = 64, kUnitRowBytes = 64, kScratchRowBytes = 2 * kUnitRowBytes;
constexpr unsigned kSums = 0, kLeft = 4, kRight = 6;

/// Configures the unit. `rows` is how many rows there are in all.
void KernelEmitter::setUpMatrix(Value rows, bool isPart) {
  matrix.size = rows;
  matrix.height = atMost(rows, plan.rows);
  matrix.unitRows = atMost(rows, kMatrixRows);
  matrix.second = subtract(matrix.height, matrix.unitRows);
  matrix.hasSecond = getConstantIntValue(matrix.second) != 0;
  Type i8 = b.getI8Type(), pointer = LLVM::LLVMPointerType::get(b.getContext());
  {
    // On the stack of the thread that uses it.
    OpBuilder::InsertionGuard guard(b);
    auto loop = op->getParentOfType<scf::ParallelOp>();
    if (!isPart)
      b.setInsertionPointToStart(loop ? loop.getBody() : &entry());
    Value bytes = LLVM::ConstantOp::create(b, loc, b.getI64Type(),
                                           kConfigBytes + int64_t(plan.rows) * kScratchRowBytes);
    matrix.memory = LLVM::AllocaOp::create(b, loc, pointer, i8, bytes, /*alignment=*/64);
  }
  // Palette 1; bytes of a row as 16 bits each from byte 16 on, rows from byte 48 on.
  std::optional<int64_t> known = getConstantIntValue(matrix.unitRows);
  SmallVector<int8_t> config(kConfigBytes, 0);
  auto configure = [&](unsigned reg, int64_t rowCount, int64_t rowBytes) {
    config[16 + 2 * reg] = int8_t(rowBytes);
    config[48 + reg] = int8_t(rowCount);
  };
  for (unsigned i = 0; i < 4; ++i)
    configure(kSums + i, known.value_or(kMatrixRows), kUnitRowBytes);
  for (unsigned i = 0; i < 2; ++i) {
    configure(kLeft + i, known.value_or(kMatrixRows), 4 * plan.matrix->words);
    configure(kRight + i, plan.matrix->words, kUnitRowBytes);
  }
  config[0] = 1;
  auto type = VectorType::get({kConfigBytes}, i8);
  Value initially =
      LLVM::ConstantOp::create(b, loc, type, DenseElementsAttr::get(type, ArrayRef(config)));
  LLVM::StoreOp::create(b, loc, initially, matrix.memory, /*alignment=*/64);
  if (!known) {
    // A tile without rows would be an error.
    Value one = arith::MaxUIOp::create(b, loc, matrix.unitRows, constant(1));
    Value count = arith::IndexCastOp::create(b, loc, i8, one);
    for (unsigned reg : {kSums, kSums + 1, kSums + 2, kSums + 3, kLeft, kLeft + 1}) {
      Value place = LLVM::GEPOp::create(b, loc, pointer, i8, matrix.memory,
                                        ArrayRef<LLVM::GEPArg>{int32_t(48 + reg)});
      LLVM::StoreOp::create(b, loc, count, place, /*alignment=*/1);
    }
  }
  callMatrix("ldtilecfg", matrix.memory);
}

/// Computes the sums of a tile, and stores the rows that are its own.
void KernelEmitter::emitMatrixTile(unsigned columns) {
  unsigned row = *plan.rowDim;
  Value from = index[row];
  Value last = subtract(matrix.size, matrix.height);
  Value first = getConstantIntValue(last) == 0
                    ? constant(0)
                    : arith::MinUIOp::create(b, loc, from, last).getResult();
  unsigned blocks = matrix.hasSecond ? 2 : 1;
  auto registerOf = [&](unsigned number) {
    return arith::ConstantIntOp::create(b, loc, number, 8).getResult();
  };
  for (unsigned block = 0; block < blocks; ++block)
    for (unsigned column = 0; column < columns; ++column)
      callMatrix("tilezero", registerOf(kSums + 2 * block + column));
  index[row] = first;
  SmallVector<unsigned> dims = innerReductions();
  llvm::erase(dims, plan.matrix->wordDim);
  emitMatrixReduction(dims, columns);
  Value rowBytes = LLVM::ConstantOp::create(b, loc, b.getI64Type(), kScratchRowBytes);
  for (unsigned block = 0; block < blocks; ++block)
    for (unsigned column = 0; column < columns; ++column)
      callMatrix("tilestored64",
                 {registerOf(kSums + 2 * block + column),
                  scratchAt(block == 0 ? constant(0) : matrix.second, column), rowBytes});
  Value end = arith::MinUIOp::create(b, loc, ends[row], add(from, constant(plan.rows)));
  bool startsAtZero =
      plan.outerReductions.empty() && initial[0] &&
      (matchPattern(initial[0], m_PosZeroFloat()) || matchPattern(initial[0], m_Zero()));
  Type sumType = getElementTypeOrSelf(op.getDpsInits().front().getType());
  forLoop(row, from, end, 1, {}, [&](const Values &) {
    Values sums;
    for (unsigned column = 0; column < columns; ++column) {
      Value sum = LLVM::LoadOp::create(b, loc, laneType(sumType),
                                       scratchAt(subtract(index[row], first), column),
                                       /*alignment=*/64);
      if (!startsAtZero)
        sum = combine(0, initialValue(0, {0, column}, /*broadcastToLanes=*/true), sum);
      sums.push_back(sum);
    }
    finishSums({1, columns}, sums);
    return Values();
  });
  index[row] = from;
}

void KernelEmitter::emitMatrixReduction(ArrayRef<unsigned> dims, unsigned columns) {
  bool isInnermost = dims.empty();
  unsigned dim = isInnermost ? plan.matrix->wordDim : dims.front();
  forLoop(dim, begins[dim], ends[dim], isInnermost ? plan.matrix->words : 1, {},
          [&](const Values &) {
            isInnermost ? multiplyTiles(columns) : emitMatrixReduction(dims.drop_front(), columns);
            return Values();
          });
}

/// The instruction for these factors.
static StringRef instructionFor(const WordProduct &product) {
  if (product.leftKind == ShortKind::BFloat16)
    return "tdpbf16ps";
  if (isSigned(product.leftKind))
    return isSigned(product.rightKind) ? "tdpbssd" : "tdpbsud";
  return isSigned(product.rightKind) ? "tdpbusd" : "tdpbuud";
}

/// Whether the left factor, whose rows lie `rowBytes` apart, had better leave the first-level cache to the right one,
/// which the next rows read again: it is more than that holds, and each of its lines is loaded by one step.
bool KernelEmitter::streamsLeft(int64_t rowBytes) {
  constexpr int64_t kLineBytes = 64, kNear = 24 << 10;
  return rowBytes % kLineBytes == 0 && typicalSize(sizes[*plan.rowDim]) * rowBytes > kNear;
}

/// One step: each of the unit's tiles is loaded once.
void KernelEmitter::multiplyTiles(unsigned columns) {
  WordProduct product = *matchWordProduct(op);
  OpOperand &first = *product.left.front();
  auto stepOf = [&](OpOperand &operand, unsigned dim) {
    return *findStep(op.getMatchingIndexingMap(&operand), operand.get().getType(), dim);
  };
  auto number = [&](int64_t value, unsigned bits) {
    return arith::ConstantIntOp::create(b, loc, value, bits).getResult();
  };
  Type i8 = b.getI8Type(), pointer = LLVM::LLVMPointerType::get(b.getContext());
  int64_t rowBytes = 4 / countInWord(product.leftKind) * stepOf(first, *plan.rowDim),
          wordBytes = 4 * stepOf(*product.right, plan.matrix->wordDim);
  Value left = address(first), right = address(*product.right);
  StringRef loadLeftBy = streamsLeft(rowBytes) ? "tileloaddt164" : "tileloadd64";
  auto loadRight = [&](unsigned column) {
    Value place = LLVM::GEPOp::create(b, loc, pointer, i8, right,
                                      ArrayRef<LLVM::GEPArg>{int32_t(column * kUnitRowBytes)});
    callMatrix("tileloadd64", {number(kRight + column, 8), place, number(wordBytes, 64)});
  };
  auto loadLeft = [&](unsigned block) {
    Value place = left;
    if (block != 0) {
      Value rows = arith::IndexCastOp::create(b, loc, b.getI64Type(), matrix.second);
      Value bytes = arith::MulIOp::create(b, loc, rows, number(rowBytes, 64));
      place = LLVM::GEPOp::create(b, loc, pointer, i8, left, ArrayRef<LLVM::GEPArg>{bytes});
    }
    callMatrix(loadLeftBy, {number(kLeft + block, 8), place, number(rowBytes, 64)});
  };
  // What is loaded is used at once, while the next is on its way.
  for (unsigned block = 0; block < (matrix.hasSecond ? 2u : 1u); ++block)
    for (unsigned column = 0; column < columns; ++column) {
      if (block == 0)
        loadRight(column);
      if (column == 0)
        loadLeft(block);
      callMatrix(instructionFor(product), {number(kSums + 2 * block + column, 8),
                                           number(kLeft + block, 8), number(kRight + column, 8)});
    }
}

/// Where the first element lies that `operand` reads.
Value KernelEmitter::address(OpOperand &operand) {
  Value source = operand.get();
  auto type = cast<MemRefType>(source.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, source);
  SmallVector<int64_t> strides;
  int64_t offset;
  (void)type.getStridesAndOffset(strides, offset);
  Value place = ShapedType::isDynamic(offset) ? metadata.getOffset() : constant(offset);
  for (auto [axis, position] :
       llvm::enumerate(indices(op.getMatchingIndexingMap(&operand), {0, 0}))) {
    Value stride = ShapedType::isDynamic(strides[axis]) ? metadata.getStrides()[axis]
                                                        : constant(strides[axis]);
    place = add(place, arith::MulIOp::create(b, loc, position, stride));
  }
  Value bytes = arith::MulIOp::create(b, loc, place, constant(type.getElementTypeBitWidth() / 8));
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, source);
  Value sum = arith::AddIOp::create(b, loc, start, bytes);
  Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(), sum);
  return LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), number);
}

/// Where the sums of a row of the tile lie.
Value KernelEmitter::scratchAt(Value row, unsigned column) {
  Value begin = constant(kConfigBytes + column * kUnitRowBytes);
  Value place = add(arith::MulIOp::create(b, loc, row, constant(kScratchRowBytes)), begin);
  Value bytes = arith::IndexCastOp::create(b, loc, b.getI64Type(), place);
  return LLVM::GEPOp::create(b, loc, matrix.memory.getType(), b.getI8Type(), matrix.memory,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

void KernelEmitter::callMatrix(StringRef name, ArrayRef<Value> arguments) {
  LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr("llvm.x86." + name), ValueRange(arguments));
}

} // namespace nnc
