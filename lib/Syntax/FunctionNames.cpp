//===- FunctionNames.cpp - Names for the values of a function -------------===//
//
// First what is written inside other lines, then names: arguments, results, and the ops in order.
//
//===----------------------------------------------------------------------===//
#include "FunctionNames.h"

#include "Words.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace nnc {

static StringRef nameOf(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName();
  return {};
}

static StringRef nameOf(DictionaryAttr attributes) {
  auto name = attributes ? attributes.getAs<StringAttr>(nn::nameAttr) : StringAttr();
  return name ? name.getValue() : StringRef();
}

/// A word of the language from any text: "fc1.w" stays, "2x-y" becomes "_2x_y".
static std::string toIdentifier(StringRef text) {
  std::string name;
  for (char c : text)
    name += llvm::isAlnum(c) || c == '_' || (c == '.' && !name.empty()) ? c : '_';
  while (!name.empty() && name.back() == '.')
    name.pop_back();
  return !name.empty() && llvm::isDigit(name.front()) ? "_" + name : name;
}

FunctionNames::FunctionNames(func::FuncOp function) : function(function) {
  function.walk([&](Block *block) {
    for (Value argument : block->getArguments())
      reserveDims(argument);
    for (Operation &op : *block)
      for (Value result : op.getResults())
        reserveDims(result);
  });
  findInlined(function.getBody().front());
  nameArguments();
  nameResults();
  nameBlock(function.getBody().front());
}

void FunctionNames::reserveDims(Value value) {
  if (!isa<RankedTensorType>(value.getType()))
    return;
  for (const Dim &dim : getShape(value))
    dim.collectSymbols(used);
}

std::string FunctionNames::unique(StringRef wish) {
  std::string stem = toIdentifier(wish), name = stem;
  auto isTaken = [&] {
    return name.empty() || used.count(name) || words::isReserved(name) || name == "params" ||
           name == "training" || elementTypeFromString(function.getContext(), name);
  };
  for (unsigned count = 2; isTaken(); ++count)
    name = stem.empty() ? "t" + std::to_string(nextFresh++) : stem + "_" + std::to_string(count);
  used.insert(name);
  return name;
}

void FunctionNames::set(Value value, StringRef wish) {
  if (!names.count(value))
    names[value] = unique(wish);
}

//===----------------------------------------------------------------------===//
// What needs no line
//===----------------------------------------------------------------------===//

bool FunctionNames::isLiteral(Operation *op) const {
  return isa_and_present<nn::ConstantOp>(op) && getShape(op->getResult(0)).empty() &&
         !names.count(op->getResult(0));
}

static bool isScalarConstant(Value value) {
  return value.getDefiningOp<nn::ConstantOp>() && getShape(value).empty();
}

/// An op short enough to stand inside another: a transposition, a conversion, a sum or product with
/// a literal.
static bool isTrivial(Operation *op) {
  if (isa<nn::TransposeOp, nn::ExpandDimsOp, nn::CastOp, nn::NegOp>(op))
    return !isScalarConstant(op->getOperand(0));
  if (!isa<nn::AddOp, nn::SubOp, nn::MulOp, nn::DivOp>(op))
    return false;
  return isScalarConstant(op->getOperand(0)) != isScalarConstant(op->getOperand(1));
}

void FunctionNames::findInlined(Block &block) {
  for (Operation &op : block) {
    for (Region &region : op.getRegions())
      findInlined(region.front());
    if (!isTrivial(&op) || !nameOf(op.getLoc()).empty() || !op.hasOneUse())
      continue;
    Operation *user = *op.user_begin();
    bool isPlainUser = user->getBlock() == &block && user->getNumRegions() == 0 &&
                       isa<nn::NNDialect>(user->getDialect()) &&
                       !isa<nn::YieldOp, nn::GradOp>(user);
    bool isNested = llvm::any_of(op.getOperands(), [&](Value operand) {
      return operand.getDefiningOp() && inlined.contains(operand.getDefiningOp());
    });
    if (isPlainUser && !isNested)
      inlined.insert(&op);
  }
}

