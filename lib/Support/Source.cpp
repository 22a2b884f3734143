//===- Source.cpp - Source text and places in it --------------------------===//
//
// Reading files, and the table of line starts that turns an offset into a line and a column.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/Source.h"
#include "nnc/Support/File.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>

namespace nnc {

SourceFile::SourceFile(std::string path, std::string text)
    : filePath(std::move(path)), fileText(std::move(text)) {
  lineStarts.push_back(0);
  for (size_t i = 0; i < fileText.size(); ++i)
    if (fileText[i] == '\n')
      lineStarts.push_back(uint32_t(i + 1));
}

std::unique_ptr<SourceFile> SourceFile::open(const std::string &path, std::string &error) {
  // Offsets are 32 bits, with room to spare; program text is never near this.
  constexpr size_t maxSize = 256u << 20;
  auto fail = [&](const std::string &reason) {
    error = fmt::format("cannot read '{}': {}", path, reason);
    return nullptr;
  };
  std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file)
    return fail(systemReason(errno));
  std::string text;
  char buffer[65536];
  while (size_t count = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, count);
    if (text.size() > maxSize)
      return fail("expected at most 256 MiB of text");
  }
  if (std::ferror(file.get()))
    return fail(systemReason(errno));
  return std::make_unique<SourceFile>(path, std::move(text));
}

unsigned SourceFile::lineNumber(uint32_t offset) const {
  auto next = std::upper_bound(lineStarts.begin(), lineStarts.end(), offset);
  return unsigned(next - lineStarts.begin());
}

SourceFile::LineColumn SourceFile::lineColumn(uint32_t offset) const {
  offset = std::min(offset, uint32_t(fileText.size()));
  unsigned number = lineNumber(offset);
  unsigned column = 1;
  for (uint32_t i = lineStarts[number - 1]; i < offset; ++i)
    column += (uint8_t(fileText[i]) & 0xC0) != 0x80;
  return {number, column};
}

uint32_t SourceFile::offsetOf(LineColumn place) const {
  if (place.line == 0 || place.line > lineStarts.size())
    return uint32_t(fileText.size());
  uint32_t offset = lineStarts[place.line - 1];
  uint32_t end = offset + uint32_t(line(place.line).size());
  auto isInside = [&] { return offset < end && (uint8_t(fileText[offset]) & 0xC0) == 0x80; };
  for (unsigned column = 1; column < place.column && offset < end; ++column) {
    ++offset;
    while (isInside())
      ++offset;
  }
  return offset;
}

std::string_view SourceFile::line(unsigned number) const {
  uint32_t begin = lineStarts[number - 1];
  size_t end = number < lineStarts.size() ? lineStarts[number] - 1 : fileText.size();
  if (end > begin && fileText[end - 1] == '\r')
    --end;
  return std::string_view(fileText).substr(begin, end - begin);
}

std::string_view SourceRange::text() const {
  if (!file || isWholeFile())
    return {};
  return file->text().substr(begin, end - begin);
}

} // namespace nnc
