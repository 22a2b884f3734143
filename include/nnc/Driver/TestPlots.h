//===- TestPlots.h - The plots of a test declaration ------------*- C++ -*-===//
#ifndef NNC_DRIVER_TESTPLOTS_H
#define NNC_DRIVER_TESTPLOTS_H

#include "nnc/Data/Tensor.h"
#include "nnc/Support/Result.h"
#include "nnc/Syntax/Program.h"

namespace nnc {

/// Draws the plots of `plan` from what its function returned, SVG and PNG, into `directory`.
Status plotTest(const TestPlan &plan, const std::vector<NamedTensor> &values,
                const std::string &directory);

} // namespace nnc

#endif // NNC_DRIVER_TESTPLOTS_H
