//===- PlanArena.cpp - Give every temporary a place in one workspace ------===//
//
// A buffer lives from its first use to its last; buffers whose lives do not overlap may share
// memory. Static sizes are packed at constant offsets, big ones first, each as low as it fits.
// Sizes that depend on symbols share slots behind them: a slot serves buffers of which one is
// provably the largest.
//
//===----------------------------------------------------------------------===//
#include "SymbolicSizes.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_PLANARENAPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

constexpr int64_t kAlignment = 64;

struct Buffer {
  memref::AllocOp alloc;
  SmallVector<Dim> dynamicSizes;
  Dim bytes;
  /// First and last operation that uses it, in program order.
  unsigned begin = 0, end = 0;

  bool overlaps(const Buffer &other) const { return begin <= other.end && other.begin <= end; }
};

/// Memory for buffers of symbolic size that do not live at the same time.
struct Slot {
  Dim bytes;
  SmallVector<Buffer *> tenants;
};

/// Whether `left` >= `right` for all symbols that are not negative.
bool isAtLeast(const Dim &left, const Dim &right) {
  Dim difference = left - right;
  return llvm::all_of(difference.getTerms(), [](const auto &term) { return term.second >= 0; });
}

Dim aligned(const Dim &bytes) { return bytes.ceilDiv(kAlignment) * Dim(kAlignment); }

/// Program order of the operations of a function; a loop spans what it contains.
class ProgramOrder {
public:
  explicit ProgramOrder(func::FuncOp function) { number(function); }
  unsigned beginOf(Operation *op) const { return begin.lookup(op); }
  unsigned endOf(Operation *op) const { return end.lookup(op); }

private:
  void number(Operation *op) {
    begin[op] = next++;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Operation &inner : block)
          number(&inner);
    end[op] = next++;
  }
  DenseMap<Operation *, unsigned> begin, end;
  unsigned next = 0;
};

class ArenaPlanner {
public:
  explicit ArenaPlanner(func::FuncOp func)
      : function(func), sizes(func), order(func), views(func) {}

  LogicalResult plan();
  void emit();

private:
  LogicalResult collect();
  LogicalResult findLife(Buffer &buffer);
  void placeStatic();
  void placeSymbolic();
  void emitWorkspaceFunction();

  func::FuncOp function;
  SymbolicSizes sizes;
  ProgramOrder order;
  BufferViewFlowAnalysis views;
  std::vector<Buffer> buffers;
  SmallVector<std::pair<Buffer *, int64_t>> placed;
  std::vector<Slot> slots;
  int64_t staticBytes = 0;
};

LogicalResult ArenaPlanner::plan() {
  if (failed(collect()))
    return failure();
  placeStatic();
  placeSymbolic();
  return success();
}

