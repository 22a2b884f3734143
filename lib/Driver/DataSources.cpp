//===- DataSources.cpp - What reads files ---------------------------------===//
//
// Arguments of a source become options of its reader. A path is relative to the .nn file, and
// ${NAME} in it is what the environment says.
//
//===----------------------------------------------------------------------===//
#include "DataStages.h"

#include "nnc/Data/Cifar.h"
#include "nnc/Data/Csv.h"
#include "nnc/Data/Idx.h"
#include "nnc/Data/Images.h"
#include "nnc/Data/Npy.h"
#include "nnc/Data/Text.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>

namespace nnc {

//===----------------------------------------------------------------------===//
// Paths
//===----------------------------------------------------------------------===//

/// The path with every ${NAME} replaced by the value of that environment variable.
static Result<std::string> expandVariables(const std::string &path) {
  std::string result;
  for (size_t place = 0; place < path.size();) {
    size_t begin = path.find("${", place), end = path.find('}', begin);
    if (begin == std::string::npos || end == std::string::npos)
      return result + path.substr(place);
    std::string name = path.substr(begin + 2, end - begin - 2);
    const char *value = std::getenv(name.c_str());
    if (!value || !*value)
      return Error::expectedFound(fmt::format("the folder of {} in the environment variable {}",
                                              quote(path.substr(end + 1)), name),
                                  value ? "an empty one" : "no such variable");
    result += path.substr(place, begin - place) + value;
    place = end + 1;
  }
  return result;
}

static Result<std::string> resolvePath(const std::string &text, const StageArguments &arguments) {
  Result<std::string> path = expandVariables(text);
  const SourceFile *file = arguments.stageOf().range.file;
  if (!path || !file || std::filesystem::path(*path).is_absolute())
    return path;
  return (std::filesystem::path(file->path()).parent_path() / *path).string();
}

/// The one path of a source, its argument `name`, once all arguments have been looked at.
static Result<std::string> finishWithPath(StageArguments &arguments,
                                          const std::optional<std::string> &path) {
  if (!arguments.finish() || !path)
    return reported();
  return resolvePath(*path, arguments);
}

namespace {
/// A file for a field, `label = i64("labels.gz")`; the field has no name where none is given.
struct FieldFile {
  std::string field, path;
  std::optional<ElementType> type;
};
} // namespace

/// All arguments that are left, as files.
static Result<std::vector<FieldFile>> takeFiles(StageArguments &arguments) {
  std::vector<FieldFile> files;
  for (const StageArgument *argument : arguments.takeRest()) {
    const auto *text = std::get_if<std::string>(&argument->value);
    if (!text) {
      arguments.mismatch(*argument, "the name of a file");
      continue;
    }
    Result<std::string> path = resolvePath(*text, arguments);
    if (!path)
      return path.takeError();
    std::optional<ElementType> type;
    if (!argument->dtype.empty())
      type = elementTypeNamed(argument->dtype);
    files.push_back({argument->name, *path, type});
  }
  if (!arguments.finish())
    return reported();
  if (files.empty())
    return Error::expectedFound("the name of a file", "none")
        .of(fmt::format("'{}'", arguments.stageOf().name));
  return files;
}

//===----------------------------------------------------------------------===//
// Tables and arrays
//===----------------------------------------------------------------------===//

/// What a field reads, as csv's columns: `x = 0:4`, `label = i64(4)`, `y = "width"`.
static std::optional<CsvField> toCsvField(const StageArgument &argument) {
  CsvField field;
  field.name = argument.name;
  if (!argument.dtype.empty())
    field.type = *elementTypeNamed(argument.dtype);
  if (const auto *range = std::get_if<StageArgument::Range>(&argument.value)) {
    field.columns.push_back(CsvColumns::range(range->start, range->stop));
  } else if (const auto *index = std::get_if<int64_t>(&argument.value)) {
    field.columns.push_back(CsvColumns::single(*index));
    field.isVector = true;
  } else if (const auto *name = std::get_if<std::string>(&argument.value)) {
    field.columns.push_back(CsvColumns::named(*name));
    field.isVector = true;
  } else {
    return std::nullopt;
  }
  return field;
}

static Result<Dataset> readCsvSource(StageArguments &arguments) {
  std::optional<std::string> file = arguments.takeString("file");
  CsvOptions options;
  if (const StageArgument *skip = arguments.take("skip", /*byName=*/true)) {
    const int64_t *count = std::get_if<int64_t>(&skip->value);
    if (count && *count >= 0)
      options.skip = *count;
    else
      arguments.mismatch(*skip, "a number of lines, zero or more,");
  }
  if (const StageArgument *delimiter = arguments.take("delimiter", /*byName=*/true)) {
    const auto *text = std::get_if<std::string>(&delimiter->value);
    if (text && text->size() == 1)
      options.delimiter = text->front();
    else
      arguments.mismatch(*delimiter, "one character");
  }
  if (const StageArgument *header = arguments.take("header", /*byName=*/true)) {
    if (const bool *value = std::get_if<bool>(&header->value))
      options.hasHeader = *value;
    else
      arguments.mismatch(*header, "true or false");
  }
  for (const StageArgument *argument : arguments.takeNamed()) {
    std::optional<CsvField> field = toCsvField(*argument);
    if (field)
      options.fields.push_back(std::move(*field));
    else
      arguments.mismatch(*argument, "a column, a range of columns or the name of one");
  }
  Result<std::string> path = finishWithPath(arguments, file);
  if (!path)
    return path.takeError();
  return readCsv(*path, options);
}

/// npy("images.npy", label = "labels.npy"): a file for each field.
static Result<Dataset> readNpySource(StageArguments &arguments) {
  Result<std::vector<FieldFile>> files = takeFiles(arguments);
  if (!files)
    return files.takeError();
  std::vector<NamedTensor> arrays;
  for (const FieldFile &file : *files) {
    Result<Tensor> tensor = readNpy(file.path);
    if (!tensor)
      return tensor.takeError();
    arrays.push_back({file.field.empty() ? fmt::format("field{}", arrays.size()) : file.field,
                      file.type ? tensor->to(*file.type) : std::move(*tensor)});
  }
  return makeDataset(std::move(arrays), "npy");
}

/// npz("data.npz", x = "images", y = "labels"): an array for each field; all without names.
static Result<Dataset> readNpzSource(StageArguments &arguments) {
  std::optional<std::string> file = arguments.takeString("file");
  std::vector<std::string> names, fields;
  for (const StageArgument *argument : arguments.takeNamed()) {
    if (const auto *name = std::get_if<std::string>(&argument->value)) {
      names.push_back(*name);
      fields.push_back(argument->name);
    } else {
      arguments.mismatch(*argument, "the name of an array");
    }
  }
  Result<std::string> path = finishWithPath(arguments, file);
  if (!path)
    return path.takeError();
  Result<std::vector<NamedTensor>> arrays = readNpz(*path, names);
  if (!arrays)
    return arrays.takeError();
  for (size_t index = 0; index < fields.size(); ++index)
    (*arrays)[index].name = fields[index];
  return makeDataset(std::move(*arrays), *path);
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

/// Bytes in three dimensions are grey images, f32[N, 1, H, W]; bytes in one are labels, i64[N].
static Tensor fromIdx(Tensor array, std::optional<ElementType> type) {
  bool isBytes = array.type() == ElementType::U8;
  ElementType found = array.type();
  if (isBytes && array.rank() == 3) {
    array = array.reshaped({array.dim(0), 1, array.dim(1), array.dim(2)});
    found = ElementType::F32;
  } else if (isBytes && array.rank() == 1) {
    found = ElementType::I64;
  }
  return array.to(type.value_or(found));
}

/// idx("images.gz", "labels.gz"): a file for each field.
static Result<Dataset> readIdxSource(StageArguments &arguments) {
  Result<std::vector<FieldFile>> files = takeFiles(arguments);
  if (!files)
    return files.takeError();
  static const char *const names[] = {"image", "label"};
  std::vector<NamedTensor> arrays;
  for (const FieldFile &file : *files) {
    Result<Tensor> tensor = readIdx(file.path);
    if (!tensor)
      return tensor.takeError();
    size_t index = arrays.size();
    std::string name = !file.field.empty() ? file.field
                       : index < 2         ? names[index]
                                           : fmt::format("field{}", index);
    arrays.push_back({name, fromIdx(std::move(*tensor), file.type)});
  }
  return makeDataset(std::move(arrays), files->front().path);
}

static Result<Dataset> readCifarFiles(StageArguments &arguments, CifarKind kind) {
  Result<std::vector<FieldFile>> files = takeFiles(arguments);
  if (!files)
    return files.takeError();
  std::vector<std::string> paths;
  for (const FieldFile &file : *files)
    paths.push_back(file.path);
  return readCifar(paths, kind);
}

static Result<Dataset> readCifar10Source(StageArguments &arguments) {
  return readCifarFiles(arguments, CifarKind::Cifar10);
}
static Result<Dataset> readCifar100Source(StageArguments &arguments) {
  return readCifarFiles(arguments, CifarKind::Cifar100);
}

/// images("folder", channels = 1, size = [28, 28])
static Result<Dataset> readImagesSource(StageArguments &arguments) {
  std::optional<std::string> folder = arguments.takeString("folder");
  ImageFolderOptions options;
  std::optional<int64_t> channels = arguments.takeInteger("channels", 3);
  std::optional<std::vector<double>> size = arguments.takeNumbers("size");
  if (!channels || !size)
    return reported();
  options.channels = *channels;
  if (*channels != 1 && *channels != 3)
    return Error::expectedFound("1 or 3 channels", fmt::format("{}", *channels));
  if (size->size() == 1)
    size->push_back(size->front());
  if (!size->empty()) {
    bool isSize = size->size() == 2;
    for (double side : *size)
      isSize = isSize && side >= 1 && side <= 65536 && side == double(int64_t(side));
    if (!isSize)
      return Error::expectedFound("a height and a width in pixels",
                                  std::string(arguments.rangeOf("size").text()));
    options.size = {int64_t(size->front()), int64_t(size->back())};
  }
  Result<std::string> path = finishWithPath(arguments, folder);
  if (!path)
    return path.takeError();
  return readImageFolder(*path, options);
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// text("book.txt.gz", window = 64, stride = 64, count = 256)
static Result<Dataset> readTextSource(StageArguments &arguments) {
  std::optional<std::string> file = arguments.takeString("file");
  TextOptions options;
  std::optional<int64_t> window = arguments.takeInteger("window"),
                         stride = arguments.takeInteger("stride", window.value_or(1)),
                         count = arguments.takeInteger("count", options.count);
  Result<std::string> path = finishWithPath(arguments, file);
  if (!path)
    return path.takeError();
  options = {*window, *stride, *count};
  return readText(*path, options);
}

const std::map<std::string, DataSource> &dataSources() {
  static const std::map<std::string, DataSource> sources = {
      {"csv", readCsvSource},         {"npy", readNpySource},
      {"npz", readNpzSource},         {"idx", readIdxSource},
      {"cifar10", readCifar10Source}, {"cifar100", readCifar100Source},
      {"images", readImagesSource},   {"text", readTextSource}};
  return sources;
}

} // namespace nnc
