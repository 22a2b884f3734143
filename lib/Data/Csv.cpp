//===- Csv.cpp - Tables of numbers in text files --------------------------===//
//
// One pass over the records: the first decides the number of columns and whether it is a header,
// each further one appends to the fields. Only chosen columns are read as numbers.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Csv.h"
#include "CsvNumber.h"
#include "CsvScanner.h"
#include "nnc/Data/Gzip.h"
#include "nnc/Support/Diagnostics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nnc {

CsvColumns CsvColumns::single(int64_t index) {
  return range(index, index == -1 ? std::nullopt : std::optional(index + 1));
}

namespace {
/// A field while its rows are read.
struct FieldBuffer {
  const CsvField *field;
  std::vector<size_t> columns;
  std::string bytes;
};

class CsvReader {
public:
  CsvReader(std::string_view text, const std::string &inFile, const CsvOptions &csvOptions)
      : scanner(text, inFile), file(inFile), options(csvOptions) {}

  Result<Dataset> read();

private:
  using Record = std::vector<std::string_view>;

  Status readFirstRecord();
  bool looksLikeHeader(const Record &record) const;
  Status chooseColumns(const CsvField &field);
  Status chooseNamed(const CsvField &field, const std::string &name, std::vector<size_t> &chosen);
  Status chooseRange(const CsvField &field, const CsvColumns &range, std::vector<size_t> &chosen);
  Status readRow();
  template <typename T> Status appendCells(FieldBuffer &buffer);
  Error cellError(CellState state, size_t column, ElementType type) const;
  Error widthError() const;
  Dataset finish() const;

  CsvScanner scanner;
  std::string file;
  const CsvOptions &options;
  CsvField allColumns{"values", {CsvColumns::range(0, std::nullopt)}, ElementType::F32, false};

  Record cells;
  std::vector<std::string> header;
  size_t width = 0;
  int64_t widthLine = 0, rows = 0;
  std::vector<FieldBuffer> buffers;
};
} // namespace

//===----------------------------------------------------------------------===//
// The first record: header, width, columns
//===----------------------------------------------------------------------===//

bool CsvReader::looksLikeHeader(const Record &record) const {
  if (options.hasHeader)
    return *options.hasHeader;
  bool isEmpty = true;
  for (std::string_view cell : record) {
    if (isNumber(cell))
      return false;
    isEmpty &= cell.empty();
  }
  return !isEmpty;
}

Status CsvReader::readFirstRecord() {
  scanner.skipLines(options.skip);
  scanner.setDelimiter(options.delimiter ? *options.delimiter : scanner.detectDelimiter());
  if (Status status = scanner.nextRecord(cells); !status)
    return status;
  if (cells.empty())
    return Error::expectedFound("rows of numbers", options.skip > 0
                                                       ? "nothing after the skipped lines"
                                                       : "an empty file")
        .in(file);
  width = cells.size();
  widthLine = scanner.lineOf(cells[0].data());
  if (looksLikeHeader(cells))
    for (std::string_view cell : cells)
      header.push_back(unescaped(cell));
  return Status();
}

Status CsvReader::chooseNamed(const CsvField &field, const std::string &name,
                              std::vector<size_t> &chosen) {
  std::string what = fmt::format("field {}", quote(field.name));
  std::string wanted = fmt::format("a column named {}", quote(name));
  if (header.empty())
    return Error::expectedFound(wanted, "no line of column names").in(file).of(what);
  for (size_t i = 0; i < header.size(); ++i)
    if (header[i] == name)
      chosen.push_back(i);
  if (chosen.size() == 1)
    return Status();
  if (chosen.size() > 1)
    return Error::expectedFound("one" + wanted.substr(1), fmt::format("{}", chosen.size()))
        .in(file)
        .at(widthLine, 0)
        .of(what);
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min<size_t>(header.size(), 6); ++i)
    names.push_back(quote(header[i]));
  Error error = Error::expectedFound(wanted, fmt::format("{}{}", fmt::join(names, ", "),
                                                         header.size() > 6 ? ", …" : ""))
                    .in(file)
                    .at(widthLine, 0)
                    .of(what);
  if (std::optional<std::string> nearest = closestMatch(name, header))
    error.hint = fmt::format("did you mean {}?", quote(*nearest));
  return error;
}

Status CsvReader::chooseRange(const CsvField &field, const CsvColumns &range,
                              std::vector<size_t> &chosen) {
  int64_t count = int64_t(width);
  int64_t begin = range.begin < 0 ? range.begin + count : range.begin;
  int64_t end = !range.end ? count : *range.end < 0 ? *range.end + count : *range.end;
  if (begin < 0 || end > count || begin >= end)
    return Error::expectedFound(
               fmt::format("columns within 0:{}", count),
               fmt::format("{}:{}", range.begin, range.end ? std::to_string(*range.end) : ""))
        .in(file)
        .of(fmt::format("field {}", quote(field.name)))
        .help("columns are counted from 0, and the end of a range is not part of it");
  for (int64_t i = begin; i < end; ++i)
    chosen.push_back(size_t(i));
  return Status();
}