Operation *FunctionNames::lineOf(Operation *op) const {
  while (inlined.contains(op))
    op = *op->user_begin();
  return op;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

void FunctionNames::nameArguments() {
  for (BlockArgument argument : function.getArguments()) {
    StringRef name = nameOf(function.getArgAttrDict(argument.getArgNumber()));
    set(argument, name.empty() ? nameOf(argument.getLoc()) : name);
  }
}

void FunctionNames::nameResults() {
  auto returnOp = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  assigned = returnOp.getNumOperands() > 0;
  for (auto [index, value] : llvm::enumerate(returnOp.getOperands())) {
    std::string name = toIdentifier(nameOf(function.getResultAttrDict(index)));
    bool isFree = !name.empty() && value.getDefiningOp() && !names.count(value);
    if (isFree && used.count(name)) // a parameter that the function changes
      name += ".next";
    if (isFree)
      set(value, name);
    assigned &= isFree && names[value] == nameOf(function.getResultAttrDict(index));
  }
}

void FunctionNames::nameBlock(Block &block) {
  for (Operation &op : block) {
    if (auto scan = dyn_cast<nn::ScanOp>(op)) {
      nameScan(scan);
      continue;
    }
    bool hasLine = !isInlined(&op) && !isLiteral(&op);
    for (Value result : op.getResults())
      if (hasLine)
        set(result, op.getNumResults() == 1 ? nameOf(op.getLoc()) : StringRef());
  }
}

/// A carried value has one name, inside and after; a collected one is named after what it collects.
void FunctionNames::nameScan(nn::ScanOp scan) {
  unsigned numCarried = scan.getNumCarried();
  for (unsigned index = 0; index < numCarried; ++index) {
    BlockArgument argument = scan.getCarriedArguments()[index];
    set(scan.getResult(index), nameOf(argument.getLoc()));
    names[argument] = std::string(of(scan.getResult(index)));
  }
  set(scan.getIndex(),
      nameOf(scan.getIndex().getLoc()).empty() ? "i" : nameOf(scan.getIndex().getLoc()));
  for (auto [argument, sequence] : llvm::zip(scan.getSliceArguments(), scan.getSequences())) {
    StringRef name = nameOf(argument.getLoc());
    auto known = names.find(sequence);
    set(argument, !name.empty() || known == names.end() ? name.str() : known->second + "_i");
  }
  nn::YieldOp yield = scan.getYield();
  for (unsigned index = 0; index < numCarried; ++index)
    if (canRename(scan, index)) {
      Value yielded = yield.getOperand(index);
      names[yielded] = std::string(of(scan.getResult(index)));
      renamed.insert(yielded);
    }
  nameBlock(scan.getBody().front());
  for (unsigned index = numCarried; index < scan.getNumResults(); ++index) {
    auto known = names.find(yield.getOperand(index));
    set(scan.getResult(index), known == names.end() ? "" : known->second + "_all");
  }
}

/// Whether the op that computes the next carried value may assign it there and then: nothing after
/// it reads the old one.
bool FunctionNames::canRename(nn::ScanOp scan, unsigned carried) const {
  BlockArgument argument = scan.getCarriedArguments()[carried];
  Value yielded = scan.getYield().getOperand(carried);
  Operation *op = yielded.getDefiningOp();
  if (!op || op->getBlock() != argument.getOwner() || op->getNumResults() != 1 ||
      !yielded.hasOneUse() || names.count(yielded) || isLiteral(op))
    return false;
  return llvm::all_of(argument.getUsers(), [&](Operation *user) {
    Operation *line = lineOf(argument.getOwner()->findAncestorOpInBlock(*user));
    return line == op || line->isBeforeInBlock(op);
  });
}

} // namespace nnc
