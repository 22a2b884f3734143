//===- ArenaReport.cpp - Where each temporary lies in the workspace -------===//
//
// The views of a function's workspace after the arena is planned, whichever way it was planned. The
// calls of codegen-trace-kernels tell between which kernels a view is used.
//
//===----------------------------------------------------------------------===//
#include "ConcreteSizes.h"
#include "KernelOrder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace nnc {
namespace {

/// From which kernel to which.
struct Span {
  int64_t first, last;
};

std::optional<Span> unite(std::optional<Span> left, std::optional<Span> right) {
  if (!left || !right)
    return left ? left : right;
  return Span{std::min(left->first, right->first), std::max(left->last, right->last)};
}

/// The kernels that each operation is in or contains.
class KernelSpans {
public:
  explicit KernelSpans(func::FuncOp function) { visit(function, std::nullopt); }
  std::optional<Span> of(Operation *op) const { return spans.lookup(op); }

private:
  static std::optional<int64_t> numberOf(Operation &op, StringRef callee) {
    auto call = dyn_cast<func::CallOp>(op);
    APInt number;
    if (!call || call.getCallee() != callee ||
        !matchPattern(call.getOperand(0), m_ConstantInt(&number)))
      return std::nullopt;
    return number.getSExtValue();
  }

  /// `around` is the kernel that `parent` is in.
  std::optional<Span> visit(Operation *parent, std::optional<Span> around) {
    std::optional<Span> all = around;
    for (Region &region : parent->getRegions())
      for (Block &block : region) {
        std::optional<Span> current = around;
        for (Operation &op : block) {
          if (std::optional<int64_t> number = numberOf(op, kTraceBegin))
            current = Span{*number, *number};
          else if (numberOf(op, kTraceEnd))
            current = around;
          all = unite(all, visit(&op, current));
        }
      }
    return spans[parent] = all;
  }

  DenseMap<Operation *, std::optional<Span>> spans;
};

/// The users of a buffer and of the views of it.
void collectUsers(Value buffer, SmallVectorImpl<Operation *> &users) {
  for (Operation *user : buffer.getUsers()) {
    if (isa<ViewLikeOpInterface>(user))
      collectUsers(user->getResult(0), users);
    else
      users.push_back(user);
  }
}

/// The kernels during which a buffer with these users lives: it lives through a loop that it is used
/// in and around.
std::optional<Span> lifeOf(ArrayRef<Operation *> users, const KernelSpans &spans) {
  if (users.empty())
    return std::nullopt;
  Block *block = users.front()->getBlock();
  while (!llvm::all_of(users, [&](Operation *user) { return block->findAncestorOpInBlock(*user); }))
    block = block->getParentOp()->getBlock();
  std::optional<Span> life;
  for (Operation *user : users)
    life = unite(life, spans.of(block->findAncestorOpInBlock(*user)));
  return life;
}

void findFullest(ArenaReport &report) {
  std::map<int64_t, int64_t> changes;
  for (const WorkspaceBuffer &buffer : report.buffers)
    if (buffer.firstKernel) {
      changes[*buffer.firstKernel] += buffer.bytes;
      changes[*buffer.lastKernel + 1] -= buffer.bytes;
    }
  int64_t inUse = 0;
  for (auto [kernel, change] : changes) {
    inUse += change;
    if (inUse > report.leastBytes) {
      report.leastBytes = inUse;
      report.fullestKernel = kernel;
    }
  }
}

} // namespace

int64_t evaluateWorkspace(func::FuncOp function, const SizeValues &values) {
  Value bytes = function.getBody().front().getTerminator()->getOperand(0);
  if (auto cast = bytes.getDefiningOp<arith::IndexCastOp>())
    bytes = cast.getIn();
  return *ConcreteSizes(function, values).valueOf(bytes);
}

ArenaReport reportArena(func::FuncOp function, const SizeValues &values) {
  ArenaReport report;
  Value workspace;
  for (BlockArgument argument : function.getArguments())
    if (function.getArgAttr(argument.getArgNumber(), "nn.workspace"))
      workspace = argument;
  if (!workspace)
    return report;
  ConcreteSizes sizes(function, values);
  KernelSpans spans(function);
  for (Operation *user : workspace.getUsers()) {
    auto view = dyn_cast<memref::ViewOp>(user);
    if (!view)
      continue;
    WorkspaceBuffer buffer{view.getLoc(), nameOfBuffer(view), sizes.typeOf(view)};
    bool isExact = true;
    buffer.offset = sizes.valueOf(view.getByteShift()).value_or(-1);
    buffer.bytes = sizes.elementsOf(view, isExact) * elementBytes(view.getType());
    SmallVector<Operation *> users;
    collectUsers(view, users);
    if (std::optional<Span> life = lifeOf(users, spans)) {
      buffer.firstKernel = life->first;
      buffer.lastKernel = life->last;
    }
    report.bytes = std::max(report.bytes, buffer.offset + int64_t(llvm::alignTo(buffer.bytes, 64)));
    report.buffers.push_back(std::move(buffer));
  }
  llvm::sort(report.buffers, [](const WorkspaceBuffer &left, const WorkspaceBuffer &right) {
    return std::tuple(left.firstKernel, left.offset, left.name) <
           std::tuple(right.firstKernel, right.offset, right.name);
  });
  findFullest(report);
  return report;
}

} // namespace nnc
