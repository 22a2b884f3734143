//===- Npz.cpp - Several arrays in a zip file -----------------------------===//
//
// libzip knows the archive; here are the limits on what a member may claim, and the errors. Members
// are stored without compression and without a time, as NumPy stores them.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Npy.h"
#include "nnc/Support/Diagnostics.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <memory>
#include <unordered_set>

namespace nnc {

namespace {
struct DiscardArchive {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
struct CloseMember {
  void operator()(zip_file_t *member) const { zip_fclose(member); }
};
struct ReleaseSource {
  void operator()(zip_source_t *source) const { zip_source_free(source); }
};
using Archive = std::unique_ptr<zip_t, DiscardArchive>;
using Member = std::unique_ptr<zip_file_t, CloseMember>;
using Source = std::unique_ptr<zip_source_t, ReleaseSource>;
} // namespace

/// libzip's reason in the style of our messages.
static std::string reasonOf(zip_error_t *error) {
  std::string reason = zip_error_strerror(error);
  if (reason.size() > 1 && reason[1] >= 'a')
    reason[0] = char(std::tolower(reason[0]));
  return reason;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static Result<Archive> openArchive(std::string_view bytes) {
  if (bytes.substr(0, 2) != "PK")
    return Error::expectedFound("an npz file",
                                bytes.empty() ? "an empty file" : "something else than a zip file");
  zip_error_t error;
  zip_error_init(&error);
  Source source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error));
  Archive archive(source ? zip_open_from_source(source.get(), ZIP_RDONLY, &error) : nullptr);
  if (archive)
    (void)source.release(); // The archive frees it.
  std::string reason = archive ? "" : reasonOf(&error);
  zip_error_fini(&error);
  if (!archive)
    return Error::expectedFound("an npz file", fmt::format("a damaged zip file ({})", reason))
        .help("the file may be cut short");
  return archive;
}

/// Whether a member is one that we read at all, judging by what the archive says about it.
static Status checkMember(const zip_stat_t &info) {
  constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if ((info.valid & needed) != needed)
    return Error::expectedFound("a member with a size", "none");
  if ((info.valid & ZIP_STAT_ENCRYPTION_METHOD) && info.encryption_method != ZIP_EM_NONE)
    return Error::expectedFound("a plain member", "an encrypted one");
  if (info.comp_method != ZIP_CM_STORE && info.comp_method != ZIP_CM_DEFLATE)
    return Error::expectedFound("a stored or deflated member",
                                fmt::format("compression method {}", info.comp_method));
  // Deflate gains at most a factor of 1032; a member that claims more lies about its size.
  if (info.size > 1032 * info.comp_size + 64)
    return Error::expectedFound(fmt::format("at most {} bytes", 1032 * info.comp_size + 64),
                                fmt::format("{}", info.size));
  return Status();
}

/// Whether the members can be where the archive says, without sharing bytes. Otherwise a small file
/// could claim to hold any amount of data.
static Status checkTotal(zip_t *archive, uint64_t archiveSize) {
  uint64_t total = 0;
  zip_int64_t count = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t info;
    zip_stat_init(&info);
    if (zip_stat_index(archive, zip_uint64_t(i), 0, &info) != 0)
      continue; // reading it says what is wrong
    total = info.comp_size > archiveSize ? archiveSize + 1 : total + info.comp_size;
    if (total > archiveSize)
      return Error::expectedFound(
          fmt::format("members within the {} bytes of the file", archiveSize),
          "more data, or overlaps");
  }
  return Status();
}

static Result<std::string> readMember(zip_t *archive, zip_uint64_t index) {
  zip_stat_t info;
  zip_stat_init(&info);
  if (zip_stat_index(archive, index, 0, &info) != 0)
    return Error::expectedFound("a member", reasonOf(zip_get_error(archive)));
  if (Status status = checkMember(info); !status)
    return status.takeError();
  Member member(zip_fopen_index(archive, index, 0));
  if (!member)
    return Error::expectedFound("a member",
                                fmt::format("damage ({})", reasonOf(zip_get_error(archive))));
  // One byte more than it says: reading to the end is what makes libzip check the sum.
  std::string bytes(info.size + 1, '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    zip_int64_t count = zip_fread(member.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0)
      return Error::expectedFound(
          "an intact member",
          fmt::format("damage ({})", reasonOf(zip_file_get_error(member.get()))));
    if (count == 0)
      break;
    size += size_t(count);
  }
  if (size != info.size)
    return Error::expectedFound(fmt::format("{} bytes", info.size),
                                size > info.size ? "more" : fmt::format("{}", size));
  bytes.resize(size);
  return bytes;
}

static Result<NamedTensor> readArray(zip_t *archive, zip_uint64_t index, const std::string &file) {
  constexpr size_t suffix = 4;
  std::string name = zip_get_name(archive, index, 0);
  std::string field = fmt::format("member {}", quote(name));
  Result<std::string> bytes = readMember(archive, index);
  if (!bytes)
    return bytes.takeError().in(file).of(field);
  Result<Tensor> tensor = parseNpy(*bytes, file);
  if (tensor)
    return NamedTensor{name.substr(0, name.size() - suffix), std::move(*tensor)};
  Error error = tensor.takeError();
  error.field = error.field.empty() ? field : fmt::format("{}, {}", field, error.field);
  return error;
}

