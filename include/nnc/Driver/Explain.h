//===- Explain.h - What becomes of each line of a program -------*- C++ -*-===//
//
// Compiles functions of a file as ever, reads at each stage what the compiler decided, runs the code on
// numbers that are made up, and relates the times to what this machine could do. The result is data;
// ExplainText, ExplainJson and ExplainPage write it.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_EXPLAIN_H
#define NNC_DRIVER_EXPLAIN_H

#include "nnc/Codegen/KernelReport.h"
#include "nnc/Driver/MachineModel.h"
#include "nnc/Driver/Session.h"

namespace nnc {

struct ExplainOptions {
  /// A function, or a kind of functions ("step", "forward"); empty: the training step, else the models,
  /// else the funcs.
  std::string entry;
  /// Sizes to count and to measure with, by symbol.
  SizeValues sizes;
  /// Processor as LLVM names it, or "native".
  std::string cpu = "native";
  /// Whether to run the code, and to compare it with the machine.
  bool measures = true;
};

/// A line of the program, as it stands or as differentiation makes it run again.
struct ExplainedPlace {
  std::string file;  ///< one that the program imports; empty: the program
  unsigned line = 0; ///< 0: of no line
  bool isGradient = false;
  bool operator<(const ExplainedPlace &other) const { return key() < other.key(); }
  bool operator==(const ExplainedPlace &other) const { return key() == other.key(); }
  std::tuple<const std::string &, unsigned, bool> key() const { return {file, line, isGradient}; }
  /// "12", "12 (gradient)", "layers.nn:3", "-".
  std::string str() const;
};

struct ExplainedKernel {
  KernelReport report;
  ExplainedPlace place;
  /// All the lines whose work it does, with the FLOPs of each in one call of the function.
  std::map<ExplainedPlace, int64_t> work;
  /// Seconds in one call of the function.
  std::optional<double> predicted, measured;
  /// What limits it in the prediction: "arithmetic" or "memory".
  std::string bound;

  /// In one call of the function.
  int64_t flops() const { return report.flops * report.runs; }
  int64_t bytes() const { return report.bytes() * report.runs; }
};

struct ExplainedLine {
  ExplainedPlace place;
  int64_t flops = 0, bytes = 0;
  unsigned kernels = 0;
  std::optional<double> predicted, measured;
};

struct ExplainedBuffer {
  WorkspaceBuffer buffer;
  ExplainedPlace place;
};

/// What a pass did or left, and why.
struct ExplainedRemark {
  ExplainedPlace place;
  std::string pass;
  bool isDone;
  std::string text;
  unsigned times = 1; ///< for so many operations
};

/// A pass on the module or on one function, in nanoseconds; without a pass, what else a phase does.
struct PassTime {
  std::string phase, pass, function;
  int64_t begin, end;
};

/// One run of a kernel, in nanoseconds; -1 for the call that it is part of.
struct KernelTime {
  int64_t kernel;
  int64_t begin, end;
};

/// A function, explained.
struct ExplainedEntry {
  std::string name, kind;
  SizeValues sizes;
  /// Where the sizes come from that were not given: "a batch of 'training'".
  std::string sizesFrom;
  std::vector<ExplainedKernel> kernels;
  std::vector<ExplainedLine> lines;
  ArenaReport arena;
  std::vector<ExplainedBuffer> buffers;
  int64_t parameterBytes = 0, stateBytes = 0, inputBytes = 0, outputBytes = 0;
  /// Seconds of one call, and of it those between kernels.
  std::optional<double> predicted, measured, betweenKernels;
  int64_t measuredRuns = 0;
  std::vector<ExplainedRemark> remarks;
  std::vector<PassTime> passes;
  std::vector<KernelTime> trace; ///< of the last call

  int64_t flops() const;
  int64_t bytes() const;
};

struct Explanation {
  std::string file;
  /// The lines of each file by its name, that of the program being empty.
  std::map<std::string, std::vector<std::string>> texts;
  std::string cpu;
  std::optional<MachineModel> machine;
  std::vector<ExplainedEntry> entries;
};

/// None, with diagnostics, on failure.
std::optional<Explanation> explain(Session &session, const ExplainOptions &options);

std::string renderExplanationText(const Explanation &explanation);
std::string renderExplanationJson(const Explanation &explanation);
/// A page of HTML that needs nothing else.
std::string renderExplanationPage(const Explanation &explanation);
/// Compilation and a call of each function, for chrome://tracing.
std::string renderTrace(const Explanation &explanation);

} // namespace nnc

#endif // NNC_DRIVER_EXPLAIN_H
