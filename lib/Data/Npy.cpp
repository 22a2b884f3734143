//===- Npy.cpp - NumPy's array files --------------------------------------===//
//
// Elements go from the file's byte order, memory order and type to ours.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Npy.h"
#include "NpyHeader.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

namespace nnc {

/// The file's elements with their bytes in this machine's (little-endian) order.
static std::string littleEndian(std::string_view data, const NpyHeader &header) {
  std::string bytes(data);
  if (header.isBigEndian)
    for (size_t i = 0; i < bytes.size(); i += header.itemSize)
      std::reverse(bytes.begin() + ptrdiff_t(i), bytes.begin() + ptrdiff_t(i + header.itemSize));
  return bytes;
}

/// Elements of the type From as those of To, which holds all their values.
template <typename From, typename To> static void widen(std::string_view bytes, Tensor &tensor) {
  for (int64_t i = 0; i < tensor.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + size_t(i) * sizeof(From), sizeof(From));
    tensor.as<To>()[i] = static_cast<To>(value);
  }
}

/// Fills the tensor with elements in the order of the file.
static Status fill(Tensor &tensor, std::string_view bytes, const NpyHeader &header) {
  if (header.kind == 'i' && header.itemSize == 2)
    widen<int16_t, int32_t>(bytes, tensor);
  else if (header.kind == 'u' && header.itemSize == 2)
    widen<uint16_t, int32_t>(bytes, tensor);
  else if (header.kind == 'u' && header.itemSize == 4)
    widen<uint32_t, int64_t>(bytes, tensor);
  else if (header.kind == 'b')
    // Any byte but 0 is true to NumPy; a C++ bool is 0 or 1.
    widen<uint8_t, bool>(bytes, tensor);
  else
    std::memcpy(tensor.data(), bytes.data(), bytes.size());
  if (header.kind != 'u' || header.itemSize != 8)
    return Status();
  for (int64_t i = 0; i < tensor.size(); ++i)
    if (tensor.as<int64_t>()[i] < 0)
      return Error::expectedFound("numbers that i64 can hold",
                                  fmt::format("{}", uint64_t(tensor.as<int64_t>()[i])));
  return Status();
}

/// The elements of `source`, which lie in column-major order, in row-major order.
static Tensor fromFortranOrder(const Tensor &source) {
  Tensor result(source.type(), source.shape());
  size_t size = sizeInBytes(source.type());
  const char *from = static_cast<const char *>(source.data());
  char *to = static_cast<char *>(result.data());
  TensorShape strides, index(source.shape().size(), 0);
  int64_t stride = 1, offset = 0;
  for (int64_t dim : source.shape()) {
    strides.push_back(stride);
    stride *= dim;
  }
  for (int64_t i = 0; i < source.size(); ++i) {
    std::memcpy(to + size_t(i) * size, from + size_t(offset) * size, size);
    // The next index in row-major order.
    for (size_t axis = index.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < source.dim(axis))
        break;
      offset -= strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
  return result;
}

static Result<Tensor> parse(std::string_view bytes) {
  Result<NpyHeader> header = parseNpyHeader(bytes);
  if (!header)
    return header.takeError();
  std::string_view data = bytes.substr(header->dataOffset);
  size_t expected = size_t(header->count) * header->itemSize;
  if (data.size() != expected) {
    Error error = Error::expectedFound(fmt::format("{} bytes of data for {} of {} bytes", expected,
                                                   toString(header->shape), header->itemSize),
                                       fmt::format("{}", data.size()));
    if (data.size() < expected)
      error.hint = "the file may be cut short";
    return error;
  }
  Tensor tensor(header->type, header->shape);
  if (Status status = fill(tensor, littleEndian(data, *header), *header); !status)
    return status.takeError();
  return header->isFortranOrder && tensor.rank() > 1 ? fromFortranOrder(tensor) : tensor;
}

Result<Tensor> parseNpy(std::string_view bytes, const std::string &file) {
  Result<Tensor> tensor = parse(bytes);
  if (!tensor)
    return tensor.takeError().in(file);
  return tensor;
}

Result<Tensor> readNpy(const std::string &path) {
  Result<std::string> bytes = readFile(path);
  if (!bytes)
    return bytes.takeError();
  return parseNpy(*bytes, path);
}

std::string formatNpy(const Tensor &tensor) {
  if (tensor.type() == ElementType::BF16)
    return formatNpy(tensor.to(ElementType::F32));
  static const char *const codes[] = {"<f8", "<f4", "<f2", "", "<i8", "<i4", "|i1", "|u1", "|b1"};
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                   codes[size_t(tensor.type())], fmt::join(tensor.shape(), ", "),
                                   tensor.rank() == 1 ? "," : "");
  // The elements start on a multiple of 64 bytes, after a line end.
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += char(header.size() & 0xff);
  bytes += char(header.size() >> 8);
  bytes += header;
  bytes += tensor.bytes();
  return bytes;
}

Status writeNpy(const std::string &path, const Tensor &tensor) {
  return writeFileAtomically(path, formatNpy(tensor));
}

} // namespace nnc
