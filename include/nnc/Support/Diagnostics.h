//===- Diagnostics.h - Errors in terms of the source -------------*- C++ -*-===//
//
// Every stage that reads what a person wrote reports through a DiagnosticEngine: it collects
// several errors per run, orders them by their place in the text, and renders each as
//
//   mnist.nn:4:22: error: unknown name 'wieght'
//     return x @ wieght + b
//                ^~~~~~
//   mnist.nn:2:9: note: 'weight' is declared here
//     ...
//   help: did you mean 'weight'?
//
// Messages are lower case without a full stop, and say what was expected before what was found.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SUPPORT_DIAGNOSTICS_H
#define NNC_SUPPORT_DIAGNOSTICS_H

#include "nnc/Support/Source.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nnc {

struct Error;

enum class Severity { Error, Warning };

struct Diagnostic {
  /// A remark under a diagnostic, about another place in the text.
  struct Note {
    SourceRange range;
    std::string message;
  };
  /// A change that would repair the text: `range` replaced by `replacement`.
  struct FixIt {
    SourceRange range;
    std::string replacement;
  };

  Severity severity;
  SourceRange range;
  std::string message;
  std::vector<Note> notes;
  std::vector<std::string> helps;
  std::vector<FixIt> fixIts;

  Diagnostic &note(SourceRange at, std::string text);
  Diagnostic &help(std::string text);
  /// Says "help: write 'replacement'" and keeps the change for an editor to apply.
  Diagnostic &suggest(SourceRange at, std::string replacement);
  /// Says "help: did you mean 'name'?" if there is a name.
  Diagnostic &didYouMean(const std::optional<std::string> &name);
};

class DiagnosticEngine {
public:
  /// Errors beyond this many are counted but not kept.
  explicit DiagnosticEngine(size_t maximum = 20) : maxErrors(maximum) {}

  /// Reports; the reference takes notes and help, and holds until the next call on the engine.
  Diagnostic &error(SourceRange range, std::string message);
  Diagnostic &warning(SourceRange range, std::string message);
  /// An error that no text stands for (a flag, a missing file).
  Diagnostic &error(std::string message) { return error(SourceRange(), std::move(message)); }

  /// What went wrong with a file, at `range`; without a range, at the file.
  Diagnostic &error(SourceRange range, const Error &error, const std::string &prefix = "");
  /// A failure of ours that no input should cause: says so, and how to report it.
  Diagnostic &defect(SourceRange range, std::string message);

  bool hasErrors() const { return errorCount > 0; }
  bool hasDefects() const { return defectCount > 0; }
  size_t numErrors() const { return errorCount; }
  /// Whether further errors would not be shown, so that a stage may stop looking.
  bool isFull() const { return errorCount >= maxErrors; }

  /// All diagnostics by file (in order of first report) and position.
  std::vector<const Diagnostic *> sorted() const;
  /// What a terminal shows for all of them, with "too many errors" at the end if some were dropped.
  std::string render() const;
  void clear();

  /// Takes a file over: what diagnostics point into lives as long as they do.
  const SourceFile &own(std::unique_ptr<SourceFile> file) {
    files.push_back(std::move(file));
    return *files.back();
  }
  /// The file of that path among those taken over; null if there is none.
  const SourceFile *findFile(std::string_view path) const;

private:
  Diagnostic &report(Severity severity, SourceRange range, std::string message);

  std::vector<std::unique_ptr<SourceFile>> files;
  size_t maxErrors;
  size_t errorCount = 0, defectCount = 0;
  std::deque<Diagnostic> diagnostics;
  Diagnostic dropped;
};

/// What a terminal shows for one diagnostic, each line ended.
std::string render(const Diagnostic &diagnostic);

/// The candidate nearest to `name` by edit distance, if one is near enough to be meant: within a
/// third of the name's length, transpositions and letter case counting little.
std::optional<std::string> closestMatch(std::string_view name,
                                        const std::vector<std::string> &candidates);

} // namespace nnc

#endif // NNC_SUPPORT_DIAGNOSTICS_H
