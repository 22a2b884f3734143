//===- Plot.h - Curves, points, bars and pictures as SVG and PNG -*- C++ -*-===//
//
// What a plot shows (PlotSpec: panels of series, or a grid of pictures), apart from how it is drawn:
// gnuplot draws it. The same spec gives the same bytes. The functions at the end make the plots that
// training needs.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_PLOT_PLOT_H
#define NNC_PLOT_PLOT_H

#include "nnc/Data/Tensor.h"
#include "nnc/Support/Result.h"

namespace nnc {

enum class PlotStyle {
  Line,   ///< y over x; long series are thinned, keeping every peak
  Points, ///< a marker for each point
  Path,   ///< a line through the plane, its start and end marked
  Rings,  ///< circles around points, to single them out
  Bars,   ///< bars from zero; the series of a panel stand beside each other
};

struct PlotSeries {
  /// What the legend calls it; empty: it is not in the legend.
  std::string title;
  std::vector<double> x, y;
  PlotStyle style = PlotStyle::Line;
};

struct PlotPanel {
  std::string title, xLabel, yLabel;
  std::vector<PlotSeries> series;
  bool logX = false, logY = false;
  /// One unit is as long on both axes.
  bool equalAxes = false;
  /// What stands below x = 0, 1, … in place of numbers; for bars.
  std::vector<std::string> categories = {};
};

/// A picture and what stands below it.
struct PlotPicture {
  Tensor pixels; ///< u8[height, width, 3]; without any, the place stays empty
  std::string caption;
};

/// Columns of a grid that belong together, with a title above.
struct PictureColumns {
  std::string title;
  size_t count = 1;
};

/// Pictures row by row; the last row may be shorter.
struct PictureGrid {
  std::vector<PlotPicture> pictures;
  std::vector<PictureColumns> columns;
  std::vector<std::string> rowTitles; ///< to the left of the rows, or none
};

/// Panels side by side, or pictures.
struct PlotSpec {
  std::string title;
  std::vector<PlotPanel> panels;
  PictureGrid grid = {};
};

enum class PlotFormat { Svg, Png };

/// The bytes of the image. Fails if gnuplot is not installed.
Result<std::string> renderPlot(const PlotSpec &spec, PlotFormat format);
/// Writes the image that the file's name asks for by its end, .svg or .png.
Status writePlot(const PlotSpec &spec, const std::string &path);

//===----------------------------------------------------------------------===//
// The plots of training
//===----------------------------------------------------------------------===//

/// A quantity recorded at each step.
struct PlotRecord {
  std::string name;
  std::vector<double> values;
};

/// Values over steps, counted from 1, each record in its own panel.
PlotSpec recordsPlot(const std::string &title, const std::vector<PlotRecord> &records,
                     bool logY = false);
/// The same, all in one panel: the path of each parameter.
PlotSpec parameterPathPlot(const std::string &title, const std::vector<PlotRecord> &parameters);
/// The points' first two columns, marked by class.
PlotSpec classScatterPlot(const std::string &title, const Tensor &points, const Tensor &classes);
/// The points by true class beside the points by predicted class, the wrong ones ringed.
PlotSpec truthAndPredictionPlot(const std::string &title, const Tensor &points, const Tensor &truth,
                                const Tensor &prediction);
/// For regression: each prediction over the true value, with the line where they are equal.
PlotSpec truthAgainstPredictionPlot(const std::string &title, const Tensor &truth,
                                    const Tensor &prediction);

} // namespace nnc

#endif // NNC_PLOT_PLOT_H
