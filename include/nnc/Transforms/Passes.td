#ifndef NNC_TRANSFORMS_PASSES
#define NNC_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

#endif // NNC_TRANSFORMS_PASSES
