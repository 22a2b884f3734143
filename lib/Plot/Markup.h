//===- Markup.h - Pieces of a report --------------------------------------===//
#ifndef NNC_PLOT_MARKUP_H
#define NNC_PLOT_MARKUP_H

#include "nnc/Plot/ReportPage.h"

namespace nnc {

/// A curve as SVG: mean and range of the training over short spans of steps, and the validation as
/// points.
std::string curveSvg(const ReportCurve &curve);
std::string confusionSvg(const ConfusionMatrix &matrix);

/// A PNG file of pixels [height, width] or [height, width, 3], of bytes or from 0 to 1.
std::string encodePng(const Tensor &pixels);
std::string encodeBase64(std::string_view bytes);

} // namespace nnc

#endif // NNC_PLOT_MARKUP_H
