/* Trains the LeNet of ../mnist.nn on MNIST for an epoch and counts the unseen digits that it reads. All
 * that is linked is mnist.o and the C library.
 *
 *   gunzip -k *.gz                        # the four files of MNIST
 *   ./lenet FOLDER [SEED [LOSSES]]        # LOSSES: a file for the loss of each step, as floats
 *
 * Batches come in the order of the file, and images as they are: shuffling and shifting are left to
 * the host, as all that has to do with data. */
#include "mnist.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { BATCH = 64, PIXELS = 28 * 28, CLASSES = 10, REPORT = 100 };

/* Images of PIXELS bytes, and their labels. */
typedef struct {
  int64_t count;
  unsigned char *images, *labels;
} digits;

static lenet_state model;
NNC_ALIGNED static float image[BATCH * PIXELS], logits[BATCH * CLASSES];
NNC_ALIGNED static int64_t label[BATCH];
NNC_ALIGNED static float loss[1], accuracy[1];

/* What follows the header of an IDX file with items of `size` bytes; null, with a message, if it is
 * another. */
static unsigned char *read_idx(const char *folder, const char *name, int rank, size_t size,
                               int64_t *count) {
  char path[4096];
  unsigned char header[16], *items = NULL;
  size_t length = 4 + 4 * (size_t)rank;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (file && fread(header, 1, length, file) == length && header[2] == 8 && header[3] == rank) {
    *count = (int64_t)header[4] << 24 | header[5] << 16 | header[6] << 8 | header[7];
    items = malloc((size_t)*count * size + 1);
    if (items && fread(items, size, (size_t)*count, file) != (size_t)*count) {
      free(items);
      items = NULL;
    }
  }
  if (file)
    fclose(file);
  if (!items)
    fprintf(stderr, "%s: no IDX file of bytes with %d dimensions\n", path, rank);
  return items;
}

static int read_digits(const char *folder, const char *images, const char *labels, digits *result) {
  int64_t count = 0;
  result->images = read_idx(folder, images, 3, PIXELS, &result->count);
  result->labels = read_idx(folder, labels, 1, 1, &count);
  return result->images && result->labels && count == result->count;
}

/* Copies the batch that begins at `row`, as mnist.nn standardizes it; returns its size. */
static int64_t load_batch(const digits *from, int64_t row) {
  int64_t size = from->count - row < BATCH ? from->count - row : BATCH;
  for (int64_t i = 0; i < size * PIXELS; ++i) {
    float scaled = (float)(from->images[row * PIXELS + i] * (1.0 / 255));
    image[i] = (float)((scaled - 0.1307) / 0.3081);
  }
  for (int64_t i = 0; i < size; ++i)
    label[i] = from->labels[row + i];
  return size;
}

static void train(const digits *training, int64_t seed, FILE *losses, void *workspace) {
  int64_t step = 0;
  for (int64_t row = 0; row < training->count; row += BATCH, ++step) {
    int64_t size = load_batch(training, row);
    lenet_step(&model, seed, step, size, image, label, loss, accuracy, workspace);
    if (step % REPORT == 0)
      printf("step %4d  loss %.4f  accuracy %.3f\n", (int)step, loss[0], accuracy[0]);
    if (losses)
      fwrite(loss, sizeof *loss, 1, losses);
  }
}

static int64_t count_right(const digits *unseen, void *workspace) {
  int64_t right = 0;
  for (int64_t row = 0; row < unseen->count; row += BATCH) {
    int64_t size = load_batch(unseen, row);
    lenet(&model, size, image, logits, workspace);
    for (int64_t i = 0; i < size; ++i) {
      int best = 0;
      for (int c = 1; c < CLASSES; ++c)
        if (logits[i * CLASSES + c] > logits[i * CLASSES + best])
          best = c;
      right += best == label[i];
    }
  }
  return right;
}

static int64_t largest(int64_t a, int64_t b) { return a > b ? a : b; }

int main(int argc, char **argv) {
  digits training, unseen;
  if (argc < 2 || argc > 4) {
    fprintf(stderr, "usage: lenet FOLDER [SEED [LOSSES]]\n");
    return EXIT_FAILURE;
  }
  if (!read_digits(argv[1], "train-images-idx3-ubyte", "train-labels-idx1-ubyte", &training) ||
      !read_digits(argv[1], "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", &unseen))
    return EXIT_FAILURE;
  int64_t seed = argc > 2 ? atoll(argv[2]) : 0;
  FILE *losses = argc > 3 ? fopen(argv[3], "wb") : NULL;
  int64_t bytes =
      largest(lenet_step_workspace(BATCH), largest(lenet_workspace(BATCH), lenet_init_workspace()));
  void *workspace = aligned_alloc(64, (size_t)bytes);
  if (!workspace)
    return EXIT_FAILURE;

  lenet_init(&model, seed, 0, workspace);
  train(&training, seed, losses, workspace);
  printf("%d of %d unseen digits right\n", (int)count_right(&unseen, workspace), (int)unseen.count);

  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  fprintf(stderr, "state %zu bytes, workspace %lld bytes, images %lld bytes, peak memory %ld KiB\n",
          sizeof model, (long long)bytes, (long long)(training.count + unseen.count) * PIXELS,
          usage.ru_maxrss);
  if (losses && fclose(losses) != 0)
    return EXIT_FAILURE;
  free(workspace);
  return EXIT_SUCCESS;
}
