//===- Operand.h - What an expression stands for ----------------*- C++ -*-===//
//
// A tensor of the function being built, or something known while elaborating: a number, a
// dimension, a string, a dtype, a list. Numbers are weakly typed: they take the element type of the
// tensor they meet.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_ELABORATE_OPERAND_H
#define NNC_SYNTAX_ELABORATE_OPERAND_H

#include "nnc/IR/NN.h"
#include "nnc/Syntax/AST.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nnc {

struct Operand {
  /// Unknown: a name whose statement failed; whoever reads it has nothing to add.
  enum class Kind { None, Tensor, Dimension, Float, Bool, String, Dtype, List, Range, Unknown };

  Kind kind = Kind::None;
  mlir::Value tensor;
  Dim dim; ///< integers too: a constant dimension
  double number = 0;
  bool truth = false;
  std::string text;
  mlir::Type dtype;
  std::vector<Operand> items;   ///< of a list; start, stop and step of a range, each None if absent
  SourceRange range, nameRange; ///< of an argument: where it and its name are written
  SourceRange origin; ///< of a string: where it is written, whatever calls it went through

  static Operand of(mlir::Value value) {
    Operand operand;
    operand.kind = Kind::Tensor;
    operand.tensor = value;
    return operand;
  }
  static Operand of(Dim dim) {
    Operand operand;
    operand.kind = Kind::Dimension;
    operand.dim = std::move(dim);
    return operand;
  }
  static Operand ofFloat(double value) {
    Operand operand;
    operand.kind = Kind::Float;
    operand.number = value;
    return operand;
  }
  static Operand ofBool(bool value) {
    Operand operand;
    operand.kind = Kind::Bool;
    operand.truth = value;
    return operand;
  }
  static Operand ofString(std::string value, SourceRange range = {}) {
    Operand operand;
    operand.kind = Kind::String;
    operand.text = std::move(value);
    operand.origin = range;
    return operand;
  }
  static Operand ofDtype(mlir::Type type) {
    Operand operand;
    operand.kind = Kind::Dtype;
    operand.dtype = type;
    return operand;
  }
  static Operand unknown() {
    Operand operand;
    operand.kind = Kind::Unknown;
    return operand;
  }
  static Operand ofList(std::vector<Operand> items) {
    Operand operand;
    operand.kind = Kind::List;
    operand.items = std::move(items);
    return operand;
  }

  bool isTensor() const { return kind == Kind::Tensor; }
  bool isList() const { return kind == Kind::List; }
  bool isInteger() const { return kind == Kind::Dimension && dim.isConstant(); }
  /// What arithmetic may meet: no string, dtype, range or None.
  bool isValue() const {
    return kind == Kind::Tensor || kind == Kind::Dimension || kind == Kind::Float ||
           kind == Kind::Bool || kind == Kind::List;
  }
  /// A number known now: an integer or a float.
  bool isNumber() const { return isInteger() || kind == Kind::Float; }
  double asDouble() const { return kind == Kind::Float ? number : double(dim.constant()); }
  /// A list, at any depth of numbers or bools only.
  bool isLiteral() const;
  bool hasFloat() const;
  bool hasBool() const;
  bool hasInteger() const;
  /// The first number with a fraction or a point in it, null if there is none.
  const Operand *findFloat() const;

  /// For messages: "f32[N, 3]", "the integer 3", "a string".
  std::string describe() const;
};

/// The element type of the result of an operation on both: see docs/language.md, "Promotion".
mlir::Type promoteTypes(mlir::Type left, mlir::Type right);
/// The element type that a weakly typed number takes beside `other`.
mlir::Type promoteNumber(mlir::Type other, bool isFloat, mlir::MLIRContext *context);
/// Whether every value of `from` may be stored as `to` without an error: to a float from anything,
/// to an integer from integers and bools, to bool from bool.
bool canStoreAs(mlir::Type from, mlir::Type to);

/// The arguments of a call; whoever fills parameters from them takes them out.
struct CallArguments {
  std::vector<Operand> positional;
  std::map<std::string, Operand> named;
  /// The first of `positional` that is not taken.
  size_t next = 0;

  bool hasPositional() const { return next < positional.size(); }
  std::optional<Operand> takePositional() {
    return hasPositional() ? std::optional(positional[next++]) : std::nullopt;
  }
  std::optional<Operand> takeNamed(const std::string &name) {
    auto node = named.extract(name);
    return node ? std::optional(std::move(node.mapped())) : std::nullopt;
  }
};

/// Names and what they stand for, by scope: a fragment's body sees its own names only.
using Scope = std::map<std::string, Operand>;
std::vector<std::string> namesIn(const Scope &scope);

} // namespace nnc

#endif // NNC_SYNTAX_ELABORATE_OPERAND_H
