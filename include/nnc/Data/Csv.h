//===- Csv.h - Tables of numbers in text files -------------------*- C++ -*-===//
//
// Reads what spreadsheets, NumPy and the UCI repository write: cells separated by commas,
// semicolons, tabs or runs of blanks, quoted or not, with or without a header line, with any line
// ends, plain or gzipped. Fields of a dataset are chosen from the columns by position or by name.
// Anything that is not a number where one is wanted is an error with its line and column.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DATA_CSV_H
#define NNC_DATA_CSV_H

#include "nnc/Data/Dataset.h"

namespace nnc {

/// Some columns of a table: the one with a name, or [begin, end) counted from 0. Negative positions
/// count from the end, as in Python; no end is the last column.
struct CsvColumns {
  std::string name;
  int64_t begin = 0;
  std::optional<int64_t> end;

  static CsvColumns named(std::string name) { return {std::move(name), 0, std::nullopt}; }
  static CsvColumns range(int64_t begin, std::optional<int64_t> end) { return {"", begin, end}; }
  static CsvColumns single(int64_t index);
};

/// A field of the dataset that is read: f32[rows, columns], or f32[rows] if it is a vector.
struct CsvField {
  std::string name;
  std::vector<CsvColumns> columns;
  ElementType type = ElementType::F32;
  /// The one column is a number for each row instead of a list of one number.
  bool isVector = false;
};

struct CsvOptions {
  /// The fields to read; none: one field "values" of all columns.
  std::vector<CsvField> fields;
  /// What separates the cells; ' ' means any run of blanks. Absent: told from the text.
  std::optional<char> delimiter;
  /// Whether the first line names the columns. Absent: it does if none of its cells is a number.
  std::optional<bool> hasHeader;
  /// Lines at the start that are no part of the table.
  int64_t skip = 0;
};

Result<Dataset> readCsv(const std::string &path, const CsvOptions &options);
/// The same for text in memory; `file` is for messages.
Result<Dataset> parseCsv(std::string_view text, const std::string &file, const CsvOptions &options);

} // namespace nnc

#endif // NNC_DATA_CSV_H
