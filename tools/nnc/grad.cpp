//===- grad.cpp - nnc grad ------------------------------------------------===//
//
// Prints the backward graph as .nn.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "nnc/Autodiff/Autodiff.h"
#include "nnc/Syntax/Elaborate.h"

#include <cstdio>

using namespace nnc;

namespace {
struct GradFlags {
  std::string file, entry;
  std::vector<std::string> wrt;
  unsigned order = 1;
};
} // namespace

/// The functions to differentiate: the one named, or every model and func.
static std::vector<mlir::func::FuncOp> chooseFunctions(Session &session, const std::string &name) {
  std::vector<mlir::func::FuncOp> chosen;
  std::vector<std::string> names;
  for (auto function : session.module().getOps<mlir::func::FuncOp>()) {
    std::string entry = getSignature(function).entry;
    if (entry != "forward" && entry != "func")
      continue;
    names.push_back(function.getName().str());
    if (name.empty() || names.back() == name)
      chosen.push_back(function);
  }
  if (chosen.empty() && name.empty())
    session.diagnostics.error(SourceRange::whole(*session.source),
                              "nothing to differentiate: expected a model or a func");
  else if (chosen.empty())
    session.diagnostics.error("--entry: no model or func '" + name + "'")
        .didYouMean(closestMatch(name, names));
  return chosen;
}

static int runGrad(const GradFlags &flags) {
  DiagnosticEngine diagnostics;
  std::unique_ptr<Session> session = Session::open(flags.file, {}, diagnostics);
  if (!session)
    return fail(diagnostics);
  if (!runPhases(session->module(), session->options, diagnostics, "autodiff"))
    return fail(diagnostics);
  std::vector<mlir::func::FuncOp> functions = chooseFunctions(*session, flags.entry);
  std::vector<mlir::func::FuncOp> gradients;
  {
    DiagnosticCapture capture(session->context.get(), diagnostics);
    for (mlir::func::FuncOp function : functions)
      for (unsigned order = 0; order < flags.order; ++order) {
        mlir::FailureOr<mlir::func::FuncOp> gradient =
            buildGradientFunction(function, order == 0 ? flags.wrt : std::vector<std::string>());
        if (mlir::failed(gradient))
          return fail(diagnostics);
        function = *gradient;
        if (order + 1 == flags.order)
          gradients.push_back(function);
      }
  }
  if (!runPhases(session->module(), session->options, diagnostics, "simplify") ||
      diagnostics.hasErrors())
    return fail(diagnostics);
  for (auto [index, gradient] : llvm::enumerate(gradients))
    std::fputs(((index ? "\n" : "") + printFunction(gradient)).c_str(), stdout);
  return gradients.empty() ? fail(diagnostics) : exitOk;
}

void nnc::addGradCommand(CommandLine &commandLine) {
  auto flags = std::make_shared<GradFlags>();
  CLI::App *command = commandLine.add("grad", "Print the backward graph of models and funcs as .nn",
                                      [=] { return runGrad(*flags); });
  command->add_option("file", flags->file, "The .nn file")->required();
  command->add_option("--entry", flags->entry, "The model or func; all without it");
  command->add_option("--wrt", flags->wrt, "Parameters or inputs to differentiate by")
      ->delimiter(',');
  command->add_option("--order", flags->order, "2 for the gradient of the gradient")
      ->check(between(1, 4))
      ->capture_default_str();
}
