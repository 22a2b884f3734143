//===- check.cpp - nnc check ----------------------------------------------===//
//
// Compares the gradients of models, funcs and training losses with finite differences in f64; with
// --ops, those of every differentiable op.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "nnc/Driver/CheckGradients.h"
#include "nnc/IR/OpTable.h"
#include "nnc/Reference/DrawInputs.h"

#include <fmt/format.h>

using namespace nnc;

namespace {
struct CheckFlags {
  std::string file;
  bool ops = false;
  unsigned order = 1;
  uint64_t seed = 1;
};

/// Prints one line for a check and counts it.
struct CheckLog {
  unsigned passed = 0, failed = 0;

  void add(const std::string &name, llvm::Expected<GradientReport> report) {
    if (!report) {
      ++failed;
      fmt::print("{}: {}\n", name, llvm::toString(report.takeError()));
      return;
    }
    ++(report->passed() ? passed : failed);
    fmt::print("{}: {} derivatives, largest error {:.1e}{}\n", name, report->numChecked,
               report->largestError, report->passed() ? "" : "\n" + report->str());
  }

  int finish() const {
    fmt::print("{} passed, {} failed\n", passed, failed);
    return failed ? exitBadInput : exitOk;
  }
};
} // namespace

/// Whether the function has a floating-point argument and a floating-point result.
static bool isDifferentiable(mlir::func::FuncOp function) {
  auto isFloat = [](mlir::Type type) {
    return mlir::isa<mlir::FloatType>(mlir::cast<mlir::RankedTensorType>(type).getElementType());
  };
  return llvm::any_of(function.getArgumentTypes(), isFloat) &&
         llvm::any_of(function.getResultTypes(), isFloat);
}

/// Floats from -1 to 1; an optimizer's state from 0 to 1, since it may hold averages of squares.
static std::vector<ExampleInput> inputsOf(mlir::func::FuncOp function) {
  std::vector<ExampleInput> inputs;
  for (const Buffer &buffer : getSignature(function).buffers) {
    if (buffer.isResult)
      continue;
    bool isInteger = !mlir::isa<mlir::FloatType>(buffer.elementType);
    bool isPositive = isInteger || buffer.role == "state";
    inputs.push_back({buffer.name, makeTensorType(buffer.shape, buffer.elementType),
                      isPositive ? 0.0 : -1.0,
                      buffer.elementType.isInteger(1) || !isInteger ? 1.0 : 2.0});
  }
  return inputs;
}

static int checkFile(const CheckFlags &flags) {
  DiagnosticEngine diagnostics;
  std::unique_ptr<Session> session = Session::open(flags.file, {}, diagnostics);
  if (!session)
    return fail(diagnostics);
  CheckLog log;
  GradientCheckOptions options;
  options.seed = flags.seed;
  for (auto function : llvm::to_vector(session->module().getOps<mlir::func::FuncOp>())) {
    std::string entry = getSignature(function).entry;
    if ((entry != "forward" && entry != "func" && entry != "step") || !isDifferentiable(function))
      continue;
    log.add(
        function.getName().str(),
        checkGradients(function, drawInputs(inputsOf(function), flags.seed), flags.order, options));
  }
  if (log.passed + log.failed == 0)
    return fail(SourceRange::whole(*session->source),
                "nothing to differentiate: expected a model or a func");
  return log.finish();
}

static int checkOps(const CheckFlags &flags) {
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  CheckLog log;
  GradientCheckOptions options;
  options.seed = flags.seed;
  for (const OpInfo &op : getOpTable()) {
    if (!op.isDifferentiable)
      continue;
    for (const std::string &text : op.examples) {
      llvm::Expected<Example> example = buildExample(*context, text);
      if (!example)
        log.add(text, example.takeError());
      else if (isDifferentiable(example->function))
        log.add(text, checkGradients(example->function, drawInputs(example->inputs, flags.seed),
                                     flags.order, options));
    }
  }
  return log.finish();
}

static int runCheck(const CheckFlags &flags) {
  if (flags.ops == !flags.file.empty()) {
    fail("check expects a .nn file or --ops");
    return exitBadUsage;
  }
  return flags.ops ? checkOps(flags) : checkFile(flags);
}

void nnc::addCheckCommand(CommandLine &commandLine) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App *command = commandLine.add("check", "Compare gradients with finite differences, in f64",
                                      [=] { return runCheck(*flags); });
  command->add_option("file", flags->file, "The .nn file");
  command->add_flag("--ops", flags->ops, "Check every differentiable op instead of a file");
  command->add_option("--order", flags->order, "2 to check the gradient of the gradient too")
      ->check(between(1, 3))
      ->capture_default_str();
  command->add_option("--seed", flags->seed, "Seed of the values to check at")
      ->capture_default_str();
}
