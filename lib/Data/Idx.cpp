//===- Idx.cpp - Arrays as MNIST has them ---------------------------------===//
//
// The header says how long the file must be. Where it is not, the error names the record that is
// cut: a record is one index of the first axis.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Idx.h"
#include "nnc/Data/Gzip.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>

namespace nnc {

namespace {
struct IdxHeader {
  size_t itemSize = 0;
  /// The type of the tensor: that of the file or, for 16 bits, i32.
  ElementType type = ElementType::U8;
  TensorShape shape;
  size_t dataOffset = 0;
};
} // namespace

static uint32_t bigEndian32(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i)
    value = value << 8 | uint8_t(bytes[i]);
  return value;
}

static bool setType(IdxHeader &header, uint8_t code) {
  switch (code) {
  case 0x08:
    header.type = ElementType::U8;
    break;
  case 0x09:
    header.type = ElementType::I8;
    break;
  case 0x0B:
  case 0x0C:
    header.type = ElementType::I32;
    break;
  case 0x0D:
    header.type = ElementType::F32;
    break;
  case 0x0E:
    header.type = ElementType::F64;
    break;
  default:
    return false;
  }
  header.itemSize = code == 0x0B ? 2 : sizeInBytes(header.type);
  return true;
}

static Result<IdxHeader> parseHeader(std::string_view bytes) {
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0)
    return Error::expectedFound(
        "an IDX file, which begins with two zero bytes",
        bytes.size() < 4 ? fmt::format("{} bytes", bytes.size())
                         : fmt::format("bytes {} and {}", uint8_t(bytes[0]), uint8_t(bytes[1])));
  IdxHeader header;
  if (!setType(header, uint8_t(bytes[2])))
    return Error::expectedFound("an element type 8, 9, 11, 12, 13 or 14",
                                fmt::format("{}", uint8_t(bytes[2])))
        .of("the header");
  size_t rank = uint8_t(bytes[3]);
  header.dataOffset = 4 + 4 * rank;
  if (bytes.size() < header.dataOffset)
    return Error::expectedFound(fmt::format("{} bytes for {} dimensions", header.dataOffset, rank),
                                fmt::format("{}", bytes.size()))
        .of("the header")
        .help("the file may be cut short");
  for (size_t axis = 0; axis < rank; ++axis)
    header.shape.push_back(bigEndian32(bytes.substr(4 + 4 * axis)));
  if (!numElements(header.shape))
    return Error::expectedFound("a size that memory can hold", toString(header.shape))
        .of("the header");
  return header;
}

/// Which record `offset` bytes of data end in, as part of a message.
static std::string recordAt(size_t offset, const IdxHeader &header) {
  if (header.shape.empty() || header.shape[0] == 0)
    return "the data";
  size_t all = size_t(*numElements(header.shape)) * header.itemSize;
  size_t size = all / size_t(header.shape[0]);
  // Where all data are there, it is what follows that is wrong.
  if (size == 0 || offset >= all)
    return "the data";
  return fmt::format("record {} of {}", offset / size + 1, header.shape[0]);
}

/// The elements, with the lowest byte first.
static Tensor toTensor(std::string_view data, const IdxHeader &header) {
  Tensor tensor = Tensor::unfilled(header.type, header.shape);
  if (header.itemSize == 1) {
    std::memcpy(tensor.data(), data.data(), data.size());
    return tensor;
  }
  if (header.itemSize == 2) {
    for (int64_t i = 0; i < tensor.size(); ++i)
      tensor.as<int32_t>()[i] =
          int16_t(uint8_t(data[size_t(2 * i)]) << 8 | uint8_t(data[size_t(2 * i + 1)]));
    return tensor;
  }
  char *to = static_cast<char *>(tensor.data());
  for (size_t i = 0; i < data.size(); i += header.itemSize)
    std::reverse_copy(data.data() + i, data.data() + i + header.itemSize, to + i);
  return tensor;
}

static Result<Tensor> parse(const FileContent &content) {
  Result<IdxHeader> header = parseHeader(content.bytes);
  if (!header) {
    if (content.damage)
      return *content.damage;
    return header.takeError();
  }
  std::string_view data = std::string_view(content.bytes).substr(header->dataOffset);
  if (content.damage)
    return Error(*content.damage).of(recordAt(data.size(), *header));
  size_t expected = size_t(*numElements(header->shape)) * header->itemSize;
  if (data.size() == expected)
    return toTensor(data, *header);
  Error error = Error::expectedFound(
      fmt::format("{} bytes of data for {}", expected, toString(header->shape)),
      fmt::format("{}", data.size()));
  if (data.size() > expected)
    return error;
  return std::move(error).of(recordAt(data.size(), *header)).help("the file may be cut short");
}

Result<Tensor> parseIdx(std::string bytes, const std::string &file) {
  Result<Tensor> tensor = parse(decompress(std::move(bytes)));
  if (!tensor)
    return tensor.takeError().in(file);
  return tensor;
}

Result<Tensor> readIdx(const std::string &path) {
  Result<std::string> bytes = readFile(path);
  if (!bytes)
    return bytes.takeError();
  return parseIdx(std::move(*bytes), path);
}

} // namespace nnc
