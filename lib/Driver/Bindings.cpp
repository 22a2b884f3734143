//===- Bindings.cpp - Values for symbolic dimensions ----------------------===//
//
// Shapes live in tensor types and in the attributes that hold dimensions; both are rewritten.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Bindings.h"

#include "nnc/Driver/Locations.h"
#include "nnc/IR/NN.h"
#include "nnc/IR/OpTable.h"
#include "nnc/IR/Requirements.h"

#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;

namespace nnc {

namespace {
class Binder {
public:
  explicit Binder(const std::map<std::string, int64_t> &bindings) {
    for (const auto &[symbol, value] : bindings)
      values.emplace(symbol, Dim(value));
  }

  void run(ModuleOp module) {
    AttrTypeReplacer replacer;
    replacer.addReplacement(
        [&](RankedTensorType type) -> std::optional<std::pair<Type, WalkResult>> {
          if (!type.getEncoding())
            return std::nullopt;
          return std::make_pair(Type(makeTensorType(bind(getShape(type)), type.getElementType())),
                                WalkResult::skip());
        });
    module.walk([&](Operation *op) {
      bindAttributes(op);
      replacer.replaceElementsIn(op, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                 /*replaceTypes=*/true);
    });
  }

  std::set<std::string> seen;

private:
  Shape bind(ArrayRef<Dim> shape) {
    Shape result;
    for (const Dim &dim : shape) {
      dim.collectSymbols(seen);
      result.push_back(dim.substitute(values));
    }
    return result;
  }

  void bindAttributes(Operation *op) {
    const OpInfo *info = isa_and_nonnull<nn::NNDialect>(op->getDialect())
                             ? lookupOp(op->getName().stripDialect())
                             : nullptr;
    if (!info)
      return;
    for (const AttributeInfo &attribute : info->attributes) {
      Attribute value = op->getAttr(attribute.name);
      if (attribute.kind == AttributeKind::Shape && value)
        op->setAttr(attribute.name,
                    toAttr(op->getContext(), bind(shapeFromAttr(cast<ArrayAttr>(value)))));
      else if (attribute.kind == AttributeKind::Dimension && value)
        op->setAttr(attribute.name, toAttr(op->getContext(), bind({*dimFromAttr(value)})[0]));
    }
  }

  std::map<std::string, Dim> values;
};
} // namespace

/// Whether the sizes are such that each function works.
static bool checkRequirements(ModuleOp module, const std::map<std::string, int64_t> &bindings,
                              DiagnosticEngine &diagnostics) {
  std::map<std::string, Dim> values(bindings.begin(), bindings.end());
  bool areMet = true;
  for (auto function : module.getOps<func::FuncOp>())
    for (const Requirement &requirement : collectRequirements(function))
      if (std::optional<std::string> complaint = requirement.complaint(values)) {
        diagnostics.error(rangeOf(requirement.location, diagnostics), "this " + *complaint);
        areMet = false;
      }
  return areMet;
}

bool bindSymbols(ModuleOp module, const std::map<std::string, int64_t> &bindings,
                 DiagnosticEngine &diagnostics) {
  if (bindings.empty())
    return true;
  if (!checkRequirements(module, bindings, diagnostics))
    return false;
  Binder binder(bindings);
  binder.run(module);
  bool allFound = true;
  for (const auto &[symbol, value] : bindings)
    if (!binder.seen.count(symbol)) {
      std::vector<std::string> names(binder.seen.begin(), binder.seen.end());
      nnc::Diagnostic &diagnostic = diagnostics.error(
          "--bind " + symbol + "=" + std::to_string(value) + ": no dimension has this name");
      if (std::optional<std::string> meant = closestMatch(symbol, names))
        diagnostic.didYouMean(meant);
      else
        diagnostic.help(names.empty() ? "all sizes are given in the file"
                                      : "the dimensions are " + llvm::join(names, ", "));
      allFound = false;
    }
  return allFound;
}

} // namespace nnc
