//===- Library.h - Archives and shared libraries ----------------*- C++ -*-===//
//
// Wraps object code for whoever links it. The bytes depend on the objects alone.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_PACKAGE_LIBRARY_H
#define NNC_PACKAGE_LIBRARY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nnc {

/// One object of several.
llvm::Expected<std::string> joinObjects(llvm::ArrayRef<std::string> objects);

/// The bytes of a static archive with one member, `name`.
llvm::Expected<std::string> makeArchive(llvm::StringRef object, llvm::StringRef name);

/// The bytes of a shared library made of one object.
llvm::Expected<std::string> makeSharedLibrary(llvm::StringRef object, llvm::StringRef soname);

} // namespace nnc

#endif // NNC_PACKAGE_LIBRARY_H
