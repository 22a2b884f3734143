// Links kernels that codegen-gpu-emulate-launches made with lib/Emulation, as a library for the tests'
// libcuda.so.1. EMULATED lists the functions that they call: FUNCTION(nnc_emulated_launch) ... Says at the end what
// the kernels did wrong, and fails.
#include "nnc/Emulation/Emulation.h"

#include <cstdio>
#include <cstdlib>

// Each is a jump to where lib/Emulation says that it is, whatever its parameters.
#define FUNCTION(name)                                                                             \
  extern "C" __attribute__((visibility("hidden"))) void *at_##name;                                \
  void *at_##name;                                                                                 \
  asm(".text\n.globl " #name "\n.type " #name ", @function\n" #name ": jmp *at_" #name "(%rip)"    \
                                                                                       "\n");
EMULATED
#undef FUNCTION

// Clang's code passes a bf16 from block to block as a float, and asks for this to have it back: no bit is lost.
extern "C" __bf16 __truncsfbf2(float number) {
  return __builtin_bit_cast(__bf16, uint16_t(__builtin_bit_cast(uint32_t, number) >> 16));
}

namespace {

struct Report {
  Report() {
    std::map<std::string, void *> symbols = nnc::emulationSymbols();
#define FUNCTION(name) at_##name = symbols.at(#name);
    EMULATED
#undef FUNCTION
    nnc::startEmulation(/*seed=*/1);
  }
  ~Report() {
    std::string report = nnc::emulationReport();
    if (!report.empty()) {
      std::fprintf(stderr, "%s\n", report.c_str());
      std::_Exit(3);
    }
  }
} report;

} // namespace
