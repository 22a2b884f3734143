//===- explain.cpp - nnc explain ------------------------------------------===//
//
// Says what the code for each line does, how long it takes and could take, and where its memory lies.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "nnc/Driver/Explain.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>

using namespace nnc;

namespace {
struct ExplainFlags {
  std::string file, target = "cpu", format = "text", trace, tuned;
  std::vector<std::string> bindings, sizes;
  bool withoutMeasurement = false;
  ExplainOptions explain;
};
} // namespace

static int runExplain(ExplainFlags &flags) {
  CompileOptions options;
  std::optional<Target> target = parseTarget(flags.target);
  if (!target || !parseBindings(flags.bindings, options.bindings) ||
      !parseBindings(flags.sizes, flags.explain.sizes, "--size"))
    return exitBadUsage;
  flags.explain.cpu = target->cpu;
  // What is compiled for another machine may not run on this one.
  flags.explain.measures = !flags.withoutMeasurement && target->cpu == "native";
  if (!readTiles(flags.file, flags.tuned, target->cpu, options.tiles))
    return exitBadInput;
  DiagnosticEngine diagnostics;
  std::unique_ptr<Session> session = Session::open(flags.file, options, diagnostics);
  if (!session)
    return fail(diagnostics);
  std::optional<Explanation> explanation = explain(*session, flags.explain);
  if (!explanation)
    return fail(diagnostics);
  if (!flags.trace.empty())
    if (Status written = writeFileAtomically(flags.trace, renderTrace(*explanation)); !written)
      return fail(written.error());
  std::string text = flags.format == "json"   ? renderExplanationJson(*explanation)
                     : flags.format == "html" ? renderExplanationPage(*explanation)
                                              : renderExplanationText(*explanation);
  fmt::print("{}", text);
  return exitOk;
}

void nnc::addExplainCommand(CommandLine &commandLine) {
  auto flags = std::make_shared<ExplainFlags>();
  CLI::App *command =
      commandLine.add("explain", "Tell what the code for each line does, and how fast it is",
                      [=] { return runExplain(*flags); });
  command->add_option("file", flags->file, "The .nn file")->required();
  command->add_option(
      "--entry", flags->explain.entry,
      "A function, or a kind: step, forward, evaluate, func; without it the training "
      "step, the model or the funcs");
  command
      ->add_option("--target", flags->target,
                   "cpu for this machine, cpu:NAME for another, on which nothing is measured")
      ->capture_default_str();
  command
      ->add_option("--size", flags->sizes,
                   "A size to count and measure with, N=64; without it that of the batches")
      ->delimiter(',');
  command->add_option("--bind", flags->bindings, "A size that the code is compiled for, N=64")
      ->delimiter(',');
  command->add_option("--format", flags->format, "text, json, or html: a page")
      ->check(oneOf({"text", "json", "html"}))
      ->capture_default_str();
  command->add_option("--trace", flags->trace,
                      "Write when each pass and each kernel ran, for chrome://tracing");
  command->add_flag("--no-measure", flags->withoutMeasurement, "Do not run the code");
  addTunedOption(*command, flags->tuned);
  addThreadsOption(*command);
}
