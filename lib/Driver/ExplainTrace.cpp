//===- ExplainTrace.cpp - Compilation and a run as a trace ----------------===//
//
// The format of chrome://tracing and ui.perfetto.dev: complete events, in microseconds. The compiler is
// one process, and a call of each function another, each beginning at zero.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Explain.h"

#include "ExplainWords.h"

#include <nlohmann/json.hpp>

namespace nnc {
namespace {

using Json = nlohmann::ordered_json;

class Trace {
public:
  /// A process of its own, whose time begins at `begin`.
  void open(const std::string &name, int64_t begin) {
    start = begin;
    events.push_back({{"name", "process_name"},
                      {"ph", "M"},
                      {"pid", ++process},
                      {"tid", 1},
                      {"args", {{"name", name}}}});
  }
  void add(const std::string &name, const std::string &category, int64_t begin, int64_t end,
           Json arguments) {
    events.push_back({{"name", name},
                      {"cat", category},
                      {"ph", "X"},
                      {"ts", double(begin - start) * 1e-3},
                      {"dur", double(end - begin) * 1e-3},
                      {"pid", process},
                      {"tid", 1},
                      {"args", std::move(arguments)}});
  }

  Json events = Json::array();

private:
  int process = 0;
  int64_t start = 0;
};

void addPasses(Trace &trace, const std::vector<PassTime> &passes) {
  for (size_t first = 0, next; first < passes.size(); first = next) {
    next = first;
    while (next < passes.size() && passes[next].phase == passes[first].phase)
      ++next;
    trace.add(passes[first].phase, "phase", passes[first].begin, passes[next - 1].end,
              Json::object());
    for (size_t i = first; i < next; ++i)
      if (!passes[i].pass.empty())
        trace.add(passes[i].pass, "pass", passes[i].begin, passes[i].end,
                  passes[i].function.empty() ? Json::object()
                                             : Json{{"function", passes[i].function}});
  }
}

void addCall(Trace &trace, const ExplainedEntry &entry) {
  for (const KernelTime &time : entry.trace) {
    if (time.kernel < 0) {
      trace.add(entry.name, "call", time.begin, time.end, Json::object());
      continue;
    }
    const ExplainedKernel &kernel = entry.kernels[time.kernel];
    const KernelReport &report = kernel.report;
    double seconds = double(time.end - time.begin) * 1e-9;
    trace.add(fmt::format("{}: {}", kernel.place.str(), report.kind), "kernel", time.begin,
              time.end,
              {{"number", report.number},
               {"loops", loopsText(report)},
               {"flops", report.flops},
               {"bytes", report.bytes()},
               {"gflops_per_second", seconds > 0 ? double(report.flops) / seconds * 1e-9 : 0},
               {"writes", writesText(report)}});
  }
}

} // namespace

std::string renderTrace(const Explanation &explanation) {
  Trace trace;
  for (const ExplainedEntry &entry : explanation.entries) {
    if (!entry.passes.empty()) {
      trace.open("compile " + entry.name, entry.passes.front().begin);
      addPasses(trace, entry.passes);
    }
    if (!entry.trace.empty()) {
      trace.open("run " + entry.name, entry.trace.front().begin);
      addCall(trace, entry);
    }
  }
  Json json = {{"traceEvents", trace.events}, {"displayTimeUnit", "ms"}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace nnc
