/* The diamond classifier in plain C, as one would write it by hand: 3 -> 4 -> 1, sigmoid, batch
   gradient descent on the summed binary cross-entropy, accuracy and log squared error recorded at
   each step. The bias column of ones is folded in. Compiled once for each type, -DREAL=float or
   double; benchmarks/run.py calls it. */
#include <tgmath.h>

#ifndef REAL
#define REAL float
#endif

/* x: N rows of (1, x1, x2); w1: 3 x 4; w2: 4. Both weights are updated in place. */
void train(long n, const REAL *x, const REAL *y, REAL *w1, REAL *w2, REAL rate, long steps,
           REAL *accuracy, REAL *log_loss) {
  for (long step = 0; step < steps; ++step) {
    REAL g1[3][4] = {{0}}, g2[4] = {0}, error = 0, correct = 0;
    for (long i = 0; i < n; ++i) {
      REAL x1 = x[3 * i + 1], x2 = x[3 * i + 2], target = y[i];
      REAL h[4], z = 0;
      for (int j = 0; j < 4; ++j) {
        h[j] = 1 / (1 + exp(-(w1[j] + x1 * w1[4 + j] + x2 * w1[8 + j])));
        z += h[j] * w2[j];
      }
      REAL d = 1 / (1 + exp(-z)) - target;
      error += d * d;
      correct += fabs(d) < (REAL)0.5;
      for (int j = 0; j < 4; ++j) {
        REAL dh = d * w2[j] * h[j] * (1 - h[j]);
        g2[j] += d * h[j];
        g1[0][j] += dh;
        g1[1][j] += x1 * dh;
        g1[2][j] += x2 * dh;
      }
    }
    accuracy[step] = correct / n;
    log_loss[step] = log(error);
    for (int j = 0; j < 4; ++j) {
      w2[j] -= rate * g2[j];
      for (int k = 0; k < 3; ++k)
        w1[4 * k + j] -= rate * g1[k][j];
    }
  }
}
