//===- Plot.cpp - Curves and scatter plots as SVG and PNG -----------------===//
//
// Drawing a spec, and the specs of the plots that training needs.
//
//===----------------------------------------------------------------------===//
#include "nnc/Plot/Plot.h"
#include "Gnuplot.h"
#include "PlotScript.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>

#include <limits>
#include <map>

namespace nnc {

Result<std::string> renderPlot(const PlotSpec &spec, PlotFormat format) {
  Result<std::string> image = runGnuplot(plotScript(spec, format));
  if (!image)
    return image;
  std::string_view start = format == PlotFormat::Png ? "\x89PNG" : "<?xml";
  if (image->substr(0, start.size()) != start)
    return Error::plain("gnuplot failed").of("the plot").help("is it gnuplot 5.4 or later?");
  return image;
}

static bool endsWith(const std::string &text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

Status writePlot(const PlotSpec &spec, const std::string &path) {
  bool isPng = endsWith(path, ".png");
  if (!isPng && !endsWith(path, ".svg"))
    return Error::expectedFound("a name that ends in .svg or .png", quote(path));
  Result<std::string> image = renderPlot(spec, isPng ? PlotFormat::Png : PlotFormat::Svg);
  if (!image)
    return image.takeError().in(path);
  return writeFileAtomically(path, *image);
}

//===----------------------------------------------------------------------===//
// The plots of training
//===----------------------------------------------------------------------===//

static PlotSeries overSteps(std::string title, const std::vector<double> &values) {
  PlotSeries series{std::move(title), {}, values, PlotStyle::Line};
  for (size_t i = 0; i < values.size(); ++i)
    series.x.push_back(double(i + 1));
  return series;
}

PlotSpec recordsPlot(const std::string &title, const std::vector<PlotRecord> &records, bool logY) {
  PlotSpec spec{title, {}};
  for (const PlotRecord &record : records)
    spec.panels.push_back({"", "step", record.name, {overSteps("", record.values)}, false, logY});
  return spec;
}

PlotSpec parameterPathPlot(const std::string &title, const std::vector<PlotRecord> &parameters) {
  PlotPanel panel{"", "step", "value", {}};
  for (const PlotRecord &parameter : parameters)
    panel.series.push_back(overSteps(parameter.name, parameter.values));
  return {title, {std::move(panel)}};
}

/// A panel of points by class, with the first two columns as coordinates.
static PlotPanel classPanel(const std::string &title, const Tensor &points, const Tensor &classes) {
  assert(points.rank() == 2 && points.dim(1) >= 2 && points.dim(0) == classes.size());
  std::map<double, PlotSeries> byClass;
  for (int64_t row = 0; row < points.dim(0); ++row) {
    PlotSeries &series = byClass[classes.at(row)];
    series.x.push_back(points.at(row * points.dim(1)));
    series.y.push_back(points.at(row * points.dim(1) + 1));
  }
  PlotPanel panel{title, "x1", "x2", {}};
  panel.equalAxes = true;
  for (auto &[value, series] : byClass) {
    series.title = fmt::format("class {}", value);
    series.style = PlotStyle::Points;
    panel.series.push_back(std::move(series));
  }
  return panel;
}

PlotSpec classScatterPlot(const std::string &title, const Tensor &points, const Tensor &classes) {
  return {title, {classPanel("", points, classes)}};
}

PlotSpec truthAndPredictionPlot(const std::string &title, const Tensor &points, const Tensor &truth,
                                const Tensor &prediction) {
  PlotPanel predicted = classPanel("prediction", points, prediction);
  PlotSeries wrong{"", {}, {}, PlotStyle::Rings};
  for (int64_t row = 0; row < points.dim(0); ++row)
    if (truth.at(row) != prediction.at(row)) {
      wrong.x.push_back(points.at(row * points.dim(1)));
      wrong.y.push_back(points.at(row * points.dim(1) + 1));
    }
  if (!wrong.x.empty()) {
    wrong.title = fmt::format("wrong ({})", wrong.x.size());
    predicted.series.push_back(std::move(wrong));
  }
  return {title, {classPanel("truth", points, truth), std::move(predicted)}};
}

PlotSpec truthAgainstPredictionPlot(const std::string &title, const Tensor &truth,
                                    const Tensor &prediction) {
  assert(truth.size() == prediction.size());
  PlotSeries points{"", truth.toDoubles(), prediction.toDoubles(), PlotStyle::Points};
  PlotSeries diagonal{"truth = prediction", {}, {}, PlotStyle::Line};
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (double value : points.x) {
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  diagonal.x = diagonal.y = {low, high};
  return {title, {{"", "truth", "prediction", {std::move(points), std::move(diagonal)}}}};
}

} // namespace nnc
