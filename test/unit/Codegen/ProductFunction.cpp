// Products of two tensors of short numbers, as text of the nn dialect.
#include "ProductFunction.h"

#include "llvm/ADT/StringRef.h"

#include <fmt/format.h>

namespace nnc::test {

Product matmul(int64_t m, int64_t n, int64_t k) {
  return {fmt::format("{}x{}", m, k), fmt::format("{}x{}", k, n), fmt::format("{}x{}", m, n),
          "nn.matmul %x, %y", k};
}

Product leftTransposed(int64_t m, int64_t n, int64_t k) {
  return {fmt::format("{}x{}", k, m), fmt::format("{}x{}", k, n), fmt::format("{}x{}", m, n),
          R"(nn.einsum %x, %y {equation = "km,kn->mn"})", k};
}

Product rightTransposed(int64_t m, int64_t n, int64_t k) {
  return {fmt::format("{}x{}", m, k), fmt::format("{}x{}", n, k), fmt::format("{}x{}", m, n),
          R"(nn.einsum %x, %y {equation = "mk,nk->mn"})", k};
}

llvm::SmallVector<int64_t> sizesOf(const std::string &shape, int64_t rows) {
  llvm::SmallVector<int64_t> sizes;
  llvm::SmallVector<llvm::StringRef> words;
  llvm::StringRef(shape).split(words, 'x');
  for (llvm::StringRef word : words)
    sizes.push_back(word == "?" ? rows : std::stoll(word.str()));
  return sizes;
}

static std::string writeType(const std::string &shape, const std::string &element) {
  std::string names;
  if (shape[0] == '?') {
    for (char c : shape.substr(1))
      names += c == 'x' ? ", " : std::string(1, c);
    names = fmt::format(", [\"N\"{}]", names);
  }
  return fmt::format("tensor<{}x{}{}>", shape, element, names);
}

std::string writeFunction(const Product &product, const std::string &a, const std::string &b,
                          const std::string &type) {
  std::string result = writeType(product.result, type), op = product.op;
  std::string text = fmt::format("func.func @f(%a: {}, %b: {}) -> {} {{\n", writeType(product.a, a),
                                 writeType(product.b, b), result);
  for (auto [to, from, shape, element] :
       {std::tuple("%x", "%a", product.a, a), std::tuple("%y", "%b", product.b, b)}) {
    if (element == type)
      op.replace(op.find(to), 2, from);
    else
      text += fmt::format("  {} = nn.cast {} {{dtype = {}}} : ({}) -> {}\n", to, from, type,
                          writeType(shape, element), writeType(shape, type));
  }
  return text + fmt::format("  %r = {} : ({}, {}) -> {}\n  return %r : {}\n}}\n", op,
                            writeType(product.a, type), writeType(product.b, type), result, result);
}

} // namespace nnc::test
