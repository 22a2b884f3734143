// Programs whose kernels are of every kind that codegen-gpu-map-kernels knows.
#ifndef NNC_TEST_UNIT_CODEGEN_GPUPROGRAMS_H
#define NNC_TEST_UNIT_CODEGEN_GPUPROGRAMS_H

namespace nnc::test {

struct GpuProgram {
  const char *name, *text;
  /// The terms of a sum, of which the error is a part.
  double terms;
  /// What N is, where programs run; T is 150.
  int64_t size;
  /// Whether products of f32 may round their factors.
  bool roundsFactors = false;
};

inline const GpuProgram gpuPrograms[] = {
    {"elements", R"(func f(x: f32[N, 300], b: f32[300]) -> (y: f32[N, 300]) {
       y = sigmoid(x + b) * tanh(x)
     })",
     1, 7},
    {"vectors", R"(func f(x: f32[N], h: f16[N, 12], b: f16[N]) -> (y: f32[N], z: f16[N, 12]) {
       y = sigmoid(x) * x
       z = h * expand_dims(b, axis = 1)
     })",
     2e3, 1031},
    {"rows", R"(func f(x: f32[N, 300]) -> (y: f32[N, 300]) { y = softmax(x, axis = 1) })", 300, 21},
    {"longRows",
     R"(func f(x: f32[N, 2, 2500]) -> (y: f32[N, 2, 2500]) { y = softmax(x, axis = 2) })", 2500,
     70},
    {"normalizedRows",
     R"(func f(x: f32[N, 6, 40], g: f32[40], d: f32[N, 6, 40]) -> (y: f32[N, 6, 40], z: f32[N, 6, 40]) {
       c = x - mean(x, axis = 2, keepdims = true)
       y = c / sqrt(mean(c * c, axis = 2, keepdims = true) + 0.01) * g
       z = grad(sum(softmax(x, axis = 2) * d), wrt = x)
     })",
     100, 21},
    {"columns", R"(func f(x: f32[N, 70]) -> (y: f32[70]) { y = sum(x * x, axis = 0) })", 77, 77},
    {"total", R"(func f(x: f32[N, 70]) -> (y: f32) { y = mean(exp(x)) })", 77 * 70, 77},
    {"totalOfF64", R"(func f(x: f64[N, 70]) -> (y: f64) { y = mean(exp(x)) })", 77 * 70, 77},
    {"mostOfEach", R"(func f(x: f32[N, 70]) -> (y: f32[N], z: f32[70]) { y = max(x, axis = 1)
       z = min(x, axis = 0) })",
     1, 40},
    {"largeTiles", R"(func f(x: f32[N, 20], w: f32[20, 2100]) -> (y: f32[N, 2100]) { y = x @ w })",
     20, 131},
    {"smallTiles", R"(func f(x: f32[N, 37], w: f32[37, 70]) -> (y: f32[N, 70]) { y = x @ w })", 37,
     75},
    {"narrowTiles", R"(func f(x: f32[N, 37], w: f32[37, 10]) -> (y: f32[N, 10]) { y = x @ w })", 37,
     140},
    {"flatTiles", R"(func f(x: f32[9, N], w: f32[N, 200]) -> (y: f32[9, 200]) { y = x @ w })", 33,
     33},
    {"fewTerms",
     R"(func f(x: f32[N, 10], w: f32[96, 10], h: f32[N, 96], b: f32[96]) -> (y: f32[N, 96]) {
       y = where(h + b > 0, x @ transpose(w), 0)
     })",
     10, 70},
    {"largeTilesOfAConvolution",
     R"(func f(x: f32[N, 16, 12, 12], w: f32[72, 16, 3, 3]) -> (y: f32[N, 72, 12, 12]) {
       y = conv2d(x, w, padding = 1)
     })",
     144, 1},
    {"copiedTiles", R"(func f(x: f32[N, 36], w: f32[36, 2112]) -> (y: f32[N, 2112]) { y = x @ w })",
     36, 131},
    {"turnedTiles",
     R"(func f(x: f32[40, N], w: f32[72, 40]) -> (y: f32[N, 72]) { y = transpose(w @ x) })", 40,
     70},
    {"copiedMatrices",
     R"(func f(x: bf16[N, 72], w: bf16[72, 40]) -> (y: bf16[N, 40]) { y = x @ w })", 2e4, 75},
    {"turnedMatrices", R"(func f(x: f16[48, N], w: f16[72, 48]) -> (y: f16[72, N], z: f16[72, 72]) {
       y = w @ x
       z = w @ transpose(w)
     })",
     2e3, 88},
    {"largeCopiedMatrices",
     R"(func f(x: f16[N, 80], w: f16[80, 2112]) -> (y: f16[N, 2112]) { y = x @ w })", 4e3, 5},
    {"hugeMatrices",
     R"(func f(x: bf16[N, 456], w: bf16[456, 4224], b: bf16[4224]) -> (y: bf16[N, 4224]) {
       y = relu(x @ w + b)
     })",
     2e4, 7},
    {"batchesOfTensors",
     R"(func f(x: f16[N, 3, 72, 80], w: f16[N, 3, 80, 72]) -> (y: f16[N, 3, 72, 72]) {
       y = x @ transpose(x, [0, 1, 3, 2]) + x @ w
     })",
     4e3, 1},
    {"turnedFactors",
     R"(func f(x: f16[80, 136], w: f16[136, 80], v: f16[80, 24]) -> (y: f16[136, 136], z: f16[136, 24]) {
       y = transpose(x) @ transpose(w)
       z = transpose(x) @ v
     })",
     4e3, 1},
    {"factorsOnTheWayInVectors",
     R"(func f(x: f32[N, 40], b: f32[40], w: f32[40, 24], h: bf16[N, 40], v: bf16[40, 24])
         -> (y: f32[N, 24], z: bf16[N, 24]) {
       y = relu(x + b) @ w
       z = relu(h) @ (v * v)
     })",
     2e4, 66},
    {"roundedFactors", R"(func f(x: f32[N, 40], w: f32[40, 72]) -> (y: f32[N, 72]) { y = x @ w })",
     4e3, 75, true},
    {"largeRoundedFactors",
     R"(func f(x: f32[36, N], w: f32[2100, 36]) -> (y: f32[N, 2100]) {
       y = transpose(w @ x)
     })",
     4e3, 5, true},
    {"matrices",
     R"(func f(x: bf16[N, 70], w: bf16[70, 40]) -> (y: bf16[N, 40]) { y = relu(x @ w) })", 2e4, 75},
    {"largeMatrices",
     R"(func f(x: f16[N, 40], w: f16[40, 2100]) -> (y: f16[N, 2100]) { y = x @ w })", 2e3, 3},
    {"narrowMatrices", R"(func f(x: f16[N, 40], w: f16[40, 10]) -> (y: f16[N, 10]) { y = x @ w })",
     2e3, 140},
    {"flatMatrices", R"(func f(x: bf16[7, N], w: bf16[N, 200]) -> (y: bf16[7, 200]) { y = x @ w })",
     2e4, 33},
    {"convolutionOfMatrices",
     R"(func f(x: bf16[N, 5, 9, 7], w: bf16[20, 5, 3, 3]) -> (y: bf16[N, 20, 9, 7]) {
       y = conv2d(x, w, padding = 1)
     })",
     2e4, 2},
    {"attention", R"(func f(q: f32[N, 2, 40, 8], k: f32[N, 2, 40, 8], v: f32[N, 2, 40, 12])
         -> (y: f32[N, 2, 40, 12]) {
       y = scaled_dot_product_attention(q, k, v)
     })",
     40, 2},
    {"causalAttentionOfManyRows",
     R"(func f(q: f32[N, 3, 150, 8], k: f32[N, 3, 150, 8], v: f32[N, 3, 150, 8])
         -> (y: f32[N, 3, 150, 8]) {
       y = scaled_dot_product_attention(q, k, v, causal = true)
     })",
     150, 1},
    {"gradientsOfAttention",
     R"(func f(q: f32[N, 2, 40, 8], k: f32[N, 2, 40, 8], v: f32[N, 2, 40, 8], d: f32[N, 2, 40, 8])
         -> (y: f32[N, 2, 40, 8], dq: f32[N, 2, 40, 8], dk: f32[N, 2, 40, 8], dv: f32[N, 2, 40, 8]) {
       y = scaled_dot_product_attention(q, k, v, causal = true)
       loss = sum(y * d)
       dq = grad(loss, wrt = q)
       dk = grad(loss, wrt = k)
       dv = grad(loss, wrt = v)
     })",
     100, 2},
    {"attentionOfMatrices",
     R"(func f(q: bf16[N, 2, 40, 16], k: bf16[N, 2, 40, 16], v: bf16[N, 2, 40, 16])
         -> (y: bf16[N, 2, 40, 16]) {
       y = scaled_dot_product_attention(q, k, v)
     })",
     2e4, 2},
    {"attentionOfAnyLength", R"(func f(q: f32[N, 3, T, 8], k: f32[N, 3, T, 8], v: f32[N, 3, T, 12])
         -> (y: f32[N, 3, T, 12]) {
       y = scaled_dot_product_attention(q, k, v)
     })",
     150, 1},
    {"maskedAttentionOfAnyLength",
     R"(func f(q: f32[N, 2, T, 8], k: f32[N, 2, T, 8], v: f32[N, 2, T, 8], m: bool[N, 1, T, T], r: bool[T, 1])
         -> (y: f32[N, 2, T, 8]) {
       y = scaled_dot_product_attention(q * 40, k, v, mask = m and r)
     })",
     2000, 1},
    {"gradientsOfAttentionOfAnyLength",
     R"(func f(q: f32[N, T, 8], k: f32[N, T, 8], v: f32[N, T, 8], d: f32[N, T, 8])
         -> (y: f32[N, T, 8], dq: f32[N, T, 8], dk: f32[N, T, 8], dv: f32[N, T, 8]) {
       y = scaled_dot_product_attention(q, k, v, causal = true)
       loss = sum(y * d)
       dq = grad(loss, wrt = q)
       dk = grad(loss, wrt = k)
       dv = grad(loss, wrt = v)
     })",
     300, 1},
    {"causalAttentionInTiles",
     R"(func f(q: f32[N, 320, 16], k: f32[N, 320, 16], v: f32[N, 320, 16]) -> (y: f32[N, 320, 16]) {
       y = scaled_dot_product_attention(q, k, v, causal = true)
     })",
     320, 1},
    {"attentionOfMatricesInTiles",
     R"(func f(q: bf16[N, 320, 16], k: bf16[N, 320, 16], v: bf16[N, 320, 16]) -> (y: bf16[N, 320, 16]) {
       y = scaled_dot_product_attention(q, k, v, causal = true)
     })",
     2e4, 1},
    {"attentionOfRoundedFactors",
     R"(func f(q: f32[N, 320, 16], k: f32[N, 320, 16], v: f32[N, 320, 16], d: f32[N, 320, 16])
         -> (y: f32[N, 320, 16], dk: f32[N, 320, 16]) {
       y = scaled_dot_product_attention(q, k, v, causal = true)
       dk = grad(sum(y * d), wrt = k)
     })",
     8e3, 1, true},
    {"roundedAttention",
     R"(func f(q: f32[N, 2, 40, 16], k: f32[N, 2, 40, 16], v: f32[N, 2, 40, 16]) -> (y: f32[N, 2, 40, 16]) {
       y = scaled_dot_product_attention(q, k, v)
     })",
     4e3, 2, true},
    {"batchOfTiles", R"(func f(x: f32[N, 3, 20, 8], w: f32[N, 3, 8, 30]) -> (y: f32[N, 3, 20, 30]) {
       y = x @ w
     })",
     8, 2},
    {"factorsOnTheWay", R"(func f(x: f32[N, 40], b: f32[40], w: f32[40, 24]) -> (y: f32[N, 24]) {
       y = relu(relu(x + b) @ w)
     })",
     40, 66},
    {"termsInParts", R"(func f(x: f32[N, 20], w: f32[N, 24]) -> (y: f32[20, 24]) {
       y = transpose(x) @ w
     })",
     300, 300},
    {"termsInPartsForAnyNumberOfRows",
     R"(func f(x: f32[N, 600], w: f32[600, 24], b: f32[24]) -> (y: f32[N, 24], z: f32[24, N]) {
       y = relu(x @ w + b)
       z = transpose(x @ w)
     })",
     600, 70},
    {"convolution",
     R"(func f(x: f32[N, 5, 9, 7], w: f32[12, 5, 3, 3], b: f32[12, 1, 1]) -> (y: f32[N, 12, 9, 7]) {
       y = relu(conv2d(x, w, padding = 1) + b)
     })",
     45, 3},
    {"stridedConvolution",
     R"(func f(x: f32[N, 8, 9, 7], w: f32[20, 8, 3, 3]) -> (y: f32[N, 20, 4, 3]) {
       y = conv2d(x, w, stride = 2)
     })",
     72, 3},
    {"convolutionByTheInput",
     R"(func f(x: f32[N, 6, 8, 9], w: f32[8, 6, 3, 3], d: f32[N, 8, 8, 9]) -> (g: f32[N, 6, 8, 9]) {
       g = grad(sum(conv2d(x, w, padding = 1) * d), wrt = x)
     })",
     72, 3},
    {"stridedConvolutionByTheInput",
     R"(func f(x: f32[N, 8, 8, 8], w: f32[16, 8, 3, 3], d: f32[N, 16, 4, 4]) -> (g: f32[N, 8, 8, 8]) {
       g = grad(sum(conv2d(x, w, stride = 2, padding = 1) * d), wrt = x)
     })",
     144, 3},
    {"convolutionByTheFilters",
     R"(func f(x: f32[N, 6, 8, 9], w: f32[8, 6, 3, 3], d: f32[N, 8, 8, 9]) -> (g: f32[8, 6, 3, 3]) {
       g = grad(sum(conv2d(x, w, padding = 1) * d), wrt = w)
     })",
     216, 3},
    {"pooling",
     R"(func f(x: f32[N, 6, 8, 10]) -> (y: f32[N, 6, 4, 5]) { y = max_pool(x, window = 2) })", 1,
     3},
    {"embedding",
     R"(func f(x: i64[N], w: f32[30, 40], d: f32[N, 40]) -> (y: f32[N, 40], g: f32[30, 40]) {
       y = gather(w, x)
       g = grad(sum(gather(w, x) * d), wrt = w)
     })",
     20, 20},
    {"runningSums", R"(func f(x: f32[N, 20]) -> (y: f32[N, 20]) { y = cumsum(x, axis = 1) })", 20,
     5},
};

} // namespace nnc::test

#endif // NNC_TEST_UNIT_CODEGEN_GPUPROGRAMS_H
