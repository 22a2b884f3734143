//===- CsvScanner.cpp - The cells of a table, record by record ------------===//
//
// RFC 4180 with what is met in practice: any line end, blanks around cells, blank lines, and runs
// of blanks as the separator.
//
//===----------------------------------------------------------------------===//
#include "CsvScanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace nnc {

CsvScanner::CsvScanner(std::string_view content, const std::string &fileName)
    : text(content), file(fileName) {
  if (text.substr(0, 3) == "\xef\xbb\xbf")
    text.remove_prefix(3);
  cursor = text.data();
  end = cursor + text.size();
}

int64_t CsvScanner::lineOf(const char *position) const {
  int64_t line = 1;
  for (const char *c = text.data(); c < position; ++c)
    if (*c == '\n' || (*c == '\r' && !(c + 1 < end && c[1] == '\n')))
      ++line;
  return line;
}

Error CsvScanner::errorAt(const char *position, std::string expected, std::string found) const {
  const char *start = position;
  while (start > text.data() && !isLineEnd(start[-1]))
    --start;
  // Columns count characters: bytes that do not continue one.
  int64_t column =
      1 + std::count_if(start, position, [](char c) { return (uint8_t(c) & 0xc0) != 0x80; });
  return Error::expectedFound(std::move(expected), std::move(found))
      .in(file)
      .at(lineOf(position), column);
}

Status CsvScanner::checkIsText() const {
  using namespace std::string_view_literals;
  std::string_view start = text.substr(0, 6);
  if (start.substr(0, 2) == "\xff\xfe"sv || start.substr(0, 2) == "\xfe\xff"sv)
    return Error::expectedFound("UTF-8 text", "UTF-16").in(file).help("save the file as UTF-8");
  if (start == "\x93NUMPY"sv)
    return Error::expectedFound("a CSV file", "an npy file").in(file).help("read it with npy(...)");
  if (start.substr(0, 4) == "PK\x03\x04"sv)
    return Error::expectedFound("a CSV file", "a zip file")
        .in(file)
        .help("an npz file is read with npz(...)");
  if (const void *zero = text.empty() ? nullptr : std::memchr(text.data(), 0, text.size()))
    return errorAt(static_cast<const char *>(zero), "text", "a byte 0")
        .help("the file seems to be binary");
  return Status();
}

void CsvScanner::skipLineEnd() {
  if (cursor < end && *cursor == '\r')
    ++cursor;
  else if (cursor < end && *cursor == '\n') {
    ++cursor;
    return;
  }
  if (cursor < end && *cursor == '\n')
    ++cursor;
}

void CsvScanner::skipLines(int64_t count) {
  for (; count > 0 && cursor < end; --count) {
    while (cursor < end && !isLineEnd(*cursor))
      ++cursor;
    skipLineEnd();
  }
}

char CsvScanner::detectDelimiter() const {
  // The first of these that all lines contain, else that most contain; a run of blanks is the last
  // resort.
  static constexpr char candidates[] = {'\t', ';', ',', ' '};
  static constexpr int maxLines = 32;
  static constexpr ptrdiff_t maxBytes = 1 << 16;
  int counts[4] = {}, lines = 0;
  bool seen[4] = {}, isQuoted = false, isBlankLine = true, isAfterBlank = false;
  const char *stop = cursor + std::min(maxBytes, end - cursor);
  for (const char *c = cursor; c <= stop && lines < maxLines; ++c) {
    if (c == stop || (!isQuoted && isLineEnd(*c))) {
      for (int i = 0; i < 4; ++i)
        counts[i] += seen[i] && !isBlankLine;
      lines += !isBlankLine;
      std::fill_n(seen, 4, false);
      isBlankLine = true;
      isAfterBlank = false;
      continue;
    }
    if (*c == '"')
      isQuoted = !isQuoted;
    for (int i = 0; i < 3; ++i)
      seen[i] |= !isQuoted && *c == candidates[i];
    // Blanks at the start and the end of a line separate nothing.
    bool blank = isBlank(*c);
    seen[3] |= !isQuoted && !blank && isAfterBlank && !isBlankLine;
    isAfterBlank = blank;
    isBlankLine &= blank;
  }
  for (int needed : {lines, lines / 2 + 1})
    for (int i = 0; i < 4; ++i)
      if (counts[i] > 0 && counts[i] >= needed)
        return candidates[i];
  return ',';
}