Status CsvReader::chooseColumns(const CsvField &field) {
  FieldBuffer buffer{&field, {}, {}};
  for (const CsvColumns &columns : field.columns) {
    std::vector<size_t> chosen;
    Status status = columns.name.empty() ? chooseRange(field, columns, chosen)
                                         : chooseNamed(field, columns.name, chosen);
    if (!status)
      return status;
    buffer.columns.insert(buffer.columns.end(), chosen.begin(), chosen.end());
  }
  if (field.isVector && buffer.columns.size() != 1)
    return Error::expectedFound("one column", fmt::format("{}", buffer.columns.size()))
        .in(file)
        .of(fmt::format("field {}", quote(field.name)));
  buffers.push_back(std::move(buffer));
  return Status();
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

Error CsvReader::widthError() const {
  bool isLonger = cells.size() > width;
  const char *position = isLonger ? cells[width].data() : cells.back().data() + cells.back().size();
  Error error = scanner.errorAt(position, fmt::format("{} cells as in line {}", width, widthLine),
                                fmt::format("{}", cells.size()));
  if (rows == 0)
    error.hint = "skip = 1 leaves out the first line if it is no part of the table";
  return error;
}

static std::string describe(CellState state, ElementType type) {
  if (type == ElementType::Bool)
    return "0, 1, true or false";
  if (state == CellState::OutOfRange)
    return fmt::format("a number that {} can hold", nameOf(type));
  return isFloat(type) ? "a number" : fmt::format("a whole number ({})", nameOf(type));
}

Error CsvReader::cellError(CellState state, size_t column, ElementType type) const {
  std::string_view cell = cells[column];
  std::string where = fmt::format(" in column {}", column);
  if (column < header.size())
    where += fmt::format(" ({})", quote(header[column]));
  Error error = scanner.errorAt(cell.data(), describe(state, type) + where,
                                cell.empty() ? "an empty cell" : quote(cell));
  if (rows == 0 && header.empty() && state == CellState::NotANumber)
    error.hint = "header = true says that the first line names the columns; skip = 1 leaves it out";
  else if (cell.find(',') != std::string_view::npos)
    error.hint = "numbers are written with a decimal point, without separators";
  return error;
}

template <typename T> Status CsvReader::appendCells(FieldBuffer &buffer) {
  size_t offset = buffer.bytes.size();
  buffer.bytes.resize(offset + buffer.columns.size() * sizeof(T));
  for (size_t column : buffer.columns) {
    T value{};
    if (CellState state = parseCell(cells[column], value); state != CellState::Ok)
      return cellError(state, column, buffer.field->type);
    std::memcpy(buffer.bytes.data() + offset, &value, sizeof(T));
    offset += sizeof(T);
  }
  return Status();
}

Status CsvReader::readRow() {
  if (cells.size() != width)
    return widthError();
  for (FieldBuffer &buffer : buffers) {
    Status status = dispatch(buffer.field->type,
                             [&](auto value) { return appendCells<decltype(value)>(buffer); });
    if (!status)
      return status;
  }
  ++rows;
  return Status();
}

Dataset CsvReader::finish() const {
  Dataset dataset;
  for (const FieldBuffer &buffer : buffers) {
    TensorShape shape{rows};
    if (!buffer.field->isVector)
      shape.push_back(int64_t(buffer.columns.size()));
    Tensor tensor(buffer.field->type, std::move(shape));
    std::memcpy(tensor.data(), buffer.bytes.data(), buffer.bytes.size());
    dataset.add(buffer.field->name, std::move(tensor));
  }
  return dataset;
}

Result<Dataset> CsvReader::read() {
  if (Status status = scanner.checkIsText(); !status)
    return status.takeError();
  if (Status status = readFirstRecord(); !status)
    return status.takeError();
  if (options.fields.empty()) {
    if (Status status = chooseColumns(allColumns); !status)
      return status.takeError();
  }
  for (const CsvField &field : options.fields)
    if (Status status = chooseColumns(field); !status)
      return status.takeError();

  if (!header.empty())
    if (Status status = scanner.nextRecord(cells); !status)
      return status.takeError();
  if (cells.empty())
    return Error::expectedFound("rows of numbers", "nothing after the column names").in(file);
  while (!cells.empty()) {
    if (Status status = readRow(); !status)
      return status.takeError();
    if (Status status = scanner.nextRecord(cells); !status)
      return status.takeError();
  }
  return finish();
}

Result<Dataset> parseCsv(std::string_view text, const std::string &file,
                         const CsvOptions &options) {
  static constexpr std::string_view notDelimiters = "\"\n\r+-.0123456789eE";
  if (options.delimiter && notDelimiters.find(*options.delimiter) != std::string_view::npos)
    return Error::expectedFound("a delimiter that is no part of a number, quote or line end",
                                quote({&*options.delimiter, 1}))
        .in(file);
  return CsvReader(text, file, options).read();
}

Result<Dataset> readCsv(const std::string &path, const CsvOptions &options) {
  Result<std::string> text = readMaybeGzipped(path);
  if (!text)
    return text.takeError();
  return parseCsv(*text, path, options);
}

} // namespace nnc
