//===- ExplainWords.h - Numbers of an explanation for people ----*- C++ -*-===//
#ifndef NNC_LIB_DRIVER_EXPLAINWORDS_H
#define NNC_LIB_DRIVER_EXPLAINWORDS_H

#include "nnc/Driver/Explain.h"

#include <fmt/format.h>

namespace nnc {

/// "1.20 M", "812"; with a unit "1.20 MFLOP".
std::string countText(int64_t count, const char *unit = "");
/// "1.2 MB", "96 B": powers of 1024.
std::string sizeText(int64_t bytes);
/// "1.52 ms"; "-" for none.
std::string timeText(std::optional<double> seconds);
/// "103 GFLOP/s".
std::string rateText(double perSecond, const char *unit);
/// `part` as a percentage of `whole`: "76 %".
std::string shareText(std::optional<double> part, std::optional<double> whole);

/// ", N = 64 (a batch of 'training')", or nothing.
std::string sizesText(const ExplainedEntry &entry);
/// "64 x 10 x +84": loops that add up are marked.
std::string loopsText(const KernelReport &kernel);
/// "6 x 2 x 8": rows, vectors, lanes; " / 4 chains".
std::string tileText(const KernelReport &kernel);
std::string writesText(const KernelReport &kernel);
/// "3-17", the kernels during which it lives.
std::string lifeText(const WorkspaceBuffer &buffer);
/// ", by kernel 56, line 26: y: f32[64, 10] 2.5 KB, …": what would have to be smaller for a smaller
/// workspace.
std::string fullestText(const ExplainedEntry &entry);
/// The decision, and of how many operations it is.
std::string remarkText(const ExplainedRemark &remark);
/// The text of the line, without the space around it.
std::string sourceLine(const Explanation &explanation, const ExplainedPlace &place);
std::string shortened(const std::string &text, size_t most);

} // namespace nnc

#endif // NNC_LIB_DRIVER_EXPLAINWORDS_H
