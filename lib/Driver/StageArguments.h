//===- StageArguments.h - The arguments of a pipeline stage -----*- C++ -*-===//
//
// Reads the arguments of a stage by name or position, with errors at their place in the .nn file.
// Every argument is taken once; `finish` reports those that nobody took.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_STAGEARGUMENTS_H
#define NNC_DRIVER_STAGEARGUMENTS_H

#include "nnc/Support/Diagnostics.h"
#include "nnc/Syntax/Program.h"

#include <set>

namespace nnc {

class StageArguments {
public:
  StageArguments(const PipelineStage &pipelineStage, DiagnosticEngine &engine)
      : stage(pipelineStage), diagnostics(engine) {}

  /// The argument `name`, or the next positional one unless `byName`. Null if there is none.
  const StageArgument *take(const std::string &name, bool byName = false);
  /// All named arguments that were not taken, in order: the fields of a source.
  std::vector<const StageArgument *> takeNamed();

  /// All arguments that were not taken, in order.
  std::vector<const StageArgument *> takeRest();

  std::optional<int64_t> takeInteger(const std::string &name,
                                     std::optional<int64_t> fallback = std::nullopt);
  std::optional<double> takeNumber(const std::string &name,
                                   std::optional<double> fallback = std::nullopt);
  std::optional<std::string> takeString(const std::string &name,
                                        std::optional<std::string> fallback = std::nullopt);
  std::optional<bool> takeBool(const std::string &name,
                               std::optional<bool> fallback = std::nullopt);
  /// A list of numbers, or one number, by name alone; an empty list where there is none.
  std::optional<std::vector<double>> takeNumbers(const std::string &name);

  /// Whether nothing went wrong and every argument was taken.
  bool finish();
  /// Reports that `argument` is not what was expected.
  void mismatch(const StageArgument &argument, const std::string &expected);

  const PipelineStage &stageOf() const { return stage; }
  /// The place of the argument `name`; of the stage, if there is none.
  SourceRange rangeOf(const std::string &name) const;

private:
  /// A named argument whose name is nearly `name`.
  const StageArgument *findMisspelt(const std::string &name) const;
  template <typename T>
  std::optional<T> takeAs(const std::string &name, std::optional<T> fallback, const char *expected);

  const PipelineStage &stage;
  DiagnosticEngine &diagnostics;
  std::set<const StageArgument *> taken;
  std::vector<std::string> known;
  bool failed = false;
};

} // namespace nnc

#endif // NNC_DRIVER_STAGEARGUMENTS_H
