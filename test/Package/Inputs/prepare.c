/* Writes what net computes, with its parameters prepared or without, and prepared again after a change. */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sizes of a call; none where they were given when net was compiled. */
#ifdef BOUND
#define SIZE_OF
#define SIZES
#else
#define SIZE_OF N
#define SIZES N,
#endif

enum { N = 3, IMAGE = 3 * 12 * 12, TOKENS = 5, SIZE = 1 << 22 };

NNC_ALIGNED static net_state state;
NNC_ALIGNED static unsigned char workspace[SIZE];
NNC_ALIGNED static float image[N * IMAGE], scores[N * 40], scale[1];
NNC_ALIGNED static int64_t token[N * TOKENS];

static void predict(FILE *file) {
  memset(workspace, 0x7f, sizeof workspace);
#ifdef PREPARED
  NNC_ALIGNED static unsigned char prepared[SIZE];
  static net_state kept;
  if (net_prepared_bytes() > SIZE || net_prepare_workspace() > SIZE)
    exit(EXIT_FAILURE);
  net_prepare(&state, prepared, workspace);
  kept = state;
  memset(&state, 0xff, sizeof state); /* NaN: nothing may read it any more */
  memset(workspace, 0x7f, sizeof workspace);
  for (int time = 0; time < 2; ++time)
    net(prepared, SIZES image, token, scores, scale, workspace);
  state = kept;
#else
  net(&state, SIZES image, token, scores, scale, workspace);
#endif
  fwrite(scores, sizeof scores, 1, file);
  fwrite(scale, sizeof scale, 1, file);
}

int main(int argc, char **argv) {
  FILE *file = argc == 2 ? fopen(argv[1], "wb") : NULL;
  if (!file || net_workspace(SIZE_OF) > SIZE || net_init_workspace() > SIZE)
    return EXIT_FAILURE;
  for (int i = 0; i < N * IMAGE; ++i)
    image[i] = (float)(i * 31 % 61) / 30 - 1;
  for (int i = 0; i < N * TOKENS; ++i)
    token[i] = i * 7 % 11;
  net_init(&state, 1, 0, workspace);
  predict(file);
  net_init(&state, 2, 0, workspace);
  predict(file);
  return fclose(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
