//===- JoinLaunches.cpp - One kernel for launches that are apart ----------===//
//
//   in     launches, one after the other
//   out    one for several that touch nothing of each other: first the blocks of one, then those of the next
//
// An optimizer updates each parameter by itself, and most parameters are so small that it takes longer to start a
// kernel than to run it. What is joined moves down to the last launch, unless what is between stands against that.
// Before, what a single block does moves up as far as it can: the counts of steps that each parameter has for itself.
//
//===----------------------------------------------------------------------===//
#include "BufferEffects.h"
#include "GPU/Launch.h"
#include "GPU/OperationBody.h"
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_JOINLAUNCHESPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

/// More of them would make a kernel that takes long to compile.
constexpr size_t kMostJoined = 32;
/// Numbers and pointers that a kernel is given; there is room for 4096 bytes.
constexpr size_t kMostOperands = 200;
/// Bytes of a block's memory that a launch may have, as sums by a block do: tiles of products would leave the others
/// too few blocks at a time.
constexpr int64_t kMostShared = 1024;

/// How many operands a kernel has for a value of the host.
size_t countOperands(Value value) {
  auto buffer = dyn_cast<MemRefType>(value.getType());
  return buffer ? 1 + 2 * buffer.getNumDynamicDims() : 1;
}

int64_t sharedBytes(gpu::LaunchOp launch) {
  int64_t bytes = 0;
  for (BlockArgument memory : launch.getWorkgroupAttributions()) {
    auto type = cast<MemRefType>(memory.getType());
    bytes += type.getNumElements() * type.getElementTypeBitWidth() / 8;
  }
  return bytes;
}

/// Whether `launch` has blocks of the usual size in one row, with little memory.
bool isSimple(gpu::LaunchOp launch) {
  auto isConstant = [](Value value, int64_t number) {
    return getConstantIntValue(value) == number;
  };
  return launch.getPrivateAttributions().empty() && sharedBytes(launch) <= kMostShared &&
         isConstant(launch.getGridSizeY(), 1) && isConstant(launch.getGridSizeZ(), 1) &&
         isConstant(launch.getBlockSizeX(), kBlockSize) && isConstant(launch.getBlockSizeY(), 1) &&
         isConstant(launch.getBlockSizeZ(), 1);
}

/// Launches that may be one.
class Group {
public:
  /// Whether `launch` may be one more; if not, nobody who comes after it can be.
  bool take(gpu::LaunchOp launch, const BufferEffects &own) {
    llvm::SetVector<Value> outside;
    getUsedValuesDefinedAbove(launch.getBody(), outside);
    size_t more = 0;
    for (Value value : outside)
      if (!used.contains(value))
        more += countOperands(value);
    if (launches.size() == kMostJoined || numOperands + more > kMostOperands ||
        touched.conflictsWith(own))
      return false;
    launches.push_back(launch);
    used.insert_range(outside);
    numOperands += more;
    touched.add(own);
    return true;
  }

  bool conflictsWith(const BufferEffects &other) const {
    return !launches.empty() && touched.conflictsWith(other);
  }

  /// Makes one launch of them, and forgets them.
  void join() {
    if (launches.size() > 1)
      build();
    *this = Group();
  }

private:
  /// Launches that do the same with buffers of their own.
  struct Equal {
    SmallVector<gpu::LaunchOp> launches;
    /// The buffers that each of them uses, in the order of the first one.
    SmallVector<SmallVector<Value>> buffers;
  };

  static SmallVector<Value> buffersOf(gpu::LaunchOp launch) {
    llvm::SetVector<Value> outside;
    getUsedValuesDefinedAbove(launch.getBody(), outside);
    return llvm::filter_to_vector(outside,
                                  [](Value value) { return isa<MemRefType>(value.getType()); });
  }

