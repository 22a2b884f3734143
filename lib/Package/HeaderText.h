//===- HeaderText.h - The fixed words of a C header -------------*- C++ -*-===//
//
// What every generated header says, names that C and C++ accept, and lists broken over lines.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_LIB_PACKAGE_HEADERTEXT_H
#define NNC_LIB_PACKAGE_HEADERTEXT_H

#include "nnc/Package/Signature.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace nnc {

extern const char *const headerConventions;
extern const char *const headerPrelude;
extern const char *const headerTensorType;

/// What an entry does, in a sentence or two; lines after the first open with " * ".
std::string describeEntry(const Signature &entry);

/// Names of one C scope: identifiers, no keyword, all different.
class CNames {
public:
  /// Gives `name` its C name, the same each time.
  std::string add(const std::string &name);
  const std::string &operator[](llvm::StringRef name) const { return names.at(name.str()); }

private:
  std::map<std::string, std::string> names;
  std::set<std::string> taken;
};

/// `open` item, item, … `close` and a newline, broken before an item that would pass column 100.
std::string wrapList(const std::string &open, llvm::ArrayRef<std::string> items,
                     const std::string &close, const std::string &indentation);

} // namespace nnc

#endif // NNC_LIB_PACKAGE_HEADERTEXT_H
