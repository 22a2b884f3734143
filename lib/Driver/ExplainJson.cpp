//===- ExplainJson.cpp - An explanation as JSON ---------------------------===//
//
// docs/explain.md describes every member. What was not measured is null.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Explain.h"

#include "ExplainWords.h"

#include <nlohmann/json.hpp>

namespace nnc {
namespace {

using Json = nlohmann::ordered_json;

template <typename T> Json orNull(const std::optional<T> &value) {
  return value ? Json(*value) : Json(nullptr);
}

/// The line, null for none, with the file if the program imports it, and whether it is about its derivative.
Json placed(const ExplainedPlace &place) {
  return {{"file", place.file.empty() ? Json(nullptr) : Json(place.file)},
          {"line", place.line ? Json(place.line) : Json(nullptr)},
          {"gradient", place.isGradient}};
}

Json toJson(const Roofline &roofline) {
  Json levels = Json::array();
  for (const Roofline::Level &level : roofline.levels)
    levels.push_back({{"bytes", level.bytes}, {"bytes_per_second", level.bytesPerSecond}});
  return {{"flops_per_second", roofline.flopsPerSecond}, {"levels", levels}};
}

Json toJson(const std::optional<MachineModel> &machine) {
  if (!machine)
    return nullptr;
  return {{"threads", machine->threads},
          {"lanes", machine->lanes},
          {"core", toJson(machine->core)},
          {"all", toJson(machine->all)}};
}

Json toJson(const KernelOperand &operand) {
  return {{"name", operand.name},         {"type", operand.type},
          {"bytes", operand.bytes},       {"read", operand.isRead},
          {"written", operand.isWritten}, {"temporary", operand.isTemporary}};
}

Json toJson(const ExplainedKernel &kernel) {
  const KernelReport &report = kernel.report;
  Json json = {{"number", report.number}};
  json.update(placed(kernel.place));
  json["kind"] = report.kind;
  json["operations"] = report.operations;
  json["loops"] = Json::array();
  for (const KernelLoop &loop : report.loops)
    json["loops"].push_back({{"size", loop.size}, {"reduction", loop.isReduction}});
  json["tile"] = {{"rows", report.rows},
                  {"columns", report.columns},
                  {"lanes", report.lanes},
                  {"chains", report.chains},
                  {"reduces_lanes", report.reducesLanes},
                  {"turns_inputs", report.turnsInputs},
                  {"matrix_unit", report.usesMatrixUnit}};
  json["parts"] = report.parts;
  json["runs"] = report.runs;
  json["exact"] = report.isExact;
  json["flops"] = kernel.flops();
  json["bytes_read"] = report.bytesRead * report.runs;
  json["bytes_written"] = report.bytesWritten * report.runs;
  json["operands"] = Json::array();
  for (const KernelOperand &operand : report.operands)
    json["operands"].push_back(toJson(operand));
  json["work"] = Json::array();
  for (const auto &[place, flops] : kernel.work) {
    Json work = placed(place);
    work["flops"] = flops;
    json["work"].push_back(work);
  }
  json["predicted_seconds"] = orNull(kernel.predicted);
  json["measured_seconds"] = orNull(kernel.measured);
  json["limit"] = kernel.bound.empty() ? Json(nullptr) : Json(kernel.bound);
  return json;
}

Json toJson(const Explanation &explanation, const ExplainedLine &line) {
  Json json = placed(line.place);
  json["text"] = sourceLine(explanation, line.place);
  json["kernels"] = line.kernels;
  json["flops"] = line.flops;
  json["bytes"] = line.bytes;
  json["predicted_seconds"] = orNull(line.predicted);
  json["measured_seconds"] = orNull(line.measured);
  return json;
}

Json toJson(const ExplainedBuffer &buffer) {
  Json json = placed(buffer.place);
  json["name"] = buffer.buffer.name;
  json["type"] = buffer.buffer.type;
  json["offset"] = buffer.buffer.offset;
  json["bytes"] = buffer.buffer.bytes;
  json["first_kernel"] = orNull(buffer.buffer.firstKernel);
  json["last_kernel"] = orNull(buffer.buffer.lastKernel);
  return json;
}

Json toJson(const Explanation &explanation, const ExplainedEntry &entry) {
  Json json = {{"name", entry.name}, {"kind", entry.kind}, {"sizes", Json::object()}};
  for (const auto &[symbol, size] : entry.sizes)
    json["sizes"][symbol] = size;
  json["flops"] = entry.flops();
  json["bytes"] = entry.bytes();
  json["predicted_seconds"] = orNull(entry.predicted);
  json["measured_seconds"] = orNull(entry.measured);
  json["between_kernels_seconds"] = orNull(entry.betweenKernels);
  json["calls"] = entry.measuredRuns;
  json["memory"] = {{"workspace", entry.arena.bytes},
                    {"least_workspace", entry.arena.leastBytes},
                    {"fullest_kernel", entry.arena.fullestKernel},
                    {"parameters", entry.parameterBytes},
                    {"states", entry.stateBytes},
                    {"inputs", entry.inputBytes},
                    {"outputs", entry.outputBytes}};
  json["lines"] = Json::array();
  for (const ExplainedLine &line : entry.lines)
    json["lines"].push_back(toJson(explanation, line));
  json["kernels"] = Json::array();
  for (const ExplainedKernel &kernel : entry.kernels)
    json["kernels"].push_back(toJson(kernel));
  json["buffers"] = Json::array();
  for (const ExplainedBuffer &buffer : entry.buffers)
    json["buffers"].push_back(toJson(buffer));
  json["remarks"] = Json::array();
  for (const ExplainedRemark &remark : entry.remarks) {
    Json written = placed(remark.place);
    written["pass"] = remark.pass;
    written["done"] = remark.isDone;
    written["text"] = remark.text;
    written["times"] = remark.times;
    json["remarks"].push_back(written);
  }
  return json;
}

} // namespace

std::string renderExplanationJson(const Explanation &explanation) {
  Json json = {{"schema", 1},
               {"file", explanation.file},
               {"cpu", explanation.cpu},
               {"machine", toJson(explanation.machine)},
               {"entries", Json::array()}};
  for (const ExplainedEntry &entry : explanation.entries)
    json["entries"].push_back(toJson(explanation, entry));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace nnc
