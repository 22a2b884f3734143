/*===- nnc_rt.h - Threads for compiled models ----------------------*- C -*-===*\
|*
|* A compiled model hands its large loops to nnc_parallel_for. Every object brings a weak one that
|* runs them on the calling thread; libnnc_rt.a has one with a pool of threads, and a program may
|* define its own. What is computed does not depend on which, nor on the number of threads.
|*
|* The linker takes the pool from the library when the program calls one of the other functions:
|*
|*   nnc_set_num_threads(0);
|*
\*===----------------------------------------------------------------------===*/
#ifndef NNC_RUNTIME_NNC_RT_H
#define NNC_RUNTIME_NNC_RT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Runs `body` on ranges that together are [0, count), each once, and returns when all are done. The
    ranges may run at the same time, on any thread, and may be as long as count; `body` neither
    throws nor jumps out. A call inside a body, or while another thread uses the pool, runs on the
    thread that makes it. */
void nnc_parallel_for(int64_t count, void (*body)(void *context, int64_t begin, int64_t end),
                      void *context);

/** How many threads share the work from now on, the calling one among them. 0, as at the start,
    stands for the environment's NNC_NUM_THREADS if that is a number from 1 to 1024, else for the
    processors that this process may use. Threads start when they are first needed; 1 ends those
    that run. Waits for a call of nnc_parallel_for on another thread; not to be called in a body. */
void nnc_set_num_threads(int threads);
int nnc_num_threads(void);

/** How often a thread of the pool, other than a caller, has run a body: 0 if none was of use. */
int64_t nnc_num_worker_runs(void);

#ifdef __cplusplus
}
#endif

#endif /* NNC_RUNTIME_NNC_RT_H */
