//===- DiagnosticRenderer.cpp - Drawing a diagnostic ----------------------===//
//
// One diagnostic as text: the headline, the source line, and `^~~~` under the part that is meant.
// The line is laid out cell by cell first, so that tabs, wide characters and bytes that are not
// UTF-8 keep the caret in its place, and a long line can be cut around the caret.
//
//===----------------------------------------------------------------------===//
#include "nnc/Support/Diagnostics.h"

#include <fmt/format.h>

#include <algorithm>

namespace nnc {
namespace {

/// Longest source line shown whole, in terminal columns.
constexpr size_t maxWidth = 120;

/// One character as it appears: its text, its width, and where it starts in the source line.
struct Cell {
  std::string text;
  size_t width;
  size_t offset;
};

/// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none.
size_t sequenceLength(std::string_view text, uint32_t &codePoint) {
  uint8_t first = uint8_t(text[0]);
  size_t length = first < 0x80       ? 1
                  : first >> 5 == 6  ? 2
                  : first >> 4 == 14 ? 3
                  : first >> 3 == 30 ? 4
                                     : 0;
  if (length == 0 || length > text.size())
    return 0;
  codePoint = length == 1 ? first : first & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((uint8_t(text[i]) & 0xC0) != 0x80)
      return 0;
    codePoint = codePoint << 6 | (uint8_t(text[i]) & 0x3F);
  }
  static constexpr uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  bool surrogate = codePoint >= 0xD800 && codePoint <= 0xDFFF;
  return codePoint < smallest[length] || surrogate || codePoint > 0x10FFFF ? 0 : length;
}

/// Terminal columns that a character takes: combining marks none, East Asian and emoji two.
size_t displayWidth(uint32_t c) {
  auto within = [c](uint32_t low, uint32_t high) { return c >= low && c <= high; };
  if (within(0x300, 0x36F) || within(0x200B, 0x200F) || within(0xFE00, 0xFE0F))
    return 0;
  bool wide = within(0x1100, 0x115F) || within(0x2E80, 0xA4CF) || within(0xAC00, 0xD7A3) ||
              within(0xF900, 0xFAFF) || within(0xFE30, 0xFE6F) || within(0xFF00, 0xFF60) ||
              within(0xFFE0, 0xFFE6) || within(0x1F300, 0x1FAFF) || within(0x20000, 0x3FFFD);
  return wide ? 2 : 1;
}

std::vector<Cell> layOut(std::string_view line) {
  std::vector<Cell> cells;
  size_t column = 0;
  for (size_t i = 0; i < line.size();) {
    uint32_t codePoint = 0;
    size_t length = sequenceLength(line.substr(i), codePoint);
    Cell cell{"?", 1, i};
    if (length > 0 && codePoint == '\t') {
      cell.width = 4 - column % 4;
      cell.text.assign(cell.width, ' ');
    } else if (length > 0 && codePoint >= 0x20 && codePoint != 0x7F &&
               (codePoint < 0x80 || codePoint >= 0xA0)) {
      cell.text = std::string(line.substr(i, length));
      cell.width = displayWidth(codePoint);
    }
    column += cell.width;
    i += std::max<size_t>(length, 1);
    cells.push_back(std::move(cell));
  }
  return cells;
}

/// The part [first, last) of the cells to show: all, or a window around the caret.
std::pair<size_t, size_t> chooseWindow(const std::vector<Cell> &cells, size_t caret) {
  size_t total = 0;
  for (const Cell &cell : cells)
    total += cell.width;
  if (total <= maxWidth)
    return {0, cells.size()};
  // Two thirds of the room behind the caret: what follows explains more than what came before.
  size_t first = std::min(caret, cells.size()), before = 0;
  while (first > 0 && before + cells[first - 1].width <= maxWidth / 3)
    before += cells[--first].width;
  size_t last = first, width = 0;
  while (last < cells.size() && width + cells[last].width <= maxWidth)
    width += cells[last++].width;
  return {first, last};
}

/// The source line at `range` and the marks under it.
std::string drawSource(SourceRange range) {
  SourceFile::LineColumn place = range.file->lineColumn(range.begin);
  std::string_view line = range.file->line(place.line);
  size_t lineBegin = range.file->lineStart(place.line);
  size_t from =
      std::min(size_t(range.begin) - std::min<size_t>(range.begin, lineBegin), line.size());
  size_t to =
      std::clamp(size_t(range.end) - std::min<size_t>(range.end, lineBegin), from, line.size());

  std::vector<Cell> cells = layOut(line);
  size_t caret = 0;
  while (caret < cells.size() && cells[caret].offset < from)
    ++caret;
  auto [first, last] = chooseWindow(cells, caret);
  std::string shown = first > 0 ? "..." : "", marks(shown.size(), ' ');
  for (size_t i = first; i < last; ++i) {
    shown += cells[i].text;
    bool marked = cells[i].offset >= from && cells[i].offset < to;
    for (size_t w = 0; w < cells[i].width; ++w)
      marks += i == caret && w == 0 ? '^' : marked ? '~' : ' ';
  }
  if (last < cells.size())
    shown += "...";
  if (caret >= cells.size())
    marks += '^';
  shown.erase(shown.find_last_not_of(' ') + 1);
  marks.erase(marks.find_last_not_of(' ') + 1);
  return fmt::format("  {}\n  {}\n", shown, marks);
}

std::string headline(SourceRange range, std::string_view severity, std::string_view message) {
  if (!range.isValid())
    return fmt::format("{}: {}\n", severity, message);
  if (range.isWholeFile())
    return fmt::format("{}: {}: {}\n", range.file->path(), severity, message);
  SourceFile::LineColumn place = range.file->lineColumn(range.begin);
  return fmt::format("{}:{}:{}: {}: {}\n{}", range.file->path(), place.line, place.column, severity,
                     message, drawSource(range));
}

} // namespace

std::string render(const Diagnostic &diagnostic) {
  std::string text =
      headline(diagnostic.range, diagnostic.severity == Severity::Error ? "error" : "warning",
               diagnostic.message);
  for (const Diagnostic::Note &note : diagnostic.notes)
    text += headline(note.range, "note", note.message);
  for (const std::string &help : diagnostic.helps)
    text += fmt::format("help: {}\n", help);
  return text;
}

} // namespace nnc
