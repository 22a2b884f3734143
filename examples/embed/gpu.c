/* Trains the classifier of ../diamond.nn on a GPU, or on the CPU where there is none: parameters and points stay
 * on the device, and a step is one call of the driver. The environment's NNC_DEVICE chooses. */
#include "diamond.h"
#include "nnc_device.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINTS = 500, STEPS = 20000, STEPS_A_REPORT = 4000 };

/* What is on the device, and how it comes there. */
struct Data {
  NNC_ALIGNED double x[3 * POINTS];
  NNC_ALIGNED double inside[POINTS];
  NNC_ALIGNED double loss[1];
  NNC_ALIGNED double accuracy[1];
  NNC_ALIGNED double log_loss[1];
};
static struct Data points;

/* A number in [-1, 1), from the top bits of Knuth's 64-bit generator. */
static double next_uniform(void) {
  static uint64_t random_state = 1;
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (double)(random_state >> 11) * 0x1p-52 - 1;
}

int main(void) {
  for (int i = 0; i < POINTS; ++i) {
    double *point = points.x + 3 * i;
    point[0] = 1;
    point[1] = next_uniform();
    point[2] = next_uniform();
    points.inside[i] = fabs(point[1]) + fabs(point[2]) < 1;
  }
  diamond_state *model = nnc_device_alloc(sizeof *model);
  struct Data *data = nnc_device_alloc(sizeof *data);
  int64_t bytes = diamond_step_workspace(POINTS), init_bytes = diamond_init_workspace();
  void *workspace = aligned_alloc(64, (size_t)(bytes > init_bytes ? bytes : init_bytes) + 64);
  if (!model || !data || !workspace)
    return EXIT_FAILURE;
  printf("on %s\n", nnc_device_name());
  nnc_device_copy(data, &points, sizeof points);
  diamond_init(model, 1, 0, workspace);
  for (int step = 1; step <= STEPS; ++step) {
    diamond_step(model, POINTS, data->x, data->inside, data->loss, data->accuracy, data->log_loss,
                 workspace);
    if (step % STEPS_A_REPORT == 0) {
      double accuracy;
      nnc_device_copy(&accuracy, data->accuracy, sizeof accuracy);
      printf("step %5d  accuracy %.3f\n", step, accuracy);
    }
  }
  diamond_state trained;
  nnc_device_copy(&trained, model, sizeof trained);
  nnc_device_free(model);
  nnc_device_free(data);
  free(workspace);
  return EXIT_SUCCESS;
}
