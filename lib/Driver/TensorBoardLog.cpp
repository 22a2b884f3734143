//===- TensorBoardLog.cpp - A training for TensorBoard --------------------===//
//
// What is no scalar is left out: TensorBoard has no curve for it.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/TensorBoardLog.h"

#include <chrono>
#include <filesystem>

namespace nnc {

Result<TensorBoardLog> TensorBoardLog::create(const std::string &folder, bool hasValidation) {
  std::filesystem::path base(folder);
  Result<EventFile> training = EventFile::create((base / "training").string());
  if (!training)
    return training.takeError();
  std::optional<EventFile> validation;
  if (hasValidation) {
    Result<EventFile> file = EventFile::create((base / "validation").string());
    if (!file)
      return file.takeError();
    validation = std::move(*file);
  }
  return TensorBoardLog(std::move(*training), std::move(validation));
}

static void addScalars(EventFile &file, const History &history, int64_t index, int64_t step,
                       double time) {
  for (const Series &series : history)
    if (series.isScalar())
      file.add(series.name, step, float(series.values[index]), time);
}

Status TensorBoardLog::add(const RunRecord &record, int64_t first, int64_t last) {
  double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  for (int64_t index = first; index < last; ++index)
    addScalars(training, record.steps, index, index + 1, now);
  for (size_t index = 0; validation && index < record.evaluatedAt.size(); ++index)
    if (int64_t step = record.evaluatedAt[index]; step > first && step <= last)
      addScalars(*validation, record.evaluations, int64_t(index), step, now);
  Status written = training.flush();
  return written && validation ? validation->flush() : written;
}

} // namespace nnc
