//===- Parallelize.cpp - Let threads share parallel loops -----------------===//
//
// The body of a parallel loop becomes a function of a range of iterations. What it uses from
// outside is passed if it is a number or a pointer, and computed again inside if it is anything
// else: descriptors of buffers, constants. A task, the function that nnc_parallel_for calls, reads
// the numbers and pointers out of an array on the caller's stack, eight bytes each.
//
// Memory that is scratch for each iteration is that of the first one in the range , and iterations that
// are ranges themselves become one (CPU/ParallelMarks.h).
//
//===----------------------------------------------------------------------===//
#include "CPU/ParallelMarks.h"
#include "nnc/Codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_PARALLELIZEPASS
#include "nnc/Codegen/Passes.h.inc"

namespace {

constexpr StringLiteral kParallelFor = "nnc_parallel_for";
/// The same for a number of steps that may be one, for which nobody else is to be asked.
constexpr StringLiteral kRun = "run_task";

/// Whether the task's array can hold it.
bool fitsInSlot(Type type) {
  return isa<IndexType, LLVM::LLVMPointerType>(type) ||
         (type.isIntOrFloat() && type.getIntOrFloatBitWidth() <= 64);
}

/// (left + right - 1) / right
Value divideUp(OpBuilder &b, Location loc, Value left, Value right) {
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value most = arith::AddIOp::create(b, loc, left, arith::SubIOp::create(b, loc, right, one));
  return b.createOrFold<arith::DivUIOp>(loc, most, right);
}

/// One loop on its way into a function.
class Outliner {
public:
  Outliner(scf::ParallelOp parallelLoop, func::FuncOp parentFunction)
      : loop(parallelLoop), parent(parentFunction), loc(loop.getLoc()), b(loop),
        lower(loop.getLowerBound().front()), upper(loop.getUpperBound().front()),
        step(loop.getStep().front()) {}

  /// Whether all that the loop uses can be had in a function; to be asked first.
  bool canOutline();
  /// Replaces the loop. `context` is memory for the slots.
  void outline(const std::string &name, Value context);
  unsigned numSlots() const { return slots.size(); }

private:
  bool need(Value value);
  void makeFunction(const std::string &name);
  void makeTask(const std::string &name);
  Value slot(Value array, unsigned index);
  void storeSlots(Value array);
  void callDirectly();
  void callInParallel(Value array, StringRef callee);

