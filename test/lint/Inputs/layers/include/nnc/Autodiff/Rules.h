#include "nnc/IR/Ops.h"
