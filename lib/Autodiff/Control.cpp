//===- Control.cpp - The derivative of a loop -----------------------------===//
//
// The way back through a scan is a scan in the other direction. It needs the carried values as they
// were at the beginning of each iteration, so the scan on the way there is made to collect them:
//
//   c = scan(n, init = c0, over = x)  { c' = f(c, x, w) }       collects each c as well
//   d_c, d_w = scan(n, reversed, init = (d_c_final, 0), over = (c, x, d_collected)) {
//     f(c, x, w) again, then its derivative with respect to c, x and w
//     next d_c, d_w + what this iteration adds; collects d_x
//   }
//
// Values from outside that the body uses, here w, are inputs like the operands. What turns out not
// to be needed is removed by the canonicalization of scan.
//
//===----------------------------------------------------------------------===//
#include "Rule.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {

static bool isFloat(Value value) { return isa<FloatType>(getElementType(value)); }

static RankedTensorType stacked(const Dim &count, Value value) {
  Shape shape = getShape(value);
  shape.insert(shape.begin(), count);
  return makeTensorType(shape, getElementType(value));
}

/// Clones the ops of the body of `scan`, whose arguments `mapping` maps, without its yield.
static void cloneBody(OpBuilder &builder, ScanOp scan, IRMapping &mapping) {
  for (Operation &op : scan.getBody().front().without_terminator())
    builder.clone(op, mapping);
}

//===-- The way there -----------------------------------------------------===//

/// The collected result of `scan` that holds `carried` of each iteration, null if none does.
static Value findSaved(ScanOp scan, Value carried) {
  ValueRange collected = scan.getYield().getValues().drop_front(scan.getNumCarried());
  for (auto [index, value] : llvm::enumerate(collected))
    if (value == carried)
      return scan.getResult(scan.getNumCarried() + index);
  return {};
}

/// A scan like `scan` that collects the carried values of each iteration too; all uses move to it.
static ScanOp collectCarried(OpBuilder &builder, ScanOp scan) {
  SmallVector<Value> missing;
  SmallVector<Type> types(scan.getResultTypes());
  for (Value carried : scan.getCarriedArguments())
    if (!findSaved(scan, carried)) {
      missing.push_back(carried);
      types.push_back(stacked(scan.getCount(), carried));
    }
  if (missing.empty())
    return scan;

  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(scan);
  auto saving = ScanOp::create(builder, scan.getLoc(), scan.getCount(), scan.getReverse(),
                               scan.getInits(), scan.getSequences(), types);
  IRMapping mapping;
  for (auto [from, to] :
       llvm::zip_equal(scan.getBody().getArguments(), saving.getBody().getArguments())) {
    mapping.map(from, to);
    to.setLoc(from.getLoc());
  }
  builder.setInsertionPointToStart(&saving.getBody().front());
  cloneBody(builder, scan, mapping);
  SmallVector<Value> yielded(scan.getYield().getValues());
  yielded.append(missing);
  for (Value &value : yielded)
    value = mapping.lookupOrDefault(value);
  YieldOp::create(builder, scan.getLoc(), yielded);
  scan.replaceAllUsesWith(saving.getResults().take_front(scan.getNumResults()));
  return saving;
}

//===-- The way back ------------------------------------------------------===//

namespace {
class ScanGradient {
public:
  ScanGradient(OpBuilder &builder, ScanOp scan, ArrayRef<Value> inputs, ArrayRef<Value> cotangents,
               const llvm::SmallBitVector &needed)
      : builder(builder), scan(scan), place{builder, getUnnamedLoc(scan)}, inputs(inputs),
        cotangents(cotangents), needed(needed) {
    choose();
  }

  FailureOr<SmallVector<Value>> build() {
    SmallVector<Value> saved = save();
    ScanOp back = createScan(saved);
    if (failed(fillBody(back)))
      return failure();
    return gradientsFrom(back);
  }

private:
  /// What the backward scan carries, reads and collects.
  void choose() {
    for (unsigned index = 0; index < scan.getNumCarried(); ++index)
      if (isFloat(scan.getInits()[index]))
        carried.push_back(index);
    for (unsigned index = scan.getNumCarried(); index < scan.getNumResults(); ++index)
      if (cotangents[index] && isFloat(scan.getResult(index)))
        collected.push_back(index);
    for (unsigned index = 0; index < scan.getSequences().size(); ++index)
      if (needed[scan.getNumCarried() + index])
        sequences.push_back(index);
    for (unsigned index = scan->getNumOperands(); index < inputs.size(); ++index)
      if (needed[index])
        captures.push_back(index);
  }

  SmallVector<Value> save() {
    ScanOp saving = collectCarried(builder, scan);
    return llvm::map_to_vector(saving.getCarriedArguments(),
                               [&](BlockArgument argument) { return findSaved(saving, argument); });
  }

  Value zeros(Value like) { return zerosLike({&place, like}).value; }

  ScanOp createScan(ArrayRef<Value> saved) {
    SmallVector<Value> inits, over(saved);
    SmallVector<Type> types;
    for (unsigned index : carried)
      inits.push_back(cotangents[index] ? cotangents[index] : zeros(scan.getInits()[index]));
    for (unsigned index : captures)
      inits.push_back(zeros(inputs[index]));
    llvm::append_range(over, scan.getSequences());
    for (unsigned index : collected)
      over.push_back(cotangents[index]);
    llvm::append_range(types, ValueRange(inits).getTypes());
    for (unsigned index : sequences)
      types.push_back(scan.getSequences()[index].getType());
    return ScanOp::create(builder, place.loc, scan.getCount(), !scan.getReverse(), inits, over,
                          types);
  }