LogicalResult ArenaPlanner::collect() {
  WalkResult result = function.walk([&](memref::AllocOp alloc) {
    Buffer buffer;
    buffer.alloc = alloc;
    MemRefType type = alloc.getType();
    unsigned bits = type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth();
    buffer.bytes = Dim(llvm::divideCeil(bits, 8));
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size))
        buffer.bytes = buffer.bytes * Dim(size);
    for (Value size : alloc.getDynamicSizes()) {
      std::optional<Dim> dim = sizes.dimOf(size);
      if (!dim) {
        alloc.emitError("the size of a temporary is not a function of the symbols");
        return WalkResult::interrupt();
      }
      buffer.dynamicSizes.push_back(*dim);
      buffer.bytes = buffer.bytes * *dim;
    }
    if (failed(findLife(buffer)))
      return WalkResult::interrupt();
    buffers.push_back(buffer);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult ArenaPlanner::findLife(Buffer &buffer) {
  SmallVector<Operation *> users;
  for (Value view : views.resolve(buffer.alloc.getMemref()))
    llvm::append_range(users, view.getUsers());
  // The block whose sequence the life is measured in: that of the allocation, or one around it
  // where the buffer leaves that.
  Block *block = buffer.alloc->getBlock();
  for (Operation *user : users)
    while (!block->findAncestorOpInBlock(*user)) {
      if (isa<LoopLikeOpInterface>(block->getParentOp()))
        return buffer.alloc.emitError("a temporary leaves the loop that makes it");
      block = block->getParentOp()->getBlock();
    }
  buffer.begin = std::numeric_limits<unsigned>::max();
  for (Operation *user : users) {
    Operation *ancestor = block->findAncestorOpInBlock(*user);
    buffer.begin = std::min(buffer.begin, order.beginOf(ancestor));
    buffer.end = std::max(buffer.end, order.endOf(ancestor));
  }
  if (users.empty())
    buffer.begin = buffer.end = order.beginOf(buffer.alloc);
  return success();
}

void ArenaPlanner::placeStatic() {
  SmallVector<Buffer *> bySize;
  for (Buffer &buffer : buffers)
    if (buffer.bytes.isConstant())
      bySize.push_back(&buffer);
  llvm::sort(bySize, [](Buffer *left, Buffer *right) {
    int64_t leftBytes = left->bytes.constant(), rightBytes = right->bytes.constant();
    return std::tie(rightBytes, left->begin) < std::tie(leftBytes, right->begin);
  });
  for (Buffer *buffer : bySize) {
    SmallVector<std::pair<int64_t, int64_t>> taken;
    for (auto [other, offset] : placed)
      if (buffer->overlaps(*other))
        taken.push_back({offset, offset + aligned(other->bytes).constant()});
    llvm::sort(taken);
    int64_t offset = 0, bytes = aligned(buffer->bytes).constant();
    for (auto [from, to] : taken) {
      if (offset + bytes <= from)
        break;
      offset = std::max(offset, to);
    }
    placed.push_back({buffer, offset});
    staticBytes = std::max(staticBytes, offset + bytes);
  }
}

void ArenaPlanner::placeSymbolic() {
  for (Buffer &buffer : buffers) {
    if (buffer.bytes.isConstant())
      continue;
    Slot *best = nullptr;
    for (Slot &slot : slots) {
      bool free =
          llvm::none_of(slot.tenants, [&](Buffer *tenant) { return tenant->overlaps(buffer); });
      if (!free || !(isAtLeast(slot.bytes, buffer.bytes) || isAtLeast(buffer.bytes, slot.bytes)))
        continue;
      if (!best || slot.bytes == buffer.bytes)
        best = &slot;
    }
    if (!best)
      best = &slots.emplace_back(Slot{buffer.bytes, {}});
    if (isAtLeast(buffer.bytes, best->bytes))
      best->bytes = buffer.bytes;
    best->tenants.push_back(&buffer);
  }
}

/// Replaces the allocations by views of the new workspace argument.
void ArenaPlanner::emit() {
  emitWorkspaceFunction();
  Location loc = function.getLoc();
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  auto workspaceType = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  unsigned position = function.getNumArguments();
  DictionaryAttr attrs =
      builder.getDictionaryAttr(builder.getNamedAttr("nn.workspace", builder.getUnitAttr()));
  (void)function.insertArgument(position, workspaceType, attrs, loc);
  Value workspace = function.getArgument(position);

  auto replace = [&](Buffer &buffer, Value offset) {
    SmallVector<Value> dynamicSizes;
    for (const Dim &dim : buffer.dynamicSizes)
      dynamicSizes.push_back(SymbolicSizes::materialize(builder, loc, dim, sizes.getSymbols()));
    Value view = memref::ViewOp::create(builder, buffer.alloc.getLoc(), buffer.alloc.getType(),
                                        workspace, offset, dynamicSizes);
    buffer.alloc.replaceAllUsesWith(view);
  };
  for (auto [buffer, offset] : placed)
    replace(*buffer, arith::ConstantIndexOp::create(builder, loc, offset));
  Value offset = arith::ConstantIndexOp::create(builder, loc, staticBytes);
  for (Slot &slot : slots) {
    for (Buffer *buffer : slot.tenants)
      replace(*buffer, offset);
    Value bytes = SymbolicSizes::materialize(builder, loc, aligned(slot.bytes), sizes.getSymbols());
    offset = arith::AddIOp::create(builder, loc, offset, bytes);
  }
  for (Buffer &buffer : buffers)
    buffer.alloc.erase();
  SmallVector<memref::DeallocOp> deallocs;
  function.walk([&](memref::DeallocOp op) { deallocs.push_back(op); });
  for (memref::DeallocOp op : deallocs)
    op.erase();
}

void ArenaPlanner::emitWorkspaceFunction() {
  Location loc = function.getLoc();
  OpBuilder builder(function.getContext());
  builder.setInsertionPointAfter(function);
  auto symbols = function->getAttrOfType<ArrayAttr>(kSymbolsAttr);
  SmallVector<Type> arguments(symbols ? symbols.size() : 0, builder.getIndexType());
  auto companion = func::FuncOp::create(builder, loc, (function.getName() + "_workspace").str(),
                                        builder.getFunctionType(arguments, builder.getI64Type()));
  if (symbols)
    companion->setAttr(kSymbolsAttr, symbols);
  builder.setInsertionPointToStart(companion.addEntryBlock());
  std::map<std::string, Value> values;
  for (auto [index, argument] : llvm::enumerate(companion.getArguments())) {
    companion.setArgAttr(index, kSymbolAttr, symbols[index]);
    values[cast<StringAttr>(symbols[index]).str()] = argument;
  }
  Dim total(staticBytes);
  for (const Slot &slot : slots)
    total = total + aligned(slot.bytes);
  Value bytes = SymbolicSizes::materialize(builder, loc, total, values);
  func::ReturnOp::create(
      builder, loc,
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), bytes).getResult());
}

class PlanArena : public impl::PlanArenaPassBase<PlanArena> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isPrivate())
        functions.push_back(function);
    for (func::FuncOp function : functions) {
      ArenaPlanner planner(function);
      if (failed(planner.plan()))
        return signalPassFailure();
      planner.emit();
    }
  }
};

} // namespace
} // namespace nnc
