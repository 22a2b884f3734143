// Products of two tensors of short numbers, as text of the nn dialect.
#ifndef NNC_TEST_UNIT_CODEGEN_PRODUCTFUNCTION_H
#define NNC_TEST_UNIT_CODEGEN_PRODUCTFUNCTION_H

#include "llvm/ADT/SmallVector.h"

#include <string>

namespace nnc::test {

/// An op on `a` and `b`, and how many products a result sums. A `?` is the symbol N.
struct Product {
  std::string a, b, result, op;
  int64_t terms;
};

Product matmul(int64_t m, int64_t n, int64_t k);
/// The gradient by the right factor, and by the left one.
Product leftTransposed(int64_t m, int64_t n, int64_t k);
Product rightTransposed(int64_t m, int64_t n, int64_t k);

/// The sizes in `shape`, N being `rows`.
llvm::SmallVector<int64_t> sizesOf(const std::string &shape, int64_t rows);

/// A function @f of factors of types `a` and `b` and a result of `type`, into which they are cast.
std::string writeFunction(const Product &product, const std::string &a, const std::string &b,
                          const std::string &type);

} // namespace nnc::test

#endif // NNC_TEST_UNIT_CODEGEN_PRODUCTFUNCTION_H