  /// The values in the body of `launch`, and those that it uses, in order.
  static SmallVector<Value> valuesOf(gpu::LaunchOp launch) {
    SmallVector<Value> values(launch.getBody().getArguments());
    launch.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
      llvm::append_range(values, op->getOperands());
      llvm::append_range(values, op->getResults());
      for (Region &region : op->getRegions())
        for (Block &block : region)
          llvm::append_range(values, block.getArguments());
    });
    return values;
  }

  /// Whether `launch` does with other buffers what the launches in `equal` do; it is one of them then.
  static bool addEqual(Equal &equal, gpu::LaunchOp launch) {
    /// Operations that are written again as soon as buffers are found.
    constexpr size_t kFew = 8;
    gpu::LaunchOp first = equal.launches.front();
    size_t numOperations = 0;
    launch.getBody().walk([&](Operation *) { ++numOperations; });
    if (numOperations <= kFew)
      return false;
    auto ignore = [](Value, Value) { return success(); };
    if (!OperationEquivalence::isRegionEquivalentTo(&first.getBody(), &launch.getBody(), ignore,
                                                    nullptr, OperationEquivalence::IgnoreLocations))
      return false;
    DenseMap<Value, Value> same;
    auto isSame = [&](Value left, Value right) {
      bool isOutside = !first.getBody().isAncestor(left.getParentRegion()),
           isBuffer = isOutside && isa<MemRefType>(left.getType());
      std::optional<int64_t> number = getConstantIntValue(left);
      bool isEither = number && number == getConstantIntValue(right);
      if (isOutside && !isEither && (isBuffer ? left.getType() != right.getType() : left != right))
        return false;
      return same.try_emplace(left, right).first->second == right;
    };
    SmallVector<Value> left = valuesOf(first), right = valuesOf(launch);
    if (!isSame(first.getGridSizeX(), launch.getGridSizeX()) ||
        !llvm::all_of_zip(left, right, isSame))
      return false;
    SmallVector<Value> own;
    for (Value buffer : equal.buffers.front())
      own.push_back(same.lookup(buffer));
    equal.launches.push_back(launch);
    equal.buffers.push_back(own);
    return true;
  }

  /// The first launch's buffers, or for blocks further on those of another.
  static SmallVector<Value> chooseBuffers(OpBuilder &b, Location loc, Value number,
                                          ArrayRef<SmallVector<Value>> buffers, size_t first) {
    if (buffers.size() == 1)
      return buffers.front();
    size_t half = buffers.size() / 2;
    Value isBefore = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, number,
                                           constantIndex(b, loc, int64_t(first + half)));
    auto choice = scf::IfOp::create(b, loc, ValueRange(buffers.front()).getTypes(), isBefore,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    scf::YieldOp::create(b, loc, chooseBuffers(b, loc, number, buffers.take_front(half), first));
    b.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(b, loc,
                         chooseBuffers(b, loc, number, buffers.drop_front(half), first + half));
    return llvm::to_vector_of<Value>(choice.getResults());
  }

  void build() {
    OpBuilder b(launches.back());
    SmallVector<Location> places =
        llvm::map_to_vector(launches, [](gpu::LaunchOp launch) { return launch.getLoc(); });
    Location loc = b.getFusedLoc(places);
    std::vector<Equal> kinds;
    for (gpu::LaunchOp launch : launches)
      if (llvm::none_of(kinds, [&](Equal &equal) { return addEqual(equal, launch); }))
        kinds.push_back({{launch}, {buffersOf(launch)}});
    SmallVector<Value> counts;
    Value total;
    for (Equal &equal : kinds) {
      Value count = equal.launches.front().getGridSizeX();
      if (equal.launches.size() > 1)
        count = arith::MulIOp::create(b, loc, count,
                                      constantIndex(b, loc, int64_t(equal.launches.size())));
      counts.push_back(count);
      total = total ? arith::AddIOp::create(b, loc, total, count) : count;
    }
    gpu::LaunchOp joint = launchThreads(b, loc, total, kBlockSize);
    Value block = joint.getBlockIds().x;
    for (auto [equal, count] : llvm::drop_end(llvm::zip_equal(kinds, counts))) {
      Value isOwn = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, block, count);
      auto choice = scf::IfOp::create(b, loc, isOwn, /*withElseRegion=*/true);
      b.setInsertionPointToStart(choice.thenBlock());
      copyBodies(b, equal, joint, block);
      b.setInsertionPointToStart(choice.elseBlock());
      block = arith::SubIOp::create(b, loc, block, count);
    }
    copyBodies(b, kinds.back(), joint, block);
    for (gpu::LaunchOp launch : launches)
      launch.erase();
  }

  /// What the blocks of equal launches do, those of the first one first.
  static void copyBodies(OpBuilder &b, const Equal &equal, gpu::LaunchOp joint, Value block) {
    gpu::LaunchOp launch = equal.launches.front();
    IRMapping mapping;
    if (equal.launches.size() > 1) {
      Location loc = joint.getLoc();
      Value count = launch.getGridSizeX();
      Value number = arith::DivUIOp::create(b, loc, block, count);
      block = arith::RemUIOp::create(b, loc, block, count);
      mapping.map(equal.buffers.front(), chooseBuffers(b, loc, number, equal.buffers, 0));
    }
    copyBody(b, launch, joint, block, mapping);
  }

  static void copyBody(OpBuilder &b, gpu::LaunchOp launch, gpu::LaunchOp joint, Value block,
                       IRMapping &mapping) {
    mapping.map(launch.getBlockIds().x, block);
    mapping.map(launch.getThreadIds().x, joint.getThreadIds().x);
    // The others are what the host knows, or zero.
    Value zero = constantIndex(b, launch.getLoc(), 0);
    for (Value number : {launch.getBlockIds().y, launch.getBlockIds().z, launch.getThreadIds().y,
                         launch.getThreadIds().z})
      mapping.map(number, zero);
    for (BlockArgument memory : launch.getWorkgroupAttributions())
      mapping.map(memory, sharedMemory(joint, memory, mapping));
    for (auto [inside, outside] :
         {std::pair(launch.getGridSize(), launch.getGridSizeOperandValues()),
          std::pair(launch.getBlockSize(), launch.getBlockSizeOperandValues())}) {
      mapping.map(inside.x, outside.x);
      mapping.map(inside.y, outside.y);
      mapping.map(inside.z, outside.z);
    }
    for (Operation &op : launch.getBody().front().without_terminator())
      b.clone(op, mapping);
  }

  /// Memory for `memory` of one of the launches. They are other blocks: what they have of a type is the same.
  static Value sharedMemory(gpu::LaunchOp joint, BlockArgument memory, const IRMapping &taken) {
    for (BlockArgument candidate : joint.getWorkgroupAttributions()) {
      bool isTaken = llvm::any_of(
          taken.getValueMap(), [&](const auto &pair) { return pair.second == Value(candidate); });
      if (candidate.getType() == memory.getType() && !isTaken)
        return candidate;
    }
    return joint.addWorkgroupAttribution(memory.getType(), memory.getLoc());
  }

  SmallVector<gpu::LaunchOp> launches;
  BufferEffects touched;
  llvm::SmallPtrSet<Value, 32> used;
  size_t numOperands = 0;
};

