//===- OpTable.h - What is known of each op ---------------------*- C++ -*-===//
//
// One record an op, generated from ODS. The language resolves calls with it, the documentation and
// the gradient checks walk it; nothing about an op is written down a second time.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_IR_OPTABLE_H
#define NNC_IR_OPTABLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace nnc {

enum class AttributeKind {
  Integers,
  Shape,
  Dimension,
  Float,
  Integer,
  Bool,
  Dtype,
  Literal,
  String
};

struct OperandInfo {
  std::string name;
  bool isVariadic;
};

struct AttributeInfo {
  std::string name;
  AttributeKind kind;
  /// It may be left out; `defaultText` is then its value, or empty where absence has a meaning.
  bool isOptional;
  std::string defaultText;
};

struct OpInfo {
  /// Name of the function in the language; the op is "nn." + name.
  std::string name;
  std::string family;
  std::string summary;
  std::string description;
  std::vector<OperandInfo> operands;
  std::vector<AttributeInfo> attributes;
  std::vector<std::string> results;
  /// "(x: f64[3, 4] in 0.5..2) -> log(x)"
  std::vector<std::string> examples;
  bool isDifferentiable;
  /// A call brings the operands, but for one named `condition`, to one element type.
  bool promotesOperands;

  bool isRandom() const { return family == "Random"; }
};

/// All ops, sorted by name.
llvm::ArrayRef<OpInfo> getOpTable();
/// The op of that name (without "nn."), or null.
const OpInfo *lookupOp(llvm::StringRef name);

} // namespace nnc

#endif // NNC_IR_OPTABLE_H
