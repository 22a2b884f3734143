//===- PlotScript.cpp - A plot as a gnuplot script ------------------------===//
//
// Numbers go inline as data blocks, text as strings in single quotes, in which gnuplot interprets
// nothing. Colours are Okabe and Ito's, which colour-blind readers can tell apart; classes differ
// in their markers as well.
//
//===----------------------------------------------------------------------===//
#include "PlotScript.h"
#include "GridLayout.h"
#include "PlotAxis.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace nnc {

static constexpr const char *colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                          "#e69f00", "#56b4e9", "#555555"};
// gnuplot's markers: filled circle, triangle, square, diamond, inverted triangle, pentagon, cross.
static constexpr int markers[] = {7, 9, 5, 13, 11, 15, 2};
static constexpr size_t numStyles = 7;
static constexpr const char *inkColour = "#333333", *frameColour = "#888888",
                            *gridColour = "#e4e4e4";

// Sizes in pixels of an SVG image; a PNG has twice as many, for dense screens.
static constexpr int lineHeight = 22, titleHeight = 30, leftMargin = 72, rightMargin = 24,
                     topMargin = 12, bottomMargin = 60;
/// How much of the distance between two groups of bars they take.
static constexpr double barsWidth = 0.8;

//===----------------------------------------------------------------------===//
// Text and numbers
//===----------------------------------------------------------------------===//

std::string gnuplotString(std::string_view text) {
  static constexpr size_t maxLength = 160;
  bool isLong = text.size() > maxLength;
  std::string result = "'";
  // A quote becomes another sign, because gnuplot takes '' for a quote, but not at the start of a
  // string. A control character, which might end the line, is spelt out.
  for (char c : printable(isLong ? wholeCharacters(text, maxLength) : text))
    result += c == '\'' ? std::string("’") : std::string(1, c);
  return result + (isLong ? "…'" : "'");
}

PlotSeries thinned(const PlotSeries &series, size_t maxPoints) {
  size_t size = std::min(series.x.size(), series.y.size());
  if (size <= maxPoints)
    return series;
  PlotSeries result{series.title, {}, {}, series.style};
  auto keep = [&](size_t i) {
    result.x.push_back(series.x[i]);
    result.y.push_back(series.y[i]);
  };
  size_t numStretches = (maxPoints - 2) / 2;
  keep(0);
  // A value that is not a number is neither the lowest nor the highest, unless there is no other.
  auto isLower = [&](size_t a, size_t b) {
    return series.y[a] < series.y[b] || (std::isnan(series.y[b]) && !std::isnan(series.y[a]));
  };
  auto isHigher = [&](size_t a, size_t b) {
    return series.y[a] > series.y[b] || (std::isnan(series.y[b]) && !std::isnan(series.y[a]));
  };
  for (size_t stretch = 0; stretch < numStretches; ++stretch) {
    size_t begin = 1 + stretch * (size - 2) / numStretches;
    size_t end = 1 + (stretch + 1) * (size - 2) / numStretches;
    size_t low = begin, high = begin;
    for (size_t i = begin; i < end; ++i) {
      low = isLower(i, low) ? i : low;
      high = isHigher(i, high) ? i : high;
    }
    keep(std::min(low, high));
    if (low != high)
      keep(std::max(low, high));
  }
  keep(size - 1);
  return result;
}

/// Whether a coordinate can be drawn; as in PlotAxis::around.
static bool isDrawable(double value, bool isLog) {
  return std::isfinite(value) && std::fabs(value) <= 1e300 && !(isLog && value < 1e-300);
}

static bool isDrawable(const PlotPanel &panel, double x, double y) {
  return isDrawable(x, panel.logX) && isDrawable(y, panel.logY);
}

static bool isEmpty(const PlotPanel &panel) {
  for (const PlotSeries &series : panel.series)
    for (size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i)
      if (isDrawable(panel, series.x[i], series.y[i]))
        return false;
  return true;
}

/// The points as a named data block; a point that cannot be drawn makes a gap in a line.
static std::string dataBlock(const std::string &name, const PlotPanel &panel,
                             const PlotSeries &series) {
  std::string block = fmt::format("{} << EOD\n", name);
  for (size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i)
    if (isDrawable(panel, series.x[i], series.y[i]))
      block += fmt::format("{} {}\n", series.x[i], series.y[i]);
    else
      block += "NaN NaN\n";
  return block + "EOD\n";
}

