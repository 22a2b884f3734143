//===- StageArguments.cpp - The arguments of a pipeline stage -------------===//
//
// Names, positions and kinds of arguments, checked once for all stages.
//
//===----------------------------------------------------------------------===//
#include "StageArguments.h"

#include <fmt/format.h>

namespace nnc {

const StageArgument *StageArguments::take(const std::string &name, bool byName) {
  known.push_back(name);
  for (const StageArgument &argument : stage.arguments)
    if (argument.name == name && taken.insert(&argument).second)
      return &argument;
  for (const StageArgument &argument : stage.arguments)
    if (!byName && argument.name.empty() && taken.insert(&argument).second)
      return &argument;
  return nullptr;
}

const StageArgument *StageArguments::findMisspelt(const std::string &name) const {
  for (const StageArgument &argument : stage.arguments)
    if (!taken.count(&argument) && closestMatch(argument.name, {name}))
      return &argument;
  return nullptr;
}

std::vector<const StageArgument *> StageArguments::takeNamed() {
  std::vector<const StageArgument *> named;
  for (const StageArgument &argument : stage.arguments)
    if (!argument.name.empty() && taken.insert(&argument).second)
      named.push_back(&argument);
  return named;
}

std::vector<const StageArgument *> StageArguments::takeRest() {
  std::vector<const StageArgument *> rest;
  for (const StageArgument &argument : stage.arguments)
    if (taken.insert(&argument).second)
      rest.push_back(&argument);
  return rest;
}

std::optional<std::vector<double>> StageArguments::takeNumbers(const std::string &name) {
  const StageArgument *argument = take(name, /*byName=*/true);
  if (!argument)
    return std::vector<double>();
  if (const auto *list = std::get_if<std::vector<double>>(&argument->value); list && !list->empty())
    return *list;
  if (const auto *number = std::get_if<double>(&argument->value))
    return std::vector<double>{*number};
  if (const auto *number = std::get_if<int64_t>(&argument->value))
    return std::vector<double>{double(*number)};
  mismatch(*argument, "a number or a list of numbers");
  return std::nullopt;
}

SourceRange StageArguments::rangeOf(const std::string &name) const {
  for (const StageArgument &argument : stage.arguments)
    if (argument.name == name)
      return argument.range;
  return stage.range;
}

void StageArguments::mismatch(const StageArgument &argument, const std::string &expected) {
  failed = true;
  diagnostics.error(argument.range,
                    fmt::format("'{}' expects {}{}, found {}", stage.name, expected,
                                argument.name.empty() ? "" : " for '" + argument.name + "'",
                                argument.range.text()));
}

template <typename T>
std::optional<T> StageArguments::takeAs(const std::string &name, std::optional<T> fallback,
                                        const char *expected) {
  const StageArgument *argument = take(name);
  if (!argument) {
    if (!fallback) {
      failed = true;
      const StageArgument *misspelt = findMisspelt(name);
      if (misspelt)
        diagnostics
            .error(misspelt->range,
                   fmt::format("'{}' has no argument '{}'", stage.name, misspelt->name))
            .didYouMean(name);
      else
        diagnostics.error(stage.range,
                          fmt::format("'{}' needs an argument '{}'", stage.name, name));
    }
    return fallback;
  }
  if (const T *value = std::get_if<T>(&argument->value))
    return *value;
  if constexpr (std::is_same_v<T, double>)
    if (const int64_t *value = std::get_if<int64_t>(&argument->value))
      return double(*value);
  mismatch(*argument, expected);
  return std::nullopt;
}

std::optional<int64_t> StageArguments::takeInteger(const std::string &name,
                                                   std::optional<int64_t> fallback) {
  return takeAs(name, fallback, "an integer");
}
std::optional<double> StageArguments::takeNumber(const std::string &name,
                                                 std::optional<double> fallback) {
  return takeAs(name, fallback, "a number");
}
std::optional<std::string> StageArguments::takeString(const std::string &name,
                                                      std::optional<std::string> fallback) {
  return takeAs(name, std::move(fallback), "a string");
}
std::optional<bool> StageArguments::takeBool(const std::string &name,
                                             std::optional<bool> fallback) {
  return takeAs(name, fallback, "true or false");
}

bool StageArguments::finish() {
  for (const StageArgument &argument : stage.arguments) {
    if (failed || taken.count(&argument))
      continue;
    failed = true;
    if (argument.name.empty())
      diagnostics.error(argument.range, fmt::format("'{}' has too many arguments", stage.name));
    else
      diagnostics
          .error(argument.range,
                 fmt::format("'{}' has no argument '{}'", stage.name, argument.name))
          .didYouMean(closestMatch(argument.name, known));
  }
  return !failed;
}

} // namespace nnc
