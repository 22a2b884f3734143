//===- Einsum.cpp - Sums of products by an equation -----------------------===//
//
// Reads the equation and gives each axis its letter; an ellipsis gets letters that the equation does
// not use, the same for axes that line up from the right.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Einsum.h"
#include "nnc/IR/Inference.h"

#include "llvm/ADT/StringExtras.h"

#include <fmt/format.h>

using namespace mlir;
using namespace nnc::nn;

namespace nnc {
namespace {

constexpr char ellipsis = '.';

class Reader {
public:
  Reader(StringRef text, TypeRange operandTypes, std::string &message)
      : equation(text), types(operandTypes), problem(message) {}

  std::optional<Einsum> read();

private:
  std::nullopt_t fail(const std::string &text) {
    problem = "'einsum' expects " + text;
    return std::nullopt;
  }
  std::optional<std::string> readLabels(StringRef text);
  std::string impliedResult(ArrayRef<std::string> terms);
  bool nameEllipses(ArrayRef<std::string> terms);
  /// `term` with the last `count` letters of the ellipsis in its place.
  std::string expand(StringRef term, size_t count) {
    auto [before, after] = term.split(ellipsis);
    return before.str() + StringRef(hidden).take_back(count).str() + after.str();
  }
  bool takeSizes(Einsum &einsum);

  StringRef equation;
  TypeRange types;
  std::string &problem;
  /// Letters of the axes that `...` stands for.
  std::string hidden;
};

/// Letters, with one '.' for an ellipsis.
std::optional<std::string> Reader::readLabels(StringRef text) {
  std::string labels;
  while (!text.empty()) {
    if (text.consume_front("...")) {
      if (StringRef(labels).contains(ellipsis))
        return fail(fmt::format("'...' once for each operand, found \"{}\"", equation.str()));
      labels += ellipsis;
    } else if (llvm::isAlpha(text.front())) {
      labels += text.front();
      text = text.drop_front();
    } else if (llvm::isSpace(text.front())) {
      text = text.drop_front();
    } else {
      return fail(
          fmt::format("letters, ',', '...' and one '->' in its equation, found '{}' in \"{}\"",
                      text.front(), equation.str()));
    }
  }
  return labels;
}

/// NumPy's rule: the letters that stand once, sorted, behind the ellipsis.
std::string Reader::impliedResult(ArrayRef<std::string> terms) {
  std::string all = llvm::join(terms, ""), result;
  for (char label : all)
    if (label != ellipsis && llvm::count(all, label) == 1)
      result += label;
  llvm::sort(result);
  return (StringRef(all).contains(ellipsis) ? "." : "") + result;
}

/// Checks ranks and finds letters for the longest ellipsis.
bool Reader::nameEllipses(ArrayRef<std::string> terms) {
  size_t longest = 0;
  for (auto [term, type] : llvm::zip_equal(terms, types)) {
    size_t rank = cast<RankedTensorType>(type).getRank();
    bool isOpen = StringRef(term).contains(ellipsis);
    size_t named = term.size() - isOpen;
    if (isOpen ? rank < named : rank != named) {
      fail(fmt::format("a tensor of {} {}{} for \"{}\" in \"{}\", found {}", named,
                       named == 1 ? "axis" : "axes", isOpen ? " or more" : "",
                       fmt::join(llvm::split(term, ellipsis), "..."), equation.str(),
                       typeToString(type)));
      return false;
    }
    longest = std::max(longest, rank - named);
  }
  for (char label : StringRef("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
    if (hidden.size() < longest && !equation.contains(label))
      hidden += label;
  if (hidden.size() == longest)
    return true;
  fail(fmt::format("52 axes or fewer, found \"{}\"", equation.str()));
  return false;
}

/// Sizes of one letter are equal, or one, which repeats.
bool Reader::takeSizes(Einsum &einsum) {
  for (auto [labels, type] : llvm::zip_equal(einsum.operands, types))
    for (auto [label, size] : llvm::zip_equal(labels, getShape(type))) {
      auto [known, isNew] = einsum.sizes.emplace(label, size);
      if (isNew || known->second == size || size == Dim(1))
        continue;
      if (known->second != Dim(1)) {
        fail(fmt::format("one size for {} in \"{}\", found {} and {}",
                         StringRef(hidden).contains(label) ? "each axis of '...'"
                                                           : fmt::format("'{}'", label),
                         equation.str(), known->second.str(), size.str()));
        return false;
      }
      known->second = size;
    }
  for (char label : einsum.result)
    if (!einsum.sizes.count(label)) {
      fail(fmt::format("letters of the result that an operand has, found '{}' in \"{}\"", label,
                       equation.str()));
      return false;
    }
  return true;
}

std::optional<Einsum> Reader::read() {
  auto [left, right] = equation.split("->");
  bool hasArrow = left.size() != equation.size();
  SmallVector<StringRef> parts;
  left.split(parts, ',');
  SmallVector<std::string> terms;
  for (StringRef part : parts) {
    std::optional<std::string> labels = readLabels(part);
    if (!labels)
      return std::nullopt;
    terms.push_back(*labels);
  }
  std::optional<std::string> result = hasArrow ? readLabels(right) : impliedResult(terms);
  if (!result)
    return std::nullopt;
  if (terms.size() != types.size())
    return fail(fmt::format("{} operand{} for \"{}\", found {}", terms.size(),
                            terms.size() == 1 ? "" : "s", equation.str(), types.size()));
  if (!nameEllipses(terms))
    return std::nullopt;
  Einsum einsum;
  for (auto [term, type] : llvm::zip_equal(terms, types)) {
    bool isOpen = StringRef(term).contains(ellipsis);
    size_t rank = cast<RankedTensorType>(type).getRank();
    einsum.operands.push_back(isOpen ? expand(term, rank - (term.size() - 1)) : term);
  }
  einsum.result = StringRef(*result).contains(ellipsis) ? expand(*result, hidden.size()) : *result;
  return takeSizes(einsum) ? std::optional(einsum) : std::nullopt;
}

} // namespace

std::optional<Einsum> readEinsum(StringRef equation, TypeRange types, std::string &problem) {
  return Reader(equation, types, problem).read();
}

Einsum readEinsum(EinsumOp op) {
  std::string problem;
  return *readEinsum(op.getEquation(), op.getInputs().getTypes(), problem);
}

std::string distinctLabels(StringRef labels) {
  std::string result;
  for (char label : labels)
    if (!StringRef(result).contains(label))
      result += label;
  return result;
}

LogicalResult EinsumOp::inferReturnTypes(MLIRContext *, OptionalLoc loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  ValueRange inputs = adaptor.getInputs();
  if (inputs.empty())
    return emitOptionalError(loc, "'einsum' expects a tensor or more for \"", adaptor.getEquation(),
                             "\", found none");
  if (failed(checkKind(loc, "einsum", inputs.front(), OperandKind::Number)) ||
      failed(checkSameElementType(loc, "einsum", inputs)))
    return failure();
  std::string problem;
  std::optional<Einsum> einsum = readEinsum(adaptor.getEquation(), inputs.getTypes(), problem);
  if (!einsum)
    return emitOptionalError(loc, problem);
  Shape shape;
  for (char label : einsum->result)
    shape.push_back(einsum->sizes.at(label));
  types.push_back(makeTensorType(shape, getElementType(inputs.front())));
  return success();
}

} // namespace nnc