//===----------------------------------------------------------------------===//
// Where things are
//===----------------------------------------------------------------------===//

namespace {
/// A panel's place in the image, in pixels from the top left.
struct Frame {
  int left, top, width, height;
};

/// How panels and the title share the image.
struct Layout {
  explicit Layout(const PlotSpec &spec);
  Frame frame(size_t index) const;

  int width, height;

private:
  int numColumns, panelWidth, panelHeight, headHeight, titleSpace;
};
} // namespace

/// The lines that the legend takes beside or below the panel's title.
static int headLines(const PlotPanel &panel, int width) {
  size_t letters = panel.title.size();
  for (const PlotSeries &series : panel.series)
    letters += series.title.empty() ? 0 : series.title.size() + 6;
  return letters == 0 ? 0 : std::min(4, 1 + int(letters) * 8 / width);
}

Layout::Layout(const PlotSpec &spec) {
  int numPanels = std::max(1, int(spec.panels.size()));
  numColumns = numPanels <= 3 ? numPanels : numPanels == 4 ? 2 : 3;
  bool isSquare = !spec.panels.empty() && spec.panels[0].equalAxes;
  panelWidth = isSquare ? 380 : numColumns == 1 ? 560 : 400;
  panelHeight = isSquare ? 380 : 310;
  int lines = 0;
  for (const PlotPanel &panel : spec.panels)
    lines = std::max(lines, headLines(panel, panelWidth));
  headHeight = lines * lineHeight;
  titleSpace = topMargin + (spec.title.empty() ? 0 : titleHeight);
  int numRows = (numPanels + numColumns - 1) / numColumns;
  width = numColumns * (leftMargin + panelWidth + rightMargin);
  height = titleSpace + numRows * (headHeight + panelHeight + bottomMargin);
}

Frame Layout::frame(size_t index) const {
  int row = int(index) / numColumns, column = int(index) % numColumns;
  return {column * (leftMargin + panelWidth + rightMargin) + leftMargin,
          titleSpace + row * (headHeight + panelHeight + bottomMargin) + headHeight, panelWidth,
          panelHeight};
}

/// The axes of a panel. Lines touch the ends of the x axis; axes of equal units have equal lengths.
static std::pair<PlotAxis, PlotAxis> axesOf(const PlotPanel &panel) {
  std::vector<double> x, y;
  bool isLines = true;
  for (const PlotSeries &series : panel.series) {
    isLines &= series.style == PlotStyle::Line;
    for (size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i)
      if (isDrawable(panel, series.x[i], series.y[i])) {
        x.push_back(series.x[i]);
        y.push_back(series.y[i]);
      }
  }
  PlotAxis axisX = PlotAxis::around(x, panel.logX, isLines ? 0 : 0.04);
  PlotAxis axisY = PlotAxis::around(y, panel.logY, 0.04);
  if (panel.equalAxes && !panel.logX && !panel.logY) {
    double half = std::max(axisX.high - axisX.low, axisY.high - axisY.low) / 2;
    for (PlotAxis *axis : {&axisX, &axisY}) {
      double middle = (axis->low + axis->high) / 2;
      axis->low = middle - half;
      axis->high = middle + half;
    }
  }
  return {axisX, axisY};
}

/// Bars stand on zero, on a logarithmic axis on a power of ten below the least; between them, and at
/// both ends, is some room.
static void makeRoomForBars(const PlotPanel &panel, PlotAxis &axisX, PlotAxis &axisY) {
  axisX = {-0.6, double(std::max<size_t>(1, panel.categories.size())) - 0.4, false, 0};
  if (axisY.isLog) {
    axisY.low = std::pow(10, std::floor(std::log10(axisY.low) + 1e-9));
    return;
  }
  double room = axisY.padding * (std::max(axisY.high, 0.0) - std::min(axisY.low, 0.0));
  axisY.low = axisY.low >= 0 ? 0 : axisY.low;
  axisY.high = axisY.high <= 0 ? room : axisY.high;
}

/// Names below the bars, at most `maxNames`.
static std::string categoryTicks(const std::vector<std::string> &names) {
  static constexpr size_t maxNames = 40;
  size_t every = (names.size() + maxNames - 1) / maxNames;
  std::string ticks;
  for (size_t index = 0; index < names.size(); index += every)
    ticks += fmt::format("{}{} {}", ticks.empty() ? "" : ", ", gnuplotString(names[index]), index);
  return fmt::format("set xtics ({})\n", ticks);
}

