//===- Header.h - The C header of a compiled model --------------*- C++ -*-===//
//
// A header that a C11 or C++ program includes beside the object: a struct for the parameters and
// states, and a typed inline function for each entry point, shapes and alignments in comments.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_PACKAGE_HEADER_H
#define NNC_PACKAGE_HEADER_H

#include "nnc/Package/Signature.h"

namespace nnc {

struct HeaderOptions {
  /// Name of the library: the file's stem, the prefix of nothing but the include guard.
  std::string library;
  /// Name of the .nn file, for the opening comment.
  std::string source;
  /// Whether the forward entries were compiled to take their parameters prepared.
  bool preparesParameters = false;
};

std::string writeHeader(llvm::ArrayRef<Signature> entries, const HeaderOptions &options);

} // namespace nnc

#endif // NNC_PACKAGE_HEADER_H
