//===- Plots.cpp - The plots of a test declaration ------------------------===//
//
// A plot is a call of its kind. Its tensors become results of the test's function; what is known now,
// such as a colour map or the names of bars, stands in the plan. PicturePlots.cpp has the pictures.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

using namespace mlir;

namespace nnc {

/// The names of a plot's positional arguments, and how many of them it needs.
struct PlotKind {
  std::vector<std::string> arguments;
  size_t numRequired;
};
static const std::map<std::string, PlotKind> &plotKinds() {
  static const std::map<std::string, PlotKind> kinds = {
      {"scatter", {{"x", "y", "class"}, 2}},
      {"line", {{"y"}, 1}},
      {"compare", {{"truth", "prediction", "at"}, 2}},
  };
  return kinds;
}

std::optional<Value> Elaborator::addPlotArgument(PlotPlan &plot, const std::string &name,
                                                 const ast::Expr &expr) {
  std::optional<Value> value = evaluateTensor(expr);
  if (!value)
    return std::nullopt;
  if (llvm::is_contained(plot.arguments, name)) {
    error(expr.range, fmt::format("argument '{}' is given twice", name));
    return std::nullopt;
  }
  plot.arguments.push_back(name);
  addResult(fmt::format("plot.{}.{}", plot.name, name), "plot", *value);
  return value;
}

bool Elaborator::elaboratePlot(const ast::DeclareStmt &stmt, TestPlan &plan) {
  const auto *call = stmt.value ? ast::dynCast<ast::CallExpr>(stmt.value.get()) : nullptr;
  bool isImage = call && call->callee == "image", isBar = call && call->callee == "bar";
  if (!call || (!isImage && !isBar && !plotKinds().count(call->callee))) {
    error(
        stmt.value ? stmt.value->range : stmt.range,
        "expected a plot: scatter(x, y, class = c), line(y), compare(truth, prediction), bar(y) or "
        "image(x)");
    return false;
  }
  for (const PlotPlan &other : plan.plots)
    if (other.name == stmt.target.name) {
      error(stmt.target.range, fmt::format("plot '{}' is already declared", other.name))
          .note(other.range, "it is declared here");
      return false;
    }
  PlotPlan plot;
  plot.name = stmt.target.name;
  plot.kind = call->callee;
  plot.range = stmt.range;
  if (!(isImage ? elaborateImage(*call, plot)
        : isBar ? elaborateBars(*call, plot)
                : elaboratePoints(*call, plot)))
    return false;
  plan.plots.push_back(std::move(plot));
  return true;
}

/// Whether the arguments of scatter have as many elements as x, those of compare as the truth, and
/// points two columns or more and a row for each.
bool Elaborator::checkPoints(const ast::CallExpr &call, const PlotPlan &plot,
                             ArrayRef<Value> values) {
  const std::string &first = plotKinds().at(plot.kind).arguments.front();
  size_t index = size_t(llvm::find(plot.arguments, first) - plot.arguments.begin());
  Dim count = numElements(nnc::getShape(values[index]));
  for (auto [name, item, value] : llvm::zip(plot.arguments, call.args, values)) {
    Shape shape = nnc::getShape(value);
    if (name == "at") {
      bool arePoints = shape.size() == 2 && shape[0] == count && shape[1].isConstant() &&
                       shape[1].constant() >= 2;
      if (arePoints)
        continue;
      error(item.value->range, fmt::format("'at' expects points, [{}, 2], found {}", count.str(),
                                           typeToString(value.getType())));
      return false;
    }
    if (numElements(shape) == count)
      continue;
    error(item.value->range, fmt::format("'{}' expects as many elements as '{}' has, {}, found {}",
                                         name, first, count.str(), typeToString(value.getType())));
    return false;
  }
  return true;
}

/// scatter, line and compare.
bool Elaborator::elaboratePoints(const ast::CallExpr &call, PlotPlan &plot) {
  const PlotKind &kind = plotKinds().at(plot.kind);
  SmallVector<Value> values;
  for (auto [index, item] : llvm::enumerate(call.args)) {
    std::string name = item.name;
    if (name.empty() && index < kind.arguments.size())
      name = kind.arguments[index];
    if (name.empty() || (plot.kind != "line" && !llvm::is_contained(kind.arguments, name))) {
      error(item.name.empty() ? item.value->range : item.nameRange,
            fmt::format("'{}' expects {}", plot.kind, llvm::join(kind.arguments, ", ")));
      return false;
    }
    std::optional<Value> value = addPlotArgument(plot, name, *item.value);
    if (!value)
      return false;
    values.push_back(*value);
  }
  for (const std::string &name : ArrayRef(kind.arguments).take_front(kind.numRequired))
    if (!llvm::is_contained(plot.arguments, name)) {
      error(call.range, fmt::format("'{}' needs an argument '{}'", plot.kind, name));
      return false;
    }
  return plot.kind == "line" || checkPoints(call, plot, values);
}

//===----------------------------------------------------------------------===//
// Bars
//===----------------------------------------------------------------------===//

/// `tick_label = ["conv1", "fc1"]`, the names of the bars.
bool Elaborator::readBarLabels(const ast::Expr &expr, PlotPlan &plot) {
  const auto *list = ast::dynCast<ast::ListExpr>(&expr);
  for (const ast::Item &item : list ? ArrayRef(list->items) : ArrayRef<ast::Item>()) {
    const auto *text = ast::dynCast<ast::StringExpr>(item.value.get());
    if (!text) {
      error(item.value->range, "'tick_label' expects strings");
      return false;
    }
    plot.labels.push_back(text->value);
  }
  if (!list)
    error(expr.range, "'tick_label' expects a list of strings, one for each bar");
  return list;
}

bool Elaborator::elaborateBars(const ast::CallExpr &call, PlotPlan &plot) {
  std::optional<Shape> first;
  const ast::Expr *labels = nullptr;
  for (const ast::Item &item : call.args) {
    if (item.name == "log") {
      std::optional<Operand> value = evaluate(*item.value);
      if (!value)
        return false;
      if (value->kind != Operand::Kind::Bool) {
        error(item.value->range,
              fmt::format("'log' expects true or false, found {}", value->describe()));
        return false;
      }
      plot.isLogarithmic = value->truth;
      continue;
    }
    if (item.name == "tick_label") {
      labels = item.value.get();
      if (!readBarLabels(*labels, plot))
        return false;
      continue;
    }
    if (item.name.empty() && !plot.arguments.empty()) {
      error(item.value->range, "'bar' expects names for further bars: bar(a = x, b = y)");
      return false;
    }
    std::optional<Value> value =
        addPlotArgument(plot, item.name.empty() ? "y" : item.name, *item.value);
    if (!value)
      return false;
    Shape shape = nnc::getShape(*value);
    if (shape.size() > 1 || (first && shape != *first)) {
      error(item.value->range,
            fmt::format("'bar' expects {}, found {}",
                        first ? fmt::format("as many bars as the first argument has, {}",
                                            shapeToString(*first))
                              : "numbers or vectors",
                        typeToString(value->getType())));
      return false;
    }
    first = shape;
  }
  if (!first) {
    error(call.range, "'bar' needs what it is to show: bar(y)");
    return false;
  }
  Dim count = first->empty() ? Dim(int64_t(plot.arguments.size())) : first->front();
  if (labels && count != Dim(int64_t(plot.labels.size()))) {
    error(labels->range, fmt::format("expected {} names, one for each bar, found {}", count.str(),
                                     plot.labels.size()));
    return false;
  }
  return true;
}

} // namespace nnc
