//===- Result.cpp - How an Error reads ------------------------------------===//
//
// Puts an Error's parts together, and makes text of unknown origin fit to print.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/Result.h"

#include <fmt/format.h>

namespace nnc {

Error Error::expectedFound(std::string expected, std::string found) {
  Error error;
  error.expected = std::move(expected);
  error.found = std::move(found);
  return error;
}

Error Error::plain(std::string message) {
  Error error;
  error.message = std::move(message);
  return error;
}

Error &&Error::in(std::string fileName) && {
  file = std::move(fileName);
  return std::move(*this);
}

Error &&Error::at(int64_t lineNumber, int64_t columnNumber) && {
  line = lineNumber;
  column = columnNumber;
  return std::move(*this);
}

Error &&Error::of(std::string fieldName) && {
  field = std::move(fieldName);
  return std::move(*this);
}

Error &&Error::help(std::string text) && {
  hint = std::move(text);
  return std::move(*this);
}

std::string Error::what() const {
  std::string text = field.empty() ? "" : fmt::format("in {}: ", field);
  text += message;
  if (!expected.empty())
    text += fmt::format("{}expected {}, found {}", message.empty() ? "" : ": ", expected, found);
  return text;
}

/// The length of the UTF-8 character at the start of `text` if it is whole and printable, else 0.
static size_t printableLength(std::string_view text) {
  unsigned char first = text[0];
  if (first >= 0x20 && first < 0x7f)
    return 1;
  size_t length = first >= 0xf0 && first < 0xf5   ? 4
                  : first >= 0xe0 && first < 0xf0 ? 3
                  : first >= 0xc2 && first < 0xe0 ? 2
                                                  : 0;
  if (length == 0 || text.size() < length)
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
      return 0;
  // U+0080 to U+009F are control characters that some terminals obey.
  bool isControl = first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
  return isControl ? 0 : length;
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    size_t length = printableLength(text);
    if (length > 0)
      result += text.substr(0, length);
    else
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    text.remove_prefix(length > 0 ? length : 1);
  }
  return result;
}

std::string_view wholeCharacters(std::string_view text, size_t maxLength) {
  if (text.size() <= maxLength)
    return text;
  size_t length = maxLength;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
    --length;
  return text.substr(0, length);
}

std::string quote(std::string_view text, size_t maxLength) {
  std::string_view start = wholeCharacters(text, maxLength);
  return fmt::format("'{}{}'", printable(start), start.size() < text.size() ? "…" : "");
}

std::string Error::str() const {
  std::string text = printable(file);
  if (line > 0)
    text += fmt::format(":{}", line);
  if (line > 0 && column > 0)
    text += fmt::format(":{}", column);
  text += text.empty() ? "error: " : ": error: ";
  text += what();
  if (!hint.empty())
    text += fmt::format("\nhelp: {}", hint);
  return text;
}

} // namespace nnc
