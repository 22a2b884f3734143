//===- ArenaPlan.cpp - Where temporaries lie in the workspace -------------===//
//
// Each buffer goes as low as it fits, in several orders, and the order that needs least is kept: which
// one that is depends on the net, and trying costs nothing beside the rest of a compilation.
//
//===----------------------------------------------------------------------===//
#include "ArenaPlan.h"

#include "ConcreteSizes.h"
#include "nnc/IR/TypicalSize.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/Support/MathExtras.h"

#include <variant>

using namespace mlir;

namespace nnc {
namespace {

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

/// `bytes` rounded up to a multiple of the alignment.
Dim roundUp(const Dim &bytes) {
  Dim alignment(ArenaPlan::kAlignment);
  return bytes.exactDiv(alignment) ? bytes : bytes.ceilDiv(alignment) * alignment;
}

LogicalResult findLife(ArenaBuffer &buffer, const ProgramOrder &order,
                       BufferViewFlowAnalysis &views) {
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

/// Puts each buffer as low as it fits beside those before it; returns the bytes that takes.
int64_t placeInOrder(ArrayRef<ArenaBuffer *> order) {
  int64_t total = 0;
  SmallVector<std::pair<int64_t, int64_t>> taken;
  for (auto [index, buffer] : llvm::enumerate(order)) {
    taken.clear();
    for (ArenaBuffer *other : order.take_front(index))
      if (buffer->overlaps(*other))
        taken.push_back({other->sampleOffset, other->sampleOffset + other->sampleBytes});
    llvm::sort(taken);
    int64_t offset = 0;
    for (auto [from, to] : taken) {
      if (offset + buffer->sampleBytes <= from)
        break;
      offset = std::max(offset, to);
    }
    buffer->sampleOffset = offset;
    total = std::max(total, offset + buffer->sampleBytes);
  }
  return total;
}

/// Whether `left` >= `right` for all symbols that are not negative.
bool isAtLeast(const Dim &left, const Dim &right) {
  Dim difference = left - right;
  return llvm::all_of(difference.getTerms(), [](const auto &term) { return term.second >= 0; });
}

/// The largest of some sizes, as an expression as long as one is provably that, else computed.
class Largest {
public:
  void add(const Dim &dim) {
    if (known && isAtLeast(*known, dim))
      return;
    if (!known || isAtLeast(dim, *known))
      known = dim;
    else
      others.push_back(dim);
  }
  void add(Value value) { values.push_back(value); }

  std::optional<Dim> dim() const {
    return others.empty() && values.empty() ? known.value_or(Dim(0)) : std::optional<Dim>();
  }
  Value materialize(OpBuilder &builder, Location loc,
                    const std::map<std::string, Value> &symbols) const {
    SmallVector<Value> all = values;
    if (known || all.empty())
      all.push_back(SymbolicSizes::materialize(builder, loc, known.value_or(Dim(0)), symbols));
    for (const Dim &dim : others)
      all.push_back(SymbolicSizes::materialize(builder, loc, dim, symbols));
    Value largest = all.front();
    for (Value value : ArrayRef(all).drop_front())
      largest = arith::MaxSIOp::create(builder, loc, largest, value);
    return largest;
  }

private:
  std::optional<Dim> known;
  SmallVector<Dim> others;
  SmallVector<Value> values;
};

} // namespace

std::optional<ArenaPlan> ArenaPlan::make(func::FuncOp function) {
  ArenaPlan plan;
  if (failed(plan.collect(function)))
    return std::nullopt;
  plan.place();
  plan.settle();
  return plan;
}

LogicalResult ArenaPlan::collect(func::FuncOp function) {
  SymbolicSizes sizes(function);
  ProgramOrder order(function);
  BufferViewFlowAnalysis views(function);
  WalkResult result = function.walk([&](memref::AllocOp alloc) {
    ArenaBuffer buffer;
    buffer.alloc = alloc;
    MemRefType type = alloc.getType();
    Dim bytes(elementBytes(type));
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size))
        bytes = bytes * Dim(size);
    for (Value size : alloc.getDynamicSizes()) {
      std::optional<Dim> dim = sizes.dimOf(size);
      if (!dim) {
        alloc.emitError("the size of a temporary is not a function of the symbols");
        return WalkResult::interrupt();
      }
      buffer.dynamicSizes.push_back(*dim);
      bytes = bytes * *dim;
    }
    buffer.bytes = roundUp(bytes);
    buffer.sampleBytes = std::max(typicalSize(buffer.bytes), kAlignment);
    if (failed(findLife(buffer, order, views)))
      return WalkResult::interrupt();
    all.push_back(buffer);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

int64_t ArenaPlan::sampleBound() const {
  std::map<unsigned, int64_t> changes;
  for (const ArenaBuffer &buffer : all) {
    changes[buffer.begin] += buffer.sampleBytes;
    changes[buffer.end + 1] -= buffer.sampleBytes;
  }
  int64_t now = 0, most = 0;
  for (auto [time, change] : changes)
    most = std::max(most, now += change);
  return most;
}

void ArenaPlan::place() {
  using Key = std::tuple<int64_t, int64_t>;
  const std::function<Key(const ArenaBuffer &)> keys[] = {
      [](const ArenaBuffer &buffer) { return Key(-buffer.sampleBytes, buffer.begin); },
      [](const ArenaBuffer &buffer) { return Key(-buffer.sampleBytes, -int64_t(buffer.end)); },
      [](const ArenaBuffer &buffer) {
        return Key(-buffer.sampleBytes * int64_t(buffer.end - buffer.begin + 1), buffer.begin);
      },
      [](const ArenaBuffer &buffer) {
        return Key(-int64_t(buffer.end - buffer.begin), -buffer.sampleBytes);
      },
      [](const ArenaBuffer &buffer) { return Key(buffer.begin, -buffer.sampleBytes); },
      [](const ArenaBuffer &buffer) { return Key(-int64_t(buffer.end), -buffer.sampleBytes); },
  };
  int64_t bound = sampleBound(), least = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> best;
  for (const auto &key : keys) {
    SmallVector<ArenaBuffer *> order;
    for (ArenaBuffer &buffer : all)
      order.push_back(&buffer);
    llvm::sort(order, [&](ArenaBuffer *left, ArenaBuffer *right) {
      return std::pair(key(*left), left) < std::pair(key(*right), right);
    });
    int64_t total = placeInOrder(order);
    if (total < least) {
      least = total;
      best.clear();
      for (const ArenaBuffer &buffer : all)
        best.push_back(buffer.sampleOffset);
    }
    if (least == bound)
      break;
  }
  for (auto [buffer, offset] : llvm::zip(all, best))
    buffer.sampleOffset = offset;
  llvm::sort(all, [](const ArenaBuffer &left, const ArenaBuffer &right) {
    return std::tie(left.sampleOffset, left.begin) < std::tie(right.sampleOffset, right.begin);
  });
}

/// Finds what each buffer rests on.
void ArenaPlan::settle() {
  std::vector<llvm::BitVector> under(all.size(), llvm::BitVector(all.size()));
  llvm::BitVector covered(all.size());
  for (unsigned index = 0; index < all.size(); ++index) {
    for (unsigned other = index; other-- > 0;) {
      if (!all[other].overlaps(all[index]) || under[index].test(other))
        continue;
      all[index].below.push_back(other);
      under[index].set(other);
      under[index] |= under[other];
    }
    covered |= under[index];
  }
  for (unsigned index = 0; index < all.size(); ++index)
    if (!covered.test(index))
      top.push_back(index);
}

std::vector<Value> ArenaPlan::materialize(OpBuilder &builder, Location loc,
                                          const std::map<std::string, Value> &symbols,
                                          Value &total) const {
  std::vector<Value> offsets;
  std::vector<std::variant<Dim, Value>> ends;
  auto largestEnd = [&](ArrayRef<unsigned> indices) {
    Largest largest;
    for (unsigned index : indices)
      std::visit([&](const auto &end) { largest.add(end); }, ends[index]);
    return largest;
  };
  for (const ArenaBuffer &buffer : all) {
    Largest offset = largestEnd(buffer.below);
    offsets.push_back(offset.materialize(builder, loc, symbols));
    if (std::optional<Dim> dim = offset.dim()) {
      ends.push_back(*dim + buffer.bytes);
      continue;
    }
    Value bytes = SymbolicSizes::materialize(builder, loc, buffer.bytes, symbols);
    ends.push_back(arith::AddIOp::create(builder, loc, offsets.back(), bytes).getResult());
  }
  total = largestEnd(top).materialize(builder, loc, symbols);
  return offsets;
}

} // namespace nnc
