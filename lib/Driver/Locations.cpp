//===- Locations.cpp - MLIR locations and places in .nn text --------------===//
//
// A pass reports at an op; the reader wants the line of the .nn file.
//
//===----------------------------------------------------------------------===//
#include "nnc/Driver/Locations.h"

#include <cstdlib>
#include <fmt/format.h>

using namespace mlir;

namespace nnc {

SourceRange rangeOf(Location location, const DiagnosticEngine &engine) {
  SourceRange range;
  location->walk([&](Location inner) {
    auto place = dyn_cast<FileLineColRange>(inner);
    const SourceFile *file = place ? engine.findFile(place.getFilename().strref()) : nullptr;
    if (!file)
      return WalkResult::advance();
    range = {file, file->offsetOf({place.getStartLine(), place.getStartColumn()}),
             file->offsetOf({place.getEndLine(), place.getEndColumn()})};
    return WalkResult::interrupt();
  });
  return range;
}

DiagnosticCapture::DiagnosticCapture(MLIRContext *context, DiagnosticEngine &diagnosticEngine)
    : engine(diagnosticEngine), handler(context, [this](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
          report(diagnostic);
        return success();
      }) {}

void DiagnosticCapture::enter(const std::string &name, bool speaksToReader,
                              const std::string &begin) {
  phase = name;
  prefix = begin;
  isForReader = speaksToReader;
}

void DiagnosticCapture::report(mlir::Diagnostic &diagnostic) {
  SourceRange range = rangeOf(diagnostic.getLocation(), engine);
  if (isForReader) {
    nnc::Diagnostic &error = engine.error(range, prefix + diagnostic.str());
    for (mlir::Diagnostic &note : diagnostic.getNotes())
      if (SourceRange at = rangeOf(note.getLocation(), engine);
          at.isValid() && !StringRef(note.str()).starts_with("see current operation"))
        error.note(at, note.str());
    return;
  }
  nnc::Diagnostic &defect =
      engine.defect(range, fmt::format("internal error in phase '{}'", phase));
  if (std::getenv("NNC_DETAILS"))
    defect.help("details: " + diagnostic.str());
}

} // namespace nnc
