//===- ImagePlot.h - image(x) in a test -------------------------*- C++ -*-===//
#ifndef NNC_DRIVER_IMAGEPLOT_H
#define NNC_DRIVER_IMAGEPLOT_H

#include "nnc/Plot/Plot.h"
#include "nnc/Syntax/Program.h"

#include <map>

namespace nnc {

using PlotArguments = std::map<std::string, const Tensor *>;

PlotSpec imagePlot(const PlotPlan &plan, const PlotArguments &arguments);

} // namespace nnc

#endif // NNC_DRIVER_IMAGEPLOT_H
