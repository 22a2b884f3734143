//===- ImagePlot.cpp - image(x) in a test ---------------------------------===//
//
// The pictures of one argument follow each other; those of several arguments stand below each other,
// a column for each index of their first axis. Where there are maps of several channels, each index
// has a row.
//
//===----------------------------------------------------------------------===//
#include "ImagePlot.h"

#include "nnc/Plot/Pictures.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <fmt/format.h>

namespace nnc {

namespace {
constexpr int64_t maxPictures = 256, maxColumns = 64, maxPixels = int64_t(1) << 22;

/// An argument of image as pictures: `perRow` of them for each of `rows`.
struct Pictures {
  const Tensor &values;
  ImageLayout layout;
  int64_t rows, perRow;

  Pictures(const Tensor &values, PictureAxes axes);
  Tensor take(int64_t row, int64_t column) const {
    return takePicture(values, layout, (row * perRow + column) * layout.size());
  }
};
} // namespace

Pictures::Pictures(const Tensor &values, PictureAxes axes) : values(values), rows(1), perRow(1) {
  const TensorShape &shape = values.shape();
  size_t rank = shape.size();
  layout.height = shape[rank - 2];
  layout.width = shape[rank - 1];
  if (axes != PictureAxes::One)
    rows = shape[0];
  if (axes == PictureAxes::ChannelsLast)
    layout = {shape[1], shape[2], shape[3], true};
  else if (axes == PictureAxes::ChannelsFirst)
    layout.channels = shape[1];
  else if (axes == PictureAxes::Maps)
    perRow = shape[1];
}

/// What suits the values where the program does not say.
static ColorMap colorMapOf(const PicturesPlan &plan, const Tensor &values) {
  if (std::optional<ColorMap> map = colorMapNamed(plan.colorMap))
    return *map;
  for (int64_t index = 0; index < values.size(); ++index)
    if (values.at(index) < 0)
      return ColorMap::RdBu;
  return plan.over.empty() ? ColorMap::Gray : ColorMap::Inferno;
}

/// From the least to the largest value of the picture, of bytes the whole range; vmin and vmax go
/// before.
static ColorRange colorRange(const PlotPlan &plan, const Tensor &picture, ElementType type,
                             ColorMap map) {
  ColorRange range = type == ElementType::U8     ? ColorRange{0, 255}
                     : type == ElementType::Bool ? ColorRange{0, 1}
                                                 : rangeOf(picture, map);
  return {plan.lowest.value_or(range.low), plan.highest.value_or(range.high)};
}

static std::string captionOf(const Tensor &numbers, int64_t row, int64_t column, int64_t perRow) {
  bool isByPicture = numbers.rank() == 2;
  if (column > 0 && !isByPicture)
    return "";
  double number = numbers.at(isByPicture ? row * perRow + column : row);
  return isFloat(numbers.type()) ? fmt::format("{:.3g}", number)
                                 : fmt::format("{}", int64_t(number));
}

/// How many pictures of an argument a row has: of many maps the first, unless the rows are one, which
/// goes on below.
static int64_t shownPerRow(const Pictures &pictures) {
  return std::min(pictures.perRow, pictures.rows == 1 ? maxPictures : maxColumns);
}

static PlotPicture drawPicture(const PlotPlan &plan, const PicturesPlan &pictures,
                               const PlotArguments &arguments, ColorMap map, int64_t row,
                               int64_t column) {
  const Tensor &values = *arguments.at(pictures.value);
  Pictures shown(values, pictures.axes);
  Tensor picture = shown.take(row, column);
  ColorRange range = colorRange(plan, picture, values.type(), map);
  PlotPicture result{colorize(picture, map, range), ""};
  if (!pictures.over.empty()) {
    Tensor under = Pictures(*arguments.at(pictures.over), pictures.overAxes).take(row, 0);
    result.pixels = colorizeOver(picture, map, range,
                                 colorize(under, ColorMap::Gray, rangeOf(under, ColorMap::Gray)));
  }
  if (!pictures.caption.empty())
    result.caption = captionOf(*arguments.at(pictures.caption), row, column, shown.perRow);
  return result;
}

/// For pictures one after the other: rows of ten, or of more where there are many.
static int64_t columnsFor(int64_t count) {
  return count <= 20
             ? std::min<int64_t>(count, 10)
             : std::min<int64_t>(16, std::llround(std::ceil(std::sqrt(1.5 * double(count)))));
}

namespace {
/// The plan with its numbers: how many pictures there are and are shown.
struct ImagePlot {
  const PlotPlan &plan;
  const PlotArguments &arguments;
  std::vector<ColorMap> maps;
  std::vector<int64_t> perRow; ///< of each argument
  int64_t rows = 1, shownRows = 1;

