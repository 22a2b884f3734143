//===- tune.cpp - nnc tune ------------------------------------------------===//
//
// Measures other tiles for the kernels of a function, and keeps the faster ones in a file for nnc compile.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "nnc/Codegen/Target.h"
#include "nnc/Driver/Tune.h"
#include "nnc/Support/File.h"

#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

using namespace nnc;

namespace {
struct TuneFlags {
  std::string file, output;
  std::vector<std::string> bindings, sizes;
  TuneOptions tune;
};
} // namespace

static std::string microseconds(double seconds) { return fmt::format("{:.3g} us", seconds * 1e6); }

static void printResult(const TuneResult &result) {
  std::string sizes;
  for (const auto &[symbol, size] : result.sizes)
    sizes += fmt::format(", {} = {}", symbol, size);
  size_t numFaster =
      llvm::count_if(result.tried, [](auto &kernel) { return !(kernel.after == kernel.before); });
  fmt::print("{}{}: {} kernel{}, {} with a tile to choose, {} faster with another\n", result.entry,
             sizes, result.numKernels, result.numKernels == 1 ? "" : "s", result.tried.size(),
             numFaster);
  for (const TunedKernel &kernel : result.tried)
    if (!(kernel.after == kernel.before))
      fmt::print("  line {}: {}: {} becomes {}, {} become {}\n", kernel.place, kernel.description,
                 kernel.before.str(), kernel.after.str(), microseconds(kernel.secondsBefore),
                 microseconds(kernel.secondsAfter));
}

void nnc::addTunedOption(CLI::App &command, std::string &file) {
  command.add_option("--tuned", file,
                     "A file of nnc tune, or none; without it NAME.tuned.json if that is there");
}

bool nnc::readTiles(const std::string &program, const std::string &flag, const std::string &target,
                    std::shared_ptr<const TunedTiles> &tiles) {
  if (flag == "none")
    return true;
  bool isNamed = !flag.empty();
  std::string path = isNamed ? flag : tunedFileOf(program);
  if (!isNamed && !std::filesystem::exists(path))
    return true;
  Result<TunedFile> file = TunedFile::open(path);
  if (!file) {
    fail(file.takeError().help("'--tuned none' compiles without it"));
    return false;
  }
  std::string cpu = TargetDescription::forCpu(target)->cpu;
  if (target == "native" && file->isForHost()) {
    tiles = std::make_shared<TunedTiles>(std::move(file->tiles));
    if (!isNamed)
      fmt::print(stderr, "note: with the tiles of '{}'\n", path);
    return true;
  }
  std::string reason = fmt::format("'{}' is for '{}'{}, not for '{}'", path, file->cpu,
                                   file->cpu == cpu ? " with other features" : "", cpu);
  if (!isNamed)
    fmt::print(stderr, "note: compiled without tuned tiles: {}\n", reason);
  else
    fail("--tuned: " + reason + "\nhelp: 'nnc tune' measures on the machine that runs the code");
  return !isNamed;
}

/// What the file holds that is written anew; nothing if there is none. None, with an error printed, if it is no
/// such file.
static std::optional<TunedFile> openOld(const std::string &path) {
  if (!std::filesystem::exists(path))
    return TunedFile::forHost();
  Result<TunedFile> old = TunedFile::open(path);
  if (!old) {
    fail(old.takeError().help("'-o' names another file to write"));
    return std::nullopt;
  }
  if (!old->isForHost()) {
    fmt::print(stderr, "note: '{}' was for '{}', and is written anew\n", path, old->cpu);
    return TunedFile::forHost();
  }
  return std::move(*old);
}

static int runTune(TuneFlags &flags) {
  CompileOptions options;
  if (!parseBindings(flags.bindings, options.bindings) ||
      !parseBindings(flags.sizes, flags.tune.sizes, "--size"))
    return exitBadUsage;
  std::string path = flags.output.empty() ? tunedFileOf(flags.file) : flags.output;
  DiagnosticEngine diagnostics;
  std::unique_ptr<Session> session = Session::open(flags.file, options, diagnostics);
  if (!session)
    return fail(diagnostics);
  // What is wrong with the file is said before minutes of measurement.
  std::optional<TunedFile> file = openOld(path);
  if (!file)
    return exitBadInput;
  bool isWatched = isatty(fileno(stderr)) != 0;
  flags.tune.progress = [&](unsigned done, unsigned all) {
    if (isWatched)
      fmt::print(stderr, "\r{} of {} variants{}", done, all, done == all ? "\r\033[K" : "");
  };
  std::optional<std::vector<TuneResult>> results = tune(*session, flags.tune);
  if (!results)
    return fail(diagnostics);
  for (const TuneResult &result : *results) {
    printResult(result);
    for (const TunedKernel &kernel : result.tried)
      file->add(kernel);
  }
  if (Status written = writeFileAtomically(path, file->str()); !written)
    return fail(written.error());
  fmt::print("{}\n", path);
  return exitOk;
}

void nnc::addTuneCommand(CommandLine &commandLine) {
  auto flags = std::make_shared<TuneFlags>();
  CLI::App *command = commandLine.add("tune", "Measure which tiles of kernels are fastest here",
                                      [=] { return runTune(*flags); });
  command->add_option("file", flags->file, "The .nn file")->required();
  command->add_option("--entry", flags->tune.entry,
                      "A function, or a kind: step, forward, evaluate, func; without it the "
                      "training step, the model or the funcs");
  command->add_option("-o", flags->output, "The file to write; without it NAME.tuned.json");
  command
      ->add_option("--size", flags->sizes,
                   "A size to measure with, N=64; without it that of the batches")
      ->delimiter(',');
  command->add_option("--bind", flags->bindings, "A size that the code is compiled for, N=64")
      ->delimiter(',');
  addThreadsOption(*command);
}
