//===- ExplainPage.h - Pictures of an explanation ---------------*- C++ -*-===//
#ifndef NNC_LIB_DRIVER_EXPLAINPAGE_H
#define NNC_LIB_DRIVER_EXPLAINPAGE_H

#include "nnc/Driver/Explain.h"

namespace nnc {

/// Each kernel at its FLOPs a byte and its FLOPs a second, under what the machine allows, as SVG.
std::string rooflineSvg(const ExplainedEntry &entry, const MachineModel &machine);
/// Each temporary at its place in the workspace, from its first kernel to its last, as SVG.
std::string arenaSvg(const ExplainedEntry &entry);

} // namespace nnc

#endif // NNC_LIB_DRIVER_EXPLAINPAGE_H
