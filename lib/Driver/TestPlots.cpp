//===- TestPlots.cpp - The plots of a test declaration --------------------===//
//
// scatter(x, y) marks points, coloured by `class` where it is given. line(y) joins the elements of
// y; further named arguments are further curves. compare(truth, prediction) marks each prediction
// over the truth, and with `at` shows both as classes of the points there. bar(a = x, b = y) has a
// group of bars for each index, or of scalars a bar for each name. image is in ImagePlot.cpp.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/TestPlots.h"

#include "ImagePlot.h"

#include <filesystem>
#include <fmt/format.h>

namespace nnc {

/// Two vectors side by side, as the rows of a table.
static Tensor joinColumns(const Tensor &x, const Tensor &y) {
  int64_t rows = std::min(x.size(), y.size());
  Tensor points(ElementType::F64, {rows, 2});
  for (int64_t row = 0; row < rows; ++row) {
    points.as<double>()[2 * row] = x.at(row);
    points.as<double>()[2 * row + 1] = y.at(row);
  }
  return points;
}

static PlotSpec drawScatter(const PlotPlan &plan, const PlotArguments &arguments) {
  const Tensor &x = *arguments.at("x"), &y = *arguments.at("y");
  if (auto classes = arguments.find("class"); classes != arguments.end())
    return classScatterPlot(plan.name, joinColumns(x, y), *classes->second);
  PlotSeries points{"", x.toDoubles(), y.toDoubles(), PlotStyle::Points};
  return {plan.name, {{"", "x", "y", {std::move(points)}}}};
}

static PlotSpec drawLines(const PlotPlan &plan, const PlotArguments &arguments) {
  PlotPanel panel;
  for (const std::string &name : plan.arguments) {
    PlotSeries &series = panel.series.emplace_back(PlotSeries{plan.arguments.size() > 1 ? name : "",
                                                              {},
                                                              arguments.at(name)->toDoubles(),
                                                              PlotStyle::Line});
    for (size_t index = 0; index < series.y.size(); ++index)
      series.x.push_back(double(index));
  }
  return {plan.name, {std::move(panel)}};
}

static PlotSpec drawComparison(const PlotPlan &plan, const PlotArguments &arguments) {
  const Tensor &truth = *arguments.at("truth"), &prediction = *arguments.at("prediction");
  auto at = arguments.find("at");
  return at == arguments.end() ? truthAgainstPredictionPlot(plan.name, truth, prediction)
                               : truthAndPredictionPlot(plan.name, *at->second, truth, prediction);
}

/// Groups of bars, numbered from 0 where they have no names; numbers are one group with their names.
static PlotSpec drawBars(const PlotPlan &plan, const PlotArguments &arguments) {
  PlotPanel panel;
  panel.logY = plan.isLogarithmic;
  panel.categories = plan.labels;
  if (arguments.begin()->second->rank() == 0) {
    PlotSeries series{"", {}, {}, PlotStyle::Bars};
    for (const std::string &name : plan.arguments) {
      series.x.push_back(double(series.x.size()));
      series.y.push_back(arguments.at(name)->at(0));
    }
    if (plan.labels.empty())
      panel.categories = plan.arguments;
    panel.series = {std::move(series)};
    return {plan.name, {std::move(panel)}};
  }
  for (const std::string &name : plan.arguments) {
    PlotSeries series{plan.arguments.size() > 1 ? name : "",
                      {},
                      arguments.at(name)->toDoubles(),
                      PlotStyle::Bars};
    for (size_t index = 0; index < series.y.size(); ++index) {
      series.x.push_back(double(index));
      if (index == panel.categories.size())
        panel.categories.push_back(std::to_string(index));
    }
    panel.series.push_back(std::move(series));
  }
  return {plan.name, {std::move(panel)}};
}

static PlotSpec draw(const PlotPlan &plan, const std::vector<NamedTensor> &values) {
  PlotArguments arguments;
  for (const std::string &argument : plan.arguments)
    for (const NamedTensor &value : values)
      if (value.name == fmt::format("plot.{}.{}", plan.name, argument))
        arguments[argument] = &value.value;
  if (plan.kind == "scatter")
    return drawScatter(plan, arguments);
  if (plan.kind == "image")
    return imagePlot(plan, arguments);
  if (plan.kind == "bar")
    return drawBars(plan, arguments);
  return plan.kind == "line" ? drawLines(plan, arguments) : drawComparison(plan, arguments);
}

Status plotTest(const TestPlan &plan, const std::vector<NamedTensor> &values,
                const std::string &directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  for (const PlotPlan &plot : plan.plots) {
    PlotSpec spec = draw(plot, values);
    std::string base = (std::filesystem::path(directory) / (plan.name + "-" + plot.name)).string();
    for (const char *extension : {".svg", ".png"})
      if (Status written = writePlot(spec, base + extension); !written)
        return written;
  }
  return {};
}

} // namespace nnc