  scf::ParallelOp loop;
  func::FuncOp parent;
  Location loc;
  OpBuilder b;
  Value lower, upper, step;
  /// What the function is given, and what it computes again, in order.
  llvm::SetVector<Value> passed;
  llvm::SetVector<Operation *> rebuilt;
  /// What the task reads: `passed` and the bounds.
  llvm::SetVector<Value> slots;
  func::FuncOp function;
  LLVM::LLVMFuncOp task;
};

/// Sees to it that `value` can be had in the function.
bool Outliner::need(Value value) {
  Operation *op = value.getDefiningOp();
  if (fitsInSlot(value.getType()) && !matchPattern(value, m_Constant())) {
    passed.insert(value);
    return true;
  }
  if (!op || !isPure(op) || op->getNumRegions() != 0)
    return false;
  if (rebuilt.contains(op))
    return true;
  if (!llvm::all_of(op->getOperands(), [&](Value operand) { return need(operand); }))
    return false;
  rebuilt.insert(op);
  return true;
}

bool Outliner::canOutline() {
  if (loop.getNumLoops() != 1 || loop.getNumResults() != 0)
    return false;
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(loop.getRegion(), used);
  used.insert(step);
  if (!llvm::all_of(used, [&](Value value) { return need(value); }))
    return false;
  slots.insert(passed.begin(), passed.end());
  for (Value bound : {lower, upper, step})
    if (!matchPattern(bound, m_Constant()))
      slots.insert(bound);
  return true;
}

/// name(from, to, passed...): the iterations in [from, to).
void Outliner::makeFunction(const std::string &name) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfter(parent);
  SmallVector<Type> types(2, b.getIndexType());
  llvm::append_range(types, ValueRange(passed.getArrayRef()).getTypes());
  function = func::FuncOp::create(b, loc, name, b.getFunctionType(types, {}));
  function.setPrivate();
  function->setAttr("llvm.linkage",
                    LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  b.setInsertionPointToStart(function.addEntryBlock());
  IRMapping mapping;
  for (auto [index, value] : llvm::enumerate(passed)) {
    mapping.map(value, function.getArgument(2 + index));
    // A pointer that is like no other in the caller is like no other here.
    if (auto argument = dyn_cast<BlockArgument>(value))
      if (argument.getOwner() == &parent.getBody().front())
        function.setArgAttrs(2 + index, parent.getArgAttrDict(argument.getArgNumber()));
  }
  for (Operation *op : rebuilt)
    b.clone(*op, mapping);
  // Memory on the stack is for all iterations.
  for (auto alloca : loop.getBody()->getOps<LLVM::AllocaOp>()) {
    b.clone(*alloca.getArraySize().getDefiningOp(), mapping);
    b.clone(*alloca, mapping);
  }
  Value from = function.getArgument(0), to = function.getArgument(1), number = from;
  auto ends = llvm::make_filter_range(loop.getBody()->getOperations(),
                                      [](Operation &op) { return op.hasAttr(kRangeEndAttr); });
  bool isRange = !ends.empty();
  if (!isRange) {
    auto serial = scf::ForOp::create(b, loc, from, to, mapping.lookup(step));
    b.setInsertionPointToStart(serial.getBody());
    number = serial.getInductionVar();
  }
  for (Operation &op : loop.getBody()->without_terminator()) {
    mapping.map(loop.getInductionVars().front(), op.hasAttr(kScratchAttr) ? from : number);
    if (op.hasAttr(kRangeEndAttr))
      mapping.map(op.getResult(0), to);
    else if (!isa<LLVM::AllocaOp>(op))
      b.clone(op, mapping);
  }
  b.setInsertionPointToEnd(&function.getBody().front());
  func::ReturnOp::create(b, loc);
}

Value Outliner::slot(Value array, unsigned index) {
  return LLVM::GEPOp::create(b, loc, array.getType(), b.getI64Type(), array,
                             ArrayRef<LLVM::GEPArg>{int32_t(index)});
}

/// name(context, begin, end): the steps in [begin, end).
void Outliner::makeTask(const std::string &name) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfter(function);
  Type i64 = b.getI64Type(), pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {pointer, i64, i64});
  task = LLVM::LLVMFuncOp::create(b, loc, name, type, LLVM::Linkage::Internal);
  Block *entry = task.addEntryBlock(b);
  b.setInsertionPointToStart(entry);
  IRMapping mapping;
  for (auto [index, value] : llvm::enumerate(slots)) {
    bool isIndex = value.getType().isIndex();
    Value here = LLVM::LoadOp::create(b, loc, isIndex ? i64 : value.getType(),
                                      slot(entry->getArgument(0), index), /*alignment=*/8);
    if (isIndex)
      here = arith::IndexCastOp::create(b, loc, b.getIndexType(), here);
    mapping.map(value, here);
  }
  for (Value bound : {lower, upper, step})
    if (matchPattern(bound, m_Constant()) && !mapping.contains(bound))
      b.clone(*bound.getDefiningOp(), mapping);
  auto positionOf = [&](Value number) {
    Value steps = arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
    Value offset = arith::MulIOp::create(b, loc, steps, mapping.lookup(step));
    return b.createOrFold<arith::AddIOp>(loc, mapping.lookup(lower), offset);
  };
  SmallVector<Value> operands = {positionOf(entry->getArgument(1))};
  operands.push_back(
      arith::MinUIOp::create(b, loc, positionOf(entry->getArgument(2)), mapping.lookup(upper)));
  for (Value value : passed)
    operands.push_back(mapping.lookup(value));
  func::CallOp::create(b, loc, function, operands);
  LLVM::ReturnOp::create(b, loc, ValueRange());
}

void Outliner::storeSlots(Value array) {
  for (auto [index, value] : llvm::enumerate(slots)) {
    Value stored = value;
    if (value.getType().isIndex())
      stored = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
    LLVM::StoreOp::create(b, loc, stored, slot(array, index), /*alignment=*/8);
  }
}

void Outliner::callDirectly() {
  SmallVector<Value> operands = {lower, upper};
  llvm::append_range(operands, passed);
  func::CallOp::create(b, loc, function, operands);
}

void Outliner::callInParallel(Value array, StringRef callee) {
  makeTask((function.getName() + ".task").str());
  // The task is the only caller.
  function->setAttr("passthrough", b.getStrArrayAttr({"alwaysinline"}));
  storeSlots(array);
  Value extent = b.createOrFold<arith::SubIOp>(loc, upper, lower);
  Value count = arith::IndexCastOp::create(b, loc, b.getI64Type(), divideUp(b, loc, extent, step));
  Value address = LLVM::AddressOfOp::create(b, loc, task);
  LLVM::CallOp::create(b, loc, TypeRange(), callee, ValueRange{count, address, array});
}