/// The names of the arrays; a member whose name does not end in .npy is none.
static Result<std::vector<std::string>> listArrays(zip_t *archive) {
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  zip_int64_t count = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char *text = zip_get_name(archive, zip_uint64_t(i), 0);
    std::string name = text ? text : "";
    if (name.size() < 4 || name.substr(name.size() - 4) != ".npy")
      return Error::expectedFound("members whose names end in .npy", quote(name));
    if (!seen.insert(name).second)
      return Error::expectedFound("each array once", quote(name) + " twice");
    names.push_back(name.substr(0, name.size() - 4));
  }
  return names;
}

/// The positions of the wanted arrays; of all, if none is named.
static Result<std::vector<zip_uint64_t>> select(const std::vector<std::string> &available,
                                                const std::vector<std::string> &wanted) {
  std::vector<zip_uint64_t> positions;
  for (const std::string &name : wanted.empty() ? available : wanted) {
    auto found = std::find(available.begin(), available.end(), name);
    if (found == available.end()) {
      std::string list;
      for (size_t i = 0; i < std::min<size_t>(available.size(), 6); ++i)
        list += (i ? ", " : "") + quote(available[i]);
      Error error = Error::expectedFound(
          fmt::format("an array named {}", quote(name)),
          available.empty() ? "no arrays" : list + (available.size() > 6 ? ", …" : ""));
      if (std::optional<std::string> nearest = closestMatch(name, available))
        error.hint = fmt::format("did you mean {}?", quote(*nearest));
      return error;
    }
    positions.push_back(zip_uint64_t(found - available.begin()));
  }
  return positions;
}

Result<std::vector<NamedTensor>> parseNpz(std::string_view bytes, const std::string &file,
                                          const std::vector<std::string> &names) {
  Result<Archive> archive = openArchive(bytes);
  if (!archive)
    return archive.takeError().in(file);
  if (Status status = checkTotal(archive->get(), bytes.size()); !status)
    return status.takeError().in(file);
  Result<std::vector<std::string>> available = listArrays(archive->get());
  if (!available)
    return available.takeError().in(file);
  Result<std::vector<zip_uint64_t>> positions = select(*available, names);
  if (!positions)
    return positions.takeError().in(file);
  std::vector<NamedTensor> arrays;
  for (zip_uint64_t position : *positions) {
    Result<NamedTensor> array = readArray(archive->get(), position, file);
    if (!array)
      return array.takeError();
    arrays.push_back(std::move(*array));
  }
  return arrays;
}

Result<std::vector<NamedTensor>> readNpz(const std::string &path,
                                         const std::vector<std::string> &names) {
  Result<std::string> bytes = readFile(path);
  if (!bytes)
    return bytes.takeError();
  return parseNpz(*bytes, path, names);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Adds a member; `bytes` must live until the archive is closed.
static bool addMember(zip_t *archive, const std::string &name, const std::string &bytes) {
  // 1 January 1980, the first day that zip files know.
  constexpr zip_uint16_t noTime = 0, firstDay = 1 << 5 | 1;
  Source source(zip_source_buffer(archive, bytes.data(), bytes.size(), 0));
  zip_int64_t index =
      source ? zip_file_add(archive, name.c_str(), source.get(), ZIP_FL_ENC_UTF_8) : -1;
  if (index < 0)
    return false;
  (void)source.release(); // The archive frees it.
  return zip_set_file_compression(archive, zip_uint64_t(index), ZIP_CM_STORE, 0) == 0 &&
         zip_file_set_dostime(archive, zip_uint64_t(index), noTime, firstDay, 0) == 0;
}

static std::string contentOf(zip_source_t *source) {
  zip_stat_t info;
  zip_stat_init(&info);
  if (zip_source_open(source) != 0 || zip_source_stat(source, &info) != 0)
    return "";
  std::string bytes(info.size, '\0');
  zip_int64_t count = zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  bytes.resize(count < 0 ? 0 : size_t(count));
  return bytes;
}

Result<std::string> formatNpz(const std::vector<NamedTensor> &arrays) {
  zip_error_t error;
  zip_error_init(&error);
  // The archive takes one reference to the source, the other reads the result.
  Source target(zip_source_buffer_create(nullptr, 0, 0, &error));
  Archive archive(target ? zip_open_from_source(target.get(), ZIP_TRUNCATE, &error) : nullptr);
  zip_error_fini(&error);
  if (!archive)
    return Error::plain("cannot make a zip file: out of memory");
  zip_source_keep(target.get());

  std::vector<std::string> members;
  members.reserve(arrays.size());
  for (const NamedTensor &array : arrays) {
    members.push_back(formatNpy(array.value));
    if (!addMember(archive.get(), array.name + ".npy", members.back()))
      return Error::plain(fmt::format("cannot add an array named {}: {}", quote(array.name),
                                      reasonOf(zip_get_error(archive.get()))));
  }
  // An archive without members would be an empty file, which is none.
  if (arrays.empty())
    return std::string("PK\x05\x06") + std::string(18, '\0');
  if (zip_close(archive.get()) != 0)
    return Error::plain(
        fmt::format("cannot make a zip file: {}", reasonOf(zip_get_error(archive.get()))));
  (void)archive.release();
  return contentOf(target.get());
}

Status writeNpz(const std::string &path, const std::vector<NamedTensor> &arrays) {
  Result<std::string> bytes = formatNpz(arrays);
  if (!bytes)
    return bytes.takeError().in(path);
  return writeFileAtomically(path, *bytes);
}

} // namespace nnc
