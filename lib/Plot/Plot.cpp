//===- Plot.cpp - Curves, points, bars and pictures as SVG and PNG --------===//
//
// Drawing a spec, and the specs of the plots that training needs. Of a grid of pictures gnuplot sets
// the text; the pixels are put into its image, where they stay as sharp as they are.
//
//===----------------------------------------------------------------------===//
#include "nnc/Plot/Plot.h"
#include "Gnuplot.h"
#include "GridLayout.h"
#include "Markup.h"
#include "PlotScript.h"
#include "nnc/Data/Images.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>

#include <limits>
#include <map>

namespace nnc {

/// Of the frame around a picture.
static constexpr const char *edgeColour = "#cccccc";
static constexpr uint8_t edgeGrey = 0xcc;

/// gnuplot's SVG with the pictures in it as PNG, and a frame around each.
static std::string addPicturesToSvg(const PlotSpec &spec, std::string svg) {
  GridLayout layout(spec);
  std::string images;
  for (size_t index = 0; index < spec.grid.pictures.size(); ++index) {
    if (spec.grid.pictures[index].pixels.size() == 0)
      continue;
    GridLayout::Box box = layout.box(index);
    images += fmt::format("<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" "
                          "style=\"image-rendering:pixelated\" preserveAspectRatio=\"none\" "
                          "xlink:href=\"data:image/png;base64,{}\"/>\n",
                          box.left, box.top, box.width, box.height,
                          encodeBase64(encodePng(spec.grid.pictures[index].pixels)));
    images += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" "
                          "stroke=\"{}\"/>\n",
                          box.left - 0.5, box.top - 0.5, box.width + 1, box.height + 1, edgeColour);
  }
  return svg.insert(svg.rfind("</svg>"), images);
}

/// Copies a picture [height, width, 3] into a larger one, which has its channels in front.
static void paste(Tensor &canvas, const Tensor &pixels, int64_t top, int64_t left) {
  uint8_t *to = canvas.as<uint8_t>();
  const uint8_t *from = pixels.as<uint8_t>();
  for (int64_t row = 0; row < pixels.dim(0); ++row)
    for (int64_t column = 0; column < pixels.dim(1); ++column)
      for (int64_t channel = 0; channel < 3; ++channel)
        to[((top + row) * canvas.dim(1) + left + column) * 3 + channel] = *from++;
}

static Result<std::string> addPicturesToPng(const PlotSpec &spec, const std::string &png) {
  GridLayout layout(spec);
  Result<Tensor> text = decodeImage(png, "the plot", 3);
  if (!text)
    return text.takeError();
  // Channels last, as they stand in a file.
  Tensor canvas(ElementType::U8, {text->dim(1), text->dim(2), 3});
  int64_t size = text->dim(1) * text->dim(2);
  for (int64_t index = 0; index < canvas.size(); ++index)
    canvas.as<uint8_t>()[index] = text->as<uint8_t>()[index % 3 * size + index / 3];
  for (size_t index = 0; index < spec.grid.pictures.size(); ++index) {
    const Tensor &pixels = spec.grid.pictures[index].pixels;
    if (pixels.size() == 0)
      continue;
    GridLayout::Box box = layout.box(index);
    Tensor frame(ElementType::U8, {2 * box.height + 4, 2 * box.width + 4, 3});
    std::fill_n(frame.as<uint8_t>(), frame.size(), edgeGrey);
    paste(canvas, frame, 2 * box.top - 2, 2 * box.left - 2);
    paste(canvas, enlarged(pixels, int(2 * box.width / pixels.dim(1))), 2 * box.top, 2 * box.left);
  }
  return encodePng(canvas);
}

Result<std::string> renderPlot(const PlotSpec &spec, PlotFormat format) {
  Result<std::string> image = runGnuplot(plotScript(spec, format));
  if (!image)
    return image;
  std::string_view start = format == PlotFormat::Png ? "\x89PNG" : "<?xml";
  if (image->substr(0, start.size()) != start)
    return Error::plain("gnuplot failed").of("the plot").help("is it gnuplot 5.4 or later?");
  if (spec.grid.pictures.empty())
    return image;
  return format == PlotFormat::Png ? addPicturesToPng(spec, *image)
                                   : Result<std::string>(addPicturesToSvg(spec, *image));
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
