//===- Safetensors.cpp - Parameter files ----------------------------------===//
//
// Checks the header's claims against the bytes, and lays tensors out for writing.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Safetensors.h"
#include "SafetensorsHeader.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <numeric>
#include <unordered_set>

namespace nnc {

/// The names of our element types in the file, in the order of ElementType.
static constexpr const char *typeNames[] = {"F64", "F32", "F16", "BF16", "I64",
                                            "I32", "I8",  "U8",  "BOOL"};

static std::optional<ElementType> typeNamed(std::string_view name) {
  for (ElementType type : allElementTypes)
    if (name == typeNames[size_t(type)])
      return type;
  return std::nullopt;
}

const Tensor *Safetensors::find(std::string_view name) const {
  for (const NamedTensor &tensor : tensors)
    if (tensor.name == name)
      return &tensor.value;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Whether type, shape and offsets of a tensor agree with each other and with the data.
static Status checkEntry(const SafetensorsEntry &entry, uint64_t dataSize) {
  std::optional<ElementType> type = typeNamed(entry.type);
  if (!type)
    return Error::expectedFound("a type F64, F32, F16, BF16, I64, I32, I8, U8 or BOOL",
                                quote(entry.type));
  std::optional<int64_t> count = numElements(entry.shape);
  if (!count)
    return Error::expectedFound("a shape that fits the memory", toString(entry.shape));
  if (entry.begin > entry.end || entry.end > dataSize)
    return Error::expectedFound(fmt::format("offsets within the {} bytes of data", dataSize),
                                fmt::format("[{}, {}]", entry.begin, entry.end));
  uint64_t size = uint64_t(*count) * sizeInBytes(*type);
  if (entry.end - entry.begin != size)
    return Error::expectedFound(
        fmt::format("{} bytes for {}{}", size, nameOf(*type), toString(entry.shape)),
        fmt::format("{}", entry.end - entry.begin));
  return Status();
}

/// Whether the tensors, which are in range each, fill the data without gap or overlap.
static Status checkTiling(const std::vector<SafetensorsEntry> &entries, uint64_t dataSize) {
  std::vector<const SafetensorsEntry *> order;
  for (const SafetensorsEntry &entry : entries)
    order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto *a, const auto *b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  uint64_t position = 0;
  for (const SafetensorsEntry *entry : order) {
    if (entry->begin != position)
      return Error::expectedFound(fmt::format("its data to start at {}", position),
                                  fmt::format("{}, {}", entry->begin,
                                              entry->begin < position ? "an overlap" : "a gap"))
          .of(fmt::format("tensor {}", quote(entry->name)));
    position = entry->end;
  }
  if (position != dataSize)
    return Error::expectedFound(fmt::format("{} bytes of data", position),
                                fmt::format("{}", dataSize));
  return Status();
}

static Tensor copyTensor(const SafetensorsEntry &entry, std::string_view data) {
  ElementType type = *typeNamed(entry.type);
  Tensor tensor(type, entry.shape);
  std::memcpy(tensor.data(), data.data() + entry.begin, entry.end - entry.begin);
  // A C++ bool is 0 or 1, whatever the file says.
  if (type == ElementType::Bool) {
    unsigned char *bytes = static_cast<unsigned char *>(tensor.data());
    std::transform(bytes, bytes + tensor.size(), bytes, [](unsigned char b) { return b != 0; });
  }
  return tensor;
}

/// Splits the file into header and data.
static Status split(std::string_view bytes, std::string_view &header, std::string_view &data) {
  constexpr uint64_t maxHeader = 100 << 20;
  if (bytes.size() < 8)
    return Error::expectedFound("a safetensors file", fmt::format("{} bytes", bytes.size()));
  uint64_t length;
  std::memcpy(&length, bytes.data(), sizeof length);
  bytes.remove_prefix(8);
  if (length > maxHeader)
    return Error::expectedFound("a safetensors file", "something else");
  if (length > bytes.size())
    return Error::expectedFound(fmt::format("a header of {} bytes", length),
                                fmt::format("{}", bytes.size()))
        .help("the file may be cut short");
  header = bytes.substr(0, length);
  data = bytes.substr(length);
  return Status();
}

static Result<Safetensors> parse(std::string_view bytes) {
  std::string_view json, data;
  if (Status status = split(bytes, json, data); !status)
    return status.takeError();
  Result<SafetensorsHeader> header = parseSafetensorsHeader(json);
  if (!header)
    return header.takeError();
  for (const SafetensorsEntry &entry : header->entries)
    if (Status status = checkEntry(entry, data.size()); !status)
      return status.takeError().of(fmt::format("tensor {}", quote(entry.name)));
  if (Status status = checkTiling(header->entries, data.size()); !status)
    return status.takeError();

  Safetensors content;
  content.metadata = std::move(header->metadata);
  for (SafetensorsEntry &entry : header->entries)
    content.tensors.push_back({entry.name, copyTensor(entry, data)});
  return content;
}

Result<Safetensors> parseSafetensors(std::string_view bytes, const std::string &file) {
  Result<Safetensors> content = parse(bytes);
  if (!content)
    return content.takeError().in(file);
  return content;
}

Result<Safetensors> readSafetensors(const std::string &path) {
  Result<std::string> bytes = readFile(path);
  if (!bytes)
    return bytes.takeError();
  return parseSafetensors(*bytes, path);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// The order of the tensors in the data: wide element types first.
static std::vector<size_t> layOut(const std::vector<NamedTensor> &tensors) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    size_t sizeA = sizeInBytes(tensors[a].value.type()),
           sizeB = sizeInBytes(tensors[b].value.type());
    return sizeA != sizeB ? sizeA > sizeB : a < b;
  });
  return order;
}

