//===- Requirements.cpp - What sizes a function works for -----------------===//
//
// A part lies within its tensor: 0 <= start <= stop <= size along each axis. An axis that indices
// choose from has an element to choose. A window fits into what it slides over.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Requirements.h"

#include "nnc/IR/Window.h"

#include <fmt/format.h>

using namespace mlir;

namespace nnc {
namespace {

class Collector {
public:
  void visit(Operation *op) {
    location = op->getLoc();
    if (auto slice = dyn_cast<nn::SliceOp>(op))
      requirePart(getShape(slice.getX()), slice.getStarts(), slice.getStops());
    else if (auto update = dyn_cast<nn::SliceUpdateOp>(op))
      requirePart(getShape(update.getX()), update.getStarts(), update.getStops());
    else if (auto gather = dyn_cast<nn::GatherOp>(op))
      requireElement(getShape(gather.getX()), gather.getAxis());
    else if (auto scatter = dyn_cast<nn::ScatterAddOp>(op))
      requireElement(getShape(scatter.getX()), scatter.getAxis());
    else if (auto convolution = dyn_cast<nn::ConvolutionOp>(op))
      requireRoom(getShape(convolution.getX()), getWindow(convolution));
    else if (auto windows = dyn_cast<nn::WindowsOp>(op))
      requireRoom(getShape(windows.getX()), getWindow(windows));
  }

  std::vector<Requirement> requirements;

private:
  void require(const Dim &value) {
    // Symbols are not negative, so neither is a sum of them.
    bool isCertain =
        llvm::all_of(value.getTerms(), [](const auto &term) { return term.second >= 0; });
    bool isKnown = llvm::any_of(
        requirements, [&](const Requirement &requirement) { return requirement.value == value; });
    if (!isCertain && !isKnown)
      requirements.push_back({value, *location});
  }

  void requirePart(const Shape &shape, const Shape &starts, const Shape &stops) {
    for (auto [size, start, stop] : llvm::zip_equal(shape, starts, stops)) {
      require(start);
      require(stop - start);
      require(size - stop);
    }
  }

  void requireElement(const Shape &shape, int64_t axis) {
    require(shape[axis < 0 ? axis + shape.size() : axis] - Dim(1));
  }

  /// A window fits into the last axes.
  void requireRoom(const Shape &shape, ArrayRef<WindowAxis> axes) {
    for (auto [size, axis] : llvm::zip_equal(ArrayRef(shape).take_back(axes.size()), axes))
      require(axis.room(size));
  }

  std::optional<Location> location;
};

} // namespace

std::string Requirement::str() const {
  Dim::Terms terms = value.getTerms();
  int64_t constant = terms.count({}) ? terms.at({}) : 0;
  Dim rest = value - Dim(constant);
  if (rest.getTerms().size() != 1)
    return fmt::format("{} >= 0", value.str());
  auto [atoms, factor] = *rest.getTerms().begin();
  if (factor > 0)
    return fmt::format("{} >= {}", rest.exactDiv(Dim(factor))->str(),
                       llvm::divideCeilSigned(-constant, factor));
  return fmt::format("{} <= {}", rest.exactDiv(Dim(factor))->str(),
                     llvm::divideFloorSigned(constant, -factor));
}

std::optional<std::string> Requirement::complaint(const std::map<std::string, Dim> &values) const {
  Dim known = value.substitute(values);
  if (!known.isConstant() || known.constant() >= 0)
    return std::nullopt;
  std::set<std::string> symbols;
  value.collectSymbols(symbols);
  std::vector<std::string> found;
  for (const std::string &symbol : symbols)
    if (auto entry = values.find(symbol); entry != values.end())
      found.push_back(fmt::format("{} = {}", symbol, entry->second.str()));
  return fmt::format("needs {}, found {}", str(), fmt::join(found, ", "));
}

std::vector<Requirement> collectRequirements(func::FuncOp function) {
  Collector collector;
  function.walk([&](Operation *op) { collector.visit(op); });
  return std::move(collector.requirements);
}

} // namespace nnc
