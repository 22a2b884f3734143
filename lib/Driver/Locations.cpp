//===- Locations.cpp - MLIR locations and places in .nn text --------------===//
//
// A pass reports at an op; the reader wants the line of the .nn file.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Locations.h"

#include <fmt/format.h>

using namespace mlir;

namespace nnc {

std::string placeOf(Location location) {
  std::string place;
  location->walk([&](Location inner) {
    auto file = dyn_cast<FileLineColLoc>(inner);
    if (!file)
      return WalkResult::advance();
    place = fmt::format("{}:{}:{}", file.getFilename().str(), file.getLine(), file.getColumn());
    return WalkResult::interrupt();
  });
  return place;
}

DiagnosticCapture::DiagnosticCapture(MLIRContext *context, DiagnosticEngine &engine)
    : handler(context, [&engine](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
          return success();
        std::string place = placeOf(diagnostic.getLocation());
        engine.error((place.empty() ? "" : place + ": ") + diagnostic.str());
        return success();
      }) {}

} // namespace nnc
