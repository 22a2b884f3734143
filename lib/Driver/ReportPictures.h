//===- ReportPictures.h - What can be shown as a picture --------*- C++ -*-===//
#ifndef NNC_DRIVER_REPORTPICTURES_H
#define NNC_DRIVER_REPORTPICTURES_H

#include "nnc/Driver/HtmlReport.h"

namespace nnc {

/// Adds the confusion matrix and sample predictions, if a field of the validation data holds the
/// classes that the model's outputs tell apart.
void addPredictions(ReportPage &page, const Validation &validation);

/// Adds the filters of the first parameter that looks at images, or at rows that are images.
void addFilters(ReportPage &page, const State &state);

} // namespace nnc

#endif // NNC_DRIVER_REPORTPICTURES_H
