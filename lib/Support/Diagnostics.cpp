//===- Diagnostics.cpp - Errors in terms of the source --------------------===//
//
// Collecting and ordering; DiagnosticRenderer.cpp draws them.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/Diagnostics.h"
#include "nnc/Support/Result.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace nnc {

Diagnostic &Diagnostic::note(SourceRange at, std::string text) {
  notes.push_back({at, std::move(text)});
  return *this;
}

Diagnostic &Diagnostic::help(std::string text) {
  helps.push_back(std::move(text));
  return *this;
}

Diagnostic &Diagnostic::suggest(SourceRange at, std::string replacement) {
  helps.push_back(fmt::format("write '{}'", replacement));
  fixIts.push_back({at, std::move(replacement)});
  return *this;
}

Diagnostic &Diagnostic::didYouMean(const std::optional<std::string> &name) {
  if (name) {
    helps.push_back(fmt::format("did you mean '{}'?", *name));
    fixIts.push_back({range, *name});
  }
  return *this;
}

Diagnostic &DiagnosticEngine::report(Severity severity, SourceRange range, std::string message) {
  auto isRepeat = [&](const Diagnostic &other) {
    return other.severity == severity && other.range.file == range.file &&
           other.range.begin == range.begin && other.message == message;
  };
  bool repeated = std::any_of(diagnostics.begin(), diagnostics.end(), isRepeat);
  bool tooMany = severity == Severity::Error && errorCount >= maxErrors;
  if (severity == Severity::Error && !repeated)
    ++errorCount;
  if (repeated || tooMany) {
    dropped = {severity, range, std::move(message), {}, {}, {}};
    return dropped;
  }
  diagnostics.push_back({severity, range, std::move(message), {}, {}, {}});
  return diagnostics.back();
}

Diagnostic &DiagnosticEngine::error(SourceRange range, std::string message) {
  return report(Severity::Error, range, std::move(message));
}

Diagnostic &DiagnosticEngine::warning(SourceRange range, std::string message) {
  return report(Severity::Warning, range, std::move(message));
}

Diagnostic &DiagnosticEngine::error(SourceRange range, const Error &error,
                                    const std::string &prefix) {
  std::string place = printable(error.file);
  for (int64_t number : {error.line, error.column})
    if (number > 0)
      place += fmt::format(":{}", number);
  std::string message = prefix + error.what();
  if (!range.isValid() && prefix.empty() && !place.empty())
    range = SourceRange::whole(own(std::make_unique<SourceFile>(place, "")));
  else if (!place.empty())
    message = fmt::format("{}{}: {}", prefix, place, error.what());
  Diagnostic &diagnostic = this->error(range, std::move(message));
  if (!error.hint.empty())
    diagnostic.help(error.hint);
  return diagnostic;
}

Diagnostic &DiagnosticEngine::defect(SourceRange range, std::string message) {
  ++defectCount;
  return error(range, std::move(message))
      .help("this is a defect of nnc, not of the program: docs/reporting.md says how to report it");
}

const SourceFile *DiagnosticEngine::findFile(std::string_view path) const {
  for (const std::unique_ptr<SourceFile> &file : files)
    if (file->path() == path)
      return file.get();
  return nullptr;
}

void DiagnosticEngine::clear() {
  diagnostics.clear();
  errorCount = defectCount = 0;
}

std::vector<const Diagnostic *> DiagnosticEngine::sorted() const {
  // The index in the order of report keeps diagnostics at one place in that order.
  std::map<const SourceFile *, size_t> fileOrder;
  std::vector<std::tuple<size_t, uint32_t, size_t>> order;
  for (size_t i = 0; i < diagnostics.size(); ++i) {
    size_t file = fileOrder.emplace(diagnostics[i].range.file, fileOrder.size()).first->second;
    order.emplace_back(file, diagnostics[i].range.begin, i);
  }
  std::sort(order.begin(), order.end());
  std::vector<const Diagnostic *> result;
  for (const auto &[file, begin, index] : order)
    result.push_back(&diagnostics[index]);
  return result;
}

std::string DiagnosticEngine::render() const {
  std::string text;
  for (const Diagnostic *diagnostic : sorted())
    text += nnc::render(*diagnostic);
  if (errorCount > maxErrors)
    text += fmt::format("error: too many errors: {} more not shown\n", errorCount - maxErrors);
  return text;
}

} // namespace nnc
