/* A host's own threads for the large loops of a model: the least that works, a new thread for each
 * part of each loop. A program with a pool of its own would hand the parts to that. */
#include "nnc_rt.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MAX_THREADS = 16 };

static int num_threads = 2;
static atomic_int_least64_t num_runs;

struct part {
  pthread_t thread;
  void (*body)(void *context, int64_t begin, int64_t end);
  void *context;
  int64_t begin, end;
};

static void *run_part(void *argument) {
  struct part *part = argument;
  part->body(part->context, part->begin, part->end);
  atomic_fetch_add(&num_runs, 1);
  return NULL;
}

/* Goes before the weak one that the model's object has. */
void nnc_parallel_for(int64_t count, void (*body)(void *context, int64_t begin, int64_t end),
                      void *context) {
  struct part parts[MAX_THREADS];
  int num_parts = 0;
  int64_t done = 0;
  while (num_parts < num_threads - 1 && done < count) {
    struct part *part = &parts[num_parts];
    part->body = body;
    part->context = context;
    part->begin = done;
    part->end = done + (count - done) / (num_threads - num_parts);
    if (pthread_create(&part->thread, NULL, run_part, part) != 0)
      break;
    done = part->end;
    ++num_parts;
  }
  body(context, done, count);
  for (int i = 0; i < num_parts; ++i)
    pthread_join(parts[i].thread, NULL);
}

/* What threads.c calls beside; a host need not have these. */
void nnc_set_num_threads(int threads) {
  num_threads = threads < 1 ? 2 : threads > MAX_THREADS ? MAX_THREADS : threads;
}
int nnc_num_threads(void) { return num_threads; }
int64_t nnc_num_worker_runs(void) { return num_runs; }
