//===- Cifar.cpp - CIFAR's binary files -----------------------------------===//
//
// There is no header: the length must be a whole number of records, and labels must be classes.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Cifar.h"
#include "nnc/Data/Gzip.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>

namespace nnc {

constexpr size_t imageBytes = 3 * 32 * 32;

namespace {
struct Layout {
  /// The number of classes of each label byte, in the order of the file.
  std::vector<int> classes;
  /// Their fields.
  std::vector<std::string> fields;
  size_t recordBytes() const { return classes.size() + imageBytes; }
};
} // namespace

static Layout layoutOf(CifarKind kind) {
  if (kind == CifarKind::Cifar10)
    return {{10}, {"label"}};
  return {{20, 100}, {"coarse", "label"}};
}

/// Whether `bytes` is a whole number of records with labels in range.
static Status check(const FileContent &content, const Layout &layout) {
  const std::string &bytes = content.bytes;
  size_t size = layout.recordBytes(), records = bytes.size() / size;
  std::string lastRecord = fmt::format("record {}", records + 1);
  if (content.damage)
    return Error(*content.damage).of(lastRecord);
  if (bytes.empty())
    return Error::expectedFound(fmt::format("records of {} bytes", size), "an empty file");
  if (bytes.size() % size != 0)
    return Error::expectedFound(fmt::format("{} bytes", size),
                                fmt::format("{}", bytes.size() % size))
        .of(lastRecord)
        .help("the file may be cut short");
  for (size_t record = 0; record < records; ++record)
    for (size_t label = 0; label < layout.classes.size(); ++label) {
      int found = uint8_t(bytes[record * size + label]);
      if (found >= layout.classes[label])
        return Error::expectedFound(fmt::format("a{} label from 0 to {}",
                                                layout.fields[label] == "coarse" ? " coarse" : "",
                                                layout.classes[label] - 1),
                                    fmt::format("{}", found))
            .of(fmt::format("record {} of {}", record + 1, records));
    }
  return {};
}

/// The records of all `files`, which have been checked.
static Dataset toDataset(const std::vector<std::string> &files, const Layout &layout) {
  size_t size = layout.recordBytes(), labels = layout.classes.size();
  int64_t rows = 0;
  for (const std::string &bytes : files)
    rows += int64_t(bytes.size() / size);
  Tensor image(ElementType::F32, {rows, 3, 32, 32});
  std::vector<Tensor> classes(labels, Tensor(ElementType::I64, {rows}));
  float *pixels = image.as<float>();
  int64_t row = 0;
  for (const std::string &bytes : files)
    for (size_t offset = 0; offset < bytes.size(); offset += size, ++row) {
      const auto *record = reinterpret_cast<const uint8_t *>(bytes.data()) + offset;
      for (size_t label = 0; label < labels; ++label)
        classes[label].as<int64_t>()[row] = record[label];
      pixels = std::copy_n(record + labels, imageBytes, pixels);
    }
  Dataset dataset;
  dataset.add("image", std::move(image));
  // The last label is the fine one.
  for (size_t label = labels; label-- > 0;)
    dataset.add(layout.fields[label], std::move(classes[label]));
  return dataset;
}

Result<Dataset> parseCifar(std::string bytes, const std::string &file, CifarKind kind) {
  FileContent content = decompress(std::move(bytes));
  Layout layout = layoutOf(kind);
  if (Status status = check(content, layout); !status)
    return status.takeError().in(file);
  return toDataset({std::move(content.bytes)}, layout);
}

Result<Dataset> readCifar(const std::vector<std::string> &paths, CifarKind kind) {
  Layout layout = layoutOf(kind);
  std::vector<std::string> files;
  for (const std::string &path : paths) {
    Result<std::string> bytes = readFile(path);
    if (!bytes)
      return bytes.takeError();
    FileContent content = decompress(std::move(*bytes));
    if (Status status = check(content, layout); !status)
      return status.takeError().in(path);
    files.push_back(std::move(content.bytes));
  }
  return toDataset(files, layout);
}

} // namespace nnc
