//===- ExplainWords.cpp - Numbers of an explanation for people ------------===//
#include "ExplainWords.h"

namespace nnc {

/// Three digits and a prefix.
static std::string scaled(double value, double base, llvm::ArrayRef<const char *> prefixes) {
  size_t step = 0;
  while (step + 1 < prefixes.size() && value >= 999.5 * (base / 1000)) {
    value /= base;
    ++step;
  }
  const char *format = step == 0 || value >= 99.95 ? "{:.0f} {}"
                       : value >= 9.995            ? "{:.1f} {}"
                                                   : "{:.2f} {}";
  return fmt::format(fmt::runtime(format), value, prefixes[step]);
}

std::string countText(int64_t count, const char *unit) {
  std::string text = scaled(double(count), 1000, {"", "k", "M", "G", "T"}) + unit;
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string sizeText(int64_t bytes) {
  return scaled(double(bytes), 1024, {"B", "KB", "MB", "GB", "TB"});
}

std::string timeText(std::optional<double> seconds) {
  if (!seconds)
    return "-";
  return *seconds < 1e-6 ? fmt::format("{:.0f} ns", *seconds * 1e9)
                         : scaled(*seconds * 1e6 * 1.0000001, 1000, {"µs", "ms", "s"});
}

std::string rateText(double perSecond, const char *unit) {
  return scaled(perSecond, 1000, {"", "k", "M", "G", "T"}) + unit;
}

std::string shareText(std::optional<double> part, std::optional<double> whole) {
  if (!part || !whole || *whole <= 0)
    return "-";
  return fmt::format("{:.0f} %", 100 * *part / *whole);
}

std::string sizesText(const ExplainedEntry &entry) {
  std::string text;
  for (const auto &[symbol, size] : entry.sizes)
    text += fmt::format(", {} = {}", symbol, size);
  return text + (entry.sizesFrom.empty() ? "" : fmt::format(" ({})", entry.sizesFrom));
}

std::string loopsText(const KernelReport &kernel) {
  std::string text = kernel.runs == 1 ? "" : fmt::format("{} times ", kernel.runs);
  for (const KernelLoop &loop : kernel.loops)
    text += fmt::format("{}{}{}", &loop == &kernel.loops.front() ? "" : " x ",
                        loop.isReduction ? "+" : "", loop.size);
  return kernel.loops.empty() ? text + "1" : text;
}

std::string tileText(const KernelReport &kernel) {
  std::string text = fmt::format("{} x {} x {}", kernel.rows, kernel.columns, kernel.lanes);
  text += kernel.turnsInputs ? ", turned" : kernel.usesMatrixUnit ? ", matrix unit" : "";
  return kernel.chains == 1 ? text : text + fmt::format(", {} chains", kernel.chains);
}

std::string writesText(const KernelReport &kernel) {
  std::string text;
  for (const KernelOperand &operand : kernel.operands)
    if (operand.isWritten)
      text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", operand.name,
                          operand.name.empty() ? "" : ": ", operand.type);
  return text;
}

std::string lifeText(const WorkspaceBuffer &buffer) {
  if (!buffer.firstKernel)
    return "-";
  return *buffer.firstKernel == *buffer.lastKernel
             ? std::to_string(*buffer.firstKernel)
             : fmt::format("{}-{}", *buffer.firstKernel, *buffer.lastKernel);
}

std::string fullestText(const ExplainedEntry &entry) {
  constexpr size_t kShown = 4;
  int64_t kernel = entry.arena.fullestKernel;
  std::vector<const WorkspaceBuffer *> live;
  for (const WorkspaceBuffer &buffer : entry.arena.buffers)
    if (buffer.firstKernel && *buffer.firstKernel <= kernel && kernel <= *buffer.lastKernel)
      live.push_back(&buffer);
  if (live.empty())
    return "";
  llvm::sort(live, [](const WorkspaceBuffer *left, const WorkspaceBuffer *right) {
    return std::tuple(-left->bytes, left->offset) < std::tuple(-right->bytes, right->offset);
  });
  std::string text =
      fmt::format(", by kernel {}, line {}:", kernel, entry.kernels[size_t(kernel)].place.str());
  for (size_t i = 0; i < std::min(kShown, live.size()); ++i)
    text += fmt::format("{} {}{}{} {}", i ? "," : "", live[i]->name,
                        live[i]->name.empty() ? "" : ": ", live[i]->type, sizeText(live[i]->bytes));
  return text + (live.size() > kShown ? fmt::format(" and {} more", live.size() - kShown) : "");
}

std::string remarkText(const ExplainedRemark &remark) {
  return remark.times == 1 ? remark.text : fmt::format("{} ({} times)", remark.text, remark.times);
}

std::string sourceLine(const Explanation &explanation, const ExplainedPlace &place) {
  auto text = explanation.texts.find(place.file);
  if (text == explanation.texts.end() || place.line == 0 || place.line > text->second.size())
    return "";
  return llvm::StringRef(text->second[place.line - 1]).trim().str();
}

std::string shortened(const std::string &text, size_t most) {
  return text.size() <= most ? text : text.substr(0, most) + "…";
}

} // namespace nnc
