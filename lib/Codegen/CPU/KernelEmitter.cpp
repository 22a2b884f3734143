//===- KernelEmitter.cpp - The loops around a tile ------------------------===//
#include "KernelEmitter.h"
#include "KernelParts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace nnc {

void KernelEmitter::run(int64_t grain) {
  SmallVector<unsigned> outer;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) {
    index[dim] = begins[dim] = constant(0);
    ends[dim] = extent(dim);
    if (!isReduction(dim) && plan.vectorDim != dim && plan.rowDim != dim)
      outer.push_back(dim);
  }
  for (OpOperand &operand : op->getOpOperands())
    buffer(operand);
  OpBuilder::InsertionGuard guard(b);
  Value rows = plan.rowDim ? ends[*plan.rowDim] : Value();
  std::optional<KernelPart> part = emitParts(b, loc, plan, ends, grain);
  if (part) {
    begins[*plan.partDim] = part->begin;
    ends[*plan.partDim] = part->end;
  }
  if (plan.matrix)
    setUpMatrix(rows, part.has_value());
  emitOuterReductions(plan.outerReductions, outer);
  if (plan.matrix)
    callMatrix("tilerelease");
}

void KernelEmitter::emitOuterReductions(ArrayRef<unsigned> dims, ArrayRef<unsigned> parallelDims) {
  if (dims.empty()) {
    outerDepth = open.size();
    return emitParallel(parallelDims);
  }
  unsigned dim = dims.front();
  int64_t step = dims.size() == 1 ? plan.reductionBlock : 1;
  Value begin = begins[dim], end = ends[dim], last = lastTrip;
  forLoop(dim, begin, end, step, {}, [&](const Values &) {
    Value next = add(index[dim], constant(step));
    if (step > 1) {
      begins[dim] = index[dim];
      next = ends[dim] = arith::MinUIOp::create(b, loc, next, end);
    }
    if (hasEpilogue(op)) {
      Value isLast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, next, end);
      lastTrip = last ? arith::AndIOp::create(b, loc, last, isLast).getResult() : isLast;
    }
    emitOuterReductions(dims.drop_front(), parallelDims);
    return Values();
  });
  begins[dim] = begin;
  ends[dim] = end;
  lastTrip = last;
}

void KernelEmitter::emitParallel(ArrayRef<unsigned> dims) {
  if (!dims.empty()) {
    unsigned dim = dims.front(), step = plan.blockDim == dim ? plan.blocks : 1;
    steps(dim, begins[dim], step, [&] { emitParallel(dims.drop_front()); });
    return;
  }
  // Columns outside: the vectors that all rows share stay near.
  emitColumns([&](unsigned columns) {
    emitRows([&](unsigned rows) { emitTile({rows * plan.blocks, columns}); });
  });
}

void KernelEmitter::emitRows(function_ref<void(unsigned)> body) {
  if (!plan.rowDim)
    return body(1);
  if (plan.matrix) // The last rows are computed with some before them.
    return void(forLoop(*plan.rowDim, begins[*plan.rowDim], ends[*plan.rowDim], plan.rows, {},
                        [&](const Values &) {
                          body(plan.rows);
                          return Values();
                        }));
  Value next = begins[*plan.rowDim];
  int64_t size = sizes[*plan.rowDim];
  bool isKnown = !ShapedType::isDynamic(size);
  SmallVector<unsigned> tiles = {plan.rows};
  if (isKnown && size % plan.rows)
    tiles.push_back(plan.turnsInputs ? 1 : size % plan.rows);
  if (!isKnown && plan.rows > 4 && !plan.turnsInputs)
    tiles.push_back(4);
  if (!isKnown && plan.rows > 1)
    tiles.push_back(1);
  for (unsigned rows : tiles)
    next = steps(*plan.rowDim, next, rows, [&] { body(rows); });
  index[*plan.rowDim] = constant(0);
}

