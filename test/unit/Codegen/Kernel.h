// A loop over arrays around one computation: r[i] = op(a[i], b[i]) on whole vectors.
#ifndef NNC_TEST_UNIT_CODEGEN_KERNEL_H
#define NNC_TEST_UNIT_CODEGEN_KERNEL_H

#include "Jit.h"

#include "llvm/Support/FormatVariadic.h"

#include <string>
#include <vector>

namespace nnc::test {

/// How many f32 a vector has; half as many f64. Arrays are multiples of it.
constexpr int64_t lanes = 16;

inline void replace(std::string &text, char sign, const std::string &with) {
  for (size_t at; (at = text.find(sign)) != std::string::npos;)
    text.replace(at, 1, with);
}

/// `op` is an expression of %a and %b, or statements that define %r; $ stands for the vector type
/// and # for that of i32 of as many elements.
template <typename T> struct Kernel {
  using Function = void(T *, T *, int64_t, int64_t, int64_t, T *, T *, int64_t, int64_t, int64_t,
                        T *, T *, int64_t, int64_t, int64_t);

  explicit Kernel(const std::string &op, Jit::Expander expand = {},
                  const std::string &cpu = "x86-64-v3") {
    std::string element = sizeof(T) == 4 ? "f32" : "f64";
    std::string vector = llvm::formatv("vector<{0}x{1}>", lanes * 4 / sizeof(T), element);
    std::string body = op.find("%r =") != std::string::npos ? op : "%r = " + op;
    replace(body, '$', vector);
    replace(body, '#', llvm::formatv("vector<{0}xi32>", lanes * 4 / sizeof(T)));
    jit.compile(llvm::formatv(R"(
      func.func @kernel(%as: memref<?x{0}>, %bs: memref<?x{0}>, %rs: memref<?x{0}>) {{
        %zero = arith.constant 0 : index
        %step = arith.constant {2} : index
        %count = memref.dim %as, %zero : memref<?x{0}>
        scf.for %i = %zero to %count step %step {{
          %a = vector.load %as[%i] : memref<?x{0}>, {1}
          %b = vector.load %bs[%i] : memref<?x{0}>, {1}
          {3}
          vector.store %r, %rs[%i] : memref<?x{0}>, {1}
        }
        return
      })",
                              element, vector, lanes * 4 / sizeof(T), body),
                expand, cpu);
    function = jit.lookup<Function>("kernel");
  }

  std::vector<T> operator()(std::vector<T> &a, std::vector<T> &b) {
    std::vector<T> result(a.size());
    run(a, b, result);
    return result;
  }

  void run(std::vector<T> &a, std::vector<T> &b, std::vector<T> &result) {
    int64_t size = a.size();
    function(a.data(), a.data(), 0, size, 1, b.data(), b.data(), 0, size, 1, result.data(),
             result.data(), 0, size, 1);
  }

  Jit jit;
  Function *function = nullptr;
};

} // namespace nnc::test

#endif // NNC_TEST_UNIT_CODEGEN_KERNEL_H
