//===- fmt.cpp - nnc fmt --------------------------------------------------===//
//
// Prints a file in its canonical form, or says whether it is in it.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "nnc/Support/File.h"
#include "nnc/Syntax/Elaborate.h"
#include "nnc/Syntax/Parser.h"
#include "nnc/Syntax/Printer.h"

#include <cstdio>
#include <fmt/format.h>

using namespace nnc;

namespace {
struct FmtOptions {
  std::vector<std::string> files;
  bool check = false, inPlace = false, types = false;
};
} // namespace

/// The canonical text of the file, or none with diagnostics.
static std::optional<std::string> format(const std::string &path, const FmtOptions &options,
                                         DiagnosticEngine &diagnostics, std::string &original) {
  if (options.types) {
    std::unique_ptr<Session> session = Session::open(path, {}, diagnostics);
    if (!session)
      return std::nullopt;
    original = session->source->text();
    writeTypes(*session->tree, session->program);
    return print(*session->tree);
  }
  std::string error;
  std::unique_ptr<SourceFile> opened = SourceFile::open(path, error);
  if (!opened) {
    diagnostics.error(error);
    return std::nullopt;
  }
  const SourceFile *source = &diagnostics.own(std::move(opened));
  std::unique_ptr<ast::File> tree = parse(*source, diagnostics);
  if (!tree || diagnostics.hasErrors())
    return std::nullopt;
  original = source->text();
  return print(*tree);
}

static int runFmt(const FmtOptions &options) {
  int status = exitOk;
  for (const std::string &path : options.files) {
    DiagnosticEngine diagnostics;
    std::string original;
    std::optional<std::string> text = format(path, options, diagnostics, original);
    if (!text) {
      status = fail(diagnostics);
    } else if (options.check) {
      if (*text != original)
        status = fail(
            fmt::format("{0}: error: not in canonical form\nhelp: run 'nnc fmt -i {0}'", path));
    } else if (!options.inPlace) {
      std::fputs(text->c_str(), stdout);
    } else if (*text != original) {
      if (Status written = writeFileAtomically(path, *text); !written)
        status = fail(written.error());
    }
  }
  return status;
}

void nnc::addFmtCommand(CommandLine &commandLine) {
  auto options = std::make_shared<FmtOptions>();
  CLI::App *command =
      commandLine.add("fmt", "Print a file in canonical form", [=] { return runFmt(*options); });
  command->add_option("file", options->files, "The .nn files")->required();
  CLI::Option *inPlace =
      command->add_flag("-i,--in-place", options->inPlace, "Write the result to the file");
  command->add_flag("--check", options->check, "Only say whether the file is in canonical form")
      ->excludes(inPlace);
  command->add_flag("--types", options->types, "Write the type of every value");
}
