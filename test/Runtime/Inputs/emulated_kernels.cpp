// Links kernels that codegen-gpu-emulate-launches made with lib/Emulation, as a library for the tests'
// libcuda.so.1. Says at the end what the kernels did wrong, and fails.
#include "nnc/Emulation/Emulation.h"

#include <cstdio>
#include <cstdlib>

namespace {

template <typename Function> Function *find(const char *name) {
  static const std::map<std::string, void *> symbols = nnc::emulationSymbols();
  return reinterpret_cast<Function *>(symbols.at(name));
}

struct Report {
  Report() { nnc::startEmulation(/*seed=*/1); }
  ~Report() {
    std::string report = nnc::emulationReport();
    if (!report.empty()) {
      std::fprintf(stderr, "%s\n", report.c_str());
      std::_Exit(3);
    }
  }
} report;

} // namespace

#define FORWARD(result, name, parameters, arguments)                                               \
  extern "C" result name parameters { return find<result parameters>(#name) arguments; }
FORWARD(void, nnc_emulated_launch,
        (const char *name, const char *place, int64_t gx, int64_t gy, int64_t gz, int64_t bx,
         int64_t by, int64_t bz),
        (name, place, gx, gy, gz, bx, by, bz))
FORWARD(int64_t, nnc_emulated_number, (int32_t which), (which))
FORWARD(void, nnc_emulated_barrier, (int32_t site), (site))
FORWARD(int64_t, nnc_emulated_shuffle,
        (int32_t site, int32_t bits, int32_t offset, int32_t width, int32_t mode),
        (site, bits, offset, width, mode))
FORWARD(void *, nnc_emulated_shared, (int64_t bytes), (bytes))
FORWARD(void, nnc_emulated_access, (int64_t address, int32_t bytes, int32_t count, int32_t writes),
        (address, bytes, count, writes))
FORWARD(void, nnc_parallel_for,
        (int64_t count, void (*body)(void *, int64_t, int64_t), void *context),
        (count, body, context))
