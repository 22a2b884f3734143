//===- Source.h - Source text and places in it -------------------*- C++ -*-===//
//
// A SourceFile owns the text of one file and knows its lines. A SourceRange is a stretch of bytes
// in such a file: what a token, a tree node or a diagnostic points at. Ranges do not own the file;
// it lives as long as whatever points into it.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SUPPORT_SOURCE_H
#define NNC_SUPPORT_SOURCE_H

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nnc {

class SourceFile {
public:
  /// A file already in memory; `path` is what diagnostics name.
  SourceFile(std::string path, std::string text);
  SourceFile(const SourceFile &) = delete;
  SourceFile &operator=(const SourceFile &) = delete;

  /// Reads the file at `path`. On failure returns null and says why in `error`, in the form
  /// "cannot read 'x.nn': no such file or directory".
  static std::unique_ptr<SourceFile> open(const std::string &path, std::string &error);

  const std::string &path() const { return filePath; }
  std::string_view text() const { return fileText; }

  /// A line and a column, both from 1. Columns count characters (code points), not bytes.
  struct LineColumn {
    unsigned line, column;
  };
  LineColumn lineColumn(uint32_t offset) const;
  /// The text of a line (from 1) without its line end.
  std::string_view line(unsigned number) const;
  /// The offset at which a line (from 1) starts.
  uint32_t lineStart(unsigned number) const { return lineStarts[number - 1]; }
  /// The offset of a line and column; the end of the line or of the file where there is no such place.
  uint32_t offsetOf(LineColumn place) const;
  /// The line (from 1) that holds `offset`.
  unsigned lineNumber(uint32_t offset) const;

private:
  std::string filePath;
  std::string fileText;
  std::vector<uint32_t> lineStarts;
};

/// The bytes [begin, end) of a file. Without a file it is nowhere: a diagnostic about the command
/// line, or a node that no text stands for.
struct SourceRange {
  const SourceFile *file = nullptr;
  uint32_t begin = 0;
  uint32_t end = 0;

  SourceRange() = default;
  SourceRange(const SourceFile *inFile, uint32_t from, uint32_t to)
      : file(inFile), begin(from), end(to) {}

  /// A place that names a file but no line in it.
  static SourceRange whole(const SourceFile &file) { return {&file, UINT32_MAX, UINT32_MAX}; }

  bool isValid() const { return file != nullptr; }
  bool isWholeFile() const { return begin == UINT32_MAX; }
  /// From the start of this range to the end of `last`.
  SourceRange to(SourceRange last) const { return {file, begin, last.end}; }
  /// The empty range just behind this one.
  SourceRange after() const { return {file, end, end}; }
  std::string_view text() const;
};

} // namespace nnc

#endif // NNC_SUPPORT_SOURCE_H
