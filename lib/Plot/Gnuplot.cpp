//===- Gnuplot.cpp - Running gnuplot --------------------------------------===//
//
// The three streams are nameless temporary files: nothing to clean up, and nobody waits for a full
// pipe. The user's gnuplot settings are not read, so that plots are the same for everyone.
//
//===----------------------------------------------------------------------===//
#include "Gnuplot.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char **environ;

namespace nnc {

namespace {
struct CloseFile {
  void operator()(FILE *file) const { std::fclose(file); }
};
using TemporaryFile = std::unique_ptr<FILE, CloseFile>;
} // namespace

static std::string contentOf(FILE *file) {
  std::string bytes;
  if (std::fseek(file, 0, SEEK_SET) != 0)
    return bytes;
  char buffer[65536];
  while (size_t count = std::fread(buffer, 1, sizeof buffer, file))
    bytes.append(buffer, count);
  return bytes;
}

/// The environment without what changes gnuplot's output.
static std::vector<char *> cleanEnvironment() {
  static char locale[] = "LC_ALL=C.UTF-8", terminal[] = "GNUTERM=unknown";
  std::vector<char *> result = {locale, terminal};
  for (char **variable = environ; *variable; ++variable)
    if (std::strncmp(*variable, "LC_ALL=", 7) != 0 && std::strncmp(*variable, "GNUTERM=", 8) != 0)
      result.push_back(*variable);
  result.push_back(nullptr);
  return result;
}

/// Starts gnuplot on the three streams; returns 0 or the error number.
static int start(pid_t &process, FILE *input, FILE *output, FILE *messages) {
  char program[] = "gnuplot", noSettings[] = "--default-settings";
  char *arguments[] = {program, noSettings, nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(input), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(output), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(messages), STDERR_FILENO);
  int code =
      posix_spawnp(&process, program, &actions, nullptr, arguments, cleanEnvironment().data());
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

/// Waits for the process, at most a minute; whether it ended well.
static bool finish(pid_t process) {
  for (int wait = 0; wait < 12000; ++wait) {
    int status = 0;
    pid_t ended = waitpid(process, &status, WNOHANG);
    if (ended == process || (ended < 0 && errno != EINTR))
      return ended == process && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    struct timespec fiveMilliseconds = {0, 5000000};
    nanosleep(&fiveMilliseconds, nullptr);
  }
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
  return false;
}

Result<std::string> runGnuplot(const std::string &script) {
  TemporaryFile input(std::tmpfile()), output(std::tmpfile()), messages(std::tmpfile());
  if (!input || !output || !messages ||
      std::fwrite(script.data(), 1, script.size(), input.get()) != script.size() ||
      std::fflush(input.get()) != 0 || std::fseek(input.get(), 0, SEEK_SET) != 0)
    return Error::plain(fmt::format("cannot write a temporary file: {}", systemReason(errno)));

  pid_t process;
  int code = start(process, input.get(), output.get(), messages.get());
  if (code == ENOENT)
    return Error::plain("plots need gnuplot: run utils/setup");
  if (code != 0)
    return Error::plain(fmt::format("cannot run gnuplot: {}", systemReason(code)));
  if (!finish(process)) {
    std::string text = contentOf(messages.get());
    return Error::plain(fmt::format("gnuplot failed: {}", quote(text, 400)));
  }
  return contentOf(output.get());
}

} // namespace nnc
