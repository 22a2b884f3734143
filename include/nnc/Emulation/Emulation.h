//===- Emulation.h - A GPU of one slow, careful multiprocessor --*- C++ -*-===//
//
// Runs what codegen-gpu-emulate-launches makes, for tests where there is no GPU: each thread of a block has a
// stack of its own, and the next to run is drawn at random, by a seed. It knows when threads wait for each other
// for ever, or at different barriers, and when two touch a place with nothing to order them.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_EMULATION_EMULATION_H
#define NNC_EMULATION_EMULATION_H

#include <cstdint>
#include <map>
#include <string>

namespace nnc {

/// What compiled code calls, by name; nnc_parallel_for is among it.
std::map<std::string, void *> emulationSymbols();

/// Starts anew, with threads in the order of this seed.
void startEmulation(uint64_t seed);

/// What the kernels since the start did wrong, a line each; empty if nothing.
std::string emulationReport();

/// How many kernels were launched since the start.
uint64_t emulatedLaunches();

} // namespace nnc

#endif // NNC_EMULATION_EMULATION_H
