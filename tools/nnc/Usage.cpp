//===- Usage.cpp - What is wrong with a command line ----------------------===//
//
// The parser of the command line says it in its own words; here it becomes a diagnostic like any
// other: what was expected, what was found, the nearest name, and where to read on.
//
//===----------------------------------------------------------------------===//
#include "Command.h"

#include "nnc/Driver/MemoryLimit.h"

#include "nnc/Runtime/nnc_rt.h"

#include <fmt/format.h>

using namespace nnc;

CLI::Validator nnc::oneOf(std::vector<std::string> words) {
  std::string list;
  for (size_t index = 0; index < words.size(); ++index)
    list += (index == 0 ? "" : index + 1 == words.size() ? " or " : ", ") + words[index];
  return CLI::Validator(
      [=](std::string &text) {
        return llvm::is_contained(words, text) ? std::string()
                                               : fmt::format("expected {}, found '{}'", list, text);
      },
      "{" + llvm::join(words, ",") + "}");
}

/// The whole number that `text` is.
static std::optional<int64_t> toInteger(const std::string &text) {
  int64_t number;
  bool failed = llvm::StringRef(text).getAsInteger(10, number);
  return failed ? std::nullopt : std::optional(number);
}

CLI::Validator nnc::between(int64_t least, int64_t most) {
  return CLI::Validator(
      [=](std::string &text) {
        std::optional<int64_t> number = toInteger(text);
        bool fits = number && *number >= least && *number <= most;
        return fits ? std::string()
                    : fmt::format("expected an integer from {} to {}, found '{}'", least, most,
                                  text);
      },
      fmt::format("INT in [{} - {}]", least, most));
}

void nnc::addThreadsOption(CLI::App &command) {
  command
      .add_option_function<int>(
          "--threads", [](int threads) { nnc_set_num_threads(threads); },
          "Threads to use, else as many as there are processors; results do not depend on it")
      ->check(between(1, 1024));
}

void nnc::addMemoryOption(CLI::App &command, std::optional<int64_t> &limit) {
  command
      .add_option_function<std::string>(
          "--memory-limit", [&limit](const std::string &text) { limit = parseBytes(text); },
          "Bytes for temporaries, parameters, inputs and outputs, such as 64MiB: more is computed "
          "again where they are more")
      ->check(CLI::Validator(
          [](std::string &text) {
            return parseBytes(text)
                       ? std::string()
                       : fmt::format("expected a size, such as 64MiB or 1.5GB, found '{}'", text);
          },
          "SIZE"));
}

void nnc::addCheckPassesFlag(CLI::App &command, CompileOptions &options) {
  command.add_flag_callback(
      "--check-passes",
      [&options] {
        options.passesChecked = [](const CheckedEntry &entry) {
          fmt::print(stderr, "check-passes: '{}' computes the same after each of {} passes{}\n",
                     entry.name, entry.numPasses,
                     entry.numUnclear == 0 ? ""
                                           : fmt::format(", but rounding decides {} of {} results",
                                                         entry.numUnclear, entry.numResults));
        };
      },
      "Compare what each pass makes with the interpreter on small inputs, and name the first that "
      "changes a result");
}

CLI::Validator nnc::notNegative() {
  return CLI::Validator(
      [=](std::string &text) {
        std::optional<int64_t> number = toInteger(text);
        bool fits = number && *number >= 0;
        return fits ? std::string()
                    : fmt::format("expected an integer of zero or more, found '{}'", text);
      },
      "NONNEGATIVE");
}

/// The names of the options of a command: "--seed", "-o".
static std::vector<std::string> optionNames(const CLI::App &command) {
  std::vector<std::string> names;
  for (const CLI::Option *option : command.get_options()) {
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
    for (const std::string &name : option->get_snames())
      names.push_back("-" + name);
  }
  return names;
}

static std::vector<std::string> commandNames(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::App *command : app.get_subcommands([](const CLI::App *) { return true; }))
    names.push_back(command->get_name());
  return names;
}

/// Reports an argument that no option or position takes.
static void reportExtra(const std::string &text, const CLI::App &app, const CLI::App *command,
                        DiagnosticEngine &diagnostics) {
  bool isOption = text.size() > 1 && text.front() == '-';
  if (isOption) {
    std::string name = text.substr(0, text.find('='));
    diagnostics.error(fmt::format("unknown option '{}'", name))
        .didYouMean(closestMatch(name, optionNames(command ? *command : app)));
  } else if (command) {
    diagnostics.error(fmt::format("unexpected argument '{}'", text));
  } else {
    std::vector<std::string> names = commandNames(app);
    Diagnostic &diagnostic = diagnostics.error(fmt::format("unknown command '{}'", text));
    if (std::optional<std::string> meant = closestMatch(text, names))
      diagnostic.didYouMean(meant);
    else
      diagnostic.help("the commands are " + llvm::join(names, ", "));
  }
}

static std::string firstOf(const std::vector<std::string> &texts) {
  return texts.empty() ? "" : texts.front();
}

/// The argument to complain about in "The following arguments were not expected: obj --emitt": the
/// first option, since what follows it may be its value.
static std::string extraIn(const CLI::ParseError &error) {
  if (error.get_exit_code() != int(CLI::ExitCodes::ExtrasError))
    return "";
  llvm::SmallVector<llvm::StringRef> words;
  llvm::StringRef(error.what()).split(": ").second.split(words, ' ');
  for (llvm::StringRef word : words)
    if (word.starts_with("-"))
      return word.str();
  return words.back().str();
}

/// "--seed: expected an integer, found 'x'" from "Could not convert: --seed = x".
static std::string conversionMessage(llvm::StringRef text) {
  text.consume_front("Could not convert: ");
  auto [name, value] = text.split(" = ");
  return fmt::format("{}: expected an integer, found '{}'", name.str(), value.str());
}

static std::string messageOf(const CLI::ParseError &error) {
  std::string name = error.get_name(), text = error.what();
  if (name == "ConversionError")
    return conversionMessage(text);
  if (name == "RequiredError" && llvm::StringRef(text).contains("subcommand"))
    return "expected a command, found none";
  if (name == "RequiredError")
    return fmt::format("expected {}, found none",
                       llvm::StringRef(text).starts_with("file") ? "a .nn file" : text);
  if (name == "ExcludesError") {
    auto [first, second] = llvm::StringRef(text).split(" excludes ");
    return fmt::format("expected {} or {}, found both", second.str(), first.str());
  }
  if (name == "ArgumentMismatch") {
    llvm::StringRef option = llvm::StringRef(text).split(':').first;
    return fmt::format("{}: expected a value, found none", option.str());
  }
  return text;
}

int nnc::failUsage(CLI::App &app, const CLI::ParseError &error) {
  DiagnosticEngine diagnostics;
  std::vector<CLI::App *> chosen = app.get_subcommands();
  const CLI::App *command = chosen.empty() ? nullptr : chosen.front();
  std::string extra = command ? extraIn(error) : firstOf(app.remaining(/*recurse=*/true));
  if (extra.empty())
    extra = extraIn(error);
  if (!extra.empty())
    reportExtra(extra, app, command, diagnostics);
  else if (command)
    diagnostics.error(messageOf(error));
  else
    diagnostics.error(messageOf(error))
        .help("the commands are " + llvm::join(commandNames(app), ", "));
  std::fputs(diagnostics.render().c_str(), stderr);
  fmt::print(stderr, "help: 'nnc {}--help' explains the command\n",
             command ? command->get_name() + " " : "");
  return exitBadUsage;
}
