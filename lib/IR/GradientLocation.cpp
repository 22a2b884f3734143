//===- GradientLocation.cpp - Which ops come of differentiation -----------===//
#include "nnc/IR/GradientLocation.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

namespace nnc {

static constexpr llvm::StringLiteral kMark = "gradient";

Location markGradient(Location location) {
  if (isGradient(location))
    return location;
  if (auto name = dyn_cast<NameLoc>(location))
    return NameLoc::get(name.getName(), markGradient(name.getChildLoc()));
  MLIRContext *context = location.getContext();
  return FusedLoc::get(context, {location}, StringAttr::get(context, kMark));
}

bool isGradient(Location location) {
  WalkResult result = location->walk([](Location inner) {
    auto fused = dyn_cast<FusedLoc>(inner);
    auto mark = fused ? dyn_cast_or_null<StringAttr>(fused.getMetadata()) : StringAttr();
    return mark && mark.getValue() == kMark ? WalkResult::interrupt() : WalkResult::advance();
  });
  return result.wasInterrupted();
}

} // namespace nnc
