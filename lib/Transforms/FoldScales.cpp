//===- FoldScales.cpp - Scales that follow a product, in its parameters ---===//
//
// Behind a product whose factor is a parameter, channels are often multiplied and shifted by numbers that are
// made of parameters, too: by a normalization with running statistics, a bias. If these come to a factor f and
// a shift t, vectors along one axis of the product, then
//
//   product(x, w) * f + t = product(x, w * f) + t
//
// where w * f is made of parameters alone.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Einsum.h"
#include "nnc/IR/Expression.h"
#include "nnc/IR/Remarks.h"
#include "nnc/IR/TypicalSize.h"
#include "nnc/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace nnc::nn;

namespace nnc {
#define GEN_PASS_DEF_FOLDSCALESPASS
#include "nnc/Transforms/Passes.h.inc"

namespace {

/// Parameters and states that the function does not update, and what is made of nothing else.
class ParameterValues {
public:
  explicit ParameterValues(func::FuncOp function) {
    DenseSet<Attribute> updated;
    for (unsigned index = 0; index < function.getNumResults(); ++index)
      updated.insert(function.getResultAttr(index, nameAttr));
    for (BlockArgument argument : function.getArguments()) {
      unsigned index = argument.getArgNumber();
      auto role = function.getArgAttrOfType<StringAttr>(index, roleAttr);
      Attribute name = function.getArgAttr(index, nameAttr);
      if (role && (role == "param" || role == "state") && !(name && updated.contains(name)))
        values.insert(argument);
    }
    for (Operation &op : function.getBody().front())
      if (isPure(&op) && op.getNumRegions() == 0 && containsAll(op.getOperands()))
        values.insert(op.result_begin(), op.result_end());
  }

  bool contains(Value value) const { return values.contains(value); }
  bool containsAll(ValueRange all) const {
    return llvm::all_of(all, [&](Value value) { return contains(value); });
  }

private:
  DenseSet<Value> values;
};

//===-- Products ----------------------------------------------------------===//

using Axes = SmallVector<std::optional<int64_t>>;

/// The parameter among the factors of a product.
struct Weight {
  OpOperand *operand = nullptr;
  /// For each axis of the product, the axis of the parameter that it is.
  Axes axes;
};

Weight findWeight(ConvolutionOp op, const ParameterValues &parameters) {
  if (!parameters.contains(op.getW()))
    return {};
  Weight weight{&op.getWMutable(), Axes(getShape(op.getY()).size())};
  weight.axes[1] = 0;
  return weight;
}

Weight findWeight(MatmulOp op, const ParameterValues &parameters) {
  OpOperand &left = op->getOpOperand(0), &right = op->getOpOperand(1);
  int64_t leftRank = getShape(left.get()).size(), rightRank = getShape(right.get()).size();
  Axes axes(getShape(op->getResult(0)).size());
  if (parameters.contains(right.get())) {
    if (rightRank > 1)
      axes.back() = rightRank - 1;
    return {&right, axes};
  }
  if (!parameters.contains(left.get()))
    return {};
  if (leftRank > 1)
    axes[axes.size() - (rightRank > 1 ? 2 : 1)] = leftRank - 2;
  return {&left, axes};
}

Weight findWeight(EinsumOp op, const ParameterValues &parameters) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!parameters.contains(operand.get()))
      continue;
    Einsum einsum = readEinsum(op);
    StringRef letters = einsum.operands[operand.getOperandNumber()];
    Shape shape = getShape(operand.get());
    Weight weight{&operand, {}};
    for (char letter : einsum.result) {
      size_t axis = letters.find(letter);
      bool isItsOwn = letters.count(letter) == 1 && shape[axis] == einsum.sizes.at(letter);
      weight.axes.push_back(isItsOwn ? std::optional<int64_t>(axis) : std::nullopt);
    }
    return weight;
  }
  return {};
}

/// Of a product that is made of something else, too; narrow parameters would lose digits.
Weight findWeight(Operation *op, const ParameterValues &parameters) {
  if (op->getNumResults() != 1 || parameters.contains(op->getResult(0)))
    return {};
  Weight weight = llvm::TypeSwitch<Operation *, Weight>(op)
                      .Case<ConvolutionOp, MatmulOp, EinsumOp>(
                          [&](auto product) { return findWeight(product, parameters); })
                      .Default(Weight());
  if (weight.operand) {
    Type type = getElementType(weight.operand->get());
    if (!type.isF32() && !type.isF64())
      return {};
  }
  return weight;
}