void KernelEmitter::emitColumns(function_ref<void(unsigned)> body) {
  if (!plan.vectorDim || plan.reducesLanes)
    return body(plan.columns);
  unsigned dim = *plan.vectorDim;
  Value next = begins[dim];
  bool isKnown = !ShapedType::isDynamic(sizes[dim]);
  int64_t width = int64_t(plan.columns) * plan.lanes;
  unsigned whole = isKnown ? sizes[dim] % width / plan.lanes : plan.columns > 1;
  // The last vector, if it is a partial one, goes with those before it.
  bool joins = isKnown && plan.masksRest && sizes[dim] % plan.lanes != 0;
  SmallVector<unsigned> tiles = {plan.columns};
  if (whole != 0 && !joins)
    tiles.push_back(whole);
  for (unsigned columns : tiles)
    next = steps(dim, next, int64_t(columns) * plan.lanes, [&] { body(columns); });
  emitRest(dim, next, joins ? whole : 0, [&] { body(joins ? whole + 1 : 1); });
  index[dim] = constant(0);
}

Value KernelEmitter::steps(unsigned dim, Value from, int64_t step, function_ref<void()> body) {
  Value end = ends[dim];
  std::optional<int64_t> staticFrom = getConstantIntValue(from),
                         staticEnd = getConstantIntValue(end);
  Value to = end;
  if (staticFrom && staticEnd) {
    int64_t trips = (*staticEnd - *staticFrom) / step;
    to = constant(*staticFrom + trips * step);
    if (trips == 1) {
      index[dim] = from;
      body();
    }
    if (trips <= 1)
      return to;
  } else if (step != 1) {
    Value left = arith::SubIOp::create(b, loc, end, from);
    Value rest = arith::RemUIOp::create(b, loc, left, constant(step));
    to = arith::SubIOp::create(b, loc, end, rest);
  }
  forLoop(dim, from, to, step, {}, [&](const Values &) {
    body();
    return Values();
  });
  return to;
}

/// The last, partial vector, after `whole` others of its tile, which runs once or not at all; narrower ones where
/// nothing can be masked.
void KernelEmitter::emitRest(unsigned dim, Value from, int64_t whole, function_ref<void()> body) {
  if (!plan.masksRest) {
    for (lanes = plan.lanes / 2; lanes > 0; lanes /= 2)
      from = steps(dim, from, lanes, body);
    lanes = plan.lanes;
    return;
  }
  std::optional<int64_t> staticFrom = getConstantIntValue(from);
  std::optional<int64_t> staticEnd = getConstantIntValue(ends[dim]);
  if (plan.lanes == 1 || (!ShapedType::isDynamic(sizes[dim]) && sizes[dim] % plan.lanes == 0))
    return;
  auto masked = [&] {
    Value left = staticFrom && staticEnd ? constant(*staticEnd - *staticFrom)
                                         : arith::SubIOp::create(b, loc, ends[dim], index[dim]);
    maskAfter(subtract(left, constant(whole * plan.lanes)), whole);
    body();
    mask = Value();
  };
  if (staticFrom && staticEnd) {
    index[dim] = from;
    return masked();
  }
  forLoop(dim, from, ends[dim], (whole + 1) * plan.lanes, {}, [&](const Values &) {
    masked();
    return Values();
  });
}

SmallVector<Value> KernelEmitter::forLoop(unsigned dim, Value from, Value to, int64_t step,
                                          Values carried,
                                          function_ref<Values(const Values &)> body) {
  auto loop = scf::ForOp::create(b, loc, from, to, constant(step), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value outerIndex = std::exchange(index[dim], loop.getInductionVar());
  open.push_back({dim, loop});
  loads.emplace_back();
  Values results = body(llvm::to_vector_of<Value>(loop.getRegionIterArgs()));
  if (!carried.empty())
    scf::YieldOp::create(b, loc, results);
  loads.pop_back();
  open.pop_back();
  index[dim] = outerIndex;
  return llvm::to_vector_of<Value>(loop.getResults());
}

void emitKernel(OpBuilder &builder, linalg::GenericOp op, const KernelPlan &plan,
                ArrayRef<Value> initial, int64_t grain) {
  KernelEmitter(builder, op, plan, initial).run(grain);
}

} // namespace nnc
