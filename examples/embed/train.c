/* Trains the classifier of ../diamond.nn and predicts with it. All that is linked is diamond.o: this
 * program owns every byte, and a training step allocates nothing. */
#include "diamond.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINTS = 500, SINGLE_STEPS = 2000, REPORTS = 9, STEPS_A_CALL = 2000 };

static diamond_state model;
NNC_ALIGNED static double x[3 * POINTS], inside[POINTS], probability[POINTS];
NNC_ALIGNED static double loss[STEPS_A_CALL], accuracy[STEPS_A_CALL], log_loss[STEPS_A_CALL];

/* A number in [-1, 1), from the top bits of Knuth's 64-bit generator. */
static double next_uniform(void) {
  static uint64_t random_state = 1;
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (double)(random_state >> 11) * 0x1p-52 - 1;
}

/* Points of the square, a one before each; those with |x| + |y| < 1 are inside. */
static void make_points(void) {
  for (int i = 0; i < POINTS; ++i) {
    double *point = x + 3 * i;
    point[0] = 1;
    point[1] = next_uniform();
    point[2] = next_uniform();
    inside[i] = fabs(point[1]) + fabs(point[2]) < 1;
  }
}

static int64_t largest(int64_t a, int64_t b) { return a > b ? a : b; }

static void report(int step, int last) {
  printf("step %5d  loss %8.3f  accuracy %.3f\n", step, loss[last], accuracy[last]);
}

int main(void) {
  int64_t bytes = largest(
      largest(diamond_workspace(POINTS), diamond_init_workspace()),
      largest(diamond_step_workspace(POINTS), diamond_steps_workspace(POINTS, STEPS_A_CALL)));
  void *workspace = aligned_alloc(64, (size_t)largest(bytes, 64));
  if (!workspace)
    return EXIT_FAILURE;
  make_points();
  diamond_init(&model, 1, 0, workspace);

  /* One call a step: to stop when you like, or to bring new data each time. */
  for (int step = 0; step < SINGLE_STEPS; ++step) {
    diamond_step(&model, POINTS, x, inside, loss, accuracy, log_loss, workspace);
    if (step == 0)
      report(step, 0);
  }
  report(SINGLE_STEPS, 0);

  /* One call for many steps, a record of each. */
  for (int call = 1; call <= REPORTS; ++call) {
    diamond_steps(&model, POINTS, STEPS_A_CALL, x, inside, loss, accuracy, log_loss, workspace);
    report(SINGLE_STEPS + call * STEPS_A_CALL, STEPS_A_CALL - 1);
  }

  diamond(&model, POINTS, x, probability, workspace);
  int right = 0;
  for (int i = 0; i < POINTS; ++i)
    right += (probability[i] > 0.5) == (inside[i] > 0.5);
  printf("%d of %d points right\n", right, (int)POINTS);

  /* The number of rows is an argument: here two. */
  NNC_ALIGNED static double two[] = {1, 0, 0, 1, 0.9, 0.9};
  diamond(&model, 2, two, probability, workspace);
  printf("(0, 0) is %s, (0.9, 0.9) is %s\n", probability[0] > 0.5 ? "inside" : "outside",
         probability[1] > 0.5 ? "inside" : "outside");
  free(workspace);
  return right >= 0.97 * POINTS ? EXIT_SUCCESS : EXIT_FAILURE;
}