/// A block of host code, and what its operations touch.
class HostBlock {
public:
  explicit HostBlock(Block &hostBlock) : block(hostBlock) {
    for (Operation &op : block)
      touched[&op].addDeclared(&op);
  }

  void join() {
    for (Operation &op : llvm::make_early_inc_range(block))
      if (isOneBlock(&op))
        moveUp(cast<gpu::LaunchOp>(op));
    Group group;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (isPure(&op) || isa<memref::AllocOp>(op))
        continue;
      auto launch = dyn_cast<gpu::LaunchOp>(op);
      const BufferEffects &own = touched[&op];
      if (!launch || !isCandidate(launch)) {
        if (group.conflictsWith(own))
          group.join();
      } else if (!group.take(launch, own)) {
        group.join();
        group.take(launch, own);
      }
    }
    group.join();
  }

private:
  bool isCandidate(gpu::LaunchOp launch) { return touched[launch].areKnown() && isSimple(launch); }

  bool isOneBlock(Operation *op) {
    auto launch = dyn_cast<gpu::LaunchOp>(op);
    return launch && isCandidate(launch) && getConstantIntValue(launch.getGridSizeX()) == 1;
  }

  /// Moves `launch`, which is one block, before all that it does not depend on, but for others of its kind.
  void moveUp(gpu::LaunchOp launch) {
    llvm::SetVector<Value> used;
    getUsedValuesDefinedAbove(launch.getBody(), used);
    used.insert_range(launch->getOperands());
    Operation *first = launch;
    for (Operation *before = launch->getPrevNode(); before; before = before->getPrevNode()) {
      bool gives =
          llvm::any_of(before->getResults(), [&](Value result) { return used.contains(result); });
      if (gives || touched[before].conflictsWith(touched[launch]))
        break;
      first = before;
    }
    while (first != launch && isOneBlock(first))
      first = first->getNextNode();
    launch->moveBefore(first);
  }

  Block &block;
  DenseMap<Operation *, BufferEffects> touched;
};

class JoinLaunches : public impl::JoinLaunchesPassBase<JoinLaunches> {
  void runOnOperation() override {
    llvm::SetVector<Block *> blocks;
    getOperation().walk([&](gpu::LaunchOp launch) { blocks.insert(launch->getBlock()); });
    for (Block *block : blocks)
      HostBlock(*block).join();
  }
};

} // namespace
} // namespace nnc
