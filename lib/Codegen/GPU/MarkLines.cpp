//===- MarkLines.cpp - Lines of the program in kernels --------------------===//
//
// What a profiler shows beside instructions. Of an operation that several of the program became, the first is
// named. Files are without their folders, so that the code is the same wherever the program lies.
//
//===----------------------------------------------------------------------===//
#include "nnc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace nnc {
#define GEN_PASS_DEF_MARKLINESPASS
#include "nnc/Codegen/GPU/Passes.h.inc"

namespace {

/// The first place in a text that `location` names.
FileLineColRange findPlace(Location location) {
  FileLineColRange place;
  location->walk([&](Location inner) {
    place = dyn_cast<FileLineColRange>(inner);
    return place ? WalkResult::interrupt() : WalkResult::advance();
  });
  return place;
}

class MarkLines : public impl::MarkLinesPassBase<MarkLines> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      if (FileLineColRange place = findPlace(function.getLoc()); place && !function.isExternal())
        mark(function, place);
  }

  void mark(LLVM::LLVMFuncOp function, FileLineColRange place) {
    MLIRContext *context = &getContext();
    LLVM::DIFileAttr file = fileOf(place);
    auto unit = LLVM::DICompileUnitAttr::get(DistinctAttr::create(UnitAttr::get(context)),
                                             llvm::dwarf::DW_LANG_C, file,
                                             StringAttr::get(context, "nnc"), /*isOptimized=*/true,
                                             LLVM::DIEmissionKind::DebugDirectivesOnly);
    auto type = LLVM::DISubroutineTypeAttr::get(context, llvm::dwarf::DW_CC_normal, {});
    auto subprogram = LLVM::DISubprogramAttr::get(
        context, DistinctAttr::create(UnitAttr::get(context)), unit, file, function.getNameAttr(),
        function.getNameAttr(), file, place.getStartLine(), place.getStartLine(),
        LLVM::DISubprogramFlags::Definition | LLVM::DISubprogramFlags::Optimized, type,
        /*retainedNodes=*/{}, /*annotations=*/{});
    auto lineIn = [&](FileLineColRange at, LLVM::DILocalScopeAttr scope) -> Location {
      auto line = FileLineColLoc::get(context, fileOf(at).getName(), at.getStartLine(),
                                      at.getStartColumn());
      return FusedLoc::get({line}, scope, context);
    };
    function->setLoc(lineIn(place, subprogram));
    function.getBody().walk([&](Operation *op) {
      FileLineColRange at = findPlace(op->getLoc());
      if (!at)
        at = place;
      LLVM::DILocalScopeAttr scope = subprogram;
      if (fileOf(at) != file)
        scope = LLVM::DILexicalBlockFileAttr::get(context, subprogram, fileOf(at),
                                                  /*discriminator=*/0);
      op->setLoc(lineIn(at, scope));
    });
  }

  LLVM::DIFileAttr fileOf(FileLineColRange place) {
    return LLVM::DIFileAttr::get(&getContext(),
                                 llvm::sys::path::filename(place.getFilename().strref()), "");
  }
};

} // namespace
} // namespace nnc