void CsvScanner::skipBlanks() {
  while (cursor < end && isBlank(*cursor) && (*cursor != delimiter || delimiter == ' '))
    ++cursor;
}

std::string_view CsvScanner::trimmed(const char *first, const char *last) const {
  while (first < last && isBlank(*first))
    ++first;
  while (first < last && isBlank(last[-1]))
    --last;
  return {first, size_t(last - first)};
}

Status CsvScanner::scanQuotedCell(std::string_view &cell) {
  const char *open = cursor++;
  const char *close = cursor;
  while (true) {
    close = close < end ? static_cast<const char *>(std::memchr(close, '"', size_t(end - close)))
                        : nullptr;
    if (!close)
      return errorAt(open, "a closing quote", "the end of the file");
    if (close + 1 == end || close[1] != '"')
      break;
    close += 2;
  }
  cell = trimmed(cursor, close);
  cursor = close + 1;
  bool isSeparated = cursor == end || isBlank(*cursor) || *cursor == delimiter;
  skipBlanks();
  isSeparated &= delimiter == ' ' || cursor == end || isLineEnd(*cursor) || *cursor == delimiter;
  if (isSeparated || isLineEnd(*cursor))
    return Status();
  const char *rest = cursor;
  while (cursor < end && !isLineEnd(*cursor) && *cursor != delimiter)
    ++cursor;
  return errorAt(rest, "the end of the cell after its closing quote",
                 quote({rest, size_t(cursor - rest)}));
}

Status CsvScanner::scanCell(std::string_view &cell) {
  static constexpr size_t maxLength = 65536;
  const char *start = cursor;
  if (cursor < end && *cursor == '"') {
    if (Status status = scanQuotedCell(cell); !status)
      return status;
  } else {
    while (cursor < end && *cursor != delimiter && !isLineEnd(*cursor) &&
           !(delimiter == ' ' && *cursor == '\t'))
      ++cursor;
    cell = trimmed(start, cursor);
  }
  if (cell.size() > maxLength)
    return errorAt(start, fmt::format("a cell of at most {} bytes", maxLength),
                   fmt::format("one of {}", cell.size()));
  return Status();
}

Status CsvScanner::scanRecord(std::vector<std::string_view> &cells) {
  while (true) {
    skipBlanks();
    // Blanks after the last cell are not the start of another one.
    if (delimiter == ' ' && !cells.empty() && (cursor == end || isLineEnd(*cursor)))
      return Status();
    std::string_view cell;
    if (Status status = scanCell(cell); !status)
      return status;
    cells.push_back(cell);
    if (cursor == end || isLineEnd(*cursor))
      return Status();
    if (delimiter != ' ')
      ++cursor;
  }
}

Status CsvScanner::nextRecord(std::vector<std::string_view> &cells) {
  cells.clear();
  while (cursor < end) {
    const char *start = cursor;
    while (cursor < end && isBlank(*cursor))
      ++cursor;
    if (cursor < end && !isLineEnd(*cursor)) {
      cursor = start;
      Status status = scanRecord(cells);
      skipLineEnd();
      return status;
    }
    skipLineEnd();
  }
  return Status();
}

std::string unescaped(std::string_view cell) {
  std::string result;
  for (size_t i = 0; i < cell.size(); ++i) {
    result += cell[i];
    if (cell[i] == '"' && i + 1 < cell.size() && cell[i + 1] == '"')
      ++i;
  }
  return result;
}

} // namespace nnc
