//===- ExplainText.cpp - An explanation as tables -------------------------===//
#include "nnc/Driver/Explain.h"

#include "ExplainWords.h"

namespace nnc {
namespace {

/// A table whose columns are as wide as what stands in them; the last is as long as it is.
class Table {
public:
  /// Names of the columns; those that start with '<' are aligned to the left.
  explicit Table(std::vector<std::string> header) : rows{std::move(header)} {
    for (std::string &name : rows[0]) {
      isLeft.push_back(name.front() == '<');
      name = isLeft.back() ? name.substr(1) : name;
    }
  }
  void add(std::vector<std::string> row) { rows.push_back(std::move(row)); }

  std::string str() const {
    std::vector<size_t> widths(rows[0].size());
    for (const auto &row : rows)
      for (size_t i = 0; i < row.size(); ++i)
        widths[i] = std::max(widths[i], width(row[i]));
    std::string text;
    for (const auto &row : rows) {
      std::string line = " ";
      for (size_t i = 0; i < row.size(); ++i) {
        std::string padding(widths[i] - width(row[i]), ' ');
        line += " " + (isLeft[i] ? row[i] + padding : padding + row[i]) + " ";
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

private:
  /// Characters, of which UTF-8 may take several bytes.
  static size_t width(const std::string &text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  }

  std::vector<bool> isLeft;
  std::vector<std::vector<std::string>> rows;
};

std::string machineText(const MachineModel &machine) {
  auto describe = [](const Roofline &roofline) {
    std::string text = rateText(roofline.flopsPerSecond, "FLOP/s") + " (f32);";
    for (const Roofline::Level &level : roofline.levels)
      text += fmt::format("{} {} in {}", &level == &roofline.levels.front() ? "" : ",",
                          rateText(level.bytesPerSecond, "B/s"), sizeText(level.bytes));
    return text;
  };
  std::string text = "  one core      " + describe(machine.core) + "\n";
  if (machine.threads > 1)
    text += fmt::format("  {} threads     {}\n", machine.threads, describe(machine.all));
  return text;
}

std::string summary(const ExplainedEntry &entry) {
  std::string text = fmt::format("  arithmetic    {} in {} kernel{}, {} moved\n",
                                 countText(entry.flops(), "FLOP"), entry.kernels.size(),
                                 entry.kernels.size() == 1 ? "" : "s", sizeText(entry.bytes()));
  if (entry.measured)
    text += fmt::format("  time          {} measured ({}), {} predicted: {} of the roofline\n",
                        timeText(entry.measured),
                        rateText(double(entry.flops()) / *entry.measured, "FLOP/s"),
                        timeText(entry.predicted), shareText(entry.predicted, entry.measured));
  text += fmt::format(
      "  memory        workspace {}, parameters {}, states {}, inputs {}, outputs {}\n",
      sizeText(entry.arena.bytes), sizeText(entry.parameterBytes), sizeText(entry.stateBytes),
      sizeText(entry.inputBytes), sizeText(entry.outputBytes));
  return text;
}

std::string linesText(const Explanation &explanation, const ExplainedEntry &entry) {
  bool isTimed = entry.measured.has_value();
  std::vector<std::string> header = {"<line", "kernels", "FLOP", "moved"};
  if (isTimed)
    header.insert(header.end(), {"predicted", "measured", "roofline", "share"});
  header.push_back("<");
  Table table(header);
  for (const ExplainedLine &line : entry.lines) {
    std::vector<std::string> row = {line.place.str(), std::to_string(line.kernels),
                                    countText(line.flops), sizeText(line.bytes)};
    if (isTimed)
      row.insert(row.end(), {timeText(line.predicted), timeText(line.measured),
                             shareText(line.predicted, line.measured),
                             shareText(line.measured, entry.measured)});
    row.push_back(shortened(sourceLine(explanation, line.place), 60));
    table.add(row);
  }
  return table.str();
}

std::string kernelsText(const ExplainedEntry &entry) {
  bool isTimed = entry.measured.has_value();
  std::vector<std::string> header = {"#",     "<line", "<kernel", "<loops",
                                     "<tile", "parts", "FLOP",    "moved"};
  if (isTimed)
    header.insert(header.end(), {"predicted", "measured", "roofline", "<limit"});
  header.insert(header.end(), {"<writes"});
  Table table(header);
  for (const ExplainedKernel &kernel : entry.kernels) {
    std::vector<std::string> row = {std::to_string(kernel.report.number),
                                    kernel.place.str(),
                                    kernel.report.kind,
                                    loopsText(kernel.report),
                                    tileText(kernel.report),
                                    std::to_string(kernel.report.parts),
                                    countText(kernel.flops()),
                                    sizeText(kernel.bytes())};
    if (isTimed)
      row.insert(row.end(), {timeText(kernel.predicted), timeText(kernel.measured),
                             shareText(kernel.predicted, kernel.measured), kernel.bound});
    row.push_back(writesText(kernel.report));
    table.add(row);
  }
  return table.str();
}

std::string arenaText(const ExplainedEntry &entry) {
  if (entry.buffers.empty())
    return "";
  std::string text = fmt::format("\nWorkspace: {}; at most {} are in use at a time{}\n",
                                 sizeText(entry.arena.bytes), sizeText(entry.arena.leastBytes),
                                 fullestText(entry));
  Table table({"offset", "size", "<kernels", "<line", "<type", "<holds"});
  for (const ExplainedBuffer &buffer : entry.buffers)
    if (buffer.buffer.firstKernel)
      table.add({std::to_string(buffer.buffer.offset), sizeText(buffer.buffer.bytes),
                 lifeText(buffer.buffer), buffer.place.str(), buffer.buffer.type,
                 buffer.buffer.name});
  return text + table.str();
}

std::string remarksText(const ExplainedEntry &entry) {
  Table table({"<line", "<pass", "<decision"});
  for (const ExplainedRemark &remark : entry.remarks)
    table.add({remark.place.str(), remark.pass, remarkText(remark)});
  return entry.remarks.empty() ? "" : "\nDecisions\n" + table.str();
}

} // namespace

std::string renderExplanationText(const Explanation &explanation) {
  std::string text;
  for (const ExplainedEntry &entry : explanation.entries) {
    text += fmt::format("{}{} of {}{}, for {}\n", text.empty() ? "" : "\n", entry.name,
                        explanation.file, sizesText(entry), explanation.cpu);
    text += summary(entry);
    if (explanation.machine)
      text += machineText(*explanation.machine);
    text += "\nLines\n" + linesText(explanation, entry);
    text += "\nKernels\n" + kernelsText(entry);
    text += arenaText(entry) + remarksText(entry);
  }
  return text;
}

} // namespace nnc