  ImagePlot(const PlotPlan &plan, const PlotArguments &arguments);
  PlotPicture draw(size_t index, int64_t row, int64_t column) const {
    return drawPicture(plan, plan.pictures[index], arguments, maps[index], row, column);
  }
  void drawInTurn(PictureGrid &grid) const;
  void drawAcross(PictureGrid &grid) const;
  void drawRows(PictureGrid &grid) const;
};
} // namespace

ImagePlot::ImagePlot(const PlotPlan &plan, const PlotArguments &arguments)
    : plan(plan), arguments(arguments) {
  int64_t inRow = 0, pixels = 1;
  for (const PicturesPlan &pictures : plan.pictures) {
    const Tensor &values = *arguments.at(pictures.value);
    Pictures shown(values, pictures.axes);
    rows = shown.rows;
    perRow.push_back(shownPerRow(shown));
    inRow += perRow.back();
    pixels = std::max(pixels, shown.layout.height * shown.layout.width);
    maps.push_back(colorMapOf(pictures, values));
  }
  int64_t most = std::min(maxPictures, maxPixels / pixels);
  shownRows = std::min(rows, std::max<int64_t>(1, most / std::max<int64_t>(1, inRow)));
}

/// One argument, its pictures one after the other.
void ImagePlot::drawInTurn(PictureGrid &grid) const {
  for (int64_t row = 0; row < shownRows; ++row)
    for (int64_t column = 0; column < perRow[0]; ++column)
      grid.pictures.push_back(draw(0, row, column));
  int64_t count = std::max<int64_t>(1, int64_t(grid.pictures.size()));
  grid.columns = {{plan.pictures[0].hasTitle ? plan.pictures[0].value : "",
                   size_t(std::min(plan.columns.value_or(columnsFor(count)), count))}};
}

/// Arguments below each other, each index a column; what has no room goes on below.
void ImagePlot::drawAcross(PictureGrid &grid) const {
  int64_t columns =
      std::max<int64_t>(1, std::min(plan.columns.value_or(columnsFor(shownRows)), shownRows));
  grid.columns = {{"", size_t(columns)}};
  for (int64_t first = 0; first < shownRows; first += columns)
    for (size_t index = 0; index < plan.pictures.size(); ++index) {
      const PicturesPlan &pictures = plan.pictures[index];
      grid.rowTitles.push_back(pictures.hasTitle ? pictures.value : "");
      for (int64_t row = first; row < first + columns; ++row)
        grid.pictures.push_back(row < shownRows
                                    ? draw(index, row, 0)
                                    : PlotPicture{Tensor(ElementType::U8, {0, 0, 3}), ""});
    }
}

/// A row for each index.
void ImagePlot::drawRows(PictureGrid &grid) const {
  for (auto [pictures, count] : llvm::zip(plan.pictures, perRow))
    grid.columns.push_back({pictures.hasTitle ? pictures.value : "", size_t(count)});
  for (int64_t row = 0; row < shownRows; ++row)
    for (size_t index = 0; index < plan.pictures.size(); ++index)
      for (int64_t column = 0; column < perRow[index]; ++column)
        grid.pictures.push_back(draw(index, row, column));
}

PlotSpec imagePlot(const PlotPlan &plan, const PlotArguments &arguments) {
  ImagePlot plot(plan, arguments);
  PlotSpec spec{plan.name, {}};
  if (plot.shownRows < plot.rows)
    spec.title += fmt::format(" (the first {} of {})", plot.shownRows, plot.rows);
  bool isSingle = plan.pictures.size() == 1;
  if (isSingle && (plot.perRow[0] == 1 || plot.rows == 1))
    plot.drawInTurn(spec.grid);
  else if (llvm::all_of(plot.perRow, [](int64_t count) { return count == 1; }))
    plot.drawAcross(spec.grid);
  else
    plot.drawRows(spec.grid);
  return spec;
}

} // namespace nnc
