//===- DataStages.h - Sources and stages by their names ---------*- C++ -*-===//
//
// The tables behind DataLoading.cpp: what reads files, what changes rows and values, and what
// training does to each row. An error without text means that it has been reported.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_DRIVER_DATASTAGES_H
#define NNC_LIB_DRIVER_DATASTAGES_H

#include "StageArguments.h"

#include "nnc/Driver/DataLoading.h"

namespace nnc {

using DataSource = Result<Dataset> (*)(StageArguments &arguments);
const std::map<std::string, DataSource> &dataSources();

/// A stage changes `data`; `loader` knows other data.
using DataStage = Status (*)(StageArguments &arguments, LoadedData &data, DataLoader &loader);
const std::map<std::string, DataStage> &dataStages();
/// Those that are part of making batches, and so may follow an augmentation.
const std::map<std::string, DataStage> &augmentationStages();
bool belongsToBatches(const std::string &stage);

inline Error reported() { return Error::plain(""); }

/// The fields that the argument `field` names or, without it, those for which `isMeant`; `expected`
/// says which these are, if there are none.
Result<std::vector<size_t>> chooseFields(StageArguments &arguments, const Dataset &dataset,
                                         bool (*isMeant)(const Tensor &), const char *expected);

/// The field and its type: "label: i64[N]".
std::string describeField(const Dataset &dataset, size_t field);

} // namespace nnc

#endif // NNC_LIB_DRIVER_DATASTAGES_H
