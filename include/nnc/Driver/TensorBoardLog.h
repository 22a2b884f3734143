//===- TensorBoardLog.h - A training for TensorBoard ------------*- C++ -*-===//
//
// The scalars of a record in two runs, "training" and "validation", whose curves TensorBoard shows in
// one chart.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_TENSORBOARDLOG_H
#define NNC_DRIVER_TENSORBOARDLOG_H

#include "nnc/Data/EventFile.h"
#include "nnc/Driver/RunRecord.h"

namespace nnc {

class TensorBoardLog {
public:
  static Result<TensorBoardLog> create(const std::string &folder, bool hasValidation);

  /// Adds what steps first + 1 to last recorded, and the evaluations after them.
  Status add(const RunRecord &record, int64_t first, int64_t last);

private:
  TensorBoardLog(EventFile training, std::optional<EventFile> validation)
      : training(std::move(training)), validation(std::move(validation)) {}

  EventFile training;
  std::optional<EventFile> validation;
};

} // namespace nnc

#endif // NNC_DRIVER_TENSORBOARDLOG_H
