//===- Tiles.cpp - Tiles of kernels that measurement chooses --------------===//
#include "nnc/Codegen/Tiles.h"

#include "CPU/KernelBody.h"
#include "CPU/KernelPlan.h"
#include "KernelOrder.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/InterleavedRange.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;

namespace nnc {

std::string Tile::str() const {
  std::string text = std::to_string(rows) + " x " + std::to_string(columns);
  return block == 0 ? text : text + ", " + std::to_string(block) + " terms at once";
}

namespace {

/// What an operand is, wherever it begins: "f32 [?, 64] [64, 1]".
void printOperand(Type type, llvm::raw_ostream &stream) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref) {
    stream << type;
    return;
  }
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(memref.getStridesAndOffset(strides, offset)))
    strides.clear();
  stream << memref.getElementType() << " [" << llvm::interleaved(memref.getShape()) << "] ["
         << llvm::interleaved(strides) << "]";
}

/// The operations of the body, each with the places of its operands among arguments and earlier ones.
void printBody(Block &body, llvm::raw_ostream &stream) {
  DenseMap<Value, unsigned> numbers;
  for (BlockArgument argument : body.getArguments())
    numbers[argument] = numbers.size();
  for (Operation &inner : body) {
    stream << inner.getName() << " " << inner.getAttrDictionary() << " (";
    for (Value operand : inner.getOperands()) {
      auto known = numbers.find(operand);
      if (known != numbers.end())
        stream << known->second << ",";
      else
        stream << operand.getType() << ",";
    }
    stream << ")";
    for (Value result : inner.getResults())
      numbers[result] = numbers.size();
  }
}

std::string keyOf(linalg::GenericOp op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (auto [size, iterator] :
       llvm::zip_equal(op.getStaticLoopRanges(), op.getIteratorTypesArray()))
    stream << size << " " << stringifyIteratorType(iterator) << "; ";
  for (OpOperand &operand : op->getOpOperands()) {
    printOperand(operand.get().getType(), stream);
    stream << " " << op.getMatchingIndexingMap(&operand) << "; ";
  }
  printBody(*op.getBody(), stream);
  return llvm::utohexstr(llvm::xxh3_64bits(text), /*LowerCase=*/true, /*Width=*/16);
}

std::string describe(linalg::GenericOp op) {
  std::string text;
  for (auto [size, iterator] :
       llvm::zip_equal(op.getStaticLoopRanges(), op.getIteratorTypesArray())) {
    text += text.empty() ? "" : " x ";
    text += iterator == utils::IteratorType::reduction ? "sum of " : "";
    text += ShapedType::isDynamic(size) ? "?" : std::to_string(size);
  }
  llvm::raw_string_ostream(text) << ", "
                                 << getElementTypeOrSelf(op.getDpsInits().front().getType());
  return text;
}

Tile tileOf(const KernelPlan &plan) {
  return {plan.rows, plan.columns, plan.outerReductions.empty() ? 0 : plan.reductionBlock};
}

/// Those whose sums fit the registers, and hide the latency of an addition. The fewer loads for a product, the
/// likelier is a tile to be fast.
std::vector<Tile> otherTiles(linalg::GenericOp op, const KernelPlan &plan,
                             const TargetDescription &target) {
  constexpr int64_t kMostColumns = 4, kHidesLatency = 8;
  constexpr size_t kMostTiles = 12;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  auto extent = [&](unsigned dim) {
    return ShapedType::isDynamic(sizes[dim]) ? std::numeric_limits<int64_t>::max() : sizes[dim];
  };
  int64_t most = (target.vectorRegisters - 2) / std::max(1u, countAccumulators(op));
  Tile own = tileOf(plan);
  std::vector<Tile> tiles;
  for (int64_t columns = 1; columns <= kMostColumns; ++columns) {
    if (columns > 1 && columns * plan.lanes > extent(*plan.vectorDim))
      break;
    for (int64_t rows = 1; rows * columns <= most && rows <= extent(*plan.rowDim); ++rows)
      if (rows * columns >= kHidesLatency)
        tiles.push_back({rows, columns, own.block});
  }
  auto loads = [](const Tile &tile) {
    return double(tile.rows + tile.columns) / double(tile.rows * tile.columns);
  };
  llvm::sort(tiles, [&](const Tile &left, const Tile &right) {
    return std::pair(loads(left), left.rows) < std::pair(loads(right), right.rows);
  });
  llvm::erase(tiles, own);
  if (tiles.size() > kMostTiles)
    tiles.resize(kMostTiles);
  if (own.block > 1)
    for (int64_t block : {own.block / 2, own.block * 2})
      tiles.push_back({own.rows, own.columns, block});
  return tiles;
}

class ApplyTiles : public PassWrapper<ApplyTiles, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ApplyTiles)

  explicit ApplyTiles(std::shared_ptr<const TunedTiles> known) : tiles(std::move(known)) {}
  StringRef getArgument() const override { return "codegen-apply-tiles"; }

private:
  void runOnOperation() override {
    getOperation().walk([&](linalg::GenericOp op) {
      auto tile = tiles->find(keyOf(op));
      if (tile != tiles->end())
        op->setAttr(kTileAttr,
                    DenseI64ArrayAttr::get(&getContext(), {tile->second.rows, tile->second.columns,
                                                           tile->second.block}));
    });
  }

  std::shared_ptr<const TunedTiles> tiles;
};

} // namespace

std::vector<TunableKernel> listTunableKernels(func::FuncOp function, StringRef cpu) {
  std::optional<TargetDescription> target = TargetDescription::forCpu(cpu);
  std::vector<TunableKernel> kernels;
  for (linalg::LinalgOp op : kernelsIn(function)) {
    TunableKernel &kernel = kernels.emplace_back();
    auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
    if (!generic)
      continue;
    KernelPlan plan = planKernel(generic, *target);
    kernel.key = keyOf(generic);
    kernel.description = describe(generic);
    kernel.tile = tileOf(plan);
    if (canChooseTile(generic, plan))
      kernel.others = otherTiles(generic, plan, *target);
  }
  return kernels;
}

std::unique_ptr<Pass> createApplyTilesPass(std::shared_ptr<const TunedTiles> tiles) {
  return std::make_unique<ApplyTiles>(std::move(tiles));
}

} // namespace nnc
