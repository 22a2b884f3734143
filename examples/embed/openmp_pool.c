/* OpenMP's threads for the large loops of a model: link this in place of libnnc_rt.a, with -fopenmp. */
#include "nnc_rt.h"

#include <omp.h>

static int64_t num_runs;

/* Goes before the weak one that the model's object has. */
void nnc_parallel_for(int64_t count, void (*body)(void *context, int64_t begin, int64_t end),
                      void *context) {
  int64_t elsewhere = 0;
#pragma omp parallel for schedule(dynamic) reduction(+ : elsewhere)
  for (int64_t i = 0; i < count; ++i) {
    body(context, i, i + 1);
    elsewhere += omp_get_thread_num() != 0;
  }
  num_runs += elsewhere;
}

/* What threads.c calls beside; a host need not have these. */
void nnc_set_num_threads(int threads) {
  if (threads > 0)
    omp_set_num_threads(threads);
}
int nnc_num_threads(void) { return omp_get_max_threads(); }
int64_t nnc_num_worker_runs(void) { return num_runs; }
