/* Predicts with prepared parameters: what depends on them alone is done once, and they may go.
 *
 *   nnc compile ../digits.nn --entry forward,init --prepare */
#include "digits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 3, PIXELS = 64, DIGITS = 10 };

static int64_t larger(int64_t left, int64_t right) { return left > right ? left : right; }

int main(void) {
  NNC_ALIGNED static float image[IMAGES * PIXELS], logits[IMAGES * DIGITS];
  int64_t bytes =
      larger(digits_workspace(IMAGES), larger(digits_init_workspace(), digits_prepare_workspace()));
  void *workspace = aligned_alloc(64, (size_t)bytes + 64);
  digits_state *state = (digits_state *)aligned_alloc(64, sizeof(digits_state));
  void *prepared = aligned_alloc(64, (size_t)digits_prepared_bytes() + 64);
  if (!workspace || !state || !prepared)
    return EXIT_FAILURE;

  digits_init(state, 1, 0, workspace); /* or from a file, see predict.c */
  digits_prepare(state, prepared, workspace);
  free(state);

  for (int i = 0; i < IMAGES * PIXELS; ++i)
    image[i] = (float)(i % 17) / 16;
  digits(prepared, IMAGES, image, logits, workspace);
  for (int i = 0; i < IMAGES * DIGITS; ++i)
    printf("%a%c", (double)logits[i], i % DIGITS == DIGITS - 1 ? '\n' : ' ');
  free(prepared);
  free(workspace);
  return EXIT_SUCCESS;
}
