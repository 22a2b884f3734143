// harness.c: calls of compiled code in a loop, without Python between them, and the machine's peak.
#include <stdint.h>

typedef void Entry(void *const *buffers, const int64_t *symbols, void *workspace);

// An entry point of nnc's, `count` times.
void repeat_entry(Entry *entry, void *const *buffers, const int64_t *symbols, void *workspace,
                  long count) {
  for (long i = 0; i < count; ++i)
    entry(buffers, symbols, workspace);
}

typedef void Gemm(int order, int transA, int transB, int64_t m, int64_t n, int64_t k, float alpha,
                  const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                  int64_t ldc);

// cblas_sgemm of row-major matrices, with 64-bit sizes: c = a b, `count` times.
void repeat_gemm(Gemm *gemm, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                 float *c, long count) {
  for (long i = 0; i < count; ++i)
    gemm(101, 111, 111, m, n, k, 1, a, k, b, n, 0, c, n);
}

#ifdef __AVX512F__
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif
typedef float Vector __attribute__((vector_size(BYTES)));

// Multiplies and adds in registers, twelve chains at a time to keep every unit busy; returns how many
// operations on floats that were.
double multiply_and_add(long count, float *result) {
  Vector x = (Vector){0} + 0.5f, y = (Vector){0} + result[0];
  Vector a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
#define STEP(v)                                                                                    \
  v = v * x + y;                                                                                   \
  __asm__("" : "+v"(v))
  for (long n = 0; n < count; ++n) {
    STEP(a);
    STEP(b);
    STEP(c);
    STEP(d);
    STEP(e);
    STEP(f);
    STEP(g);
    STEP(h);
    STEP(i);
    STEP(j);
    STEP(k);
    STEP(l);
  }
  result[0] = (a + b + c + d + e + f + g + h + i + j + k + l)[0] / 12;
  return 2.0 * 12 * (BYTES / sizeof(float)) * (double)count;
}
