//===- Command.h - What the subcommands share -------------------*- C++ -*-===//
//
// A subcommand is a file with one function that adds it to the command line; its callback returns
// the exit status: 0 ok, 1 the input is wrong, 2 the command line is wrong, 70 a defect of ours.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_TOOLS_NNC_COMMAND_H
#define NNC_TOOLS_NNC_COMMAND_H

#include "nnc/Codegen/Target.h"
#include "nnc/Driver/Locations.h"
#include "nnc/Driver/Session.h"

#include <CLI/CLI.hpp>
#include <functional>

namespace nnc {

constexpr int exitOk = 0, exitBadInput = 1, exitBadUsage = 2, exitDefect = 70;

/// Adds a subcommand whose work is `run`.
using Run = std::function<int()>;
struct CommandLine {
  CLI::App &app;
  /// The work of the subcommand that was given.
  Run chosen;

  CLI::App *add(const std::string &name, const std::string &summary, Run run) {
    CLI::App *command = app.add_subcommand(name, summary);
    command->callback([this, run = std::move(run)] { chosen = run; });
    return command;
  }
};

void addCheckCommand(CommandLine &commandLine);
void addCompileCommand(CommandLine &commandLine);
void addExplainCommand(CommandLine &commandLine);
void addTuneCommand(CommandLine &commandLine);
void addFmtCommand(CommandLine &commandLine);
void addGradCommand(CommandLine &commandLine);
void addRunCommand(CommandLine &commandLine);
void addTestCommand(CommandLine &commandLine);
void addTrainCommand(CommandLine &commandLine);

/// A check of an option's value: one of a few words; a whole number within bounds.
CLI::Validator oneOf(std::vector<std::string> words);
CLI::Validator between(int64_t least, int64_t most);
CLI::Validator notNegative();
/// Adds --threads, which takes effect while the command line is read.
void addThreadsOption(CLI::App &command);
/// Adds --memory-limit, which sets `limit`.
void addMemoryOption(CLI::App &command, std::optional<int64_t> &limit);
/// Adds --check-passes, which makes `options` ask for that and print what is checked.
void addCheckPassesFlag(CLI::App &command, CompileOptions &options);
/// Adds --tuned, for readTiles.
void addTunedOption(CLI::App &command, std::string &file);
/// The tiles of --tuned, or of the file beside the program if that is for this machine. False, with an error
/// printed, if there is a file but it is none of tiles, or --tuned names one for another processor.
bool readTiles(const std::string &program, const std::string &flag, const std::string &target,
               std::shared_ptr<const TunedTiles> &tiles);
/// Says what is wrong with the command line, and which command would explain it.
int failUsage(CLI::App &app, const CLI::ParseError &error);

/// Reads texts such as "N=64", which `flag` was given; false, with an error printed, if one is not of that
/// form.
bool parseBindings(const std::vector<std::string> &texts, std::map<std::string, int64_t> &bindings,
                   const char *flag = "--bind");
/// What code is made for.
struct Target {
  /// As LLVM names it, or "native".
  std::string cpu = "native";
  /// Where kernels run, if not there.
  std::vector<GpuTarget> gpus;
};
/// What --target names: "cpu", "cpu:NAME" and, if `takesGpu`, "ptx:ARCH", "ptx:ARCH,ARCH" and either with
/// ",cpu:NAME"; none, with an error printed, if there is no such thing.
std::optional<Target> parseTarget(const std::string &text, bool takesGpu = false);
/// Adds --tf32.
void addRoundingFlag(CLI::App &command, CompileOptions &options);
/// Adds --target, and what goes with it, to a command that runs what it compiles.
void addRunTargetOption(CLI::App &command, std::string &target, CompileOptions &options);
/// What that names: the GPU where code is to run, none for this machine. False, with an error printed, if there is
/// no such thing, or `options` ask for what is not done there.
bool parseRunTarget(const std::string &text, const CompileOptions &options,
                    std::optional<GpuTarget> &gpu);
/// Lets `options` compile for `gpu`, if there is one, and says where code runs then.
void runOn(const std::optional<GpuTarget> &gpu, CompileOptions &options);

/// Prints what went wrong to stderr and returns exitBadInput.
int fail(const DiagnosticEngine &diagnostics);
int fail(const std::string &message);
int fail(SourceRange range, const std::string &message);
inline int fail(const Error &error) { return fail(error.str()); }

} // namespace nnc

#endif // NNC_TOOLS_NNC_COMMAND_H