static std::string axisScript(char name, const PlotAxis &axis, const std::string &label) {
  std::string script = fmt::format("set {0}range [{1}:{2}]\n{3} logscale {0}\n", name, axis.low,
                                   axis.high, axis.isLog ? "set" : "unset");
  std::string ticks;
  for (double tick : axis.ticks())
    ticks += fmt::format("{}'{:.6g}' {}", ticks.empty() ? "" : ", ", tick, tick);
  return script +
         fmt::format("set {0}tics ({1})\nset {0}label {2}\n", name, ticks, gnuplotString(label));
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

/// The n-th of `count` series of bars, moved to its place in each group.
static PlotSeries movedBars(const PlotSeries &series, size_t n, size_t count) {
  PlotSeries moved = series;
  for (double &x : moved.x)
    x += (double(n) - double(count - 1) / 2) * barsWidth / double(count);
  return moved;
}

/// The part of a plot command that draws a data block in the n-th style.
static std::string drawing(const std::string &block, const PlotSeries &series, size_t n) {
  std::string title = series.title.empty() ? "notitle" : "title " + gnuplotString(series.title);
  const char *colour = colours[n % numStyles];
  size_t numPoints = series.x.size();
  switch (series.style) {
  case PlotStyle::Line:
    // Few points are marked: a line alone would not show a single one. Many are noise, drawn thin.
    return fmt::format("{} with linespoints pt {} ps 0.5 lw {} lc rgb '{}' {}", block,
                       numPoints <= 40 ? 7 : 0, numPoints > 600 ? 1.4 : 1.8, colour, title);
  case PlotStyle::Points:
    return fmt::format("{} with points pt {} ps {} lc rgb '{}' {}", block, markers[n % numStyles],
                       numPoints > 2000  ? 0.3
                       : numPoints > 600 ? 0.45
                                         : 0.65,
                       colour, title);
  case PlotStyle::Rings:
    return fmt::format("{} with points pt 6 ps 1.4 lw 1.2 lc rgb '#000000' {}", block, title);
  case PlotStyle::Bars:
    return fmt::format("{} with boxes fillstyle solid noborder lc rgb '{}' {}", block, colour,
                       title);
  case PlotStyle::Path:
    break;
  }
  return fmt::format("{0} with lines lw 1.8 lc rgb '{1}' {2}, "
                     "{0}start with points pt 6 ps 1.1 lw 1.8 lc rgb '{1}' notitle, "
                     "{0}end with points pt 7 ps 1.1 lc rgb '{1}' notitle",
                     block, colour, title);
}

/// The frame, what is written around it, and the legend at the top right.
static std::string frameScript(const PlotPanel &panel, const Frame &frame, const Layout &layout) {
  std::string script = fmt::format(
      "set lmargin at screen {}\nset rmargin at screen {}\n"
      "set tmargin at screen {}\nset bmargin at screen {}\n",
      double(frame.left) / layout.width, double(frame.left + frame.width) / layout.width,
      1 - double(frame.top) / layout.height, 1 - double(frame.top + frame.height) / layout.height);
  script += fmt::format("unset label\nset label 1 {} at graph 0, graph {} left front tc rgb '{}'\n",
                        gnuplotString(panel.title), 1 + 12.0 / frame.height, inkColour);
  bool hasLegend = false;
  for (const PlotSeries &series : panel.series)
    hasLegend |= !series.title.empty();
  if (!hasLegend)
    return script + "unset key\n";
  return script + fmt::format("set key at graph 1, graph {} right bottom horizontal Left reverse "
                              "maxrows {} samplen 1.5 width -1 tc rgb '{}'\n",
                              1 + 2.0 / frame.height, headLines(panel, frame.width), inkColour);
}

static std::string panelScript(const PlotPanel &panel, size_t index, const Layout &layout) {
  static constexpr size_t maxPoints = 2000;
  auto [axisX, axisY] = axesOf(panel);
  bool hasBars = !panel.series.empty() && panel.series[0].style == PlotStyle::Bars;
  if (hasBars)
    makeRoomForBars(panel, axisX, axisY);
  std::string script = frameScript(panel, layout.frame(index), layout) +
                       axisScript('x', axisX, panel.xLabel) + axisScript('y', axisY, panel.yLabel);
  if (hasBars)
    script += categoryTicks(panel.categories) +
              fmt::format("set boxwidth {}\n", barsWidth / double(panel.series.size()));
  std::string command;
  size_t style = 0;
  for (size_t i = 0; i < panel.series.size(); ++i) {
    const PlotSeries &full = panel.series[i];
    PlotSeries series = full.style == PlotStyle::Line   ? thinned(full, maxPoints)
                        : full.style == PlotStyle::Bars ? movedBars(full, i, panel.series.size())
                                                        : full;
    std::string block = fmt::format("$p{}s{}", index, i);
    script += dataBlock(block, panel, series);
    if (series.style == PlotStyle::Path && !series.x.empty()) {
      script += dataBlock(block + "start", panel, {"", {series.x[0]}, {series.y[0]}});
      script += dataBlock(block + "end", panel, {"", {series.x.back()}, {series.y.back()}});
    }
    if (!series.x.empty())
      command += (command.empty() ? "plot " : ", ") + drawing(block, series, style);
    style += series.style != PlotStyle::Rings;
  }
  if (isEmpty(panel))
    script += fmt::format(
        "set label 3 'nothing to show' at graph 0.5, graph 0.5 center tc rgb '{}'\n", frameColour);
  return script + (command.empty() ? "plot NaN notitle" : command) + "\n";
}

//===----------------------------------------------------------------------===//
// The script
//===----------------------------------------------------------------------===//

static std::string terminalScript(PlotFormat format, int width, int height) {
  return format == PlotFormat::Png
             ? fmt::format("set terminal pngcairo noenhanced size {},{} fontscale 2 linewidth 2 "
                           "pointscale 2 font 'Sans,10' background rgb '#ffffff'\n",
                           2 * width, 2 * height)
             : fmt::format("set terminal svg noenhanced size {},{} font 'sans-serif,13' "
                           "background rgb '#ffffff'\n",
                           width, height);
}

static int titleSize(PlotFormat format) { return format == PlotFormat::Png ? 12 : 16; }

/// The text of a grid of pictures; whoever draws it puts the pictures in.
static std::string gridScript(const PlotSpec &spec, PlotFormat format) {
  GridLayout layout(spec);
  std::string script = "set encoding utf8\n" + terminalScript(format, layout.width, layout.height) +
                       "unset border\nunset tics\nunset key\nset xrange [0:1]\nset yrange [0:1]\n";
  int number = 0;
  for (const GridLayout::Text &text : layout.texts())
    script +=
        fmt::format("set label {} {} at screen {}, screen {} {} {}tc rgb '{}'\n", ++number,
                    gnuplotString(text.text), double(text.x) / layout.width,
                    1 - double(text.y) / layout.height, text.isLeft ? "left" : "center",
                    text.isTitle ? fmt::format("font ',{}' ", titleSize(format)) : "", inkColour);
  return script + "plot NaN notitle\n";
}

std::string plotScript(const PlotSpec &spec, PlotFormat format) {
  if (!spec.grid.pictures.empty())
    return gridScript(spec, format);
  Layout layout(spec);
  std::string script = "set encoding utf8\n" + terminalScript(format, layout.width, layout.height);
  script += fmt::format("set border 3 lc rgb '{0}' lw 1\n"
                        "set tics nomirror out scale 0.6 tc rgb '{1}'\n"
                        "set grid back lt 1 lw 0.8 lc rgb '{2}'\n"
                        "set xlabel tc rgb '{1}'\nset ylabel tc rgb '{1}'\n",
                        frameColour, inkColour, gridColour);
  script += "set multiplot\n";
  for (size_t i = 0; i < spec.panels.size(); ++i) {
    // The title is a label of the first panel, at a place in the image.
    std::string panel = panelScript(spec.panels[i], i, layout);
    if (i == 0 && !spec.title.empty())
      panel.insert(
          panel.find("unset label\n") + 12,
          fmt::format("set label 2 {} at screen {}, screen {} left font ',{}' tc rgb '{}'\n",
                      gnuplotString(spec.title), double(layout.frame(0).left) / layout.width,
                      1 - (topMargin + titleHeight * 0.4) / layout.height, titleSize(format),
                      inkColour));
    script += panel;
  }
  return script + "unset multiplot\n";
}

} // namespace nnc
