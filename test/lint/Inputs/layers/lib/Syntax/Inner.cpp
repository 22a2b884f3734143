#include "Inner.h"
