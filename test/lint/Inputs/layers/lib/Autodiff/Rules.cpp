#include "nnc/Autodiff/Rules.h"
#include "Inner.h"
#include "../Syntax/Inner.h"