//===-- What follows ------------------------------------------------------===//

bool changesShape(Operation *op) { return isa<ReshapeOp, TransposeOp>(op); }

/// `value` without axes of size one.
Expr squeezed(Expr value) {
  Shape shape;
  llvm::copy_if(value.shape(), std::back_inserter(shape), [](Dim size) { return size != Dim(1); });
  return reshape(value, shape);
}

/// `vector` along `axis` of a tensor of this rank; a scalar is the same everywhere.
Expr along(Expr vector, int64_t axis, int64_t rank) {
  if (vector.rank() == 0)
    return vector;
  Shape shape(rank - axis, Dim(1));
  shape.front() = vector.shape().front();
  return reshape(vector, shape);
}

/// The operations behind a product that come to product * factor + shift, perhaps in another shape.
class Chain {
public:
  Chain(Operation *op, const Weight &parameter, const ParameterValues &known)
      : product(op), weight(parameter), parameters(known) {
    for (int64_t axis = 0; axis < int64_t(weight.axes.size()); ++axis)
      axes.push_back(axis);
    endAxes = axes;
    Operation *last = product;
    for (SmallVector<Operation *> next; last->getResult(0).hasOneUse();) {
      last = *last->user_begin();
      if (last->getBlock() != product->getBlock() || !take(last))
        break;
      next.push_back(last);
      if (changesShape(last))
        continue;
      steps.append(std::exchange(next, {}));
      endAxes = axes;
    }
  }

  bool hasScale() const {
    return llvm::any_of(steps, [](Operation *op) { return isa<MulOp, DivOp>(op); });
  }
  int64_t countWeights() const { return typicalElements(weight.operand->get()); }
  int64_t countResults() const { return typicalElements(product->getResult(0)); }
  /// Replaces the chain; what is left of it has no use.
  void fold(OpBuilder &builder);

private:
  static int64_t typicalElements(Value value) { return typicalSize(numElements(getShape(value))); }
  bool take(Operation *op);
  bool takeReshape(ReshapeOp op);
  bool takeTranspose(TransposeOp op);
  bool takeArithmetic(Operation *op);
  /// Which operand of a step goes on from the product.
  unsigned mainOperand(Operation *op) const { return parameters.contains(op->getOperand(0)); }

  Operation *product;
  Weight weight;
  const ParameterValues &parameters;
  SmallVector<Operation *> steps;
  /// The axis of the product that each axis of what has been taken is; and of the last step.
  Axes axes, endAxes;
  /// The axis of the product along which factor and shift go.
  std::optional<int64_t> channels;
};

bool Chain::take(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](ReshapeOp reshape) { return takeReshape(reshape); })
      .Case([&](TransposeOp transpose) { return takeTranspose(transpose); })
      .Case<AddOp, SubOp, MulOp, DivOp>([&](Operation *inner) { return takeArithmetic(inner); })
      .Default(false);
}

/// Axes of one size with as many elements in front of them are the same.
bool Chain::takeReshape(ReshapeOp op) {
  Shape from = getShape(op.getX()), to = getShape(op.getY());
  Axes kept(to.size());
  for (size_t source = 0; source < from.size(); ++source)
    for (size_t target = 0; target < to.size(); ++target)
      if (from[source] != Dim(1) && from[source] == to[target] &&
          numElements(ArrayRef(from).take_front(source)) ==
              numElements(ArrayRef(to).take_front(target)))
        kept[target] = axes[source];
  axes = kept;
  return !channels || llvm::is_contained(axes, channels);
}

bool Chain::takeTranspose(TransposeOp op) {
  int64_t rank = axes.size();
  Axes moved;
  for (int64_t axis = 0; axis < rank; ++axis)
    moved.push_back(axes[op.getPermutation() ? normalizedAxis((*op.getPermutation())[axis], rank)
                                             : rank - 1 - axis]);
  axes = moved;
  return true;
}

