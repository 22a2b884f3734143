//===- ParameterFiles.cpp - Which file has which model's parameters -------===//
//
// `nnc train --save` writes the model's name into the file, so that it need not be said again.
//
//===----------------------------------------------------------------------===//
#include "ParameterFiles.h"

#include "nnc/Data/Safetensors.h"

#include <fmt/format.h>

using namespace nnc;

/// The model that the text names: "net" of "net=a.safetensors", nothing of a path with a '=' in it.
static std::string namedModel(llvm::StringRef text) {
  auto [name, path] = text.split('=');
  bool isName = name.size() < text.size() && !name.empty() &&
                llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
  return isName ? name.str() : "";
}

/// The one of `models` whose parameters the file at `path` has.
static std::optional<std::string> modelOf(Session &session, const std::string &path,
                                          llvm::ArrayRef<std::string> models) {
  if (models.size() == 1)
    return models.front();
  Result<Safetensors> file = readSafetensors(path);
  if (!file) {
    session.diagnostics.error({}, file.error());
    return std::nullopt;
  }
  auto written =
      llvm::find_if(file->metadata, [](const auto &entry) { return entry.first == "model"; });
  bool isWritten = written != file->metadata.end();
  if (isWritten && llvm::is_contained(models, written->second))
    return written->second;
  session.diagnostics
      .error({}, Error::expectedFound("the name of the model whose parameters these are",
                                      isWritten ? fmt::format("'{}'", written->second) : "none")
                     .in(path))
      .help(
          fmt::format("write --params MODEL=FILE, where MODEL is {}", llvm::join(models, " or ")));
  return std::nullopt;
}

std::optional<std::map<std::string, std::string>>
nnc::parameterFiles(Session &session, const std::vector<std::string> &texts,
                    llvm::ArrayRef<std::string> models) {
  std::map<std::string, std::string> files;
  for (const std::string &text : texts) {
    std::string named = namedModel(text),
                path = named.empty() ? text : text.substr(named.size() + 1);
    if (!named.empty() && !session.findModel(named))
      return std::nullopt;
    std::optional<std::string> model =
        named.empty() && !models.empty() ? modelOf(session, path, models) : std::optional(named);
    if (!model)
      return std::nullopt;
    if (files.emplace(*model, path).second)
      continue;
    session.diagnostics.error(fmt::format("--params expects one file for '{}', found {} and {}",
                                          *model, files[*model], path));
    return std::nullopt;
  }
  return files;
}
