//===- ParameterFiles.h - Which file has which model's parameters -*- C++ -*-===//
//
// What follows --params: FILE or MODEL=FILE, once for each model.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_TOOLS_NNC_PARAMETERFILES_H
#define NNC_TOOLS_NNC_PARAMETERFILES_H

#include "nnc/Driver/Testing.h"

#include <map>

namespace nnc {

/// The file of each model that `texts` name, of which `models` are looked for. A file without a name
/// is that of the only one, or of the one that it says it was made by. None, with a diagnostic, if
/// that does not tell.
std::optional<std::map<std::string, std::string>>
parameterFiles(Session &session, const std::vector<std::string> &texts,
               llvm::ArrayRef<std::string> models);

} // namespace nnc

#endif // NNC_TOOLS_NNC_PARAMETERFILES_H
