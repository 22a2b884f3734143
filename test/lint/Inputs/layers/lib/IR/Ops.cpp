#include "nnc/Autodiff/Rules.h"
#include "nnc/IR/Ops.h"
