//===- NpyHeader.cpp - What an npy file says about its array --------------===//
//
// A parser for the little of Python's syntax that headers use.
//
//===----------------------------------------------------------------------===//
#include "NpyHeader.h"

#include <fmt/format.h>

#include <charconv>

namespace nnc {

namespace {
/// Reads a dictionary literal from left to right; the first failure is kept.
class DictionaryParser {
public:
  explicit DictionaryParser(std::string_view header) : text(header), rest(header) {}

  Status parse();

  std::string_view descr;
  bool isFortranOrder = false;
  TensorShape shape;

private:
  Status parseEntry();
  Status parseString(std::string_view &value);
  Status parseBool(bool &value);
  Status parseShape();
  Status parseDim();

  void skipBlanks();
  bool take(std::string_view token);
  Status unexpected(const std::string &expected);

  std::string_view text, rest;
  bool hasDescr = false, hasOrder = false, hasShape = false;
};
} // namespace

Status DictionaryParser::unexpected(const std::string &expected) {
  return Error::expectedFound(expected, rest.empty() ? "the end of the header" : quote(rest, 20))
      .of(fmt::format("the header, at character {}", text.size() - rest.size()));
}

void DictionaryParser::skipBlanks() {
  size_t start = rest.find_first_not_of(" \t\n");
  rest.remove_prefix(std::min(start, rest.size()));
}

bool DictionaryParser::take(std::string_view token) {
  skipBlanks();
  if (rest.substr(0, token.size()) != token)
    return false;
  rest.remove_prefix(token.size());
  return true;
}

Status DictionaryParser::parseString(std::string_view &value) {
  skipBlanks();
  char mark = rest.empty() ? '\0' : rest[0];
  size_t close = mark == '\'' || mark == '"' ? rest.find(mark, 1) : std::string_view::npos;
  if (close == std::string_view::npos)
    return unexpected("a string in quotes");
  value = rest.substr(1, close - 1);
  rest.remove_prefix(close + 1);
  return Status();
}

Status DictionaryParser::parseBool(bool &value) {
  value = take("True");
  return value || take("False") ? Status() : unexpected("True or False");
}

Status DictionaryParser::parseDim() {
  skipBlanks();
  int64_t dim = 0;
  auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), dim);
  if (code == std::errc::invalid_argument || (code == std::errc() && dim < 0))
    return unexpected("a dimension");
  if (code != std::errc())
    return unexpected("a dimension of at most 64 bits");
  rest.remove_prefix(size_t(end - rest.data()));
  // Python 2 wrote long integers as 3L.
  if (!rest.empty() && rest[0] == 'L')
    rest.remove_prefix(1);
  shape.push_back(dim);
  return Status();
}

Status DictionaryParser::parseShape() {
  static constexpr size_t maxRank = 64;
  if (!take("("))
    return unexpected("a shape in parentheses");
  while (!take(")")) {
    if (shape.size() == maxRank)
      return unexpected(fmt::format("at most {} dimensions", maxRank));
    if (Status status = parseDim(); !status)
      return status;
    if (take(","))
      continue;
    if (!take(")"))
      return unexpected("',' or ')' after a dimension");
    // (3) is a number in Python, not a tuple.
    return Status();
  }
  return Status();
}

Status DictionaryParser::parseEntry() {
  std::string_view start = rest, key;
  if (Status status = parseString(key); !status)
    return status;
  bool *seen = key == "descr"           ? &hasDescr
               : key == "fortran_order" ? &hasOrder
               : key == "shape"         ? &hasShape
                                        : nullptr;
  if (!seen || *seen) {
    rest = start;
    return unexpected(seen ? "each key once" : "'descr', 'fortran_order' or 'shape'");
  }
  *seen = true;
  if (!take(":"))
    return unexpected("':' after a key");
  skipBlanks();
  if (key == "descr" && !rest.empty() && rest[0] == '[')
    return Error::expectedFound("an array of numbers", "an array of records");
  return key == "descr"   ? parseString(descr)
         : key == "shape" ? parseShape()
                          : parseBool(isFortranOrder);
}

