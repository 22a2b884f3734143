//===- TunedFile.cpp - A file of tiles for one processor ------------------===//
//
//   {"format": "nnc tuned tiles", "version": 1, "cpu": "znver4", "features": "+avx,...",
//    "kernels": [{"key": "0123456789abcdef", "kernel": "128 x 64 x sum of 256, f32", "rows": 7, "columns": 4,
//                 "block": 0, "seconds": 1.1e-05, "seconds_before": 1.3e-05}]}
//
// Whoever edits it by hand gets the field that is wrong.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Tune.h"

#include "nnc/Codegen/Target.h"
#include "nnc/Support/File.h"

#include "llvm/Support/Path.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nnc {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char *kFormat = "nnc tuned tiles";
constexpr int kVersion = 1;
/// More than any vector unit has registers for, or a block terms.
constexpr int64_t kMostRows = 64, kMostBlock = 1 << 24;

/// Reads fields, and keeps what is wrong with the first that is.
class Reader {
public:
  explicit Reader(const std::string &path) : file(path) {}

  std::string text(const Json &object, const char *name, const std::string &where = "") {
    const Json *value = find(object, name, where);
    if (value && !value->is_string())
      fail(where + name, "text", *value);
    return value && value->is_string() ? value->get<std::string>() : "";
  }
  int64_t number(const Json &object, const char *name, const std::string &where, int64_t least,
                 int64_t most) {
    const Json *value = find(object, name, where);
    if (value && value->is_number_integer() && *value >= least && *value <= most)
      return value->get<int64_t>();
    if (value)
      fail(where + name,
           least == most ? fmt::to_string(least) : fmt::format("{} to {}", least, most), *value);
    return least;
  }
  double seconds(const Json &object, const char *name, const std::string &where) {
    const Json *value = find(object, name, where);
    if (value && !value->is_number())
      fail(where + name, "a number", *value);
    return value && value->is_number() ? value->get<double>() : 0;
  }
  void fail(const std::string &field, const std::string &expected, const Json &found) {
    // Not what lists and objects hold: that may be anything.
    std::string text = found.is_array() ? "a list"
                       : found.is_object()
                           ? "an object"
                           : found.dump(-1, ' ', false, Json::error_handler_t::replace);
    fail(field, expected, text.size() > 40 ? text.substr(0, 40) + "…" : text);
  }
  void fail(const std::string &field, const std::string &expected, const std::string &found) {
    if (!problem)
      problem = Error::expectedFound(expected, found).in(file).of(field);
  }

  std::optional<Error> problem;

private:
  const Json *find(const Json &object, const char *name, const std::string &where) {
    auto place = object.find(name);
    if (place != object.end())
      return &*place;
    fail(where + name, "a value", std::string("none"));
    return nullptr;
  }

  const std::string &file;
};

} // namespace

std::string tunedFileOf(const std::string &program) {
  llvm::SmallString<128> path(program);
  llvm::sys::path::replace_extension(path, ".tuned.json");
  return path.str().str();
}

bool TunedFile::isForHost() const {
  TunedFile host = forHost();
  return cpu == host.cpu && features == host.features;
}

TunedFile TunedFile::forHost() {
  TargetDescription host = TargetDescription::host();
  return {host.cpu, host.features, {}, {}};
}

void TunedFile::add(const TunedKernel &kernel) {
  tiles[kernel.key] = kernel.after;
  kernels[kernel.key] = kernel;
}

std::string TunedFile::str() const {
  Json list = Json::array();
  for (const auto &[key, tile] : tiles) {
    const TunedKernel &kernel = kernels.at(key);
    list.push_back({{"key", key},
                    {"kernel", kernel.description},
                    {"rows", tile.rows},
                    {"columns", tile.columns},
                    {"block", tile.block},
                    {"seconds", kernel.secondsAfter},
                    {"seconds_before", kernel.secondsBefore}});
  }
  Json file = {{"format", kFormat},
               {"version", kVersion},
               {"cpu", cpu},
               {"features", features},
               {"kernels", std::move(list)}};
  return file.dump(2) + "\n";
}

Result<TunedFile> TunedFile::open(const std::string &path) {
  Result<std::string> text = readFile(path);
  if (!text)
    return text.takeError();
  Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    return Error::plain("expected a file of 'nnc tune', found no object of JSON").in(path);
  Reader read(path);
  if (std::string format = read.text(json, "format"); format != kFormat)
    read.fail("format", fmt::format("'{}'", kFormat), fmt::format("'{}'", format));
  read.number(json, "version", "", kVersion, kVersion);
  TunedFile file;
  file.cpu = read.text(json, "cpu");
  file.features = read.text(json, "features");
  Json list = json.value("kernels", Json());
  if (!list.is_array())
    read.fail("kernels", "a list", list);
  for (size_t number = 0; !read.problem && number < list.size(); ++number) {
    std::string where = fmt::format("kernels[{}]", number);
    const Json &item = list[number];
    if (!item.is_object()) {
      read.fail(where, "an object", item);
      break;
    }
    where += ".";
    TunedKernel kernel;
    kernel.key = read.text(item, "key", where);
    kernel.description = read.text(item, "kernel", where);
    kernel.after = {read.number(item, "rows", where, 1, kMostRows),
                    read.number(item, "columns", where, 1, kMostRows),
                    read.number(item, "block", where, 0, kMostBlock)};
    kernel.secondsAfter = read.seconds(item, "seconds", where);
    kernel.secondsBefore = read.seconds(item, "seconds_before", where);
    file.add(kernel);
  }
  if (read.problem)
    return std::move(*read.problem);
  return file;
}

} // namespace nnc
