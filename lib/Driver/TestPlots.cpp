//===- TestPlots.cpp - The plots of a test declaration --------------------===//
//
// scatter(x, y) marks points, coloured by `class` where it is given; line(y) and line(x, y) join
// them. Further named arguments of a line are further curves.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/TestPlots.h"

#include "nnc/Plot/Plot.h"

#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <set>

namespace nnc {

namespace {
class TestPlot {
public:
  TestPlot(const PlotPlan &plotPlan, const std::vector<NamedTensor> &values) : plan(plotPlan) {
    for (const std::string &argument : plan.arguments)
      for (const NamedTensor &value : values)
        if (value.name == fmt::format("plot.{}.{}", plan.name, argument))
          arguments[argument] = value.value.toDoubles();
  }

  PlotSpec draw() const {
    PlotPanel panel;
    panel.xLabel = "x";
    panel.yLabel = "y";
    panel.series = plan.kind == "scatter" ? points() : curves();
    return {plan.name, {panel}};
  }

private:
  std::vector<double> get(const std::string &name) const {
    auto found = arguments.find(name);
    return found == arguments.end() ? std::vector<double>() : found->second;
  }

  std::vector<PlotSeries> points() const {
    std::vector<double> x = get("x"), y = get("y"), classes = get("class");
    if (classes.size() != x.size())
      return {{"", x, y, PlotStyle::Points}};
    std::vector<PlotSeries> series;
    for (double label : std::set<double>(classes.begin(), classes.end())) {
      PlotSeries &part =
          series.emplace_back(PlotSeries{fmt::format("{}", label), {}, {}, PlotStyle::Points});
      for (size_t row = 0; row < x.size() && row < y.size(); ++row)
        if (classes[row] == label) {
          part.x.push_back(x[row]);
          part.y.push_back(y[row]);
        }
    }
    return series;
  }

  std::vector<PlotSeries> curves() const {
    std::vector<PlotSeries> series;
    bool hasX = arguments.count("x") && arguments.count("y");
    for (const std::string &name : plan.arguments) {
      if (hasX && name == "x")
        continue;
      std::vector<double> y = get(name), x = hasX ? get("x") : std::vector<double>();
      for (size_t index = x.size(); index < y.size(); ++index)
        x.push_back(double(index));
      series.push_back({name, x, y, PlotStyle::Line});
    }
    return series;
  }

  const PlotPlan &plan;
  std::map<std::string, std::vector<double>> arguments;
};
} // namespace

Status plotTest(const TestPlan &plan, const std::vector<NamedTensor> &values,
                const std::string &directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  for (const PlotPlan &plot : plan.plots)
    for (const char *extension : {".svg", ".png"})
      if (Status written = writePlot(
              TestPlot(plot, values).draw(),
              (std::filesystem::path(directory) / (plan.name + "-" + plot.name)).string() +
                  extension);
          !written)
        return written;
  return {};
}

} // namespace nnc
