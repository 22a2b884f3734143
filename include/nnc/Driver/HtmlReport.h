//===- HtmlReport.h - What a training shows as a page -----------*- C++ -*-===//
//
// Gathers the page of a training: curves from its record; from the outputs of the model on the
// validation data a confusion matrix and sample predictions, where these are of classes and images;
// from its parameters the filters that are pictures.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_HTMLREPORT_H
#define NNC_DRIVER_HTMLREPORT_H

#include "nnc/Driver/Validation.h"
#include "nnc/Plot/ReportPage.h"

namespace nnc {

/// Where a run is.
struct RunProgress {
  std::string run; ///< "digits on training"
  int64_t totalSteps = 0;
  int64_t firstStep = 0; ///< where this process began
  double seconds = 0;    ///< since then
  bool isOver = false;
};

/// Steps a second.
double rateOf(const RunProgress &progress, int64_t step);
/// "12345", "1.25".
std::string formatRate(double rate);
/// "4.2 s", "42 s", "3:07", "1:02:11".
std::string formatSeconds(double seconds);

ReportPage reportPage(const Training &training, const Validation *validation,
                      const RunProgress &progress);

} // namespace nnc

#endif // NNC_DRIVER_HTMLREPORT_H