/// Appends `"key":` with what separates it from the member before.
static void appendKey(std::string &json, const std::string &key) {
  if (json.back() != '{')
    json += ',';
  json += nlohmann::json(key).dump() + ':';
}

static std::string formatHeader(const Safetensors &content, const std::vector<uint64_t> &offsets) {
  std::string json = "{";
  if (!content.metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto &[key, value] : content.metadata) {
      appendKey(json, key);
      json += nlohmann::json(value).dump();
    }
    json += '}';
  }
  for (size_t i = 0; i < content.tensors.size(); ++i) {
    const Tensor &tensor = content.tensors[i].value;
    appendKey(json, content.tensors[i].name);
    json += fmt::format("{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{},{}]}}",
                        typeNames[size_t(tensor.type())], nlohmann::json(tensor.shape()).dump(),
                        offsets[i], offsets[i] + tensor.sizeInBytes());
  }
  json += '}';
  // The data starts on a multiple of 8 bytes.
  json.resize((json.size() + 7) / 8 * 8, ' ');
  return json;
}

static Status checkNames(const Safetensors &content) {
  std::unordered_set<std::string_view> seen;
  for (const NamedTensor &tensor : content.tensors)
    if (tensor.name == "__metadata__" || !seen.insert(tensor.name).second)
      return Error::plain(
          fmt::format("cannot write two tensors or metadata named {}", quote(tensor.name)));
  seen.clear();
  for (const auto &[key, value] : content.metadata)
    if (!seen.insert(key).second)
      return Error::plain(fmt::format("cannot write two metadata values named {}", quote(key)));
  return Status();
}

Result<std::string> formatSafetensors(const Safetensors &content) {
  if (Status status = checkNames(content); !status)
    return status.takeError();
  std::vector<size_t> order = layOut(content.tensors);
  std::vector<uint64_t> offsets(content.tensors.size());
  uint64_t size = 0;
  for (size_t i : order) {
    offsets[i] = size;
    size += content.tensors[i].value.sizeInBytes();
  }
  std::string header;
  try {
    header = formatHeader(content, offsets);
  } catch (const nlohmann::json::type_error &) {
    return Error::plain("cannot write names or metadata that are not UTF-8");
  }
  std::string bytes;
  bytes.reserve(8 + header.size() + size);
  uint64_t length = header.size();
  bytes.append(reinterpret_cast<const char *>(&length), sizeof length);
  bytes += header;
  for (size_t i : order)
    bytes += content.tensors[i].value.bytes();
  return bytes;
}

Status writeSafetensors(const std::string &path, const Safetensors &content) {
  Result<std::string> bytes = formatSafetensors(content);
  if (!bytes)
    return bytes.takeError().in(path);
  return writeFileAtomically(path, *bytes);
}

} // namespace nnc
