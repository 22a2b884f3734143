//===- CsvScanner.h - The cells of a table, record by record -----*- C++ -*-===//
//
// Splits the text of a CSV file into records and cells, without looking at what the cells mean.
// Cells are views into the text, so a place in an error is found from them.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_DATA_CSVSCANNER_H
#define NNC_LIB_DATA_CSVSCANNER_H

#include "nnc/Support/Result.h"

#include <vector>

namespace nnc {

class CsvScanner {
public:
  /// A byte order mark at the start is not part of the text.
  CsvScanner(std::string_view text, const std::string &file);

  /// Whether the text can be a table at all: not UTF-16, nothing binary.
  Status checkIsText() const;
  /// Leaves out this many lines.
  void skipLines(int64_t count);
  /// Finds what separates the cells, from the lines that follow.
  char detectDelimiter() const;
  void setDelimiter(char character) { delimiter = character; }

  /// Reads the next record that is not blank into `cells`; none are left when it is empty. The
  /// cells of a quoted text are without the quotes around it.
  Status nextRecord(std::vector<std::string_view> &cells);

  /// An error at a position of the text.
  Error errorAt(const char *position, std::string expected, std::string found) const;
  int64_t lineOf(const char *position) const;

private:
  Status scanCell(std::string_view &cell);
  Status scanQuotedCell(std::string_view &cell);
  Status scanRecord(std::vector<std::string_view> &cells);
  bool isBlank(char character) const { return character == ' ' || character == '\t'; }
  bool isLineEnd(char character) const { return character == '\n' || character == '\r'; }
  /// [first, last) without the blanks around it.
  std::string_view trimmed(const char *first, const char *last) const;
  void skipBlanks();
  void skipLineEnd();

  std::string_view text;
  std::string file;
  const char *cursor, *end;
  char delimiter = ',';
};

/// The content of a quoted cell: each doubled quote stands for one.
std::string unescaped(std::string_view cell);

} // namespace nnc

#endif // NNC_LIB_DATA_CSVSCANNER_H
