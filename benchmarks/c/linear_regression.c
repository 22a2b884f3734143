/* Linear regression by batch gradient descent in plain C: the loss and the parameters recorded at
   each step. Compiled once for each type, -DREAL=float or double; benchmarks/run.py calls it. */
#ifndef REAL
#define REAL float
#endif

/* x: N rows of (1, x1, x2); theta, of 3, is updated in place; path: steps x 3. */
void train(long n, const REAL *x, const REAL *y, REAL *theta, REAL rate, long steps, REAL *losses,
           REAL *path) {
  for (long step = 0; step < steps; ++step) {
    REAL loss = 0, gradient[3] = {0};
    for (long i = 0; i < n; ++i) {
      const REAL *row = x + 3 * i;
      REAL error = y[i] - row[0] * theta[0] - row[1] * theta[1] - row[2] * theta[2];
      loss += error * error;
      for (int k = 0; k < 3; ++k)
        gradient[k] += error * row[k];
    }
    losses[step] = loss;
    for (int k = 0; k < 3; ++k) {
      path[3 * step + k] = theta[k];
      theta[k] += rate * gradient[k] / n;
    }
  }
}