void Outliner::outline(const std::string &name, Value context) {
  makeFunction(name);
  Value extent = b.createOrFold<arith::SubIOp>(loc, upper, lower);
  std::optional<int64_t> knownExtent = getConstantIntValue(extent),
                         knownStep = getConstantIntValue(step);
  if (!knownExtent || !knownStep)
    callInParallel(context, kRun);
  else if (*knownExtent > *knownStep)
    callInParallel(context, kParallelFor);
  else
    callDirectly();
  loop.erase();
}

/// A function of `module`, (int64_t count, void (*body)(void *, int64_t, int64_t), void *context).
LLVM::LLVMFuncOp defineForTasks(ModuleOp module, StringRef name, LLVM::Linkage linkage) {
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(module.getContext()),
                                          {b.getI64Type(), pointer, pointer});
  auto definition = LLVM::LLVMFuncOp::create(b, module.getLoc(), name, type, linkage);
  definition.setNoUnwind(true);
  definition.addEntryBlock(b);
  return definition;
}

/// body(context, 0, count)
void callBody(OpBuilder &b, LLVM::LLVMFuncOp function) {
  Location loc = function.getLoc();
  Value count = function.getArgument(0), body = function.getArgument(1),
        context = function.getArgument(2);
  Value zero = LLVM::ConstantOp::create(b, loc, count.getType(), 0);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                          {context.getType(), count.getType(), count.getType()});
  LLVM::CallOp::create(b, loc, type, ValueRange{body, context, zero, count});
  LLVM::ReturnOp::create(b, loc, ValueRange());
}

/// nnc_parallel_for, for a program that has no other: all on the calling thread.
void defineParallelFor(ModuleOp module) {
  LLVM::LLVMFuncOp function = defineForTasks(module, kParallelFor, LLVM::Linkage::Weak);
  OpBuilder b = OpBuilder::atBlockBegin(&function.getBody().front());
  callBody(b, function);
}

/// run_task: nnc_parallel_for where there are several steps.
void defineRun(ModuleOp module) {
  LLVM::LLVMFuncOp function = defineForTasks(module, kRun, LLVM::Linkage::Internal);
  Location loc = function.getLoc();
  OpBuilder b = OpBuilder::atBlockBegin(&function.getBody().front());
  Value one = LLVM::ConstantOp::create(b, loc, b.getI64Type(), 1);
  Value several =
      LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ugt, function.getArgument(0), one);
  Block *parallel = b.createBlock(&function.getBody()), *alone = b.createBlock(&function.getBody());
  b.setInsertionPointToEnd(&function.getBody().front());
  LLVM::CondBrOp::create(b, loc, several, parallel, alone);
  b.setInsertionPointToStart(parallel);
  LLVM::CallOp::create(b, loc, TypeRange(), kParallelFor, function.getArguments());
  LLVM::ReturnOp::create(b, loc, ValueRange());
  b.setInsertionPointToStart(alone);
  callBody(b, function);
}

class Parallelize : public impl::ParallelizePassBase<Parallelize> {
  void runOnOperation() override {
    bool isParallel = false;
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      isParallel |= parallelize(function);
    if (!isParallel)
      return;
    defineParallelFor(getOperation());
    defineRun(getOperation());
  }

  bool parallelize(func::FuncOp function) {
    SmallVector<Outliner> outliners;
    function.walk<WalkOrder::PreOrder>([&](scf::ParallelOp loop) {
      Outliner outliner(loop, function);
      if (outliner.canOutline())
        outliners.push_back(outliner);
      return WalkResult::skip();
    });
    if (outliners.empty())
      return false;
    // One array serves the loops, which run one after the other.
    unsigned numSlots = 1;
    for (const Outliner &outliner : outliners)
      numSlots = std::max(numSlots, outliner.numSlots());
    OpBuilder b = OpBuilder::atBlockBegin(&function.getBody().front());
    Location loc = function.getLoc();
    Value size = LLVM::ConstantOp::create(b, loc, b.getI64Type(), numSlots);
    Value context = LLVM::AllocaOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()),
                                           b.getI64Type(), size, /*alignment=*/8);
    StringRef stem = function.getName();
    stem.consume_back(".body");
    for (auto [number, outliner] : llvm::enumerate(outliners))
      outliner.outline((stem + ".loop" + Twine(number)).str(), context);
    return true;
  }
};

} // namespace
} // namespace nnc
