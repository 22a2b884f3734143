//===- main.cpp - The nnc command -----------------------------------------===//
//
// Parses the command line and runs one subcommand; each has a file of its own.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include <cstdio>
#include <fmt/format.h>

using namespace nnc;

int nnc::fail(const DiagnosticEngine &diagnostics) {
  std::fputs(diagnostics.render().c_str(), stderr);
  return diagnostics.hasDefects() ? exitDefect : exitBadInput;
}

int nnc::fail(SourceRange range, const std::string &message) {
  DiagnosticEngine diagnostics;
  diagnostics.error(range, message);
  return fail(diagnostics);
}

int nnc::fail(const std::string &message) {
  bool isComplete = message.find("error: ") != std::string::npos;
  fmt::print(stderr, "{}{}\n", isComplete ? "" : "error: ", message);
  return exitBadInput;
}

int main(int argc, char **argv) {
  CLI::App app("Compiles, trains and runs neural networks written in .nn", "nnc");
  app.require_subcommand(1);
  app.set_version_flag("--version", "nnc " NNC_VERSION);
  CommandLine commandLine{app, {}};
  addCompileCommand(commandLine);
  addRunCommand(commandLine);
  addTrainCommand(commandLine);
  addTestCommand(commandLine);
  addGradCommand(commandLine);
  addCheckCommand(commandLine);
  addExplainCommand(commandLine);
  addTuneCommand(commandLine);
  addFmtCommand(commandLine);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return error.get_exit_code() == 0 ? app.exit(error) : failUsage(app, error);
  }
  return commandLine.chosen();
}