  /// The iteration again, then its derivative.
  LogicalResult fillBody(ScanOp back) {
    OpBuilder::InsertionGuard guard(builder);
    Block &block = back.getBody().front();
    builder.setInsertionPointToStart(&block);
    IRMapping mapping;
    mapping.map(scan.getIndex(), back.getIndex());
    // The slices are the carried values, then those of the sequences, then cotangents.
    ValueRange slices = back.getSliceArguments();
    for (auto [from, to] :
         llvm::zip(scan.getBody().getArguments().drop_front(), back.getSliceArguments())) {
      mapping.map(from, to);
      to.setLoc(from.getLoc());
    }
    nameArguments(back);
    cloneBody(builder, scan, mapping);

    auto yielded = [&](unsigned index) {
      return mapping.lookupOrDefault(scan.getYield().getValues()[index]);
    };
    SmallVector<Value> outputs, outputCotangents, wrt;
    for (auto [index, cotangent] : llvm::zip(carried, back.getCarriedArguments())) {
      outputs.push_back(yielded(index));
      outputCotangents.push_back(cotangent);
      wrt.push_back(mapping.lookup(scan.getCarriedArguments()[index]));
    }
    for (auto [index, cotangent] :
         llvm::zip(collected, slices.drop_front(scan->getNumOperands()))) {
      outputs.push_back(yielded(index));
      outputCotangents.push_back(cotangent);
    }
    for (unsigned index : captures)
      wrt.push_back(inputs[index]);
    for (unsigned index : sequences)
      wrt.push_back(mapping.lookup(scan.getSliceArguments()[index]));
    FailureOr<SmallVector<Value>> gradients =
        differentiateBlock(builder, place.loc, outputs, outputCotangents, wrt);
    if (failed(gradients))
      return failure();
    yield(back, wrt, *gradients);
    eraseUnusedOps(back.getBody());
    return success();
  }

  /// Next cotangents of the carried values, sums for the captured ones, slices for the sequences.
  void yield(ScanOp back, ArrayRef<Value> wrt, MutableArrayRef<Value> gradients) {
    ValueRange sums = back.getCarriedArguments().drop_front(carried.size());
    for (auto [index, gradient] : llvm::enumerate(gradients)) {
      bool isCapture = index >= carried.size() && index < back.getNumCarried();
      Value sum = isCapture ? sums[index - carried.size()] : Value();
      if (isCapture)
        gradient = gradient ? create<AddOp>(builder, place.loc, {sum, gradient}) : sum;
      else if (!gradient)
        gradient = zeros(wrt[index]);
    }
    YieldOp::create(builder, place.loc, gradients);
  }

  void nameArguments(ScanOp back) {
    auto name = [&](Value argument, Value value) {
      StringRef text = getValueName(value);
      argument.setLoc(text.empty() ? place.loc
                                   : NameLoc::get(builder.getStringAttr("d_" + text), place.loc));
    };
    auto sums = back.getCarriedArguments();
    for (auto [position, index] : llvm::enumerate(carried))
      name(sums[position], scan.getCarriedArguments()[index]);
    for (auto [position, index] : llvm::enumerate(captures))
      name(sums[carried.size() + position], inputs[index]);
    auto slices = back.getSliceArguments().drop_front(scan->getNumOperands());
    for (auto [position, index] : llvm::enumerate(collected))
      name(slices[position], scan.getYield().getValues()[index]);
  }

  SmallVector<Value> gradientsFrom(ScanOp back) {
    SmallVector<Value> gradients(inputs.size());
    unsigned next = 0;
    for (unsigned index : carried)
      gradients[index] = back.getResult(next++);
    for (unsigned index : captures)
      gradients[index] = back.getResult(next++);
    for (unsigned index : sequences)
      gradients[scan.getNumCarried() + index] = back.getResult(next++);
    return gradients;
  }

  OpBuilder &builder;
  ScanOp scan;
  Place place;
  ArrayRef<Value> inputs, cotangents;
  const llvm::SmallBitVector &needed;
  /// Indices of carried values and of collected results with a cotangent; of sequences; of inputs.
  SmallVector<unsigned> carried, collected, sequences, captures;
};

struct ScanModel : GradientOpInterface::ExternalModel<ScanModel, ScanOp> {
  // Replaces the interface's default, as models do.
  // NOLINTNEXTLINE(bugprone-derived-method-shadowing-base-method)
  SmallVector<Value> getGradientInputs(Operation *op) const {
    SmallVector<Value> inputs(op->getOperands());
    SetVector<Value> captures;
    getUsedValuesDefinedAbove(op->getRegions(), captures);
    llvm::append_range(inputs, captures);
    return inputs;
  }

  FailureOr<SmallVector<Value>> buildGradients(Operation *op, OpBuilder &builder,
                                               ArrayRef<Value> cotangents,
                                               const llvm::SmallBitVector &needed) const {
    SmallVector<Value> inputs = getGradientInputs(op);
    return ScanGradient(builder, mlir::cast<ScanOp>(op), inputs, cotangents, needed).build();
  }
};
} // namespace

void registerControlGradients(MLIRContext *context) {
  ScanOp::attachInterface<ScanModel>(*context);
}

} // namespace nnc
