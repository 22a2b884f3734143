/* What kernels for the tests' libcuda.so.1 may call. */
#ifndef NNC_TEST_RUNTIME_FAKE_CUDA_H
#define NNC_TEST_RUNTIME_FAKE_CUDA_H

#include <stddef.h>
#include <stdint.h>

/* The memory behind an address on the device; where it has not so much, the process fails as a GPU does. */
void *fake_memory(uint64_t address, size_t bytes);

#endif
