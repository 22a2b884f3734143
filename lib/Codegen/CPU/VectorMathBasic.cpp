// Functions that are a few instructions: round and rsqrt.
//
// round is exact; of rsqrt, two correctly rounded operations, the greatest error measured is, in
// ulp (f32, f64): 1.49, 1.49.
#include "VectorMath.h"

namespace nnc::vm {

Val rsqrt(Val x) { return 1.0 / sqrt(x); }

Val round(Val x) {
  Val whole = trunc(x);
  Val step = select(abs(x - whole) >= 0.5, x.lit(1), x.lit(0));
  return copysign(abs(whole) + step, x);
}

} // namespace nnc::vm
