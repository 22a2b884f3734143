//===- SourcePlace.h - The line of the program --------------------*- C++ -*-===//
#ifndef NNC_LIB_CODEGEN_GPU_SOURCEPLACE_H
#define NNC_LIB_CODEGEN_GPU_SOURCEPLACE_H

#include "mlir/IR/Location.h"
#include "llvm/Support/Path.h"

#include <string>

namespace nnc {

/// "net.nn:3:7", or nothing where the location names no place in a text. Without the folder: the same program
/// gives the same code wherever it lies.
inline std::string placeText(mlir::Location location) {
  std::string place;
  location->walk([&](mlir::Location inner) {
    auto range = llvm::dyn_cast<mlir::FileLineColRange>(inner);
    if (!range)
      return mlir::WalkResult::advance();
    place = (llvm::sys::path::filename(range.getFilename().strref()) + ":" +
             llvm::Twine(range.getStartLine()) + ":" + llvm::Twine(range.getStartColumn()))
                .str();
    return mlir::WalkResult::interrupt();
  });
  return place;
}

} // namespace nnc

#endif // NNC_LIB_CODEGEN_GPU_SOURCEPLACE_H
