//===- Dim.h - Symbolic dimensions ------------------------------*- C++ -*-===//
//
// A dimension of a tensor is an integer, a symbol such as N, or an expression of them. Dim keeps an
// expression in one canonical form, a polynomial with integer coefficients whose atoms are symbols
// and floor divisions, so that two dimensions are provably equal exactly when they compare equal.
//
// A tensor type with a symbolic dimension is a builtin ranked tensor with `?` in that place and an
// array encoding that names it: tensor<?x3xf32, ["N", 3]>.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_DIM_H
#define NNC_IR_DIM_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace nnc {

class Dim {
public:
  /// The constant `value`.
  Dim(int64_t value = 0);
  /// The symbol `name`, an identifier.
  static Dim symbol(llvm::StringRef name);
  /// Reads what `str` writes: + - * / ( ) over integers and identifiers. None if malformed.
  static std::optional<Dim> parse(llvm::StringRef text);

  bool isConstant() const;
  /// The value of a constant expression.
  int64_t constant() const;
  /// Canonical text: "N", "2*N + 1", "N*M", "(N - 5)/2".
  std::string str() const;

  Dim operator+(const Dim &other) const;
  Dim operator-(const Dim &other) const;
  Dim operator*(const Dim &other) const;
  /// Division rounding down; `divisor` is positive.
  Dim floorDiv(const Dim &divisor) const;
  /// Division rounding up.
  Dim ceilDiv(const Dim &divisor) const;
  /// This divided by `divisor` where that is exact in the polynomial sense, none otherwise.
  std::optional<Dim> exactDiv(const Dim &divisor) const;

  bool operator==(const Dim &other) const { return str() == other.str(); }
  bool operator!=(const Dim &other) const { return !(*this == other); }
  bool operator<(const Dim &other) const { return str() < other.str(); }

  void collectSymbols(std::set<std::string> &symbols) const;
  Dim substitute(const std::map<std::string, Dim> &values) const;

  /// An atom is a symbol (name) or a floor division (numerator, divisor).
  struct Atom {
    std::string name;
    std::shared_ptr<Dim> numerator, divisor;
    std::string str() const;
    bool operator<(const Atom &other) const { return str() < other.str(); }
    bool operator==(const Atom &other) const { return str() == other.str(); }
  };
  /// Coefficient by product of atoms (sorted, repeated for powers); the empty product is the
  /// constant term.
  using Terms = std::map<std::vector<Atom>, int64_t>;
  const Terms &getTerms() const { return terms; }

private:
  Terms terms;
};

using Shape = llvm::SmallVector<Dim, 4>;

/// The shape of a ranked tensor type, symbols included. A `?` without a name is a fresh symbol "?".
Shape getShape(mlir::Type tensorType);
Shape getShape(mlir::Value value);
mlir::RankedTensorType makeTensorType(llvm::ArrayRef<Dim> shape, mlir::Type elementType);
mlir::Type getElementType(mlir::Value value);

/// A dimension as an attribute: an i64 integer or a string.
mlir::Attribute toAttr(mlir::MLIRContext *context, const Dim &dim);
std::optional<Dim> dimFromAttr(mlir::Attribute attr);
/// A shape as an attribute: an array of dimensions.
mlir::ArrayAttr toAttr(mlir::MLIRContext *context, llvm::ArrayRef<Dim> shape);
Shape shapeFromAttr(mlir::ArrayAttr attr);

/// The number of elements of `shape`.
Dim numElements(llvm::ArrayRef<Dim> shape);
/// A type as the language writes it: "f32[N, 3]", "f32" for rank zero, "bool" for i1.
std::string typeToString(mlir::Type type);
std::string shapeToString(llvm::ArrayRef<Dim> shape);
/// The element type named `name` ("f32", "u8", "bool"), or null.
mlir::Type elementTypeFromString(mlir::MLIRContext *context, llvm::StringRef name);
std::string elementTypeToString(mlir::Type type);

} // namespace nnc

#endif // NNC_IR_DIM_H
