//===- PicturePlots.cpp - image(x) in a test ------------------------------===//
//
// The arguments stand beside each other, a row of pictures for each index of their first axis. Options
// are for all of them or, as a list with an item for each, for one. That pictures, what lies under
// them and what is written below fit together is checked here, before anything is trained.
//
//===----------------------------------------------------------------------===//
#include "Elaborator.h"

#include <cmath>

using namespace mlir;

namespace nnc {

/// Larger pictures would not fit into an image file once they stand beside others.
static constexpr int64_t maxSide = 2048;

namespace {
/// The rows and the pictures of an argument.
struct PictureShape {
  PictureAxes axes;
  Dim rows, perRow, height, width;
};
} // namespace

static bool isChannels(const Dim &dim) {
  return dim.isConstant() && (dim.constant() == 1 || dim.constant() == 3);
}

/// What a tensor of this shape is as pictures. Three axes are several grey pictures; channels stand
/// in front, unless only the last axis can be channels. Filters [C, I, 3, 3] are no pictures of
/// [I, 3] in colour.
static std::optional<PictureShape> pictureShape(ArrayRef<Dim> shape) {
  std::optional<PictureShape> result;
  if (shape.size() == 2)
    result = {PictureAxes::One, Dim(1), Dim(1), shape[0], shape[1]};
  else if (shape.size() == 3)
    result = {PictureAxes::Several, shape[0], Dim(1), shape[1], shape[2]};
  else if (shape.size() != 4)
    return std::nullopt;
  else if (isChannels(shape[1]))
    result = {PictureAxes::ChannelsFirst, shape[0], Dim(1), shape[2], shape[3]};
  else if (isChannels(shape[3]) && shape[2] != shape[3])
    result = {PictureAxes::ChannelsLast, shape[0], Dim(1), shape[1], shape[2]};
  else
    result = {PictureAxes::Maps, shape[0], shape[1], shape[2], shape[3]};
  for (const Dim &side : {result->height, result->width})
    if (!side.isConstant() || side.constant() < 1 || side.constant() > maxSide)
      return std::nullopt;
  return result;
}

/// Shows how a row of values becomes a picture.
static void explainRows(Diagnostic &diagnostic, ArrayRef<Dim> shape) {
  if (shape.empty() || !shape.back().isConstant())
    return;
  int64_t size = shape.back().constant(), side = std::llround(std::sqrt(double(size)));
  if (side > 1 && side * side == size)
    diagnostic.help(fmt::format("a row of {0} values is a picture of {1} x {1} after "
                                "reshape(x, [-1, {1}, {1}])",
                                size, side));
}

/// The option's value for each of `count` arguments, null for None. With one argument the value is
/// what it is; with several, a list has an item for each, and what is no list is for `forAll` or the
/// first.
std::optional<std::vector<const ast::Expr *>>
Elaborator::optionsByPicture(const ast::Item &option, size_t count, bool forAll) {
  auto orNull = [](const ast::Expr *expr) { return ast::NoneExpr::classof(expr) ? nullptr : expr; };
  const auto *list = count > 1 ? ast::dynCast<ast::ListExpr>(option.value.get()) : nullptr;
  std::vector<const ast::Expr *> result(count, nullptr);
  if (!list) {
    for (size_t index = 0; index < (forAll ? count : 1); ++index)
      result[index] = orNull(option.value.get());
    return result;
  }
  if (list->items.size() != count) {
    error(
        list->range,
        fmt::format("'{}' expects a list with an item for each of the {} arguments that are shown, "
                    "found {}",
                    option.name, count, list->items.size()))
        .help("None stands for nothing");
    return std::nullopt;
  }
  for (auto [index, item] : llvm::enumerate(list->items))
    result[index] = orNull(item.value.get());
  return result;
}

static const char *const pictureOptions[] = {"over", "caption", "cmap", "vmin", "vmax", "columns"};

/// vmin, vmax and columns.
bool Elaborator::readImageNumber(const ast::Item &option, PlotPlan &plot) {
  std::optional<Operand> value = evaluate(*option.value);
  if (!value)
    return false;
  if (option.name == "columns") {
    if (!value->isInteger() || value->dim.constant() < 1) {
      error(
          option.value->range,
          fmt::format("'columns' expects an integer of one or more, found {}", value->describe()));
      return false;
    }
    plot.columns = value->dim.constant();
    return true;
  }
  if (!value->isNumber()) {
    error(option.value->range,
          fmt::format("'{}' expects a number, found {}", option.name, value->describe()));
    return false;
  }
  (option.name == "vmin" ? plot.lowest : plot.highest) = value->asDouble();
  if (plot.lowest && plot.highest && *plot.lowest >= *plot.highest) {
    error(option.value->range, fmt::format("expected 'vmin' below 'vmax', found {} and {}",
                                           *plot.lowest, *plot.highest));
    return false;
  }
  return true;
}

std::optional<std::string> Elaborator::readColorMap(const ast::Expr &expr) {
  std::optional<Operand> value = evaluate(expr);
  if (!value)
    return std::nullopt;
  std::vector<std::string> names(std::begin(colorMapNames), std::end(colorMapNames));
  bool isString = value->kind == Operand::Kind::String;
  if (isString && llvm::is_contained(names, value->text))
    return value->text;
  Diagnostic &diagnostic = error(
      expr.range, fmt::format("'cmap' expects one of {}, found {}", llvm::join(names, ", "),
                              isString ? fmt::format("'{}'", value->text) : value->describe()));
  if (isString)
    diagnostic.didYouMean(closestMatch(value->text, names));
  return std::nullopt;
}

/// The pictures of an option `over` must have the size and the number of those that lie over them.
static bool liesUnder(const std::optional<PictureShape> &under, const PictureShape &pictures) {
  return under && under->axes != PictureAxes::Maps && under->rows == pictures.rows &&
         under->height == pictures.height && under->width == pictures.width;
}

/// Reads an option that may differ from picture to picture.
bool Elaborator::readPictureOption(const ast::Item &option, PlotPlan &plot,
                                   ArrayRef<Value> values) {
  auto exprs = optionsByPicture(option, plot.pictures.size(), option.name != "caption");
  if (!exprs)
    return false;
  for (auto [picture, expr, value] : llvm::zip(plot.pictures, *exprs, values)) {
    if (!expr)
      continue;
    if (option.name == "cmap") {
      std::optional<std::string> name = readColorMap(*expr);
      if (!name)
        return false;
      picture.colorMap = *name;
      continue;
    }
    std::string argument = picture.value + "." + option.name;
    std::optional<Value> added = addPlotArgument(plot, argument, *expr);
    if (!added)
      return false;
    PictureShape shape = *pictureShape(nnc::getShape(value));
    Shape found = nnc::getShape(*added);
    if (option.name == "over") {
      std::optional<PictureShape> under = pictureShape(found);
      if (!liesUnder(under, shape)) {
        error(expr->range,
              fmt::format("'over' expects pictures of the size of those over them, {} of {} x {}, "
                          "found {}",
                          shape.rows.str(), shape.height.str(), shape.width.str(),
                          typeToString(added->getType())))
            .help("upsample_bilinear(x, scale) makes pictures [N, C, H, W] larger");
        return false;
      }
      picture.over = argument;
      picture.overAxes = under->axes;
      continue;
    }
    bool isOne = shape.axes == PictureAxes::One && found.empty();
    bool isByRow = found.size() == 1 && found[0] == shape.rows;
    bool isByPicture = found.size() == 2 && found[0] == shape.rows && found[1] == shape.perRow;
    if (!isOne && !isByRow && !isByPicture) {
      error(expr->range, fmt::format("'caption' expects a number for each picture, [{}], found {}",
                                     shape.rows.str(), typeToString(added->getType())));
      return false;
    }
    picture.caption = argument;
  }
  return true;
}

/// An argument that is shown. Its title is the name that it is given or, in a row of several, has.
std::optional<Value> Elaborator::addPictures(const ast::Item &item, size_t count, PlotPlan &plot) {
  const auto *named = ast::dynCast<ast::NameExpr>(item.value.get());
  PicturesPlan pictures;
  pictures.hasTitle = !item.name.empty() || (count > 1 && named);
  pictures.value = !item.name.empty()      ? item.name
                   : pictures.hasTitle     ? named->name
                   : plot.pictures.empty() ? "x"
                                           : fmt::format("x{}", plot.pictures.size() + 1);
  std::optional<Value> value = addPlotArgument(plot, pictures.value, *item.value);
  if (!value)
    return std::nullopt;
  Shape shape = nnc::getShape(*value);
  std::optional<PictureShape> found = pictureShape(shape);
  if (!found) {
    Diagnostic &diagnostic = error(
        item.value->range,
        fmt::format(
            "'image' expects pictures [H, W], [N, H, W] or [N, C, H, W] of a known height and "
            "width, at most {}, found {}",
            maxSide, typeToString(value->getType())));
    std::optional<std::string> option;
    if (!item.name.empty())
      option = closestMatch(item.name, {std::begin(pictureOptions), std::end(pictureOptions)});
    diagnostic.didYouMean(option);
    if (!option)
      explainRows(diagnostic, shape);
    return std::nullopt;
  }
  pictures.axes = found->axes;
  plot.pictures.push_back(std::move(pictures));
  return value;
}

bool Elaborator::elaborateImage(const ast::CallExpr &call, PlotPlan &plot) {
  auto isOption = [](const ast::Item &item) {
    return llvm::is_contained(pictureOptions, item.name);
  };
  size_t count = llvm::count_if(call.args, [&](const ast::Item &item) { return !isOption(item); });
  if (count == 0) {
    error(call.range, "'image' needs what it is to show: image(x)");
    return false;
  }
  SmallVector<Value> values;
  std::optional<Dim> rows;
  for (const ast::Item &item : call.args) {
    if (isOption(item))
      continue;
    std::optional<Value> value = addPictures(item, count, plot);
    if (!value)
      return false;
    Dim found = pictureShape(nnc::getShape(*value))->rows;
    if (rows && found != *rows) {
      error(item.value->range,
            fmt::format("expected pictures for {} rows, as the first argument has, found {}",
                        rows->str(), typeToString(value->getType())));
      return false;
    }
    rows = found;
    values.push_back(*value);
  }
  std::set<std::string> given;
  for (const ast::Item &item : call.args) {
    if (!isOption(item))
      continue;
    if (!given.insert(item.name).second) {
      error(item.nameRange, fmt::format("argument '{}' is given twice", item.name));
      return false;
    }
    bool isNumber = item.name == "vmin" || item.name == "vmax" || item.name == "columns";
    if (isNumber ? !readImageNumber(item, plot) : !readPictureOption(item, plot, values))
      return false;
  }
  return true;
}

} // namespace nnc