/// With numbers of parameters that go along the channels, or one for all.
bool Chain::takeArithmetic(Operation *op) {
  unsigned main = mainOperand(op);
  Value numbers = op->getOperand(1 - main);
  bool isTurned = main == 1 && isa<SubOp, DivOp>(op);
  if (!parameters.contains(numbers) || isTurned ||
      op->getOperand(main).getType() != op->getResult(0).getType())
    return false;
  Shape shape = getShape(numbers);
  for (auto [position, size] : llvm::enumerate(shape)) {
    if (size == Dim(1))
      continue;
    std::optional<int64_t> axis = axes[axes.size() - shape.size() + position];
    if (!axis || !weight.axes[*axis] || (channels && channels != axis))
      return false;
    channels = axis;
  }
  return true;
}

void Chain::fold(OpBuilder &builder) {
  Operation *last = steps.back();
  builder.setInsertionPoint(last);
  Place place{builder, getUnnamedLoc(last)};
  Expr factor, shift;
  for (Operation *op : steps) {
    if (changesShape(op))
      continue;
    Expr numbers = squeezed(place(op->getOperand(1 - mainOperand(op))));
    if (isa<AddOp>(op)) {
      shift = shift.value ? shift + numbers : numbers;
    } else if (isa<SubOp>(op)) {
      shift = shift.value ? shift - numbers : -numbers;
    } else {
      if (isa<DivOp>(op))
        numbers = scalar(numbers, 1) / numbers;
      factor = factor.value ? factor * numbers : numbers;
      shift = shift.value ? shift * numbers : shift;
    }
  }
  int64_t axis = channels ? *weight.axes[*channels] : 0;
  Expr w = place(weight.operand->get()), scaled = w * along(factor, axis, w.rank());
  Operation *next = builder.clone(*product);
  next->setOperand(weight.operand->getOperandNumber(), scaled.value);
  Value result = next->getResult(0);
  for (Operation *op : llvm::make_filter_range(steps, changesShape)) {
    next = builder.clone(*op);
    next->setOperand(0, result);
    result = next->getResult(0);
  }
  if (shift.value) {
    int64_t end = channels ? llvm::find(endAxes, channels) - endAxes.begin() : 0;
    result = (place(result) + along(shift, end, endAxes.size())).value;
  }
  result.getDefiningOp()->setLoc(last->getLoc());
  last->getResult(0).replaceAllUsesWith(result);
  for (Operation *op : llvm::reverse(steps))
    op->erase();
  product->erase();
}

/// Whether a function makes new parameters: what they are multiplied by would have to be taken back out.
bool isTraining(func::FuncOp function) {
  for (unsigned index = 0; index < function.getNumResults(); ++index)
    if (function.getResultAttrOfType<StringAttr>(index, roleAttr) ==
        StringAttr::get(function.getContext(), "param"))
      return true;
  return false;
}

struct FoldScalesPass : impl::FoldScalesPassBase<FoldScalesPass> {
  using FoldScalesPassBase::FoldScalesPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || isTraining(function))
      return;
    auto entry = function->getAttrOfType<StringAttr>(entryAttr);
    bool isFree = prepared && entry && entry == "forward";
    ParameterValues parameters(function);
    OpBuilder builder(&getContext());
    SmallVector<std::pair<Operation *, Weight>> products;
    for (Operation &op : function.getBody().front())
      if (Weight weight = findWeight(&op, parameters); weight.operand)
        products.push_back({&op, weight});
    for (auto &[op, weight] : products) {
      Chain chain(op, weight, parameters);
      if (!chain.hasScale())
        continue;
      // In each call the scaled parameter is written and read again; a result is spared an instruction.
      constexpr int64_t kResultsAWeight = 16;
      int64_t weights = chain.countWeights(), results = chain.countResults();
      if (!isFree && results < kResultsAWeight * weights) {
        remarkLeft(op->getLoc(), "fold-scales") << remark::add(
            "the parameter is not multiplied by the scales that follow: each call would do so, for "
            "{0} elements, and spare as much for {1} results",
            weights, results);
        continue;
      }
      remarkDone(op->getLoc(), "fold-scales") << remark::add(
          "the parameter is multiplied by the scales that follow, {0} elements instead of {1} "
          "results{2}",
          weights, results, isFree ? ", when it is prepared" : "");
      chain.fold(builder);
    }
  }
};

} // namespace
} // namespace nnc
