/* Trains the classifier of ../digits.nn on large batches, on the number of threads given: the
 * parameters get the same bits with each. Link libnnc_rt.a, or own_pool.c in its place. */
#include "digits.h"
#include "nnc_rt.h"

#include <stdio.h>
#include <stdlib.h>

enum { IMAGES = 2048, PIXELS = 64, STEPS = 50 };

static digits_state model;
NNC_ALIGNED static float image[IMAGES * PIXELS];
NNC_ALIGNED static int64_t digit[IMAGES];
NNC_ALIGNED static float loss[1], accuracy[1];

/* Images of stripes, as many as the digit says. */
static void make_images(void) {
  for (int i = 0; i < IMAGES; ++i) {
    digit[i] = i % 10;
    for (int p = 0; p < PIXELS; ++p)
      image[i * PIXELS + p] = (float)(p * (digit[i] + 1) / 32 % 2) + (float)(i * 31 % 17) / 100;
  }
}

/* FNV-1a of the parameters. */
static uint64_t hash_model(void) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < sizeof model; ++i)
    hash = (hash ^ ((const unsigned char *)&model)[i]) * 1099511628211u;
  return hash;
}

int main(int argc, char **argv) {
  nnc_set_num_threads(argc > 1 ? atoi(argv[1]) : 0);
  int64_t bytes = digits_step_workspace(IMAGES), init_bytes = digits_init_workspace();
  void *workspace = aligned_alloc(64, (size_t)(bytes > init_bytes ? bytes : init_bytes) + 64);
  if (!workspace)
    return EXIT_FAILURE;
  make_images();
  digits_init(&model, 1, 0, workspace);
  for (int step = 0; step < STEPS; ++step)
    digits_step(&model, IMAGES, image, digit, loss, accuracy, workspace);
  printf("loss %.4f, parameters %016llx\n", (double)loss[0], (unsigned long long)hash_model());
  fprintf(stderr, "%d threads, %lld pieces of work on other threads than this\n", nnc_num_threads(),
          (long long)nnc_num_worker_runs());
  free(workspace);
  return EXIT_SUCCESS;
}
