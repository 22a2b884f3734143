//===- CheckpointStore.cpp - Checkpoints in a folder ----------------------===//
//
// The checksum (CRC-32) is the first thing after the length of the header, so its place is known
// before anything is believed: it is computed over the file with zeros in that place.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/CheckpointStore.h"
#include "nnc/Support/File.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

namespace fs = std::filesystem;

namespace nnc {

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

static constexpr std::string_view checksumKey = "{\"__metadata__\":{\"checksum\":\"crc32:";
static constexpr size_t checksumPlace = 8 + checksumKey.size(), checksumDigits = 8;

static std::string checksumOf(std::string_view bytes) {
  return fmt::format(
      "{:08x}", crc32_z(0, reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size()));
}

Result<std::string> formatChecked(const Safetensors &content) {
  Safetensors checked = content;
  checked.metadata.insert(checked.metadata.begin(), {"checksum", "crc32:00000000"});
  Result<std::string> bytes = formatSafetensors(checked);
  if (bytes)
    bytes->replace(checksumPlace, checksumDigits, checksumOf(*bytes));
  return bytes;
}

Result<Safetensors> parseChecked(std::string bytes, const std::string &file) {
  if (bytes.size() < checksumPlace + checksumDigits ||
      bytes.compare(8, checksumKey.size(), checksumKey) != 0)
    return Error::expectedFound("a checkpoint", bytes.empty() ? "an empty file" : "something else")
        .in(file);
  std::string written = bytes.substr(checksumPlace, checksumDigits);
  bytes.replace(checksumPlace, checksumDigits, "00000000");
  if (std::string computed = checksumOf(bytes); computed != written)
    return Error::expectedFound(fmt::format("the checksum {}", quote(written)), computed)
        .help("the file is damaged, or cut short")
        .in(file);
  Result<Safetensors> content = parseSafetensors(bytes, file);
  if (content)
    content->metadata.erase(content->metadata.begin());
  return content;
}

//===----------------------------------------------------------------------===//
// The folder
//===----------------------------------------------------------------------===//

static constexpr std::string_view namePrefix = "step-", nameEnd = ".safetensors";

/// The step in "step-000000400.safetensors"; with `isTemporary`, what a write leaves when it is cut
/// off, "step-000000400.safetensors.x7Yz1Q".
static std::optional<int64_t> stepIn(std::string_view name, bool isTemporary = false) {
  constexpr size_t suffix = 7;
  if (isTemporary && (name.size() < suffix || name[name.size() - suffix] != '.'))
    return std::nullopt;
  if (isTemporary)
    name.remove_suffix(suffix);
  if (name.size() <= namePrefix.size() + nameEnd.size() ||
      name.substr(0, namePrefix.size()) != namePrefix ||
      name.substr(name.size() - nameEnd.size()) != nameEnd)
    return std::nullopt;
  name = name.substr(namePrefix.size(), name.size() - namePrefix.size() - nameEnd.size());
  int64_t step = 0;
  for (char digit : name) {
    if (digit < '0' || digit > '9' || step > INT64_MAX / 10 - 1)
      return std::nullopt;
    step = 10 * step + (digit - '0');
  }
  return step;
}

static std::vector<std::string> namesIn(const std::string &folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed))
    names.push_back(entry->path().filename().string());
  return names;
}

static Error cannotWrite(const std::string &path, int code) {
  return Error::plain(fmt::format("cannot write: {}", systemReason(code))).in(path);
}

Result<CheckpointStore> CheckpointStore::open(const std::string &folder, FileCalls &calls) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed)
    return cannotWrite(folder, failed.value());
  int lock = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0 || ::access(folder.c_str(), W_OK) != 0) {
    int code = errno;
    if (lock >= 0)
      ::close(lock);
    return cannotWrite(folder, code);
  }
  CheckpointStore store(folder, lock, calls);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return Error::expectedFound("a folder for this training alone", "one that another is using")
        .in(folder);
  store.removeTemporaries();
  return store;
}

CheckpointStore::CheckpointStore(CheckpointStore &&other) noexcept
    : folder(std::move(other.folder)), lock(std::exchange(other.lock, -1)), calls(other.calls),
      broken(std::move(other.broken)) {}

CheckpointStore::~CheckpointStore() {
  if (lock >= 0)
    ::close(lock);
}

std::vector<int64_t> CheckpointStore::steps() const {
  std::vector<int64_t> steps;
  for (const std::string &name : namesIn(folder))
    if (std::optional<int64_t> step = stepIn(name))
      steps.push_back(*step);
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::string CheckpointStore::pathOf(int64_t step) const {
  return (fs::path(folder) / fmt::format("{}{:09}{}", namePrefix, step, nameEnd)).string();
}

void CheckpointStore::removeTemporaries() {
  for (const std::string &name : namesIn(folder))
    if (stepIn(name, /*isTemporary=*/true))
      calls->remove((fs::path(folder) / name).c_str());
}

/// A file that cannot be removed takes room and does no other harm: the next call tries again.
void CheckpointStore::removeOlder() {
  std::vector<int64_t> all = steps();
  size_t whole = 0;
  for (auto step = all.rbegin(); step != all.rend(); ++step) {
    bool isBroken = std::find(broken.begin(), broken.end(), *step) != broken.end();
    if (isBroken || ++whole > 2)
      calls->remove(pathOf(*step).c_str());
  }
}

Result<std::optional<Checkpoint>> CheckpointStore::readNewest(std::vector<Error> &damaged) {
  std::vector<int64_t> all = steps();
  for (auto step = all.rbegin(); step != all.rend(); ++step) {
    Result<std::string> bytes = readFile(pathOf(*step));
    Result<Safetensors> content = bytes ? parseChecked(std::move(*bytes), pathOf(*step))
                                        : Result<Safetensors>(bytes.takeError());
    if (content)
      return std::optional(Checkpoint{*step, pathOf(*step), std::move(*content)});
    damaged.push_back(content.takeError());
    broken.push_back(*step);
  }
  if (!damaged.empty())
    return Error::expectedFound("a checkpoint that is whole",
                                fmt::format("{} that {} damaged", damaged.size(),
                                            damaged.size() == 1 ? "is" : "are"))
        .in(folder);
  return std::optional<Checkpoint>();
}

Status CheckpointStore::write(int64_t step, const Safetensors &content) {
  Result<std::string> bytes = formatChecked(content);
  if (!bytes)
    return bytes.takeError().in(pathOf(step));
  std::vector<int64_t> earlier = steps();
  earlier.erase(std::remove_if(earlier.begin(), earlier.end(),
                               [&](int64_t other) {
                                 return other == step || std::find(broken.begin(), broken.end(),
                                                                   other) != broken.end();
                               }),
                earlier.end());
  if (Status written = writeFileAtomically(pathOf(step), *bytes, *calls); !written)
    return written.takeError().help(
        earlier.empty() ? "there is no earlier checkpoint"
                        : fmt::format("the checkpoint of step {} is still there", earlier.back()));
  broken.erase(std::remove(broken.begin(), broken.end(), step), broken.end());
  removeOlder();
  return {};
}

} // namespace nnc