Status DictionaryParser::parse() {
  if (!take("{"))
    return unexpected("a dictionary");
  while (!take("}")) {
    if (Status status = parseEntry(); !status)
      return status;
    if (!take(",") && (skipBlanks(), rest.substr(0, 1) != "}"))
      return unexpected("',' or '}' after a value");
  }
  skipBlanks();
  if (!rest.empty())
    return unexpected("the end of the header");
  if (!hasDescr || !hasOrder || !hasShape)
    return unexpected(fmt::format("a key '{}'", !hasDescr   ? "descr"
                                                : !hasOrder ? "fortran_order"
                                                            : "shape"));
  return Status();
}

/// Understands a type such as '<f8'.
static Status decodeType(std::string_view descr, NpyHeader &header) {
  struct Known {
    const char *code;
    ElementType type;
  };
  static constexpr Known known[] = {
      {"f8", ElementType::F64}, {"f4", ElementType::F32}, {"f2", ElementType::F16},
      {"i8", ElementType::I64}, {"i4", ElementType::I32}, {"i2", ElementType::I32},
      {"i1", ElementType::I8},  {"u1", ElementType::U8},  {"u2", ElementType::I32},
      {"u4", ElementType::I64}, {"u8", ElementType::I64}, {"b1", ElementType::Bool}};
  bool hasOrder = !descr.empty() && std::string_view("<>|=").find(descr[0]) != descr.npos;
  for (const Known &candidate : known) {
    if (!hasOrder || descr.substr(1) != candidate.code)
      continue;
    header.kind = candidate.code[0];
    header.itemSize = size_t(candidate.code[1] - '0');
    header.isBigEndian = descr[0] == '>';
    header.type = candidate.type;
    return Status();
  }
  if (hasOrder && descr.substr(1, 1) == "O")
    return Error::expectedFound("an array of numbers", "an array of Python objects")
        .help("convert it before saving: numpy.save(file, array.astype(float))");
  return Error::expectedFound("an array of f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 or b1",
                              quote(descr));
}

/// The length of the header's length field and the length it holds; 0 and a status on an error.
static Status measure(std::string_view bytes, size_t &start, size_t &length) {
  using namespace std::string_view_literals;
  if (bytes.substr(0, 6) != "\x93NUMPY"sv)
    return Error::expectedFound("an npy file", bytes.empty() ? "an empty file" : "something else");
  unsigned major = bytes.size() > 6 ? uint8_t(bytes[6]) : 1;
  if (major < 1 || major > 3)
    return Error::expectedFound("an npy file of version 1, 2 or 3",
                                fmt::format("version {}", major));
  start = major == 1 ? 10 : 12;
  length = 0;
  for (size_t i = start; i > 8 && bytes.size() >= start; --i)
    length = length << 8 | uint8_t(bytes[i - 1]);
  if (bytes.size() < start || length > bytes.size() - start)
    return Error::expectedFound(fmt::format("a header of {} bytes", start + length),
                                fmt::format("a file of {}", bytes.size()))
        .help("the file may be cut short");
  return Status();
}

Result<NpyHeader> parseNpyHeader(std::string_view bytes) {
  size_t start, length;
  if (Status status = measure(bytes, start, length); !status)
    return status.takeError();
  DictionaryParser parser(bytes.substr(start, length));
  if (Status status = parser.parse(); !status)
    return status.takeError();

  NpyHeader header;
  header.isFortranOrder = parser.isFortranOrder;
  header.shape = parser.shape;
  header.dataOffset = start + length;
  if (Status status = decodeType(parser.descr, header); !status)
    return status.takeError();
  std::optional<int64_t> count = numElements(header.shape);
  if (!count)
    return Error::expectedFound("a shape that fits the memory", toString(header.shape));
  header.count = *count;
  return header;
}

} // namespace nnc
